/* pipeline.h: the way of an event: redacted, stored, analysed, decided about, told.
 *
 *     take -> store -> [reader: reads what is new, asks the analyst] -> [decider: steps, commits,
 *     publishes, wakes the sinks]
 *
 * The store is the queue: what was taken is safe before take returns, and what is not yet decided
 * is read from there, after a crash too. Memory holds no more than a few batches. */
#ifndef HEED_SERVE_PIPELINE_H
#define HEED_SERVE_PIPELINE_H

#include "base/metrics.h"
#include "flow/decide.h"
#include "http/http.h"
#include "serve/setup.h"
#include "store/store.h"

typedef struct heed_pipeline heed_pipeline;

enum { HEED_TOPIC_EVENT = 0, HEED_TOPIC_ALERT = 1, HEED_TOPIC_STATS = 2 };

typedef struct heed_pipeline_cfg {
    heed_store *store;
    heed_setup *setup; /* held by it */
    heed_hub *hub;     /* NULL: nothing is published */
    heed_metrics_set *metrics;
    void (*committed)(void *user); /* called after every commit with messages; NULL: not */
    /* hears of every event that is decided; NULL: nobody. From the decider's thread. */
    void (*told)(void *user, const heed_entry *entry, const heed_decided *decided);
    void *user;
    int64_t most_waiting; /* entries not yet decided, beyond which intake waits (100,000) */
    const heed_hooks *hooks;
} heed_pipeline_cfg;

/* Loads what was remembered, goes over what was decided since, and starts. NULL and *err. */
heed_pipeline *heed_pipeline_start(const heed_pipeline_cfg *cfg, heed_error *err);
/* Everything that was taken is decided, for at most `seconds`, and what is remembered is saved. */
void heed_pipeline_stop(heed_pipeline *p, int seconds); /* NULL is fine */

/* Entries (of any kind) for good. wait: while the flow is full, and until it stops
 * (HEED_ECANCELLED); else HEED_ECANCELLED at once where it is full. seq is set as by
 * heed_store_append. 0 or a status. */
int heed_pipeline_take(heed_pipeline *p, heed_entry *entry, int64_t n, bool wait, heed_error *err);
bool heed_pipeline_stopping(heed_pipeline *p);

/* A new setup in place of the one before, from the next entry on that is not analysed yet, however
 * many wait: the log tells which that is ("from" of an entry of the kind LOADED). The setup is
 * held. Returns when it is in force. 0 or a status: all is as before; but for HEED_ECANCELLED with
 * "from entry": the flow ends before it gets there, and the log has it. */
int heed_pipeline_reload(heed_pipeline *p, heed_setup *setup, heed_error *err);
/* The end is near: who waits for room, or for a reload, waits no more (HEED_ECANCELLED). */
void heed_pipeline_leave(heed_pipeline *p);
/* The setup in force, for the caller to drop. */
heed_setup *heed_pipeline_setup(heed_pipeline *p);

/* As heed_decider_why, of an event in the store. */
json_t *heed_pipeline_why(heed_pipeline *p, int64_t seq, const char *rule, heed_error *err);
/* heed_decider_expect of the decider at work. */
int heed_pipeline_expect(heed_pipeline *p, json_t *counts, const char *source, heed_error *err);

typedef struct heed_pipeline_state {
    double rate; /* events a second, decided, over the last seconds */
    int64_t waiting, last, decided;
    double p50_ms, p99_ms; /* from taken to published, of the last events; NaN: none yet */
    int64_t memory;        /* bytes of the process */
    const char *trouble;   /* what holds it up now ("disk full"), static; NULL: nothing */
} heed_pipeline_state;
heed_pipeline_state heed_pipeline_state_now(heed_pipeline *p);

#endif
