/* look_counts.c: counts for charts. What is decided comes from tallies (tally.c) where steps are of
 * whole slots and nothing is asked for that they do not know; what waits to be decided, and all
 * else, is counted event by event. Both give the same counts. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "store/event_json.h"
#include "store/filter.h"
#include "store/impl.h"
#include "store/tally.h"

enum { SQL_SIZE = 1024, STEPS = 10000, MOST_BY = 3, FIRST_CELLS = 64 };

/* The labels of a series; NULL: none. */
typedef struct labels {
    const char *of[MOST_BY];
    size_t len[MOST_BY];
} labels;

typedef struct series {
    char *label[MOST_BY]; /* own; NULL: none */
    int64_t *count;       /* [steps], own */
    int64_t total;
} series;

typedef struct chart {
    const heed_hooks *hooks;
    const char *const *by;
    int n;
    int64_t from_ms, to_ms, step_ms, steps;
    series *series;
    int64_t len, cap;
    int64_t *cell, cells; /* a power of two; places in series + 1; 0: free */
} chart;

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "out of memory for counts");
}

static void chart_free(chart *c) {
    for (int64_t i = 0; i < c->len; i++) {
        for (int b = 0; b < c->n; b++) heed__free(c->hooks, c->series[i].label[b]);
        heed__free(c->hooks, c->series[i].count);
    }
    heed__free(c->hooks, c->series);
    heed__free(c->hooks, c->cell);
}

/* -- series ----------------------------------------------------------------------------------- */

static uint64_t hash_of(const chart *c, const labels *l) {
    uint64_t h = HEED_HASH_BEGIN;
    for (int i = 0; i < c->n; i++) {
        h = heed__hash_one(h, l->of[i] ? l->len[i] + 1 : 0);
        if (l->of[i]) h = heed__hash_more(h, l->of[i], l->len[i]);
    }
    return heed__hash_spread(h);
}

static bool is_of(const chart *c, const series *s, const labels *l) {
    for (int i = 0; i < c->n; i++) {
        if (!s->label[i] != !l->of[i]) return false;
        if (l->of[i] &&
            (strlen(s->label[i]) != l->len[i] || memcmp(s->label[i], l->of[i], l->len[i]) != 0))
            return false;
    }
    return true;
}

static int64_t *cell_of(const chart *c, int64_t *cell, int64_t cells, const labels *l) {
    for (uint64_t at = hash_of(c, l);; at++) {
        int64_t *is = &cell[at & (uint64_t)(cells - 1)];
        if (!*is || is_of(c, &c->series[*is - 1], l)) return is;
    }
}

static bool grow_cells(chart *c) {
    const int64_t cells = c->cells ? 2 * c->cells : FIRST_CELLS;
    int64_t *cell = heed__calloc(c->hooks, (size_t)cells, sizeof *cell);
    if (!cell) return false;
    for (int64_t i = 0; i < c->len; i++) {
        labels l = { { NULL }, { 0 } };
        for (int b = 0; b < c->n; b++) {
            l.of[b] = c->series[i].label[b];
            l.len[b] = l.of[b] ? strlen(l.of[b]) : 0;
        }
        *cell_of(c, cell, cells, &l) = i + 1;
    }
    heed__free(c->hooks, c->cell);
    c->cell = cell;
    c->cells = cells;
    return true;
}

/* Its place, made where there is none; -1: out of memory. */
static int64_t series_of(chart *c, const labels *l) {
    if (2 * (c->len + 1) > c->cells && !grow_cells(c)) return -1;
    int64_t *cell = cell_of(c, c->cell, c->cells, l);
    if (*cell) return *cell - 1;
    if (heed__grow(c->hooks, &c->series, &c->cap, c->len + 1, sizeof *c->series)) return -1;
    series *s = &c->series[c->len++];
    *s = (series){ .count = heed__calloc(c->hooks, (size_t)c->steps, sizeof *s->count) };
    bool ok = s->count != NULL;
    for (int i = 0; i < c->n && ok; i++) {
        if (!l->of[i]) continue;
        s->label[i] = heed__malloc(c->hooks, l->len[i] + 1);
        ok = s->label[i] != NULL;
        if (!ok) break;
        memcpy(s->label[i], l->of[i], l->len[i]);
        s->label[i][l->len[i]] = 0;
    }
    if (!ok) return -1;
    *cell = c->len;
    return c->len - 1;
}

static void add(chart *c, int64_t at, int64_t step, int64_t n) {
    if (step < 0 || step >= c->steps) return;
    c->series[at].count[step] += n;
    c->series[at].total += n;
}

/* -- event by event --------------------------------------------------------------------------- */

enum { P_FROM = HEED_FILTER_FREE, P_STEP, P_BY };

static bool of_entry(const char *by) {
    return strcmp(by, "source") == 0 || strcmp(by, "user") == 0;
}

/* label1, .., (time - from) / step, count(*), grouped. What abstained counts as without a label. */
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

static int count_rows(chart *c, heed_db *db, sqlite3_stmt *q, heed_error *err) {
    sqlite3_bind_int64(q, P_FROM, c->from_ms);
    sqlite3_bind_int64(q, P_STEP, c->step_ms);
    for (int i = 0; i < c->n; i++)
        if (!of_entry(c->by[i])) heed__db_text(q, P_BY + i, c->by[i]);
    int row;
    while ((row = heed__db_step(db, q, err)) == 1) {
        labels l = { { NULL }, { 0 } };
        for (int i = 0; i < c->n; i++) {
            l.of[i] = heed__db_column(q, i);
            l.len[i] = l.of[i] ? strlen(l.of[i]) : 0;
        }
        const int64_t at = series_of(c, &l);
        if (at < 0) return no_memory(err);
        add(c, at, sqlite3_column_int64(q, c->n), sqlite3_column_int64(q, c->n + 1));
    }
    return row;
}

/* Of events after seq `after`. */
static int count_events(chart *c, heed_db *db, const heed_look *look, int64_t after,
                        heed_error *err) {
    char columns[SQL_SIZE], joins[SQL_SIZE], tail[32];
    make_sql(c, columns, joins, tail);
    heed_look within = *look;
    if (!within.from_ms) within.from_ms = c->from_ms;
    if (!within.to_ms) within.to_ms = c->to_ms;
    within.by_rank = false;
    heed_filter f;
    int status = heed__filter_make(&f, c->hooks, &within, false, err);
    if (status) return status;
    f.joins = joins, f.tail = tail, f.after = after;
    sqlite3_stmt *q = heed__filter_sql(&f, db, columns, err);
    status = q ? count_rows(c, db, q, err) : heed__code_of(err);
    if (q) heed__db_done(q);
    heed__filter_free(&f);
    return status;
}

/* -- by tallies ------------------------------------------------------------------------------- */

/* The size of slots that make up the steps; 0: none does. */
static int64_t slot_size(const chart *c, const heed_look *l) {
    if (l->text || l->user || l->session || l->analysis || l->story || l->before || l->heads)
        return 0;
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->by[i], "user") == 0) return 0;
    const int64_t size[] = { HEED_TALLY_COARSE, HEED_TALLY_FINE };
    for (int i = 0; i < 2; i++)
        if (c->from_ms >= 0 && c->from_ms % size[i] == 0 && c->step_ms % size[i] == 0)
            return size[i];
    return 0;
}

/* Places in series of keys, by the keys' ids. */
typedef struct known {
    int64_t *at; /* + 2; 0: not asked for; 1: not of this chart */
    int64_t cap;
} known;

static void read_key(const chart *c, const char *source, const char *text, labels *l) {
    heed_said_label said;
    *l = (labels){ { NULL }, { 0 } };
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->by[i], "source") == 0) l->of[i] = source, l->len[i] = strlen(source);
    while (heed__tally_next(&text, &said))
        for (int i = 0; i < c->n; i++)
            if (strlen(c->by[i]) == said.name_len && !of_entry(c->by[i]) &&
                memcmp(c->by[i], said.name, said.name_len) == 0)
                l->of[i] = said.label, l->len[i] = said.label_len;
}

/* What known->at says of a key; -1 and *err. */
static int64_t look_up(chart *c, heed_db *db, const heed_look *look, int64_t key, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db, "SELECT source, labels FROM tally_key WHERE id = ?1", err);
    if (!q) return heed__db_error(db, err), -1;
    sqlite3_bind_int64(q, 1, key);
    const int row = heed__db_step(db, q, err);
    int64_t at = row < 0 ? -1 : 1;
    const char *source = row == 1 ? heed__db_column(q, 0) : NULL;
    const char *text = row == 1 ? heed__db_column(q, 1) : NULL;
    if (source && text && (!look->source || strcmp(look->source, source) == 0)) {
        labels l;
        read_key(c, source, text, &l);
        at = series_of(c, &l);
        at = at < 0 ? (no_memory(err), -1) : at + 2;
    }
    heed__db_done(q);
    return at;
}

static int count_slot(chart *c, heed_db *db, const heed_look *look, known *k, const int64_t row[3],
                      heed_error *err) {
    const int64_t key = row[0];
    const int64_t had = k->cap;
    if (key < 0 || key > 1 << 28) return HEED_OK;
    if (heed__grow(c->hooks, &k->at, &k->cap, key + 1, sizeof *k->at)) return no_memory(err);
    if (k->cap > had) memset(k->at + had, 0, (size_t)(k->cap - had) * sizeof *k->at);
    if (k->at[key] == 0 && (k->at[key] = look_up(c, db, look, key, err)) < 0)
        return heed__code_of(err);
    if (k->at[key] > 1) add(c, k->at[key] - 2, (row[1] - c->from_ms) / c->step_ms, row[2]);
    return HEED_OK;
}

/* Slots of [from, to). */
static int count_slots(chart *c, heed_db *db, const heed_look *look, int64_t size, int64_t to_ms,
                       heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        db, "SELECT key, slot, n FROM tally WHERE size = ?1 AND slot >= ?2 AND slot < ?3", err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, size);
    sqlite3_bind_int64(q, 2, c->from_ms / size);
    sqlite3_bind_int64(q, 3, (to_ms + size - 1) / size);
    known k = { 0 };
    int row;
    while ((row = heed__db_step(db, q, err)) == 1) {
        const int64_t value[] = { sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1) * size,
                                  sqlite3_column_int64(q, 2) };
        const int status = count_slot(c, db, look, &k, value, err);
        if (status) row = status;
        if (status) break;
    }
    heed__db_done(q);
    heed__free(c->hooks, k.at);
    return row;
}

/* All slots up to the last whole one; one that `to` cuts is counted event by event, unless nothing
 * in it can be later. */
static int count_decided(chart *c, heed_db *db, const heed_look *look, int64_t size,
                         heed_error *err) {
    int64_t decided = 0, clock_ms = 0, whole = c->to_ms;
    int status = heed__db_number(db, "SELECT value FROM place WHERE name = 'decided'", 0, &decided,
                                 err);
    if (!status)
        status = heed__db_number(db, "SELECT time_ms FROM entry ORDER BY seq DESC LIMIT 1", 0,
                                 &clock_ms, err);
    if (clock_ms >= c->to_ms) whole = c->to_ms / size * size;
    if (!status) status = count_slots(c, db, look, size, whole, err);
    if (!status && whole < c->to_ms) {
        heed_look rest = *look;
        rest.from_ms = whole > c->from_ms ? whole : c->from_ms;
        rest.before = decided + 1;
        status = count_events(c, db, &rest, 0, err);
    }
    /* what waits */
    return status ? status : count_events(c, db, look, decided, err);
}

/* -- answers ---------------------------------------------------------------------------------- */

/* The largest first; of equals in the order of their labels, none before any. */
static int by_total(const void *a, const void *b) {
    const series *x = a, *y = b;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    for (int i = 0; i < MOST_BY; i++) {
        if (!x->label[i] != !y->label[i]) return x->label[i] ? 1 : -1;
        const int order = x->label[i] ? strcmp(x->label[i], y->label[i]) : 0;
        if (order) return order;
    }
    return 0;
}

static json_t *series_json(const chart *c, const series *s) {
    json_t *key = json_object(), *count = json_array();
    bool ok = true;
    for (int i = 0; i < c->n; i++)
        ok &= heed__put_json(key, c->by[i], heed__text_json(s->label[i]));
    for (int64_t i = 0; i < c->steps && ok; i++)
        ok = json_array_append_new(count, json_integer((json_int_t)s->count[i])) == 0;
    return heed__whole_json(json_pack("{s:o,s:o}", "key", key, "count", count), ok, NULL);
}

static json_t *chart_json(chart *c, int64_t most, heed_error *err) {
    if (c->len) qsort(c->series, (size_t)c->len, sizeof *c->series, by_total);
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int64_t i = 0; ok && i < c->len && i < most && c->series[i].total > 0; i++)
        ok = json_array_append_new(list, series_json(c, &c->series[i])) == 0;
    if (!ok) {
        json_decref(list);
        no_memory(err);
        return NULL;
    }
    return heed__whole_json(json_pack("{s:I,s:o,s:o,s:o}", "step_ms", (json_int_t)c->step_ms,
                                      "from", heed__time_json(c->from_ms), "to",
                                      heed__time_json(c->to_ms), "series", list),
                            true, err);
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
    chart c = { .hooks = &s->hooks, .by = by, .n = n };
    if (make_chart(s, look, step_ms, &c, err)) return NULL;
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    const int64_t size = slot_size(&c, look);
    const int status = size ? count_decided(&c, db, look, size, err)
                            : count_events(&c, db, look, 0, err);
    heed__store_return(s, db);
    json_t *answer = status ? NULL : chart_json(&c, heed__look_most(look), err);
    chart_free(&c);
    return answer;
}
