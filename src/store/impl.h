/* impl.h: the store inside. One connection writes, in the hands of one thread at a time, which
 * commits the work of all that wait (leader and followers); others read, each for one thread, and
 * see what was committed when they began. */
#ifndef HEED_STORE_IMPL_H
#define HEED_STORE_IMPL_H

#include "base/alloc.h"
#include "base/thread.h"
#include "store/db.h"
#include "store/store.h"
#include "store/vectors.h"

/* Where the log stands. */
typedef struct heed_places {
    int64_t last, clock_ms; /* of the last entry */
    int64_t decided, indexed;
    int64_t events; /* how many of those decided are events */
} heed_places;

typedef struct heed_group heed_group;
typedef struct heed_work heed_work;

struct heed_store {
    heed_hooks hooks;
    char *path;
    bool durable, read_only, immutable, temporary;
    int64_t cache_size, wait_ms;
    int lock_file; /* held while it is open for writing; -1: none */
    heed_db *writer;
    heed_vectors *vectors;
    int64_t journal_pages; /* after the last commit; the leader's */
    int64_t tried_pages;   /* when the journal was last taken into the file */
    heed_places pending;   /* of the transaction under way; the leader's */

    heed_lock *lock; /* of what follows */
    heed_places now;
    heed_group *open_group, *idle_group;
    bool leading;
    heed_db *idle;
    int readers; /* open */
};

/* -- writing (write.c) ------------------------------------------------------------------------ */

/* One piece of work inside a transaction that may hold others' too: run may be called again after a
 * rollback and then gives the same. It changes store->pending, never store->now. */
typedef int (*heed_work_fn)(heed_store *store, void *arg, heed_error *err);
/* Runs it and returns when it is committed, or it failed and nothing of it is there. */
int heed__store_write(heed_store *store, heed_work_fn run, void *arg, heed_error *err);
/* The same alone and outside any transaction. */
int heed__store_alone(heed_store *store, heed_work_fn run, void *arg, heed_error *err);
void heed__groups_free(heed_store *store);
/* BEGIN ... COMMIT around run, for use within heed__store_alone. */
int heed__store_transaction(heed_store *store, heed_work_fn run, void *arg, heed_error *err);

/* -- reading ---------------------------------------------------------------------------------- */

/* A connection in a read transaction of its own: all statements see one state. NULL and *err. */
heed_db *heed__store_reader(heed_store *store, heed_error *err);
/* The status of what was just refused. */
static inline int heed__code_of(const heed_error *err) {
    return err && err->code ? err->code : HEED_EIO;
}
void heed__store_return(heed_store *store, heed_db *db);

/* -- the log ---------------------------------------------------------------------------------- */

#define HEED_ENTRY_COLUMNS                                                                         \
    "seq, time_ms, kind, source, id, happened_ms, user, session, title, text, url, body"
/* From a row that begins with HEED_ENTRY_COLUMNS; lives until the next step. */
void heed__entry_row(sqlite3_stmt *stmt, heed_entry *entry);
/* crc32 of all that an entry holds. */
int64_t heed__entry_sum(const heed_entry *entry);
/* Notes a number under its name in the writer's transaction. */
int heed__place_set(heed_store *store, const char *name, int64_t value, heed_error *err);
/* The first seq whose time is at least ms; one beyond the last where there is none. */
int heed__first_at(heed_db *db, int64_t ms, int64_t *seq, heed_error *err);
/* Free pages and the journal hold nothing afterwards. For heed__store_alone. */
int heed__store_clean(heed_store *store, void *arg, heed_error *err);

#endif
