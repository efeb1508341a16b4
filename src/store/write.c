/* write.c: group commit. A thread with work to be committed joins the group that is open, or opens
 * one and becomes its leader. At the leader's turn the group is closed and all its work runs in one
 * transaction, while the next one gathers. */
#include <stdatomic.h>

#include "store/impl.h"

enum { JOURNAL_PAGES = 8192 }; /* taken into the file beyond so many: 32 MB */

struct heed_work {
    heed_work_fn run;
    void *arg;
    heed_error *err;
    int status;
    struct heed_work *next;
};

/* Threads that wait for one transaction. Groups are kept for later ones. */
struct heed_group {
    _Atomic int64_t users;
    heed_work *first, **end; /* under the store's lock until it is closed, then the leader's */
    heed_lock *lock;         /* of done, for which all but the leader wait */
    bool done;
    heed_group *next;
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

/* Under the store's lock: a group that nobody uses; NULL: out of memory. */
static heed_group *new_group(heed_store *s, heed_error *err) {
    heed_group *g = s->idle_group;
    if (g) {
        s->idle_group = g->next;
    } else {
        g = heed__calloc(&s->hooks, 1, sizeof *g);
        if (g) g->lock = heed__lock_new(&s->hooks, err);
        if (!g) heed__error(err, HEED_ENOMEM, "%s: out of memory", s->path);
        if (g && !g->lock) {
            heed__free(&s->hooks, g);
            g = NULL;
        }
        if (!g) return NULL;
    }
    atomic_store(&g->users, 0);
    g->first = NULL;
    g->end = &g->first;
    g->done = false;
    return g;
}

void heed__groups_free(heed_store *s) {
    while (s->idle_group) {
        heed_group *g = s->idle_group;
        s->idle_group = g->next;
        heed__lock_free(g->lock);
        heed__free(&s->hooks, g);
    }
}

/* The last one puts it away. */
static void leave_group(heed_store *s, heed_group *g) {
    if (atomic_fetch_sub(&g->users, 1) != 1) return;
    heed__lock_enter(s->lock);
    g->next = s->idle_group;
    s->idle_group = g;
    heed__lock_leave(s->lock);
}

/* Under the store's lock, which it gives back: waits for its turn and does the group's work. */
static void lead(heed_store *s, heed_group *g, bool alone) {
    while (s->leading) heed__lock_wait(s->lock, -1);
    s->leading = true;
    if (s->open_group == g) s->open_group = NULL;
    heed__lock_leave(s->lock);
    if (alone)
        g->first->status = g->first->run(s, g->first->arg, g->first->err);
    else
        run_list(s, g->first);
    heed__lock_enter(g->lock);
    g->done = true;
    heed__lock_wake(g->lock);
    heed__lock_leave(g->lock);
    take_journal(s);
    heed__lock_enter(s->lock);
    s->leading = false;
    heed__lock_wake(s->lock);
    heed__lock_leave(s->lock);
}

static int submit(heed_store *s, heed_work *work, bool alone) {
    if (s->read_only)
        return heed__error(work->err, HEED_EIO, "%s: opened only to be read", s->path);
    heed__lock_enter(s->lock);
    heed_group *g = alone ? NULL : s->open_group;
    const bool leads = !g;
    if (!g) g = new_group(s, work->err);
    if (!g) {
        heed__lock_leave(s->lock);
        return HEED_ENOMEM;
    }
    if (leads && !alone) s->open_group = g;
    atomic_fetch_add(&g->users, 1);
    *g->end = work;
    g->end = &work->next;
    if (leads) {
        lead(s, g, alone);
    } else {
        heed__lock_leave(s->lock);
        heed__lock_enter(g->lock);
        while (!g->done) heed__lock_wait(g->lock, -1);
        heed__lock_leave(g->lock);
    }
    const int status = work->status;
    leave_group(s, g);
    return status;
}

int heed__store_write(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err };
    return submit(s, &work, false);
}

int heed__store_alone(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err };
    return submit(s, &work, true);
}

int heed__store_transaction(heed_store *s, heed_work_fn run, void *arg, heed_error *err) {
    heed_work work = { .run = run, .arg = arg, .err = err };
    return transact(s, &work, NULL, err);
}
