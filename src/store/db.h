/* db.h: a connection to SQLite as the store uses it: statements prepared once, errors as sentences
 * that name the file. A connection is for one thread at a time. */
#ifndef HEED_STORE_DB_H
#define HEED_STORE_DB_H

#include <sqlite3.h>

#include "heed/base.h"

enum { HEED_DB_STATEMENTS = 64, HEED_DB_PLACES = 256 };

typedef struct heed_db {
    sqlite3 *db;
    const heed_hooks *hooks;
    const char *path; /* for messages */
    struct heed_db_statement {
        uint64_t hash, used;
        sqlite3_stmt *stmt;
    } statement[HEED_DB_STATEMENTS];
    int place[HEED_DB_PLACES]; /* in statement, by the address of the text */
    uint64_t uses;
    struct heed_db *next; /* in the store's list of idle ones */
} heed_db;

typedef struct heed_db_cfg {
    const char *path;
    bool read_only;
    bool immutable; /* read_only: nobody changes the file, and nothing may be made beside it */
    int64_t cache_size;
    int64_t wait_ms; /* for another program's lock */
    const heed_hooks *hooks;
} heed_db_cfg;

/* path must live as long as the connection. */
heed_db *heed__db_open(const heed_db_cfg *cfg, heed_error *err);
void heed__db_close(heed_db *db); /* NULL is fine */

/* A statement, prepared at its first use and kept (the least used goes); ready to be bound. It is
 * the connection's: heed__db_done when its rows have been read. NULL and *err. */
sqlite3_stmt *heed__db_sql(heed_db *db, const char *sql, heed_error *err);
/* Resets it and forgets what was bound. */
void heed__db_done(sqlite3_stmt *stmt);
/* Steps: 1 a row, 0 the end, or a status. */
int heed__db_step(heed_db *db, sqlite3_stmt *stmt, heed_error *err);
/* Runs sql with whole numbers bound to ?1, ?2, ...: 0 or a status. */
int heed__db_run(heed_db *db, const char *sql, const int64_t *value, int n, heed_error *err);
/* One number: that of the first row's first column, or `none`; *err where it cannot be had. */
int heed__db_number(heed_db *db, const char *sql, int64_t none, int64_t *value, heed_error *err);
/* Statements without parameters, several in one text, not kept. */
int heed__db_script(heed_db *db, const char *sql, heed_error *err);
/* The status and sentence of what the connection last refused. */
int heed__db_error(heed_db *db, heed_error *err);
/* The same for a result code of SQLite. */
int heed__db_code(const char *path, int code, const char *says, heed_error *err);

/* Binds text that lives until heed__db_done; NULL: null. A failed bind shows in the next step. */
void heed__db_text(sqlite3_stmt *stmt, int at, const char *text);
/* A column's text, or NULL where it is null. */
const char *heed__db_column(sqlite3_stmt *stmt, int at);

#endif
