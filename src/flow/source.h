/* source.h: where events come from. Each source is a thread that gives what it reads to a function;
 * what was given and accepted is not given again, whatever happens: its place in the source is kept
 * in the store, and every event has an id by which the store knows it again. */
#ifndef HEED_FLOW_SOURCE_H
#define HEED_FLOW_SOURCE_H

#include "base/metrics.h"
#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_source heed_source;

/* Takes n events (kind HEED_ENTRY_EVENT, strings the source's) for good: returns 0 when they are
 * safe. Waits while the flow is full, so that a source slows down. Another status: try later. */
typedef struct heed_intake {
    void *user;
    int (*take)(void *user, heed_entry *entry, int64_t n, heed_error *err);
    bool (*stopping)(void *user);
} heed_intake;

/* Starts reading. What goes wrong while it runs is logged by name, counted
 * (heed_source_errors_total{source=}), and tried again with growing pauses. NULL: cannot begin. */
heed_source *heed_source_start(const heed_source_cfg *cfg, const heed_intake *intake,
                               heed_store *store, heed_metrics_set *metrics,
                               const heed_hooks *hooks, heed_error *err);
/*
 * {"name","kind","state":"reading"|"waiting"|"failing"|"ended","error":null|"...",
 * "events","since"} */
struct json_t *heed_source_state(const heed_source *s);
void heed_source_stop(heed_source *s); /* within a second; NULL is fine */

#endif
