/* sink.h: where alerts and events go. Each sink has a thread of its own, so that a slow one holds
 * up no other; it takes due messages from the store's outbox and delivers them, at least once, each
 * with its stable key. What cannot be delivered is tried again with doubling pauses and at last put
 * aside as dead, with the reason. docs/sinks.md tells receivers what they get.
 *
 *     webhook  POST of {"key","type","message"} as JSON to a URL; signed where there is a secret
 *     file     the same, a line of JSON each, added to a file
 *     mail     a mail given to a program's standard input (sendmail -t)
 *     page     the caller's function
 */
#ifndef HEED_FLOW_SINK_H
#define HEED_FLOW_SINK_H

#include <jansson.h>

#include "base/metrics.h"
#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_sinks heed_sinks;

/* For sinks of the kind "page"; from that sink's thread. */
typedef void (*heed_publish_fn)(void *user, const heed_message *message);

typedef struct heed_sinks_cfg {
    const heed_flow *flow; /* it and the store must outlive the sinks */
    heed_store *store;
    heed_publish_fn publish; /* NULL: messages to pages are taken and nobody hears of them */
    void *user;
    heed_metrics_set *metrics;
    const heed_hooks *hooks; /* log: what fails, once until it changes */
    /* ms; zeros are the defaults */
    int64_t first_pause_ms; /* after a first failure (1 s); doubled with each one more */
    int64_t most_pause_ms;  /* (1 h) */
    int64_t look_ms;        /* between two looks for what has become due (1 s) */
    int64_t call_ms;        /* for one delivery (15 s) */
} heed_sinks_cfg;

/* NULL: HEED_EINVALID (a secret's variable is not set, ...), HEED_ENOMEM. */
heed_sinks *heed_sinks_start(const heed_sinks_cfg *cfg, heed_error *err);
void heed_sinks_wake(heed_sinks *s); /* something was committed */
/* [{"name","kind","waiting","dead","error":null|"..."}]: the last failure of each, until something
 * is delivered again; s NULL: []. New reference; NULL: out of memory. */
json_t *heed_sinks_state(heed_sinks *s);
void heed_sinks_stop(heed_sinks *s); /* within about a second; NULL is fine */

#endif
