/* tally.c: events counted by slot and key. A key is a source with the labels of every analysis, in
 * the order of their names: "6:intent9:card_lost8:language-" (lengths before texts, '-' for no
 * label). The events of a call are gathered first, so that each slot and key is written once. */
#include "store/tally.h"

#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"

enum { NAMES = 64, PIECE = 16384, FIRST_CELLS = 1024, LENGTH = 24 };

typedef struct finding {
    const char *name, *label; /* label NULL: none */
} finding;

typedef struct count {
    const char *source, *labels;
    int64_t minute, n;
    uint64_t hash;
} count;

typedef struct gathered {
    heed_arena arena;
    count *cell; /* [cells] a power of two; n 0: free */
    int64_t cells, used;
} gathered;

/* An event while its rows are read; texts are the arena's. */
typedef struct event {
    int64_t seq, time_ms;
    const char *source;
    finding found[NAMES];
    int n;
} event;

/* -- keys ------------------------------------------------------------------------------------- */

static size_t put_text(char *to, const char *text) {
    const size_t len = strlen(text), digits = heed__format(to, LENGTH, "%zu:", len);
    memcpy(to + digits, text, len);
    return digits + len;
}

/* The key's text; NULL: out of memory. */
static char *labels_of(heed_arena *arena, event *e) {
    size_t size = 1;
    for (int i = 0; i < e->n; i++) { /* few: put in order by insertion */
        const finding f = e->found[i];
        int at = i;
        for (; at > 0 && strcmp(e->found[at - 1].name, f.name) > 0; at--)
            e->found[at] = e->found[at - 1];
        e->found[at] = f;
        size += strlen(f.name) + (f.label ? strlen(f.label) : 0) + (size_t)(2 * LENGTH);
    }
    char *to = heed__arena_alloc(arena, size);
    if (!to) return NULL;
    size_t len = 0;
    for (int i = 0; i < e->n; i++) {
        len += put_text(to + len, e->found[i].name);
        if (e->found[i].label)
            len += put_text(to + len, e->found[i].label);
        else
            to[len++] = '-';
    }
    to[len] = 0;
    return to;
}

/* "5:texts"; false where there is none. */
static bool next_text(const char **at, const char **text, size_t *len) {
    size_t n = 0;
    const char *p = *at;
    for (; *p >= '0' && *p <= '9' && n < 1 << 20; p++) n = n * 10 + (size_t)(*p - '0');
    if (p == *at || *p != ':' || strnlen(p + 1, n) < n) return false;
    *text = p + 1;
    *len = n;
    *at = p + 1 + n;
    return true;
}

bool heed__tally_next(const char **at, heed_said_label *said) {
    *said = (heed_said_label){ 0 };
    if (!next_text(at, &said->name, &said->name_len)) return false;
    if (**at == '-') return ++*at, true;
    return next_text(at, &said->label, &said->label_len);
}

/* -- gathering -------------------------------------------------------------------------------- */

static count *cell_of(count *cell, int64_t cells, const count *c) {
    for (uint64_t at = c->hash;; at++) {
        count *is = &cell[at & (uint64_t)(cells - 1)];
        if (is->n == 0 ||
            (is->hash == c->hash && is->minute == c->minute && strcmp(is->labels, c->labels) == 0 &&
             strcmp(is->source, c->source) == 0))
            return is;
    }
}

static bool grow(gathered *g) {
    const int64_t cells = g->cells ? 2 * g->cells : FIRST_CELLS;
    count *cell = heed__arena_alloc(&g->arena, (size_t)cells * sizeof *cell);
    if (!cell) return false;
    memset(cell, 0, (size_t)cells * sizeof *cell);
    for (int64_t i = 0; i < g->cells; i++)
        if (g->cell[i].n) *cell_of(cell, cells, &g->cell[i]) = g->cell[i];
    g->cell = cell;
    g->cells = cells;
    return true;
}

static bool gather(gathered *g, event *e) {
    count c = { .source = e->source, .minute = e->time_ms / HEED_TALLY_FINE };
    if (2 * (g->used + 1) > g->cells && !grow(g)) return false;
    if (!(c.labels = labels_of(&g->arena, e))) return false;
    c.hash = heed__hash_one(heed__hash_text(HEED_HASH_BEGIN, c.labels), (uint64_t)c.minute);
    c.hash = heed__hash_spread(heed__hash_text(c.hash, c.source));
    count *is = cell_of(g->cell, g->cells, &c);
    if (is->n == 0) *is = c, g->used++;
    is->n++;
    return true;
}

static const char *keep(gathered *g, const char *text) {
    const size_t size = strlen(text) + 1;
    char *own = heed__arena_alloc(&g->arena, size);
    return own ? memcpy(own, text, size) : NULL;
}

/* A row is an event with one finding, or none; rows of an event follow one another. */
static bool take_row(gathered *g, event *e, sqlite3_stmt *q, int64_t *events) {
    const int64_t seq = sqlite3_column_int64(q, 0);
    if (seq != e->seq) {
        if (e->seq && !gather(g, e)) return false;
        const char *source = heed__db_column(q, 2);
        *e = (event){ .seq = seq, .time_ms = sqlite3_column_int64(q, 1) };
        if (!(e->source = keep(g, source ? source : ""))) return false;
        ++*events;
    }
    const char *name = heed__db_column(q, 3), *label = heed__db_column(q, 4);
    if (!name || e->n == NAMES) return true;
    finding *f = &e->found[e->n++];
    f->name = keep(g, name);
    f->label = label ? keep(g, label) : NULL;
    return f->name && (!label || f->label);
}

static int read_events(heed_db *db, gathered *g, const int64_t range[2], int64_t *events,
                       heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        db,
        "SELECT e.seq, e.time_ms, e.source, f.name, CASE WHEN f.abstained THEN NULL ELSE f.label"
        " END FROM entry e LEFT JOIN finding f ON f.seq = e.seq WHERE e.seq >= ?1 AND e.seq < ?2"
        " AND e.kind = 0 ORDER BY e.seq",
        err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, range[0]);
    sqlite3_bind_int64(q, 2, range[1]);
    event e = { 0 };
    int row;
    bool ok = true;
    while (ok && (row = heed__db_step(db, q, err)) == 1) ok = take_row(g, &e, q, events);
    if (ok && row == 0 && e.seq) ok = gather(g, &e);
    heed__db_done(q);
    return ok ? row : heed__error(err, HEED_ENOMEM, "%s: out of memory for a tally", db->path);
}

/* -- writing ---------------------------------------------------------------------------------- */

static int key_of(heed_db *db, const count *c, int64_t *key, heed_error *err) {
    static const char *const sql[] = {
        "SELECT id FROM tally_key WHERE source = ?1 AND labels = ?2",
        "INSERT INTO tally_key (source, labels) VALUES (?1, ?2)",
    };
    int row = 0;
    for (int i = 0; i < 2 && row == 0; i++) {
        sqlite3_stmt *q = heed__db_sql(db, sql[i], err);
        if (!q) return heed__db_error(db, err);
        heed__db_text(q, 1, c->source);
        heed__db_text(q, 2, c->labels);
        row = heed__db_step(db, q, err);
        *key = row == 1 ? sqlite3_column_int64(q, 0) : sqlite3_last_insert_rowid(db->db);
        heed__db_done(q);
    }
    return row < 0 ? row : HEED_OK;
}

static int write_count(heed_db *db, const count *c, int by, heed_error *err) {
    int64_t key = 0;
    int status = key_of(db, c, &key, err);
    static const int64_t size[] = { HEED_TALLY_FINE, HEED_TALLY_COARSE };
    for (int i = 0; i < 2 && !status; i++) {
        const int64_t slot = c->minute / (size[i] / HEED_TALLY_FINE);
        const int64_t value[] = { size[i], slot, key, by * c->n };
        status = heed__db_run(db,
                              "INSERT INTO tally (size, slot, key, n) VALUES (?1, ?2, ?3, ?4)"
                              " ON CONFLICT DO UPDATE SET n = n + excluded.n",
                              value, 4, err);
        if (!status && by < 0)
            status = heed__db_run(
                db, "DELETE FROM tally WHERE size = ?1 AND slot = ?2 AND key = ?3 AND n = 0", value,
                3, err);
    }
    return status;
}

int heed__tally(heed_db *db, int64_t first, int64_t limit, int by, int64_t *events,
                heed_error *err) {
    const int64_t range[] = { first, limit };
    gathered g = { 0 };
    int64_t n = 0;
    heed__arena_init(&g.arena, db->hooks);
    int status = read_events(db, &g, range, &n, err);
    for (int64_t i = 0; i < g.cells && !status; i++)
        if (g.cell[i].n) status = write_count(db, &g.cell[i], by, err);
    heed__arena_free(&g.arena);
    if (events) *events = n;
    return status;
}

int heed__tally_all(heed_db *db, heed_error *err) {
    int64_t at = 0, decided = 0;
    int status = heed__db_number(db, "SELECT min(seq) FROM entry", 0, &at, err);
    if (!status)
        status = heed__db_number(db, "SELECT value FROM place WHERE name = 'decided'", 0, &decided,
                                 err);
    for (; !status && at <= decided; at += PIECE)
        status = heed__tally(db, at, decided + 1 - at < PIECE ? decided + 1 : at + PIECE, 1, NULL,
                             err);
    return status;
}
