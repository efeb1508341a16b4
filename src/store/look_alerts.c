/* look_alerts.c: alerts, counts for charts, corrections as training data. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/event_json.h"
#include "store/filter.h"
#include "store/impl.h"

enum { SQL_SIZE = 1024, STEPS = 10000, MOST_BY = 3 };

/* -- alerts ----------------------------------------------------------------------------------- */

#define ALERT "SELECT id, rule, grade, state, key, title, opened_ms, time_ms, why, seq FROM alert "

static json_t *alert_json(sqlite3_stmt *q) {
    json_t *a = json_object();
    bool ok = heed__put_json(a, "id", json_integer(sqlite3_column_int64(q, 0)));
    ok &= heed__put_json(a, "seq", json_integer(sqlite3_column_int64(q, 9)));
    ok &= heed__put_json(a, "rule", heed__text_json(heed__db_column(q, 1)));
    ok &= heed__put_json(a, "grade", heed__text_json(heed__db_column(q, 2)));
    ok &= heed__put_json(a, "state", heed__text_json(heed__db_column(q, 3)));
    ok &= heed__put_json(a, "key", heed__parsed_json(heed__db_column(q, 4)));
    ok &= heed__put_json(a, "title", heed__text_json(heed__db_column(q, 5)));
    ok &= heed__put_json(a, "opened", heed__time_json(sqlite3_column_int64(q, 6)));
    ok &= heed__put_json(a, "time", heed__time_json(sqlite3_column_int64(q, 7)));
    ok &= heed__put_json(a, "why", heed__parsed_json(heed__db_column(q, 8)));
    return heed__whole_json(a, ok, NULL);
}

json_t *heed_look_alerts(heed_store *s, const char *state, int64_t before, int64_t most,
                         heed_error *err) {
    const heed_look limit = { .most = most };
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *list = json_array();
    sqlite3_stmt *q = heed__db_sql(
        db, ALERT "WHERE (?1 IS NULL OR state = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3", err);
    int row = q ? HEED_OK : heed__db_error(db, err);
    if (q) {
        heed__db_text(q, 1, state);
        sqlite3_bind_int64(q, 2, before > 0 ? before : INT64_MAX);
        sqlite3_bind_int64(q, 3, heed__look_most(&limit));
        while (row >= 0 && (row = heed__db_step(db, q, err)) == 1)
            if (json_array_append_new(list, alert_json(q)))
                row = heed__error(err, HEED_ENOMEM, "out of memory for alerts");
        heed__db_done(q);
    }
    heed__store_return(s, db);
    if (!row) return heed__whole_json(json_pack("{s:o}", "alerts", list), true, err);
    json_decref(list);
    return NULL;
}

json_t *heed_look_alert(heed_store *s, int64_t id, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *alert = NULL;
    sqlite3_stmt *q = heed__db_sql(db, ALERT "WHERE id = ?1", err);
    if (q) {
        sqlite3_bind_int64(q, 1, id);
        const int row = heed__db_step(db, q, err);
        if (row == 1) alert = heed__whole_json(alert_json(q), true, err);
        if (row == 0) heed__error(err, HEED_ENOTFOUND, "there is no alert %lld", (long long)id);
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return alert;
}

/* -- counts ----------------------------------------------------------------------------------- */

typedef struct chart {
    const char *const *by;
    int n;
    int64_t from_ms, to_ms, step_ms, steps;
} chart;

enum { P_FROM = HEED_FILTER_FREE, P_STEP, P_BY };

static bool of_entry(const char *by) {
    return strcmp(by, "source") == 0 || strcmp(by, "user") == 0;
}

/* label1, .., (time - from) / step, count(*), grouped so that rows of a series follow one another.
 * What abstained counts as without a label. */
static void make_sql(const chart *c, char columns[SQL_SIZE], char joins[SQL_SIZE], char *tail) {
    size_t len = 0, joined = 0, end = heed__format(tail, 32, " GROUP BY 1");
    *joins = 0;
    for (int i = 0; i < c->n; i++) {
        end += heed__format(tail + end, 32 - end, ", %d", i + 2);
        if (of_entry(c->by[i])) {
            len += heed__format(columns + len, SQL_SIZE - len, "e.%s, ", c->by[i]);
            continue;
        }
        len += heed__format(columns + len, SQL_SIZE - len,
                            "CASE WHEN c%d.abstained THEN NULL ELSE c%d.label END, ", i, i);
        joined += heed__format(joins + joined, SQL_SIZE - joined,
                               " LEFT JOIN finding c%d ON c%d.seq = e.seq AND c%d.name = ?%d", i, i,
                               i, P_BY + i);
    }
    heed__format(columns + len, SQL_SIZE - len, "(e.time_ms - ?%d) / ?%d, count(*)", P_FROM,
                 P_STEP);
}

static json_t *new_series(const chart *c, sqlite3_stmt *q) {
    json_t *key = json_object(), *count = json_array();
    bool ok = true;
    for (int i = 0; i < c->n; i++)
        ok &= heed__put_json(key, c->by[i], heed__text_json(heed__db_column(q, i)));
    for (int64_t i = 0; i < c->steps && ok; i++)
        ok = json_array_append_new(count, json_integer(0)) == 0;
    return heed__whole_json(json_pack("{s:o,s:o}", "key", key, "count", count), ok, NULL);
}

static bool same_series(const chart *c, const json_t *series, sqlite3_stmt *q) {
    const json_t *key = json_object_get(series, "key");
    for (int i = 0; i < c->n; i++) {
        const char *has = json_string_value(json_object_get(key, c->by[i]));
        const char *is = heed__db_column(q, i);
        if (!has != !is || (has && strcmp(has, is) != 0)) return false;
    }
    return true;
}

static int count_rows(const chart *c, heed_db *db, sqlite3_stmt *q, json_t *all, heed_error *err) {
    sqlite3_bind_int64(q, P_FROM, c->from_ms);
    sqlite3_bind_int64(q, P_STEP, c->step_ms);
    for (int i = 0; i < c->n; i++)
        if (!of_entry(c->by[i])) heed__db_text(q, P_BY + i, c->by[i]);
    int row;
    json_t *series = NULL;
    while ((row = heed__db_step(db, q, err)) == 1) {
        if (!series || !same_series(c, series, q)) {
            series = new_series(c, q);
            if (json_array_append_new(all, series)) break;
        }
        const int64_t at = sqlite3_column_int64(q, c->n);
        if (at >= 0 && at < c->steps &&
            json_array_set_new(json_object_get(series, "count"), (size_t)at,
                               json_integer(sqlite3_column_int64(q, c->n + 1))))
            break;
    }
    if (row == 1) return heed__error(err, HEED_ENOMEM, "out of memory for counts");
    return row;
}

static json_int_t total(const json_t *series) {
    json_int_t sum = 0;
    size_t i;
    json_t *n;
    json_array_foreach(json_object_get(series, "count"), i, n) sum += json_integer_value(n);
    return sum;
}

typedef struct ranked {
    json_t *series;
    json_int_t total;
    size_t at;
} ranked;

static int by_total(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The `most` largest, the largest first; takes all. */
static json_t *largest(heed_store *s, json_t *all, int64_t most, heed_error *err) {
    const size_t n = json_array_size(all);
    ranked *order = heed__malloc(&s->hooks, n * sizeof *order);
    json_t *list = order ? json_array() : NULL;
    if (!list) heed__error(err, HEED_ENOMEM, "out of memory for counts");
    for (size_t i = 0; list && i < n; i++) {
        json_t *series = json_array_get(all, i);
        order[i] = (ranked){ series, total(series), i };
    }
    if (list) qsort(order, n, sizeof *order, by_total);
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < n && (int64_t)i < most; i++)
        ok = json_array_append(list, order[i].series) == 0;
    if (list) list = heed__whole_json(list, ok, err);
    heed__free(&s->hooks, order);
    json_decref(all);
    return list;
}

static int make_chart(heed_store *s, const heed_look *look, int64_t step_ms, chart *c,
                      heed_error *err) {
    heed__lock_enter(s->lock);
    const int64_t clock_ms = s->now.clock_ms;
    heed__lock_leave(s->lock);
    c->step_ms = step_ms;
    c->to_ms = look->to_ms ? look->to_ms : clock_ms + 1;
    c->from_ms = look->from_ms ? look->from_ms : c->to_ms - 86400000;
    if (c->n < 0 || c->n > MOST_BY)
        return heed__error(err, HEED_EINVALID, "counts by %d analyses, not 0 to %d", c->n, MOST_BY);
    if (step_ms <= 0 || c->to_ms <= c->from_ms || (c->to_ms - c->from_ms) / step_ms >= STEPS)
        return heed__error(err, HEED_EINVALID, "a step of %lld ms does not give 1 to %d steps",
                           (long long)step_ms, STEPS);
    c->steps = (c->to_ms - c->from_ms + step_ms - 1) / step_ms;
    return HEED_OK;
}

json_t *heed_look_counts(heed_store *s, const heed_look *look, const char *const *by, int n,
                         int64_t step_ms, heed_error *err) {
    chart c = { .by = by, .n = n };
    if (make_chart(s, look, step_ms, &c, err)) return NULL;
    char columns[SQL_SIZE], joins[SQL_SIZE], tail[32];
    make_sql(&c, columns, joins, tail);
    heed_look within = *look;
    within.from_ms = c.from_ms, within.to_ms = c.to_ms;
    within.by_rank = false;
    heed_filter f;
    if (heed__filter_make(&f, &s->hooks, &within, false, err)) return NULL;
    f.joins = joins, f.tail = tail;
    heed_db *db = heed__store_reader(s, err);
    sqlite3_stmt *q = db ? heed__filter_sql(&f, db, columns, err) : NULL;
    json_t *all = json_array();
    const int status = q ? count_rows(&c, db, q, all, err) : HEED_EIO;
    if (q) heed__db_done(q);
    if (db) heed__store_return(s, db);
    heed__filter_free(&f);
    if (status) {
        json_decref(all);
        return NULL;
    }
    all = largest(s, all, heed__look_most(look), err);
    if (!all) return NULL;
    json_t *answer = json_pack("{s:I,s:o,s:o,s:o}", "step_ms", (json_int_t)step_ms, "from",
                               heed__time_json(c.from_ms), "to", heed__time_json(c.to_ms), "series",
                               all);
    return heed__whole_json(answer, true, err);
}

/* -- feedback --------------------------------------------------------------------------------- */

/* Per event the last correction; where there is none, the label that an upvote confirmed. */
int64_t heed_look_feedback(heed_store *s, const char *analysis, heed_example_fn fn, void *user,
                           heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    sqlite3_stmt *q = heed__db_sql(
        db,
        "SELECT coalesce(nullif(e.text, ''), e.title), coalesce((SELECT b.label FROM feedback b"
        " WHERE b.seq = e.seq AND b.undone = 0 AND b.analysis = ?1 AND b.label IS NOT NULL ORDER BY"
        " b.entry DESC LIMIT 1), (SELECT CASE WHEN b.vote = 'up' THEN f.label END FROM feedback b"
        " JOIN finding f ON f.seq = b.seq AND f.name = ?1 AND NOT f.abstained WHERE b.seq = e.seq"
        " AND b.undone = 0 AND b.vote IS NOT NULL ORDER BY b.entry DESC LIMIT 1)) AS label"
        " FROM entry e WHERE e.seq IN (SELECT seq FROM feedback WHERE undone = 0) AND e.kind = 0"
        " ORDER BY e.seq",
        err);
    int row = q ? HEED_OK : heed__db_error(db, err);
    int64_t n = 0;
    if (q) {
        heed__db_text(q, 1, analysis);
        for (bool more = true; more && (row = heed__db_step(db, q, err)) == 1;) {
            const char *text = heed__db_column(q, 0), *label = heed__db_column(q, 1);
            if (!text || !label) continue;
            n++;
            more = fn(user, text, label);
        }
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return row < 0 ? row : n;
}
