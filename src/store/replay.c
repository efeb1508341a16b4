/* replay.c: decided entries in the log's order, each with what was found and decided. */
#include <string.h>

#include "base/arena.h"
#include "store/impl.h"

enum { CHUNK = 1024 }; /* entries seen in one state of the file */

/* One entry at a time; the arena has what stands beside it. */
typedef struct replay {
    heed_store *store;
    heed_db *db;
    heed_arena arena;
    heed_decided_fn fn;
    void *user;
    int64_t after, upto, n;
    bool more;
} replay;

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "out of memory for an event");
}

/* A column's text, the arena's; NULL for null. False: out of memory. */
static bool keep(replay *r, sqlite3_stmt *q, int column, const char **to) {
    const char *text = heed__db_column(q, column);
    *to = NULL;
    if (!text) return true;
    const size_t size = strlen(text) + 1;
    char *own = heed__arena_alloc(&r->arena, size);
    if (own) *to = memcpy(own, text, size);
    return own != NULL;
}

/* Findings in the order of their names. */
static int read_findings(replay *r, heed_decided *d, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(r->db,
                                   "SELECT name, label, detail, confidence, abstained FROM finding"
                                   " WHERE seq = ?1 ORDER BY name",
                                   err);
    if (!q) return heed__db_error(r->db, err);
    heed_finding *list = NULL;
    int64_t cap = 0;
    int row;
    sqlite3_bind_int64(q, 1, d->seq);
    while ((row = heed__db_step(r->db, q, err)) == 1) {
        if (d->findings == cap) {
            cap = cap ? 2 * cap : 8;
            heed_finding *more = heed__arena_alloc(&r->arena, (size_t)cap * sizeof *more);
            if (more && d->findings) memcpy(more, list, (size_t)d->findings * sizeof *more);
            list = more;
        }
        heed_finding f = { .confidence = sqlite3_column_double(q, 3),
                           .abstained = sqlite3_column_int(q, 4) != 0 };
        if (!list || !keep(r, q, 0, &f.name) || !keep(r, q, 1, &f.label) ||
            !keep(r, q, 2, &f.detail)) {
            row = no_memory(err);
            break;
        }
        list[d->findings++] = f;
    }
    heed__db_done(q);
    d->finding = list;
    return row;
}

static int read_vector(replay *r, heed_decided *d, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(r->db, "SELECT value FROM vector WHERE seq = ?1", err);
    if (!q) return heed__db_error(r->db, err);
    sqlite3_bind_int64(q, 1, d->seq);
    int row = heed__db_step(r->db, q, err);
    if (row == 1) {
        const unsigned char *half = sqlite3_column_blob(q, 0);
        d->dim = sqlite3_column_bytes(q, 0) / 2;
        float *v = heed__arena_alloc(&r->arena, (size_t)(d->dim + 1) * sizeof *v);
        for (int64_t i = 0; v && i < d->dim; i++)
            v[i] = heed__half_float((uint16_t)(half[2 * i] | half[2 * i + 1] << 8));
        d->vector = d->dim ? v : NULL;
        row = v ? 0 : no_memory(err);
    }
    heed__db_done(q);
    return row;
}

static int read_decided(replay *r, heed_decided *d, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(r->db, "SELECT story, rank, gates FROM decided WHERE seq = ?1",
                                   err);
    if (!q) return heed__db_error(r->db, err);
    sqlite3_bind_int64(q, 1, d->seq);
    int row = heed__db_step(r->db, q, err);
    if (row == 1) {
        d->story = sqlite3_column_int64(q, 0);
        d->rank = sqlite3_column_double(q, 1);
        row = keep(r, q, 2, &d->gates) ? 0 : no_memory(err);
    }
    heed__db_done(q);
    return row;
}

static int one(replay *r, const heed_entry *e, heed_error *err) {
    heed_decided d = { .seq = e->seq };
    int status = 0;
    heed__arena_reset(&r->arena);
    if (e->kind == HEED_ENTRY_EVENT) {
        status = read_findings(r, &d, err);
        if (!status) status = read_vector(r, &d, err);
        if (!status) status = read_decided(r, &d, err);
    }
    if (status) return status;
    r->n++;
    r->after = e->seq;
    r->more = r->fn(r->user, e, &d);
    return 0;
}

/* The next entries. 0: there were none; 1; or a status. */
static int chunk(replay *r, int64_t most, heed_error *err) {
    r->db = heed__store_reader(r->store, err);
    if (!r->db) return HEED_EIO;
    const int64_t before = r->n;
    sqlite3_stmt *q = heed__db_sql(r->db,
                                   "SELECT " HEED_ENTRY_COLUMNS
                                   " FROM entry WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
                                   err);
    int row = q ? 1 : heed__db_error(r->db, err);
    if (q) {
        sqlite3_bind_int64(q, 1, r->after);
        sqlite3_bind_int64(q, 2, r->upto);
        sqlite3_bind_int64(q, 3, most);
        while (r->more && (row = heed__db_step(r->db, q, err)) == 1) {
            heed_entry e;
            heed__entry_row(q, &e);
            const int status = one(r, &e, err);
            if (status) row = status;
            if (status) break;
        }
        heed__db_done(q);
    }
    heed__store_return(r->store, r->db);
    return row < 0 ? row : r->n > before;
}

int64_t heed_store_replay(heed_store *s, int64_t after, int64_t most, heed_decided_fn fn,
                          void *user, heed_error *err) {
    replay r = { .store = s, .fn = fn, .user = user, .after = after, .more = true };
    r.upto = heed_store_decided(s);
    heed__arena_init(&r.arena, &s->hooks);
    int status = 1;
    while (status == 1 && r.more && r.n < most)
        status = chunk(&r, most - r.n < CHUNK ? most - r.n : CHUNK, err);
    heed__arena_free(&r.arena);
    return status < 0 ? status : r.n;
}
