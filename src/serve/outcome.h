/* outcome.h: what followed from a run of entries, gathered to be committed in one transaction. */
#ifndef HEED_SERVE_OUTCOME_H
#define HEED_SERVE_OUTCOME_H

#include "base/arena.h"
#include "flow/decide.h"
#include "store/store.h"

/* Arrays and strings are the arena's; those of `commit` are set from the others by the caller. */
typedef struct heed_outcome {
    heed_arena *arena;
    heed_commit commit;
    heed_decided *decided;
    heed_alert *alert;
    heed_message *message;
    heed_moved *moved;
    int64_t alert_cap, message_cap, moved_cap;
    char *state;
} heed_outcome;

/* One step's: decided must have room for another event. False: out of memory. */
bool heed__outcome_keep(heed_outcome *o, const heed_seen *seen, const heed_decisions *d);

#endif
