/* write.c: group commit. A thread that has work to be committed queues it; the first that finds
 * nobody at it becomes the leader, runs all that waits in one transaction, and wakes the rest. */
#include "store/impl.h"

enum { JOURNAL_PAGES = 2000 }; /* taken into the file beyond so many: 8 MB */

struct heed_work {
    heed_work_fn run;
    void *arg;
    heed_error *err;
    int status;
    bool alone, done;
    struct heed_work *next;
};

static void roll_back(heed_store *s) {
    if (!sqlite3_get_autocommit(s->writer->db)) heed__db_run(s->writer, "ROLLBACK", NULL, 0, NULL);
}

static void publish(heed_store *s) {
    heed__lock_enter(s->lock);
    s->now = s->pending;
    heed__lock_leave(s->lock);
}

/* One transaction of a list of works; the first status that is not 0, with its sentence. */
static int transact(heed_store *s, heed_work *list, const heed_work *end, heed_error *err) {
    heed_db *db = s->writer;
    s->pending = s->now;
    int status = heed__db_run(db, "BEGIN IMMEDIATE", NULL, 0, err);
    if (status) return status;
    for (heed_work *w = list; w != end && !status; w = w->next) status = w->run(s, w->arg, err);
    if (!status && s->pending.events != s->now.events)
        status = heed__place_set(s, "events", s->pending.events, err);
    if (!status) status = heed__db_run(db, "COMMIT", NULL, 0, err);
    if (status)
        roll_back(s);
    else
        publish(s);
    return status;
}

/* All of them together; where that fails, each by itself, so that nobody suffers for another. */
static void run_list(heed_store *s, heed_work *list) {
    if (list->next && transact(s, list, NULL, NULL) == HEED_OK) {
        for (heed_work *w = list; w; w = w->next) w->status = HEED_OK;
        return;
    }
    for (heed_work *w = list; w; w = w->next) w->status = transact(s, w, w->next, w->err);
}

/* The journal's pages go into the file, so that it is written from its beginning again. What
 * somebody still reads has to stay; then it is tried again later. */
static void take_journal(heed_store *s) {
    if (s->journal_pages < s->tried_pages) s->tried_pages = 0; /* it began again */
    if (s->journal_pages < s->tried_pages + JOURNAL_PAGES) return;
    s->tried_pages = s->journal_pages;
    sqlite3_wal_checkpoint_v2(s->writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* What the leader takes: up to the first that wants to be alone, or that one. */
static heed_work *take(heed_store *s) {
    heed_work *list = s->first, **end = &s->first;
    if (list->alone) {
        end = &list->next;
    } else {
        while (*end && !(*end)->alone) end = &(*end)->next;
    }
    s->first = *end;
    if (!s->first) s->end = &s->first;
    *end = NULL;
    return list;
}

static void lead(heed_store *s) {
    heed_work *list = take(s);
    heed__lock_leave(s->lock);
    if (list->alone)
        list->status = list->run(s, list->arg, list->err);
    else
        run_list(s, list);
    heed__lock_enter(s->lock);
    for (heed_work *w = list, *next; w; w = next) {
        next = w->next; /* its thread may go as soon as the lock is left */
        w->done = true;
    }
    heed__lock_wake(s->lock);
    heed__lock_leave(s->lock);
    take_journal(s);
    heed__lock_enter(s->lock);
}

static int submit(heed_store *s, heed_work *work) {
    if (s->read_only)
        return heed__error(work->err, HEED_EIO, "%s: opened only to be read", s->path);
    heed__lock_enter(s->lock);
    *s->end = work;
    s->end = &work->next;
    while (!work->done) {
        if (s->leading) {
            heed__lock_wait(s->lock, -1);
            continue;
        }
        s->leading = true;
        lead(s);
        s->leading = false;
        heed__lock_wake(s->lock);
    }
    heed__lock_leave(s->lock);
    return work->status;
}

int heed__store_write(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err };
    return submit(s, &work);
}

int heed__store_alone(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err, .alone = true };
    return submit(s, &work);
}

int heed__store_transaction(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err };
    return transact(s, &work, NULL, err);
}
