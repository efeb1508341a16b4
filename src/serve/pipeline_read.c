/* pipeline_read.c: the reader: entries out of the store, findings out of their texts. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "serve/pipeline_impl.h"

char *heed__arena_text(heed_arena *arena, const char *text) {
    if (!text) return NULL;
    const size_t size = strlen(text) + 1;
    char *own = heed__arena_alloc(arena, size);
    return own ? memcpy(own, text, size) : NULL;
}

bool heed__entry_copy(heed_arena *arena, const heed_entry *from, heed_entry *to) {
    const char **text[] = { &to->source, &to->id,   &to->user, &to->session,
                            &to->title,  &to->text, &to->url,  &to->body };
    *to = *from;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (*text[i] && !(*text[i] = heed__arena_text(arena, *text[i]))) return false;
    return true;
}

void heed__batch_free(heed_pipeline *p, pipeline_batch *b) {
    if (!b) return;
    heed_found_free(&b->found);
    heed_decider_free(b->decider);
    heed_setup_drop(b->setup);
    heed__arena_free(&b->arena);
    heed__free(&p->hooks, b);
}

typedef struct reading {
    heed_pipeline *p;
    pipeline_batch *b;
    bool failed;
} reading;

static bool take(void *user, const heed_entry *e) {
    reading *r = user;
    if (!heed__entry_copy(&r->b->arena, e, &r->b->entry[r->b->n])) {
        r->failed = true;
        return false;
    }
    return ++r->b->n < PIPELINE_BATCH;
}

/* What is new, at most a batch; NULL where that fails. */
static pipeline_batch *read_batch(heed_pipeline *p, heed_error *err) {
    pipeline_batch *b = heed__calloc(&p->hooks, 1, sizeof *b);
    if (!b) {
        heed__error(err, HEED_ENOMEM, "events: out of memory");
        return NULL;
    }
    heed__arena_init(&b->arena, &p->hooks);
    reading r = { p, b, false };
    const int64_t n = heed_store_read(p->store, p->read, PIPELINE_BATCH, take, &r, err);
    if (r.failed) heed__error(err, HEED_ENOMEM, "events: out of memory");
    if (n >= 0 && !(r.failed && b->n == 0)) return b;
    heed__batch_free(p, b);
    return NULL;
}

/* Findings of one event after the other, since one of them spoils the batch; that one has none. */
static int analyse_each(heed_pipeline *p, pipeline_batch *b, const heed_entry *event, int64_t n,
                        heed_error *err) {
    heed_found one = { 0 };
    for (int64_t i = 0; i < n; i++) {
        const int rc = heed_analyst_run(p->reading->analyst, &event[i], 1, &one, err);
        heed_found_free(&one);
        if (rc == HEED_ENOMEM) return rc;
        if (rc == 0) continue;
        heed__log(&p->hooks, HEED_LOG_WARN, "event %lld is not analysed: %s",
                  (long long)event[i].seq, err->msg);
        for (int64_t j = 0; j < b->n; j++)
            if (b->entry[j].seq == event[i].seq) b->event[j] = -1;
    }
    return 0;
}

static int analyse(heed_pipeline *p, pipeline_batch *b, heed_error *err) {
    heed_entry *event = heed__arena_alloc(&b->arena, PIPELINE_BATCH * sizeof *event);
    if (!event) return heed__error(err, HEED_ENOMEM, "events: out of memory");
    int64_t n = 0;
    for (int64_t i = 0; i < b->n; i++) {
        b->event[i] = -1;
        if (b->entry[i].kind != HEED_ENTRY_EVENT) continue;
        b->event[i] = n;
        event[n++] = b->entry[i];
    }
    if (n == 0) return 0;
    const int rc = heed_analyst_run(p->reading->analyst, event, n, &b->found, err);
    if (rc == 0 || rc == HEED_ENOMEM) return rc;
    /* which of them it is; the others are asked again together */
    analyse_each(p, b, event, n, err);
    int64_t kept = 0;
    for (int64_t i = 0; i < b->n; i++) {
        if (b->event[i] < 0) continue;
        event[kept] = b->entry[i];
        b->event[i] = kept++;
    }
    return heed_analyst_run(p->reading->analyst, event, kept, &b->found, err);
}

/* Waits for something new and for room in the ring, or for a reload; false: to end. */
static bool wait(heed_pipeline *p, bool *reload) {
    heed__lock_enter(p->lock);
    while (!p->halt && !p->asked && (p->appended <= p->read || p->batches >= PIPELINE_RING))
        heed__lock_wait(p->lock, -1);
    const bool go = !p->halt;
    *reload = p->asked != NULL;
    heed__lock_leave(p->lock);
    return go;
}

static void hand_over(heed_pipeline *p, pipeline_batch *b) {
    p->read = b->entry[b->n - 1].seq;
    if (p->coming) {
        b->setup = p->coming->setup;
        b->decider = p->coming->decider;
        b->decider_at = p->coming->decider_at;
        p->coming->setup = NULL, p->coming->decider = NULL;
        heed__batch_free(p, p->coming);
        p->coming = NULL;
    }
    heed__lock_enter(p->lock);
    *p->end = b;
    p->end = &b->next;
    p->batches++;
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
}

void heed__pipeline_read(void *pipeline) {
    heed_pipeline *p = pipeline;
    int64_t pause = 0;
    for (bool reload; wait(p, &reload);) {
        heed_error err = { 0 };
        if (reload) {
            heed__pipeline_begin_change(p);
            continue;
        }
        pipeline_batch *b = read_batch(p, &err);
        int rc = !b ? err.code : b->n ? analyse(p, b, &err) : 0;
        if (b && b->n && rc == 0) {
            if (pause) heed__pipeline_trouble(p, NULL, NULL);
            pause = 0;
            hand_over(p, b);
            continue;
        }
        heed__batch_free(p, b);
        if (rc) heed__pipeline_trouble(p, "events cannot be analysed", &err);
        pause = rc && pause < 1000 ? pause * 2 + 10 : pause ? pause : 10;
        heed__sleep_ms(pause);
    }
}
