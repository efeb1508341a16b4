/* db.c: SQLite's connections, statements and errors under db.h. */
#include "store/db.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/words.h"

enum { URI_SIZE = 3 * 4096 + 64 };

int heed__db_code(const char *path, int code, const char *says, heed_error *err) {
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    case SQLITE_FULL:
        return heed__error(err, HEED_EIO, "%s: cannot be written: the disk is full", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return heed__error(err, HEED_EIO, "%s: another program holds it locked", path);
    case SQLITE_READONLY:
        return heed__error(err, HEED_EIO, "%s: cannot be written: no right to", path);
    case SQLITE_CANTOPEN:
        return heed__error(err, HEED_EIO, "%s: cannot be opened, or no file made beside it", path);
    case SQLITE_PERM:
    case SQLITE_IOERR:
        return heed__error(err, HEED_EIO, "%s: cannot be read or written: %s", path, says);
    case SQLITE_NOTADB:
        return heed__error(err, HEED_EFORMAT, "%s: is not a store of heed", path);
    case SQLITE_CORRUPT:
        return heed__error(err, HEED_EFORMAT, "%s: is damaged: %s", path, says);
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
        return heed__error(err, HEED_ECANCELLED, "%s: stopped", path);
    case SQLITE_TOOBIG:
        return heed__error(err, HEED_EINVALID, "%s: a value is too large to be stored", path);
    case SQLITE_AUTH:
        return heed__error(err, HEED_EINVALID, "%s: only reading is allowed: %s", path, says);
    default:
        return heed__error(err, HEED_EINVALID, "%s: %s", path, says);
    }
}

int heed__db_error(heed_db *db, heed_error *err) {
    return heed__db_code(db->path, sqlite3_errcode(db->db), sqlite3_errmsg(db->db), err);
}

/* The path as a URI, in which '?', '#' and '%' would mean something. */
static bool make_uri(char uri[URI_SIZE], const char *path, const char *query) {
    static const char hex[] = "0123456789ABCDEF";
    size_t len = heed__format(uri, URI_SIZE, "file:%s", *path == '/' ? "//" : "");
    for (const char *p = path; *p; p++) {
        if (len + 4 >= URI_SIZE - strlen(query)) return false;
        const unsigned char c = (unsigned char)*p;
        if (strchr("?#%", c)) {
            uri[len++] = '%', uri[len++] = hex[c >> 4], uri[len++] = hex[c & 15];
        } else {
            uri[len++] = (char)c;
        }
    }
    heed__format(uri + len, URI_SIZE - len, "%s", query);
    return true;
}

static int set_up(heed_db *db, const heed_db_cfg *cfg, heed_error *err) {
    sqlite3_extended_result_codes(db->db, 1);
    sqlite3_busy_timeout(db->db, (int)cfg->wait_ms);
    sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    int status = heed__words_register(db->db, err);
    if (status) return status;
    char sql[128];
    heed__format(sql, sizeof sql, "PRAGMA cache_size=-%lld; PRAGMA foreign_keys=0",
                 (long long)(cfg->cache_size / 1024 > 0 ? cfg->cache_size / 1024 : 1));
    return heed__db_script(db, sql, err);
}

heed_db *heed__db_open(const heed_db_cfg *cfg, heed_error *err) {
    char uri[URI_SIZE];
    if (!make_uri(uri, cfg->path, cfg->immutable ? "?immutable=1" : "")) {
        heed__error(err, HEED_EINVALID, "%.200s...: the path is too long", cfg->path);
        return NULL;
    }
    heed_db *db = heed__calloc(cfg->hooks, 1, sizeof *db);
    if (!db) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", cfg->path);
        return NULL;
    }
    db->hooks = cfg->hooks;
    db->path = cfg->path;
    const int flags = (cfg->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    const int code = sqlite3_open_v2(uri, &db->db, flags, NULL);
    int status = code == SQLITE_OK ? HEED_OK
                                   : heed__db_code(cfg->path, code, sqlite3_errstr(code), err);
    if (!status) status = set_up(db, cfg, err);
    if (!status) return db;
    heed__db_close(db);
    return NULL;
}

void heed__db_close(heed_db *db) {
    if (!db) return;
    for (int i = 0; i < HEED_DB_STATEMENTS; i++) sqlite3_finalize(db->statement[i].stmt);
    sqlite3_close(db->db);
    heed__free(db->hooks, db);
}

static uint64_t hash_of(const char *sql) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *sql; sql++) h = (h ^ (unsigned char)*sql) * 1099511628211u;
    return h;
}

/* Where a text that stands at this address was last; most are constants, and found at once. */
static int *place_of(heed_db *db, const char *sql) {
    const uint64_t spread = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u;
    return &db->place[spread >> 32 & (HEED_DB_PLACES - 1)];
}

sqlite3_stmt *heed__db_sql(heed_db *db, const char *sql, heed_error *err) {
    int *place = place_of(db, sql);
    struct heed_db_statement *last = &db->statement[*place], *oldest = &db->statement[0];
    if (last->stmt && strcmp(sqlite3_sql(last->stmt), sql) == 0 && !sqlite3_stmt_busy(last->stmt)) {
        last->used = ++db->uses;
        return last->stmt;
    }
    const uint64_t hash = hash_of(sql);
    for (int i = 0; i < HEED_DB_STATEMENTS; i++) {
        struct heed_db_statement *s = &db->statement[i];
        if (s->stmt && s->hash == hash && strcmp(sqlite3_sql(s->stmt), sql) == 0 &&
            !sqlite3_stmt_busy(s->stmt)) {
            s->used = ++db->uses;
            *place = i;
            return s->stmt;
        }
        const bool free_one = !s->stmt, busy = s->stmt && sqlite3_stmt_busy(s->stmt);
        if (!busy && (sqlite3_stmt_busy(oldest->stmt) || free_one || s->used < oldest->used))
            oldest = s;
    }
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        heed__db_error(db, err);
        return NULL;
    }
    sqlite3_finalize(oldest->stmt);
    *place = (int)(oldest - db->statement);
    *oldest = (struct heed_db_statement){ .hash = hash, .used = ++db->uses, .stmt = stmt };
    return stmt;
}

void heed__db_done(sqlite3_stmt *stmt) {
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

int heed__db_step(heed_db *db, sqlite3_stmt *stmt, heed_error *err) {
    const int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) return 1;
    if (code == SQLITE_DONE) return 0;
    return heed__db_code(db->path, code, sqlite3_errmsg(db->db), err);
}

int heed__db_run(heed_db *db, const char *sql, const int64_t *value, int n, heed_error *err) {
    sqlite3_stmt *stmt = heed__db_sql(db, sql, err);
    if (!stmt) return heed__db_error(db, err);
    for (int i = 0; i < n; i++) sqlite3_bind_int64(stmt, i + 1, value[i]);
    int status;
    do status = heed__db_step(db, stmt, err);
    while (status == 1);
    heed__db_done(stmt);
    return status;
}

int heed__db_number(heed_db *db, const char *sql, int64_t none, int64_t *value, heed_error *err) {
    sqlite3_stmt *stmt = heed__db_sql(db, sql, err);
    if (!stmt) return heed__db_error(db, err);
    const int row = heed__db_step(db, stmt, err);
    *value = row == 1 && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0)
                                                                     : none;
    heed__db_done(stmt);
    return row < 0 ? row : HEED_OK;
}

int heed__db_script(heed_db *db, const char *sql, heed_error *err) {
    const int code = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? HEED_OK : heed__db_code(db->path, code, sqlite3_errmsg(db->db), err);
}

void heed__db_text(sqlite3_stmt *stmt, int at, const char *text) {
    if (text)
        sqlite3_bind_text64(stmt, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(stmt, at);
}

const char *heed__db_column(sqlite3_stmt *stmt, int at) {
    return (const char *)sqlite3_column_text(stmt, at);
}
