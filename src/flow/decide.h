/* decide.h: from what was found to what is done: rules and alerts, stories, ranking. A pure
 * machine: its answers depend on its settings and on the sequence of entries and findings given to
 * it, on nothing else, so that replaying the log gives the same alerts byte for byte. One
 * thread. */
#ifndef HEED_FLOW_DECIDE_H
#define HEED_FLOW_DECIDE_H

#include <jansson.h>

#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_decider heed_decider;

heed_decider *heed_decider_new(const heed_flow *flow, const heed_hooks *hooks, heed_error *err);
void heed_decider_free(heed_decider *d);

/* What follows from one entry; arrays and strings are the decider's, until the next step. */
typedef struct heed_decisions {
    int64_t story;     /* of an event: seq of the first that tells it */
    double rank;       /* of an event */
    const char *gates; /* of an event: {"rule":"gate"}: where each rule stopped, or "fired" */
    const heed_alert *alert;
    int64_t alerts;
    const heed_message *message;
    int64_t messages;
} heed_decisions;

/* Entries come in order, each once. finding [n] and vector [dim] are those of the event. 0 or a
 * status. */
int heed_decider_step(heed_decider *d, const heed_entry *entry, const heed_finding *finding,
                      int64_t n, const float *vector, int64_t dim, heed_decisions *out,
                      heed_error *err);

/* Everything it remembers, to go on from elsewhere: save, load into a new one, and every later step
 * gives the same bits. Free *data with heed__free. load: HEED_EFORMAT where the rules have changed
 * in a way that old memory does not fit (the caller then replays the log). */
int heed_decider_save(const heed_decider *d, char **data, size_t *size, heed_error *err);
int heed_decider_load(heed_decider *d, const char *data, size_t size, heed_error *err);

/* Why an event did (not) lead to an alert of a rule (NULL: of each): every gate in order with its
 * value, its bound and whether it held, from the entry, its findings and the gates noted then:
 * {"seq","rules":[{"rule","fired":bool,"stopped_at":gate or null,"gates":[{"gate","value","bound",
 * "held","says"}...]}...]}. New reference; NULL and *err. */
json_t *heed_decider_why(const heed_decider *d, const heed_entry *entry,
                         const heed_finding *finding, int64_t n, const char *gates,
                         const char *rule, heed_error *err);

#endif
