/* sink.h: where alerts and events go. One thread takes due messages from the store's outbox and
 * delivers them, at least once, each with its stable key; what cannot be delivered is tried again
 * with doubling pauses and at last put aside as dead, with the reason. */
#ifndef HEED_FLOW_SINK_H
#define HEED_FLOW_SINK_H

#include "base/metrics.h"
#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_sinks heed_sinks;

/* publish: for sinks of the kind "page". */
typedef void (*heed_publish_fn)(void *user, const heed_message *message);
heed_sinks *heed_sinks_start(const heed_flow *flow, heed_store *store, heed_publish_fn publish,
                             void *user, heed_metrics_set *metrics, const heed_hooks *hooks,
                             heed_error *err);
void heed_sinks_wake(heed_sinks *s); /* something was committed */
void heed_sinks_stop(heed_sinks *s); /* within a second or the current delivery's time limit */

#endif
