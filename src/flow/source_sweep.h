/* source_sweep.h: what sources keep in the store of files and sources that are gone is removed, a
 * month after. */
#ifndef HEED_FLOW_SOURCE_SWEEP_H
#define HEED_FLOW_SOURCE_SWEEP_H

#include "flow/flow.h"
#include "store/store.h"

/* The values of one source and kind of key ("file", "mail"). */
typedef struct heed_sweep {
    heed_store *store;
    const char *source, *kind;
    bool (*there)(const void *user, const char *key); /* whether the file of a key exists */
    const void *user;
    const heed_hooks *hooks;
} heed_sweep;

/* Of files that are missing a value bears the day; after 30 days it goes. One that is there again
 * bears none. 0 or a status. */
int heed__sweep_files(const heed_sweep *sweep, heed_error *err);
/* A value without its day. */
size_t heed__stamp_length(const char *value);
/* The same with all that sources keep which the flow has not. 0 or a status. */
int heed_sources_sweep(heed_store *store, const heed_flow *flow, const heed_hooks *hooks,
                       heed_error *err);

#endif
