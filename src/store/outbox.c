/* outbox.c: messages on their way, and small values by name. */
#include <string.h>

#include "store/impl.h"

/* -- messages --------------------------------------------------------------------------------- */

/* Messages and their strings as they are gathered: strings are offsets until all have been read,
 * since the blocks move as they grow. */
typedef struct gathered {
    const heed_hooks *hooks;
    heed_message *message;
    int64_t n, messages_cap;
    char *text;
    int64_t len, cap;
} gathered;

static int keep(gathered *g, sqlite3_stmt *q, int column, const char **to) {
    const char *text = heed__db_column(q, column);
    const int64_t size = (int64_t)sqlite3_column_bytes(q, column) + 1;
    if (heed__grow(g->hooks, &g->text, &g->cap, g->len + size, 1)) return HEED_ENOMEM;
    memcpy(g->text + g->len, text ? text : "", (size_t)size);
    *to = (const char *)(uintptr_t)g->len;
    g->len += size;
    return HEED_OK;
}

static int gather(gathered *g, sqlite3_stmt *q) {
    if (heed__grow(g->hooks, &g->message, &g->messages_cap, g->n + 1, sizeof *g->message))
        return HEED_ENOMEM;
    heed_message *m = &g->message[g->n++];
    *m = (heed_message){
        .id = sqlite3_column_int64(q, 0),
        .due_ms = sqlite3_column_int64(q, 5),
        .tries = sqlite3_column_int64(q, 6),
        .seq = sqlite3_column_int64(q, 7),
    };
    return keep(g, q, 1, &m->sink) || keep(g, q, 2, &m->key) || keep(g, q, 3, &m->type) ||
                   keep(g, q, 4, &m->body)
               ? HEED_ENOMEM
               : HEED_OK;
}

/* All in one block: messages, then strings. */
static heed_message *settle(const gathered *g) {
    const size_t size = (size_t)g->n * sizeof(heed_message);
    heed_message *all = heed__malloc(g->hooks, size + (size_t)g->len);
    if (!all) return NULL;
    char *text = (char *)all + size;
    memcpy(all, g->message, size);
    memcpy(text, g->text, (size_t)g->len);
    for (int64_t i = 0; i < g->n; i++) {
        heed_message *m = &all[i];
        m->sink = text + (uintptr_t)m->sink;
        m->key = text + (uintptr_t)m->key;
        m->type = text + (uintptr_t)m->type;
        m->body = text + (uintptr_t)m->body;
    }
    return all;
}

static int gather_due(heed_db *db, const char *sink, int64_t now_ms, int64_t most, gathered *g,
                      heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db,
                                   "SELECT id, sink, key, type, body, due_ms, tries, seq FROM"
                                   " message WHERE sink = ?1 AND phase = 0 AND due_ms <= ?2"
                                   " ORDER BY due_ms, id LIMIT ?3",
                                   err);
    if (!q) return heed__db_error(db, err);
    heed__db_text(q, 1, sink);
    sqlite3_bind_int64(q, 2, now_ms);
    sqlite3_bind_int64(q, 3, most);
    int row;
    while ((row = heed__db_step(db, q, err)) == 1 && !gather(g, q))
        ;
    heed__db_done(q);
    return row == 1 ? heed__error(err, HEED_ENOMEM, "out of memory for messages") : row;
}

int64_t heed_store_due(heed_store *s, const char *sink, int64_t now_ms, int64_t most,
                       heed_message **message, heed_error *err) {
    *message = NULL;
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    gathered g = { .hooks = &s->hooks };
    int64_t status = gather_due(db, sink, now_ms, most, &g, err);
    heed__store_return(s, db);
    if (!status && g.n) {
        *message = settle(&g);
        status = *message ? g.n : heed__error(err, HEED_ENOMEM, "out of memory for messages");
    }
    heed__free(&s->hooks, g.message);
    heed__free(&s->hooks, g.text);
    return status;
}

typedef struct outcome {
    int64_t id, due_ms;
    bool sent;
    const char *reason;
} outcome;

static int note_outcome(heed_store *s, void *arg, heed_error *err) {
    const outcome *o = arg;
    sqlite3_stmt *q = heed__db_sql(
        s->writer,
        o->sent ? "UPDATE message SET phase = 1, body = NULL, reason = NULL WHERE id = ?1"
                : "UPDATE message SET tries = tries + 1, due_ms = ?2, reason = ?3,"
                  " phase = CASE WHEN ?2 = 0 THEN 2 ELSE 0 END WHERE id = ?1 AND phase <> 1",
        err);
    if (!q) return heed__db_error(s->writer, err);
    sqlite3_bind_int64(q, 1, o->id);
    if (!o->sent) {
        sqlite3_bind_int64(q, 2, o->due_ms);
        heed__db_text(q, 3, o->reason);
    }
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    if (!status && sqlite3_changes(s->writer->db) == 0)
        return heed__error(err, HEED_ENOTFOUND, "%s: there is no message %lld to be sent", s->path,
                           (long long)o->id);
    return status;
}

int heed_store_sent(heed_store *s, int64_t id, heed_error *err) {
    outcome o = { .id = id, .sent = true };
    return heed__store_write(s, note_outcome, &o, err);
}

int heed_store_retry(heed_store *s, int64_t id, int64_t due_ms, const char *reason,
                     heed_error *err) {
    outcome o = { .id = id, .due_ms = due_ms, .reason = reason };
    return heed__store_write(s, note_outcome, &o, err);
}

int heed_store_outbox(heed_store *s, const char *sink, int64_t *waiting, int64_t *dead,
                      heed_error *err) {
    *waiting = *dead = 0;
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    int row = HEED_OK;
    /* two counts, so that each is one of an index that leaves out what was sent */
    static const char *const sql[] = {
        "SELECT count(*) FROM message WHERE sink = ?1 AND phase = 0",
        "SELECT count(*) FROM message WHERE sink = ?1 AND phase > 0 AND phase = 2",
    };
    for (int i = 0; i < 2 && row >= 0; i++) {
        sqlite3_stmt *q = heed__db_sql(db, sql[i], err);
        if (!q) {
            row = heed__db_error(db, err);
            break;
        }
        heed__db_text(q, 1, sink);
        row = heed__db_step(db, q, err);
        if (row == 1) *(i ? dead : waiting) = sqlite3_column_int64(q, 0);
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return row < 0 ? row : HEED_OK;
}

/* -- values ----------------------------------------------------------------------------------- */

typedef struct values {
    const heed_value *value;
    int64_t n;
} values;

static int put_values(heed_store *s, void *arg, heed_error *err) {
    const values *all = arg;
    int status = HEED_OK;
    for (int64_t i = 0; i < all->n && !status; i++) {
        const heed_value *v = &all->value[i];
        sqlite3_stmt *q = heed__db_sql(
            s->writer,
            v->value ? "INSERT OR REPLACE INTO value (name, value) VALUES (?1, ?2)"
                     : "DELETE FROM value WHERE name = ?1",
            err);
        if (!q) return heed__db_error(s->writer, err);
        heed__db_text(q, 1, v->name);
        if (v->value) heed__db_text(q, 2, v->value);
        status = heed__db_step(s->writer, q, err);
        heed__db_done(q);
    }
    return status;
}

int heed_store_set_all(heed_store *s, const heed_value *value, int64_t n, heed_error *err) {
    values all = { value, n };
    return heed__store_write(s, put_values, &all, err);
}

int heed_store_set(heed_store *s, const char *name, const char *value, heed_error *err) {
    const heed_value v = { name, value };
    return heed_store_set_all(s, &v, 1, err);
}

int64_t heed_store_values(heed_store *s, const char *prefix, const char *after, heed_value_fn fn,
                          void *user, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    const size_t len = strlen(prefix);
    int64_t n = 0;
    sqlite3_stmt *q = heed__db_sql(
        db, "SELECT name, value FROM value WHERE name > ?1 AND name >= ?2 ORDER BY name", err);
    int row = q ? 1 : heed__db_error(db, err);
    if (q) {
        heed__db_text(q, 1, after);
        heed__db_text(q, 2, prefix);
        for (bool more = true; more && (row = heed__db_step(db, q, err)) == 1;) {
            const char *name = heed__db_column(q, 0);
            if (strncmp(name, prefix, len) != 0) break;
            n++;
            more = fn(user, name, heed__db_column(q, 1));
        }
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return row < 0 ? row : n;
}

char *heed_store_get(heed_store *s, const char *name, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    char *value = NULL;
    sqlite3_stmt *q = heed__db_sql(db, "SELECT value FROM value WHERE name = ?1", err);
    if (q) {
        heed__db_text(q, 1, name);
        if (heed__db_step(db, q, err) == 1) {
            value = heed__strdup(&s->hooks, heed__db_column(q, 0));
            if (!value) heed__error(err, HEED_ENOMEM, "out of memory for a value");
        }
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return value;
}
