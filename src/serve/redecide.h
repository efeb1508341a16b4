/* redecide.h: after `heed forget` the rules decide about what remains as if nothing else had ever
 * been: gates, ranks, stories and alerts of all entries that were decided by this very flow file,
 * so that a replay of the log gives what is stored. Nothing is sent again. */
#ifndef HEED_SERVE_REDECIDE_H
#define HEED_SERVE_REDECIDE_H

#include "flow/flow.h"
#include "store/store.h"

/* Where the store says that it is due; begun anew where it did not come to its end. 0 or a status.
 */
int heed__redecide(heed_store *store, const heed_flow *flow, const heed_hooks *hooks,
                   heed_error *err);

#endif
