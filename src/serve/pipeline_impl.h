/* pipeline_impl.h: inside of heed_pipeline, for the files pipeline*.c. */
#ifndef HEED_SERVE_PIPELINE_IMPL_H
#define HEED_SERVE_PIPELINE_IMPL_H

#include "base/arena.h"
#include "base/json_put.h"
#include "base/thread.h"
#include "serve/pipeline.h"

enum {
    PIPELINE_BATCH = 512,      /* entries analysed and committed together */
    PIPELINE_RING = 4,         /* batches between reader and decider */
    PIPELINE_ARRIVALS = 65536, /* entries whose arrival is remembered, for latencies */
    PIPELINE_RECENT = 2048,    /* latencies told of */
    PIPELINE_STATE_MS = 5000,  /* between two saves of what the decider remembers */
    PIPELINE_TICK_MS = 10000,  /* a silent flow's clock goes on in such steps */
    PIPELINE_RETAIN = 30000    /* old entries removed a second */
};

/* Entries with what was found in them, from reader to decider. */
typedef struct pipeline_batch {
    heed_arena arena; /* of the entries' strings, and of what is decided */
    heed_entry entry[PIPELINE_BATCH];
    int64_t n;
    heed_found found;
    int64_t event[PIPELINE_BATCH]; /* place among the events, which found has; -1: no event */
    heed_setup *setup;             /* in force from its first entry on; NULL: the one before it */
    heed_decider *decider;         /* as in pipeline_change */
    int64_t decider_at;
    struct pipeline_batch *next;
} pipeline_batch;

/* A reload that is asked for, of the caller's stack. `stage` is under the pipeline's lock. */
typedef struct pipeline_change {
    heed_setup *setup;     /* held */
    heed_decider *decider; /* of other rules, which went over the log up to decider_at; NULL: the
                              one at work tells them what it remembers */
    int64_t decider_at;
    enum { CHANGE_ASKED, CHANGE_BEGUN, CHANGE_LOGGED, CHANGE_REFUSED } stage;
    int64_t from; /* logged: the entry from which on it is in force */
    heed_error err;
} pipeline_change;

struct heed_pipeline {
    heed_hooks hooks;
    heed_pipeline_cfg cfg;
    heed_store *store;
    heed_lock *lock; /* of all that follows up to the threads' own */
    int64_t appended, decided;
    /* leave: nobody waits for room or a reload; stop: nothing is taken any more; halt: nor
     * decided */
    bool leave, stop, halt;
    heed_setup *setup;
    pipeline_change *asked;       /* a reload that the reader has not begun; NULL: none */
    bool changing;                /* one that the log tells of is not in force yet */
    pipeline_batch *first, **end; /* for the decider */
    int batches;
    const char *trouble;
    int64_t *arrived; /* [PIPELINE_ARRIVALS] ticks, by seq */
    float recent[PIPELINE_RECENT];
    int64_t recents, events_decided;
    double rate;
    int64_t touched_ms; /* when something was appended last */
    /* the reader's */
    int64_t read;
    heed_setup *reading;
    pipeline_batch *coming; /* with the setup and the decider of the next batch; NULL: as before */
    /* the decider's; `deciding` is held while it steps */
    heed_lock *deciding;
    heed_decider *decider;
    heed_setup *rules; /* of which the decider is */
    int64_t saved_ns, saved_at;
    heed_text line;
    /* the clock's: entries removed since it was told of them, and when that was */
    int64_t removed, retained_ns;
    heed_thread *reader, *thread, *clock;
    heed_metric *taken, *known, *redacted, *told, *alerts, *failed, *latency, *queue, *old;
};

void heed__pipeline_read(void *pipeline); /* threads */
void heed__pipeline_decide(void *pipeline);
void heed__pipeline_clock(void *pipeline);

/* pipeline_reload.c */
/* Tells the log at the start which flow and models are in force from the first undecided entry on,
 * unless it knows. 0 or a status. */
int heed__pipeline_tell_loaded(heed_pipeline *p, heed_error *err);
/* By the reader, between two batches: the reload that is asked for begins with the next one. */
void heed__pipeline_begin_change(heed_pipeline *p);
/* By the decider, before the batch that brings it. False: to end. */
bool heed__pipeline_change(heed_pipeline *p, pipeline_batch *b);
/* A new decider where a step failed: from what the store has. False: to end. */
bool heed__pipeline_restore(heed_pipeline *p);
/* Analyses that remember events get to know those up to `upto`, again where they must. */
int heed__pipeline_remember(heed_pipeline *p, heed_setup *setup, int64_t upto, heed_error *err);

/* An entry or more into the store. 0 or a status. */
int heed__pipeline_append(heed_pipeline *p, const heed_setup *s, heed_entry *entry, int64_t n,
                          heed_error *err);
bool heed__pipeline_leaving(heed_pipeline *p);
/* Sleeps longer each time; false: to end. */
bool heed__pipeline_pause(heed_pipeline *p, int64_t *pause);

void heed__pipeline_trouble(heed_pipeline *p, const char *what, const heed_error *err);

/* Frees a batch with what was found. */
void heed__batch_free(heed_pipeline *p, pipeline_batch *b);
/* A copy whose strings are the arena's. False: out of memory. */
bool heed__entry_copy(heed_arena *arena, const heed_entry *from, heed_entry *to);
char *heed__arena_text(heed_arena *arena, const char *text); /* NULL stays NULL */

/* A decider of a flow that remembers what followed from the entries up to *at: from the state that
 * the store has, where it fits, and from the decided entries after it. NULL and *err. */
heed_decider *heed__decider_restore(heed_store *store, const heed_flow *flow,
                                    const heed_hooks *hooks, heed_error *err);
/* Steps over decided entries from `after` on; each (may be NULL) hears of what would follow now
 * and what was decided, until it returns false. 0 or a status. */
typedef bool (*heed_compare_fn)(void *user, const heed_entry *entry, const heed_decided *then,
                                const heed_decisions *now);
int heed__decider_replay(heed_store *store, heed_decider *d, int64_t after, heed_compare_fn each,
                         void *user, heed_error *err);
/* One step; of feedback on an old event with what was found in it then. 0 or a status. */
int heed__decider_step(heed_store *store, heed_decider *d, const heed_seen *seen,
                       heed_decisions *out, heed_error *err);

/* A decided event of the store, with what was found in it and the gates noted then. */
typedef struct heed_replayed {
    heed_arena arena;
    heed_entry entry;
    heed_seen seen;
    const char *gates;
} heed_replayed;
int heed__store_decided_event(heed_store *store, int64_t seq, heed_replayed *to, heed_error *err);
void heed__replayed_free(heed_replayed *r); /* a zeroed one is fine */

/* An event as the stream tells of it (store/look.h's EVENT). */
void heed__event_line(heed_text *l, const heed_entry *e, const heed_decided *d);
void heed__alert_line(heed_text *l, const heed_alert *a, int64_t opened_ms);

#endif
