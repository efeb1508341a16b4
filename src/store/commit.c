/* commit.c: what followed from entries, in one transaction: findings, stories, alerts, messages,
 * full-text index, the decider's state. */
#include <string.h>

#include "store/impl.h"
#include "store/tally.h"

int heed__place_set(heed_store *s, const char *name, int64_t value, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        s->writer, "INSERT OR REPLACE INTO place (name, value) VALUES (?1, ?2)", err);
    if (!q) return heed__db_error(s->writer, err);
    heed__db_text(q, 1, name);
    sqlite3_bind_int64(q, 2, value);
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    return status;
}

/* A statement that is run for several rows. */
#define EACH(q, sql)                                                                               \
    sqlite3_stmt *q = heed__db_sql(s->writer, sql, err);                                           \
    if (!q) return heed__db_error(s->writer, err)

static int put_findings(heed_store *s, const heed_decided *d, heed_error *err) {
    EACH(q, "INSERT OR REPLACE INTO finding (seq, name, label, confidence, abstained, detail)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    int status = HEED_OK;
    for (int64_t i = 0; i < d->findings && !status; i++) {
        const heed_finding *f = &d->finding[i];
        sqlite3_bind_int64(q, 1, d->seq);
        heed__db_text(q, 2, f->name);
        heed__db_text(q, 3, f->label);
        sqlite3_bind_double(q, 4, f->confidence);
        sqlite3_bind_int(q, 5, f->abstained);
        heed__db_text(q, 6, f->detail);
        status = heed__db_step(s->writer, q, err);
        sqlite3_reset(q);
    }
    heed__db_done(q);
    return status;
}

static int put_vector(heed_store *s, const heed_decided *d, heed_error *err) {
    if (!d->vector || d->dim <= 0) return HEED_OK;
    if (d->dim > INT32_MAX / 4)
        return heed__error(err, HEED_EINVALID, "a vector of %lld numbers", (long long)d->dim);
    EACH(q, "INSERT OR REPLACE INTO vector (seq, value) VALUES (?1, ?2)");
    const size_t size = (size_t)d->dim * 2;
    unsigned char *half = heed__malloc(&s->hooks, size);
    if (!half) return heed__error(err, HEED_ENOMEM, "out of memory for a vector");
    for (int64_t i = 0; i < d->dim; i++) {
        const uint16_t h = heed__half(d->vector[i]);
        half[2 * i] = (unsigned char)h;
        half[2 * i + 1] = (unsigned char)(h >> 8);
    }
    sqlite3_bind_int64(q, 1, d->seq);
    sqlite3_bind_blob64(q, 2, half, size, SQLITE_STATIC);
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    heed__free(&s->hooks, half);
    return status;
}

static int put_decided(heed_store *s, const heed_decided *d, heed_error *err) {
    EACH(q, "INSERT INTO decided (seq, story, rank, gates) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (seq) DO UPDATE SET story = excluded.story, rank = excluded.rank,"
            " gates = coalesce(excluded.gates, gates)");
    sqlite3_bind_int64(q, 1, d->seq);
    sqlite3_bind_int64(q, 2, d->story);
    sqlite3_bind_double(q, 3, d->rank);
    heed__db_text(q, 4, d->gates);
    int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    /* one that was counted before is counted anew */
    const bool again = d->findings > 0 && d->seq <= s->pending.decided;
    if (!status && again) status = heed__tally(s->writer, d->seq, d->seq + 1, -1, NULL, err);
    if (!status) status = put_findings(s, d, err);
    if (!status && again) status = heed__tally(s->writer, d->seq, d->seq + 1, 1, NULL, err);
    return status ? status : put_vector(s, d, err);
}

static int put_alert(heed_store *s, const heed_alert *a, heed_error *err) {
    EACH(q, "INSERT INTO alert (id, seq, time_ms, opened_ms, rule, grade, state, key, title, why)"
            " VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET"
            " seq = excluded.seq, time_ms = excluded.time_ms, rule = excluded.rule,"
            " grade = excluded.grade, state = excluded.state, key = excluded.key,"
            " title = excluded.title, why = excluded.why");
    sqlite3_bind_int64(q, 1, a->id);
    sqlite3_bind_int64(q, 2, a->seq);
    sqlite3_bind_int64(q, 3, a->time_ms);
    heed__db_text(q, 4, a->rule ? a->rule : "");
    heed__db_text(q, 5, a->grade ? a->grade : "");
    heed__db_text(q, 6, a->state ? a->state : "");
    heed__db_text(q, 7, a->key);
    heed__db_text(q, 8, a->title);
    heed__db_text(q, 9, a->why);
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    return status;
}

static int put_message(heed_store *s, const heed_message *m, int64_t upto, heed_error *err) {
    EACH(q, "INSERT INTO message (sink, key, type, body, seq, due_ms, tries, phase, upto)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8) ON CONFLICT (sink, key) DO NOTHING");
    heed__db_text(q, 1, m->sink ? m->sink : "");
    heed__db_text(q, 2, m->key ? m->key : "");
    heed__db_text(q, 3, m->type ? m->type : "");
    heed__db_text(q, 4, m->body ? m->body : "");
    sqlite3_bind_int64(q, 5, m->seq);
    sqlite3_bind_int64(q, 6, m->due_ms);
    sqlite3_bind_int64(q, 7, m->tries);
    sqlite3_bind_int64(q, 8, upto);
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    return status;
}

static int put_state(heed_store *s, const heed_commit *c, heed_error *err) {
    EACH(q, "INSERT OR REPLACE INTO state (id, at, data) VALUES (1, ?1, ?2)");
    sqlite3_bind_int64(q, 1, c->upto);
    sqlite3_bind_blob64(q, 2, c->state, c->state_size, SQLITE_STATIC);
    const int status = heed__db_step(s->writer, q, err);
    heed__db_done(q);
    return status;
}

/* Another story tells the event from here on. */
static int put_moved(heed_store *s, const heed_moved *m, heed_error *err) {
    const int64_t value[] = { m->seq, m->story };
    return heed__db_run(s->writer, "UPDATE decided SET story = ?2 WHERE seq = ?1", value, 2, err);
}

/* Titles and texts of the entries up to upto become searchable. */
static int index_texts(heed_store *s, int64_t upto, heed_error *err) {
    if (upto <= s->pending.indexed) return HEED_OK;
    const int64_t range[] = { s->pending.indexed, upto };
    int status = heed__db_run(s->writer,
                              "INSERT INTO words (rowid, title, text) SELECT seq, title, text"
                              " FROM entry WHERE seq > ?1 AND seq <= ?2 AND kind = 0",
                              range, 2, err);
    s->pending.indexed = upto;
    return status ? status : heed__place_set(s, "indexed", upto, err);
}

/* The place up to which all is decided, and how many events that makes, by what was found too. */
static int move_decided(heed_store *s, int64_t upto, heed_error *err) {
    if (upto <= s->pending.decided) return HEED_OK;
    int64_t events;
    int status = heed__tally(s->writer, s->pending.decided + 1, upto + 1, 1, &events, err);
    if (status) return status;
    s->pending.events += events;
    s->pending.decided = upto;
    status = heed__place_set(s, "decided", upto, err);
    return status ? status : heed__place_set(s, "events", s->pending.events, err);
}

static int commit(heed_store *s, void *arg, heed_error *err) {
    const heed_commit *c = arg;
    if (c->upto > s->pending.last)
        return heed__error(err, HEED_EINVALID, "%s: entry %lld is decided before it is there",
                           s->path, (long long)c->upto);
    int status = HEED_OK;
    for (int64_t i = 0; i < c->decided_len && !status; i++)
        status = put_decided(s, &c->decided[i], err);
    for (int64_t i = 0; i < c->moves && !status; i++) status = put_moved(s, &c->moved[i], err);
    for (int64_t i = 0; i < c->alerts && !status; i++) status = put_alert(s, &c->alert[i], err);
    for (int64_t i = 0; i < c->messages && !status; i++)
        status = put_message(s, &c->message[i], c->upto, err);
    if (!status && c->state) status = put_state(s, c, err);
    if (!status) status = index_texts(s, c->upto, err);
    return status ? status : move_decided(s, c->upto, err);
}

int heed_store_commit(heed_store *s, const heed_commit *c, heed_error *err) {
    heed_commit copy = *c;
    const int status = heed__store_write(s, commit, &copy, err);
    if (status) return status;
    for (int64_t i = 0; i < c->decided_len; i++)
        if (c->decided[i].vector)
            heed__vectors_add(s->vectors, c->decided[i].seq, c->decided[i].vector,
                              c->decided[i].dim);
    return HEED_OK;
}

typedef struct seq_range {
    int64_t from, to;
} seq_range;

static int drop_alerts(heed_store *s, void *arg, heed_error *err) {
    const seq_range *r = arg;
    const int64_t id[] = { r->from * 100, r->to > INT64_MAX / 100 ? INT64_MAX : r->to * 100 };
    return heed__db_run(s->writer, "DELETE FROM alert WHERE id >= ?1 AND id < ?2", id, 2, err);
}

int heed_store_drop_alerts(heed_store *s, int64_t from, int64_t to, heed_error *err) {
    seq_range r = { from, to };
    return heed__store_write(s, drop_alerts, &r, err);
}

int heed_store_state(heed_store *s, char **state, size_t *size, int64_t *at, heed_error *err) {
    *state = NULL, *size = 0, *at = 0;
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    sqlite3_stmt *q = heed__db_sql(db, "SELECT at, data FROM state WHERE id = 1", err);
    int row = q ? heed__db_step(db, q, err) : heed__db_error(db, err);
    if (row == 1) {
        const void *data = sqlite3_column_blob(q, 1);
        const size_t len = (size_t)sqlite3_column_bytes(q, 1);
        *state = heed__malloc(&s->hooks, len + 1);
        if (*state) {
            if (len) memcpy(*state, data, len);
            (*state)[len] = 0;
            *size = len;
            *at = sqlite3_column_int64(q, 0);
            row = HEED_OK;
        } else {
            row = heed__error(err, HEED_ENOMEM, "out of memory for the state");
        }
    }
    if (q) heed__db_done(q);
    heed__store_return(s, db);
    return row;
}
