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

/* The flow must outlive it. */
heed_decider *heed_decider_new(const heed_flow *flow, const heed_hooks *hooks, heed_error *err);
void heed_decider_free(heed_decider *d);

/* An entry and, of an event, what was found in it. Of a FEEDBACK entry: what was found in the event
 * that it is about, looked at only where that is not among the last 32,768; may be left out. */
typedef struct heed_seen {
    const heed_entry *entry;
    const heed_finding *finding;
    int64_t findings;
    const float *vector; /* [dim] of length 1; NULL: none */
    int64_t dim;
} heed_seen;

/* What follows from one entry; arrays and strings are the decider's, until the next step. */
typedef struct heed_decisions {
    int64_t story; /* of an event: seq of the first that tells it; 0: stories are not folded */
    double rank;   /* of an event: chance in (0,1) that it deserves attention; age is not in it */
    const char *gates;       /* of an event, JSON: {"RULE":"GATE ..."}, where each rule stopped: the
                          gate's name, then what it saw ("chance n=7 of=2.31 p=0.013"), or
                          "fired id=ALERT" or "joined id=ALERT"; beside them "@rank": reasons of the
                          rank, [["label sentiment=negative",0.83],...] and, of a story told again,
                          "@story": {"of":seq,"similar":0.91} */
    const heed_alert *alert; /* those that opened or changed, in order */
    int64_t alerts;
    const heed_message *message;
    int64_t messages;
    const heed_moved *moved; /* events of before that another story tells now */
    int64_t moves;
} heed_decisions;

/* Entries come in order, each once. Bodies that are understood; others change nothing:
 *     FEEDBACK  {"seq","vote":"up"|"down"|"none"}: teaches the ranking
 *     ACTION    {"do":"ack"|"close"|"silence","alert":ID,"minutes":60}, {"do":"split","seq"}: the
 *               event is a story of its own, {"do":"undo","entry":SEQ}: the FEEDBACK or ACTION
 *               entry of that seq is as if it had never been (an undo too)
 * A clock that moves alone (TICK) closes, escalates and wakes alerts: one at least every minute.
 * 0 or a status; after HEED_ENOMEM the decider is in no state to go on. */
int heed_decider_step(heed_decider *d, const heed_seen *seen, heed_decisions *out, heed_error *err);

/* Everything it remembers, to go on from elsewhere: save, load into a new one, and every later step
 * gives the same bits. Free *data with heed__free. load: HEED_EFORMAT where the rules have changed
 * in a way that old memory does not fit (the caller then replays the log). */
int heed_decider_save(const heed_decider *d, char **data, size_t *size, heed_error *err);
int heed_decider_load(heed_decider *d, const char *data, size_t size, heed_error *err);

/* Why an event did (not) lead to an alert of a rule (NULL: of each): every gate in order with its
 * value, its bound and whether it held, from the event, its findings and the gates noted then:
 * {"seq","rules":[{"rule","fired":bool,"stopped_at":gate or null,"gates":[{"gate","value","bound",
 * "held","says"}...]}...]}. New reference; NULL and *err. */
json_t *heed_decider_why(const heed_decider *d, const heed_seen *seen, const char *gates,
                         const char *rule, heed_error *err);

/* The usual course beside counts in the shape of heed_look_counts: each series gets "expected", a
 * number for each step (null before its rule began to watch), where a surge rule counts these very
 * events: by the same analyses, or by some of them while its conditions pin the others to the
 * series' labels; else null. source: whose events alone are counted, which such a rule then counts
 * by or is conditioned on, unless it is the flow's only one; NULL: of all. 0 or a status. */
int heed_decider_expect(const heed_decider *d, json_t *counts, const char *source, heed_error *err);

#endif
