/* look_sql.c: the store's own figures, and a person's SQL, which can only read. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "store/event_json.h"
#include "store/impl.h"
#include "store/look.h"

enum { PATH_SIZE = 4096 + 8, OPS = 10000, USUAL = 1000, VALUE_MOST = 64 << 20 };

/* -- figures ---------------------------------------------------------------------------------- */

static int64_t journal_size(const heed_store *s) {
    char name[PATH_SIZE];
    struct stat is;
    heed__format(name, sizeof name, "%s-wal", s->path);
    return stat(name, &is) == 0 ? (int64_t)is.st_size : 0;
}

json_t *heed_look_state(heed_store *s, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    int64_t events = 0, alerts = 0, waiting = 0, dead = 0, pages = 0, page = 0, unused = 0;
    int64_t decided = 0, last = 0;
    const struct {
        const char *sql;
        int64_t *value;
    } ask[] = {
        { "SELECT coalesce((SELECT value FROM place WHERE name = 'events'), 0) + (SELECT count(*)"
          " FROM entry WHERE kind = 0 AND seq > coalesce((SELECT value FROM place WHERE name ="
          " 'decided'), 0))",
          &events },
        { "SELECT value FROM place WHERE name = 'decided'", &decided },
        { "SELECT max((SELECT coalesce(max(seq), 0) FROM entry),"
          " coalesce((SELECT value FROM place WHERE name = 'last'), 0))",
          &last },
        { "SELECT count(*) FROM alert WHERE state <> 'closed'", &alerts },
        { "SELECT count(*) FROM message WHERE phase = 0", &waiting },
        { "SELECT count(*) FROM message WHERE phase = 2", &dead },
        { "PRAGMA page_count", &pages },
        { "PRAGMA page_size", &page },
        { "PRAGMA freelist_count", &unused },
    };
    int status = HEED_OK;
    for (size_t i = 0; i < sizeof ask / sizeof *ask && !status; i++)
        status = heed__db_number(db, ask[i].sql, 0, ask[i].value, err);
    heed__store_return(s, db);
    if (status) return NULL;
    json_t *answer = json_pack(
        "{s:I,s:I,s:{s:I,s:I},s:I,s:I,s:I,s:I,s:I}", "events", (json_int_t)events, "alerts",
        (json_int_t)alerts, "messages", "waiting", (json_int_t)waiting, "dead", (json_int_t)dead,
        "size", (json_int_t)(pages * page), "free", (json_int_t)(unused * page), "journal",
        (json_int_t)journal_size(s), "decided", (json_int_t)decided, "last", (json_int_t)last);
    return heed__whole_json(answer, true, err);
}

/* -- SQL -------------------------------------------------------------------------------------- */

/* Only what reads the store: nothing attached, no setting changed, no code loaded. */
static int allow(void *user, int what, const char *a, const char *b, const char *c, const char *d) {
    (void)user, (void)c, (void)d;
    switch (what) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return b && strcmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: /* that which says how a table is made; FTS5 asks for data_version */
        return a && (strcmp(a, "table_info") == 0 || (strcmp(a, "data_version") == 0 && !b))
                   ? SQLITE_OK
                   : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static int ask_cancel(void *user) {
    const heed_store *s = user;
    return s->hooks.cancel && s->hooks.cancel(s->hooks.user);
}

static json_t *value_json(sqlite3_stmt *q, int at) {
    switch (sqlite3_column_type(q, at)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(q, at));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(q, at));
    case SQLITE_TEXT:
        return heed__text_json(heed__db_column(q, at));
    case SQLITE_BLOB: {
        char text[64];
        heed__format(text, sizeof text, "(%d bytes)", sqlite3_column_bytes(q, at));
        return json_string(text);
    }
    default:
        return json_null();
    }
}

static json_t *row_json(sqlite3_stmt *q) {
    json_t *row = json_array();
    bool ok = true;
    for (int i = 0; i < sqlite3_column_count(q) && ok; i++) {
        const double real = sqlite3_column_type(q, i) == SQLITE_FLOAT ? sqlite3_column_double(q, i)
                                                                      : 0;
        ok = json_array_append_new(row, isfinite(real) ? value_json(q, i) : json_null()) == 0;
    }
    return heed__whole_json(row, ok, NULL);
}

static json_t *run_sql(heed_db *db, sqlite3_stmt *q, int64_t most, heed_error *err) {
    json_t *columns = json_array(), *rows = json_array();
    bool ok = true;
    for (int i = 0; i < sqlite3_column_count(q); i++)
        ok &= json_array_append_new(columns, heed__text_json(sqlite3_column_name(q, i))) == 0;
    int row = 0;
    for (int64_t n = 0; ok && (row = heed__db_step(db, q, err)) == 1 && n < most; n++)
        ok = json_array_append_new(rows, row_json(q)) == 0;
    if (row >= 0)
        return heed__whole_json(
            json_pack("{s:o,s:o,s:b}", "columns", columns, "rows", rows, "cut", row == 1), ok, err);
    json_decref(columns);
    json_decref(rows);
    return NULL;
}

static json_t *read_sql(heed_db *db, const char *sql, int64_t most, heed_error *err) {
    sqlite3_stmt *q = NULL, *second = NULL;
    const char *rest = NULL;
    json_t *answer = NULL;
    int more;
    if (sqlite3_prepare_v2(db->db, sql, -1, &q, &rest) != SQLITE_OK) {
        heed__db_error(db, err);
    } else if (!q) {
        heed__error(err, HEED_EINVALID, "there is no SQL to be run");
    } else if ((more = sqlite3_prepare_v2(db->db, rest, -1, &second, NULL)) == SQLITE_NOMEM) {
        heed__db_error(db, err);
    } else if (more != SQLITE_OK || second) {
        heed__error(err, HEED_EINVALID, "one statement at a time");
    } else if (!sqlite3_stmt_readonly(q)) {
        heed__error(err, HEED_EINVALID, "only reading is allowed");
    } else {
        answer = run_sql(db, q, most > 0 ? most : USUAL, err);
    }
    sqlite3_finalize(q);
    sqlite3_finalize(second);
    return answer;
}

json_t *heed_look_sql(heed_store *s, const char *sql, int64_t most, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    int64_t none; /* FTS5 comes to life before anything is forbidden */
    if (heed__db_number(db, "SELECT rowid FROM words WHERE rowid = 0", 0, &none, err)) {
        heed__store_return(s, db);
        return NULL;
    }
    sqlite3_set_authorizer(db->db, allow, NULL);
    sqlite3_progress_handler(db->db, OPS, ask_cancel, s);
    /* nor does a value take as much memory as there is */
    const int most_value = sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, VALUE_MOST);
    json_t *answer = read_sql(db, sql, most, err);
    sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, most_value);
    sqlite3_progress_handler(db->db, 0, NULL, NULL);
    sqlite3_set_authorizer(db->db, NULL, NULL);
    heed__store_return(s, db);
    return answer;
}
