/* filter.c: SQL put together from what a look asks for. Values are always bound, never written. */
#include "store/filter.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/impl.h"
#include "store/words.h"

enum { SQL_SIZE = 2048, MOST = 1000, USUAL = 50 };

/* Numbers of parameters. */
enum {
    P_BEFORE = 1,
    P_FROM,
    P_TO,
    P_SOURCE,
    P_USER,
    P_SESSION,
    P_STORY,
    P_ANALYSIS,
    P_LABEL,
    P_QUERY,
    P_SEQ
};

int64_t heed__look_most(const heed_look *look) {
    return look->most <= 0 ? USUAL : look->most > MOST ? MOST : look->most;
}

int heed__filter_make(heed_filter *f, const heed_hooks *hooks, const heed_look *look, bool any,
                      heed_error *err) {
    *f = (heed_filter){ .look = look, .hooks = hooks, .any = any };
    if (!look->text || !*look->text) return HEED_OK;
    f->query = heed__words_query(hooks, look->text, any, err);
    return f->query ? HEED_OK : HEED_ENOMEM;
}

void heed__filter_free(heed_filter *f) {
    heed__free(f->hooks, f->query);
    f->query = NULL;
}

typedef struct sql {
    char text[SQL_SIZE];
    size_t len;
} sql;

static void add(sql *s, const char *text) {
    s->len += heed__format(s->text + s->len, sizeof s->text - s->len, "%s", text);
}

/* The full-text index, which has events alone, answers without the log. */
static bool alone(const heed_filter *f) {
    const heed_look *l = f->look;
    return f->best && !l->source && !l->user && !l->session && !l->analysis && !l->story &&
           !l->heads && !l->by_rank && !f->joins;
}

/* words: the full-text index is one of the tables, and then it must know of ranges of seq. */
static void add_conditions(sql *s, const heed_filter *f, bool words) {
    const heed_look *l = f->look;
    add(s, words && alone(f) ? " WHERE 1" : " WHERE e.kind = 0");
    if (l->before > 0) add(s, words ? " AND w.rowid < ?1" : " AND e.seq < ?1");
    /* the clock never goes back, so that times are ranges of seq */
    if (l->from_ms || f->after) add(s, words ? " AND w.rowid >= ?2" : " AND e.seq >= ?2");
    if (l->to_ms) add(s, words ? " AND w.rowid < ?3" : " AND e.seq < ?3");
    if (l->source) add(s, " AND e.source = ?4");
    if (l->user) add(s, " AND e.user = ?5");
    if (l->session) add(s, " AND e.session = ?6");
    if (l->story) add(s, " AND d.story = ?7");
    if (l->heads) add(s, " AND (d.story IS NULL OR d.story IN (0, e.seq))");
    if (l->analysis) add(s, " AND f.name = ?8");
    if (l->analysis && l->label) add(s, " AND f.label = ?9");
}

static void add_tables(sql *s, const heed_filter *f, bool words) {
    const heed_look *l = f->look;
    /* CROSS JOIN keeps the order: what restricts most comes first */
    if (words && alone(f))
        add(s, " FROM words w");
    else if (words)
        add(s, " FROM words w CROSS JOIN entry e ON e.seq = w.rowid");
    else if (l->analysis && l->label && !l->by_rank)
        add(s, " FROM finding f CROSS JOIN entry e ON e.seq = f.seq");
    else if (l->by_rank)
        add(s, " FROM decided d CROSS JOIN entry e ON e.seq = d.seq");
    else
        add(s, " FROM entry e");
    if (l->analysis && (words || !l->label || l->by_rank))
        add(s, " JOIN finding f ON f.seq = e.seq");
    if ((l->story || l->heads || l->by_rank) && (words || !l->by_rank))
        add(s, l->heads && !l->story ? " LEFT JOIN decided d ON d.seq = e.seq"
                                     : " JOIN decided d ON d.seq = e.seq");
}

int heed__first_at(heed_db *db, int64_t ms, int64_t *seq, heed_error *err) {
    int64_t low = 1, high = 0;
    int status = heed__db_number(db, "SELECT max(seq) FROM entry", 0, &high, err);
    if (!status) status = heed__db_number(db, "SELECT min(seq) FROM entry", 1, &low, err);
    high++;
    while (low < high && !status) {
        const int64_t middle = low + (high - low) / 2;
        sqlite3_stmt *q = heed__db_sql(
            db, "SELECT seq, time_ms FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT 1", err);
        if (!q) return heed__db_error(db, err);
        sqlite3_bind_int64(q, 1, middle);
        const int row = heed__db_step(db, q, err);
        const int64_t time_ms = row == 1 ? sqlite3_column_int64(q, 1) : 0;
        const int64_t at = row == 1 ? sqlite3_column_int64(q, 0) : high;
        heed__db_done(q);
        if (row < 0) return row;
        if (row == 1 && time_ms < ms)
            low = at + 1;
        else
            high = middle;
    }
    *seq = low;
    return status;
}

static int bind(const heed_filter *f, heed_db *db, sqlite3_stmt *q, heed_error *err) {
    const heed_look *l = f->look;
    int64_t from = 0, to = 0;
    int status = l->from_ms ? heed__first_at(db, l->from_ms, &from, err) : HEED_OK;
    if (!status && l->to_ms) status = heed__first_at(db, l->to_ms, &to, err);
    if (l->before > 0) sqlite3_bind_int64(q, P_BEFORE, l->before);
    if (from <= f->after) from = f->after + 1;
    if (l->from_ms || f->after) sqlite3_bind_int64(q, P_FROM, from);
    if (l->to_ms) sqlite3_bind_int64(q, P_TO, to);
    if (l->source) heed__db_text(q, P_SOURCE, l->source);
    if (l->user) heed__db_text(q, P_USER, l->user);
    if (l->session) heed__db_text(q, P_SESSION, l->session);
    if (l->story) sqlite3_bind_int64(q, P_STORY, l->story);
    if (l->analysis) heed__db_text(q, P_ANALYSIS, l->analysis);
    if (l->analysis && l->label) heed__db_text(q, P_LABEL, l->label);
    return status;
}

static sqlite3_stmt *prepare(const heed_filter *f, heed_db *db, const sql *s, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db, s->text, err);
    if (q && bind(f, db, q, err) == HEED_OK) return q;
    if (q) heed__db_done(q);
    return NULL;
}

sqlite3_stmt *heed__filter_sql(const heed_filter *f, heed_db *db, const char *columns,
                               heed_error *err) {
    const heed_look *l = f->look;
    sql s = { .len = 0 };
    add(&s, "SELECT ");
    add(&s, columns);
    add_tables(&s, f, f->query != NULL);
    if (f->joins) add(&s, f->joins);
    add_conditions(&s, f, f->query != NULL);
    if (f->query) add(&s, " AND words MATCH ?10");
    if (f->query && f->best) add(&s, " AND w.rank MATCH 'heed_rank()'");
    if (f->tail)
        add(&s, f->tail);
    else if (l->by_rank)
        add(&s, " ORDER BY d.rank DESC, d.seq DESC");
    else if (f->query && f->best)
        add(&s, " ORDER BY w.rank");
    else if (f->query)
        add(&s, " ORDER BY w.rowid DESC");
    else if (l->analysis && l->label)
        add(&s, " ORDER BY f.seq DESC");
    else
        add(&s, " ORDER BY e.seq DESC");
    sqlite3_stmt *q = prepare(f, db, &s, err);
    if (q && f->query) heed__db_text(q, P_QUERY, f->query);
    return q;
}

int heed__filter_passes(const heed_filter *f, heed_db *db, int64_t seq, heed_error *err) {
    heed_look l = *f->look;
    l.by_rank = false;
    heed_filter one = *f;
    one.look = &l;
    sql s = { .len = 0 };
    add(&s, "SELECT 1");
    add_tables(&s, &one, false);
    add_conditions(&s, f, false);
    add(&s, " AND e.seq = ?11");
    sqlite3_stmt *q = prepare(f, db, &s, err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, P_SEQ, seq);
    const int row = heed__db_step(db, q, err);
    heed__db_done(q);
    return row;
}
