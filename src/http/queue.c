/* queue.c: requests that wait for a worker, and the workers. No more wait than were agreed: more
 * are told to come again, so that those who wait are answered in time. */
#include "http/server.h"

#include "base/alloc.h"

enum { MOST_WORKERS = 256 };

struct heed_queue {
    heed_http *http;
    heed_lock *lock;
    heed_request *first, **end;
    int64_t len, cap;
    bool ended;
    int workers;
    heed_thread *worker[MOST_WORKERS];
};

static heed_request *take(heed_queue *q) {
    heed_request *rq = q->first;
    if (!rq) return NULL;
    q->first = rq->next;
    if (!q->first) q->end = &q->first;
    q->len--;
    return rq;
}

static void work(void *arg) {
    heed_queue *q = arg;
    for (;;) {
        heed__lock_enter(q->lock);
        while (!q->first && !q->ended) heed__lock_wait(q->lock, -1);
        heed_request *rq = take(q);
        heed__lock_leave(q->lock);
        if (!rq) return;
        rq->route->fn(q->http->cfg.user, rq);
    }
}

heed_queue *heed__queue_new(heed_http *http, heed_error *err) {
    heed_queue *q = heed__calloc(&http->hooks, 1, sizeof *q);
    if (!q) {
        heed__error(err, HEED_ENOMEM, "out of memory for the queue of requests");
        return NULL;
    }
    q->http = http;
    q->cap = http->cfg.queue;
    q->end = &q->first;
    q->lock = heed__lock_new(&http->hooks, err);
    const int n = http->cfg.workers < MOST_WORKERS ? http->cfg.workers : MOST_WORKERS;
    while (q->lock && q->workers < n) {
        heed_thread *t = heed__thread_start(&http->hooks, "heed-work", work, q, err);
        if (!t) break;
        q->worker[q->workers++] = t;
    }
    if (q->workers == n) return q;
    heed__queue_free(q);
    return NULL;
}

bool heed__queue_push(heed_queue *q, heed_request *rq) {
    heed__lock_enter(q->lock);
    const bool room = q->len < q->cap;
    if (room) {
        MHD_suspend_connection(rq->connection);
        atomic_store(&rq->state, HEED_PARKED);
        rq->next = NULL;
        *q->end = rq;
        q->end = &rq->next;
        q->len++;
        heed__lock_wake(q->lock);
    }
    heed__lock_leave(q->lock);
    return room;
}

int64_t heed__queue_len(heed_queue *q) {
    heed__lock_enter(q->lock);
    const int64_t len = q->len;
    heed__lock_leave(q->lock);
    return len;
}

void heed__queue_drop(heed_queue *q) {
    for (;;) {
        heed__lock_enter(q->lock);
        heed_request *rq = take(q);
        heed__lock_leave(q->lock);
        if (!rq) return;
        heed_reply_problem(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "the server stops");
    }
}

void heed__queue_free(heed_queue *q) {
    if (!q) return;
    if (q->lock) {
        heed__lock_enter(q->lock);
        q->ended = true;
        heed__lock_wake(q->lock);
        heed__lock_leave(q->lock);
    }
    for (int i = 0; i < q->workers; i++) heed__thread_join(q->worker[i]);
    heed__lock_free(q->lock);
    heed__free(&q->http->hooks, q);
}
