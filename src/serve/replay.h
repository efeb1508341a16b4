/* replay.h: the log decided about once more, from its beginning, and compared with what was decided
 * then: gates, ranks and stories of events, and every alert, byte for byte. */
#ifndef HEED_SERVE_REPLAY_H
#define HEED_SERVE_REPLAY_H

#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_replay_report {
    int64_t entries, events, alerts; /* compared */
    int64_t from;      /* seq of the first entry that was decided by this very flow file; 0: none */
    int64_t missing;   /* entries that retention or `heed forget` took out */
    int64_t different; /* events and alerts */
    char first[256];   /* of them, in words; "": none */
} heed_replay_report;

/* 0 or a status: what could be compared was. */
int heed_replay(heed_store *store, const heed_flow *flow, heed_replay_report *report,
                const heed_hooks *hooks, heed_error *err);

#endif
