/* reign.h: which flow file was in force when, as the log tells it. */
#ifndef HEED_SERVE_REIGN_H
#define HEED_SERVE_REIGN_H

#include "flow/flow.h"
#include "store/store.h"

/* From an entry on, until the next of these, the flow file in force is this one, or another. */
typedef struct heed_reign {
    int64_t from;
    bool ours;
} heed_reign;

typedef struct heed_reigns {
    const heed_hooks *hooks;
    heed_reign *at; /* [len] rising from */
    int64_t len, cap;
    int64_t next; /* heed__reigns_ours' place */
    bool ours;
} heed_reigns;

/* 0 or a status. */
int heed__reigns_read(heed_reigns *r, heed_store *store, const heed_flow *flow,
                      const heed_hooks *hooks, heed_error *err);
/* Whether the file was in force at an entry; of rising entries. *from (may be NULL) becomes the
 * first of its reign, where one begins. */
bool heed__reigns_ours(heed_reigns *r, int64_t seq, int64_t *from);
/* Whether it was at an entry; of any. */
bool heed__reigns_had(const heed_reigns *r, int64_t seq);
void heed__reigns_free(heed_reigns *r);

#endif
