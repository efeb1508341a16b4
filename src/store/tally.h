/* tally.h: how many events that are decided there are, by source and by all that was said of them,
 * in every slot of a minute and of twenty: what charts of many millions of events are made of. A
 * slot is the flow's clock divided by its size. Kept in the transactions that change events. */
#ifndef HEED_STORE_TALLY_H
#define HEED_STORE_TALLY_H

#include "store/db.h"

enum { HEED_TALLY_FINE = 60000, HEED_TALLY_COARSE = 1200000 }; /* ms of a slot */

/* Counts the events of [first, limit) with their findings as they stand, once more (by: 1) or once
 * less (-1); *events (may be NULL) is how many they are. Within a transaction of db's. */
int heed__tally(heed_db *db, int64_t first, int64_t limit, int by, int64_t *events,
                heed_error *err);
/* All decided events, into tables that are empty. */
int heed__tally_all(heed_db *db, heed_error *err);

/* One thing that was said, of a key's labels: reads on from *at; false: that was the last. label is
 * NULL where the analysis abstained or had none to give. Neither ends with a 0. */
typedef struct heed_said_label {
    const char *name, *label;
    size_t name_len, label_len;
} heed_said_label;
bool heed__tally_next(const char **at, heed_said_label *said);

#endif
