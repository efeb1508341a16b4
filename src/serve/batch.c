/* batch.c: one thread that answers the jobs of many. */
#include "serve/batch.h"

#include "base/alloc.h"
#include "base/thread.h"

struct heed_batcher {
    heed_batch_cfg cfg;
    heed_hooks hooks;
    heed_lock *lock; /* of what follows */
    heed_job *first, **end;
    int64_t waiting; /* texts in the list */
    bool stop;
    heed_thread *thread;
};

/* Takes jobs from the list until the next one would make more than most_taken texts. */
static heed_job *take(heed_batcher *b, int64_t *n) {
    heed_job *first = b->first, **end = &b->first;
    *n = 0;
    while (*end && (*n == 0 || *n + (*end)->n <= b->cfg.most_taken)) {
        *n += (*end)->n;
        end = &(*end)->next;
    }
    b->first = *end;
    if (!b->first) b->end = &b->first;
    *end = NULL;
    b->waiting -= *n;
    return first;
}

/* Waits until there is something to be done; NULL: to end. */
static heed_job *next(heed_batcher *b, int64_t *n) {
    heed__lock_enter(b->lock);
    while (!b->first && !b->stop) heed__lock_wait(b->lock, -1);
    const int64_t until = heed__ticks_ns() + b->cfg.max_wait_ms * 1000000;
    while (b->first && !b->stop && b->waiting < b->cfg.max_batch) {
        const int64_t left = (until - heed__ticks_ns() + 999999) / 1000000;
        if (left <= 0) break;
        heed__lock_wait(b->lock, left);
    }
    heed_job *job = b->first ? take(b, n) : NULL;
    heed__lock_leave(b->lock);
    return job;
}

static void finish(heed_job *job, int status, const heed_error *err) {
    while (job) {
        heed_job *after = job->next;
        job->done(job, status, err);
        job = after;
    }
}

/* One bad text among many spoils the answer of its own job alone. */
static void answer(heed_batcher *b, heed_job *job, int64_t n) {
    heed_error err = { 0 };
    int rc = b->cfg.run(b->cfg.user, job, n, &err);
    if (rc == 0 || !job->next) {
        finish(job, rc, &err);
        return;
    }
    while (job) {
        heed_job *after = job->next;
        job->next = NULL;
        rc = b->cfg.run(b->cfg.user, job, job->n, &err);
        job->done(job, rc, &err);
        job = after;
    }
}

static void run(void *arg) {
    heed_batcher *b = arg;
    int64_t n = 0;
    for (heed_job *job; (job = next(b, &n)) != NULL;) answer(b, job, n);
}

heed_batcher *heed_batcher_new(const heed_batch_cfg *cfg, heed_error *err) {
    heed_batcher *b = heed__calloc(cfg->hooks, 1, sizeof *b);
    if (!b) {
        heed__error(err, HEED_ENOMEM, "batches: out of memory");
        return NULL;
    }
    b->cfg = *cfg;
    if (cfg->hooks) b->hooks = *cfg->hooks;
    b->cfg.hooks = &b->hooks;
    if (b->cfg.most_taken < b->cfg.max_batch) b->cfg.most_taken = b->cfg.max_batch;
    b->end = &b->first;
    b->lock = heed__lock_new(&b->hooks, err);
    b->thread = b->lock ? heed__thread_start(&b->hooks, cfg->name, run, b, err) : NULL;
    if (b->thread) return b;
    heed_batcher_free(b);
    return NULL;
}

void heed_batcher_free(heed_batcher *b) {
    if (!b) return;
    if (b->thread) {
        heed__lock_enter(b->lock);
        b->stop = true;
        heed__lock_wake(b->lock);
        heed__lock_leave(b->lock);
        heed__thread_join(b->thread);
    }
    heed__lock_free(b->lock);
    const heed_hooks hooks = b->hooks;
    heed__free(&hooks, b);
}

bool heed_batcher_put(heed_batcher *b, heed_job *job) {
    heed__lock_enter(b->lock);
    const bool room = b->waiting == 0 || b->waiting + job->n <= b->cfg.most;
    if (room) {
        job->next = NULL;
        *b->end = job;
        b->end = &job->next;
        b->waiting += job->n;
        heed__lock_wake(b->lock);
    }
    heed__lock_leave(b->lock);
    return room;
}
