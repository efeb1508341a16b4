/* log.c: the log: entries appended, read, and their checksums. */
#include <string.h>
#include <zlib.h>

#include "base/json.h"
#include "base/text.h"
#include "store/impl.h"

/* -- rows ------------------------------------------------------------------------------------- */

void heed__entry_row(sqlite3_stmt *stmt, heed_entry *e) {
    *e = (heed_entry){
        .seq = sqlite3_column_int64(stmt, 0),
        .time_ms = sqlite3_column_int64(stmt, 1),
        .kind = (heed_entry_kind)sqlite3_column_int(stmt, 2),
        .source = heed__db_column(stmt, 3),
        .id = heed__db_column(stmt, 4),
        .happened_ms = sqlite3_column_int64(stmt, 5),
        .user = heed__db_column(stmt, 6),
        .session = heed__db_column(stmt, 7),
        .title = heed__db_column(stmt, 8),
        .text = heed__db_column(stmt, 9),
        .url = heed__db_column(stmt, 10),
        .body = heed__db_column(stmt, 11),
    };
    if (e->source && !*e->source) e->source = NULL;
}

static uLong sum_number(uLong sum, int64_t value) {
    unsigned char byte[8];
    for (int i = 0; i < 8; i++) byte[i] = (unsigned char)((uint64_t)value >> (8 * i));
    return crc32(sum, byte, sizeof byte);
}

static uLong sum_text(uLong sum, const char *text) {
    if (!text) return sum_number(sum, -1);
    const size_t len = strlen(text);
    return crc32_z(sum_number(sum, (int64_t)len), (const Bytef *)text, len);
}

int64_t heed__entry_sum(const heed_entry *e) {
    uLong sum = crc32(0, NULL, 0);
    sum = sum_number(sum, e->seq);
    sum = sum_number(sum, e->time_ms);
    sum = sum_number(sum, e->kind);
    sum = sum_number(sum, e->happened_ms);
    const char *const text[] = { e->source, e->id,   e->user, e->session,
                                 e->title,  e->text, e->url,  e->body };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        sum = sum_text(sum, text[i] && (i > 0 || *text[i]) ? text[i] : NULL);
    return (int64_t)sum;
}

/* -- appending -------------------------------------------------------------------------------- */

typedef struct append_work {
    heed_entry *entry;
    int64_t n, now_ms;
} append_work;

/* A vote or a correction is kept where looks find it; an undone one counts no more. */
static int note_feedback(heed_store *s, const heed_entry *e, heed_error *err) {
    json_t *body = heed__json_parse(e->body ? e->body : "{}", e->body ? strlen(e->body) : 2, "body",
                                    err);
    if (!body) return HEED_EINVALID;
    int status = HEED_OK;
    const char *act = json_string_value(json_object_get(body, "do"));
    if (e->kind == HEED_ENTRY_FEEDBACK) {
        sqlite3_stmt *q = heed__db_sql(s->writer,
                                       "INSERT INTO feedback (entry, seq, vote, analysis, label,"
                                       " undone) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                                       err);
        if (q) {
            sqlite3_bind_int64(q, 1, e->seq);
            sqlite3_bind_int64(q, 2, json_integer_value(json_object_get(body, "seq")));
            heed__db_text(q, 3, json_string_value(json_object_get(body, "vote")));
            heed__db_text(q, 4, json_string_value(json_object_get(body, "analysis")));
            heed__db_text(q, 5, json_string_value(json_object_get(body, "label")));
            status = heed__db_step(s->writer, q, err);
            heed__db_done(q);
        } else {
            status = heed__db_error(s->writer, err);
        }
    } else if (act && strcmp(act, "undo") == 0) {
        const int64_t entry = json_integer_value(json_object_get(body, "entry"));
        status = heed__db_run(s->writer, "UPDATE feedback SET undone = 1 WHERE entry = ?1", &entry,
                              1, err);
    }
    json_decref(body);
    return status;
}

static int find_first(heed_store *s, heed_entry *e, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer, "SELECT seq FROM entry WHERE source = ?1 AND id = ?2",
                                   err);
    if (!q) return heed__db_error(s->writer, err);
    heed__db_text(q, 1, e->source ? e->source : "");
    heed__db_text(q, 2, e->id);
    const int row = heed__db_step(s->writer, q, err);
    if (row == 1) e->seq = -sqlite3_column_int64(q, 0);
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

static int insert(heed_store *s, sqlite3_stmt *q, heed_entry *e, heed_error *err) {
    heed_db *db = s->writer;
    e->seq = s->pending.last + 1;
    sqlite3_bind_int64(q, 1, e->seq);
    sqlite3_bind_int64(q, 2, e->time_ms);
    sqlite3_bind_int(q, 3, (int)e->kind);
    heed__db_text(q, 4, e->source ? e->source : "");
    heed__db_text(q, 5, e->kind == HEED_ENTRY_EVENT ? e->id : NULL);
    sqlite3_bind_int64(q, 6, e->happened_ms);
    heed__db_text(q, 7, e->user);
    heed__db_text(q, 8, e->session);
    heed__db_text(q, 9, e->title);
    heed__db_text(q, 10, e->text);
    heed__db_text(q, 11, e->url);
    heed__db_text(q, 12, e->body);
    heed_entry kept = *e;
    if (e->kind != HEED_ENTRY_EVENT) kept.id = NULL;
    sqlite3_bind_int64(q, 13, heed__entry_sum(&kept));
    const int row = heed__db_step(db, q, err);
    sqlite3_reset(q);
    if (row < 0) return row;
    if (sqlite3_changes(db->db) == 0) return find_first(s, e, err);
    s->pending.last = e->seq;
    if (e->kind == HEED_ENTRY_FEEDBACK || e->kind == HEED_ENTRY_ACTION)
        return note_feedback(s, e, err);
    return HEED_OK;
}

static int append(heed_store *s, void *arg, heed_error *err) {
    const append_work *w = arg;
    sqlite3_stmt *q = heed__db_sql(
        s->writer,
        "INSERT INTO entry (seq, time_ms, kind, source, id, happened_ms, user, session, title, "
        "text,"
        " url, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        " ON CONFLICT (source, id) WHERE id IS NOT NULL DO NOTHING",
        err);
    if (!q) return heed__db_error(s->writer, err);
    if (w->now_ms > s->pending.clock_ms) s->pending.clock_ms = w->now_ms;
    int status = HEED_OK;
    for (int64_t i = 0; i < w->n && !status; i++) {
        if (w->now_ms == 0 && w->entry[i].happened_ms > s->pending.clock_ms)
            s->pending.clock_ms = w->entry[i].happened_ms;
        w->entry[i].time_ms = s->pending.clock_ms;
        status = insert(s, q, &w->entry[i], err);
    }
    heed__db_done(q);
    return status;
}

static int check_entry(const heed_entry *e, int64_t i, heed_error *err) {
    const struct {
        const char *name, *text;
    } field[] = { { "source", e->source },   { "id", e->id },       { "user", e->user },
                  { "session", e->session }, { "title", e->title }, { "text", e->text },
                  { "url", e->url },         { "body", e->body } };
    for (size_t f = 0; f < sizeof field / sizeof *field; f++) {
        if (!field[f].text) continue;
        const size_t len = strlen(field[f].text), at = heed__utf8_check(field[f].text, len);
        if (at < len)
            return heed__error(err, HEED_EINVALID, "entry %lld: %s is not UTF-8 at byte %zu",
                               (long long)i, field[f].name, at);
    }
    if ((unsigned)e->kind >= HEED_ENTRY_FORGOTTEN)
        return heed__error(err, HEED_EINVALID, "entry %lld: its kind %d is none", (long long)i,
                           (int)e->kind);
    return HEED_OK;
}

int heed_store_append(heed_store *s, heed_entry *entry, int64_t n, int64_t now_ms,
                      heed_error *err) {
    for (int64_t i = 0; i < n; i++) {
        const int status = check_entry(&entry[i], i, err);
        if (status) return status;
    }
    if (n <= 0) return HEED_OK;
    append_work w = { entry, n, now_ms };
    return heed__store_write(s, append, &w, err);
}

/* -- reading ---------------------------------------------------------------------------------- */

int64_t heed_store_read(heed_store *s, int64_t after, int64_t most, heed_entry_fn fn, void *user,
                        heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    int64_t n = 0;
    sqlite3_stmt *q = heed__db_sql(
        db, "SELECT " HEED_ENTRY_COLUMNS " FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2", err);
    int row = q ? 1 : heed__db_error(db, err);
    if (q) {
        sqlite3_bind_int64(q, 1, after);
        sqlite3_bind_int64(q, 2, most);
        for (bool more = true; more && (row = heed__db_step(db, q, err)) == 1;) {
            heed_entry entry;
            heed__entry_row(q, &entry);
            n++;
            more = fn(user, &entry);
        }
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return row < 0 ? row : n;
}
