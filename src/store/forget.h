/* forget.h: what the files forget*.c share: what alerts are about, of which some is of a user who
 * is to be forgotten. Statuses: 0, or one with *err; all within the writer's transaction. */
#ifndef HEED_STORE_FORGET_H
#define HEED_STORE_FORGET_H

#include "store/store.h"

/* {"name":"value"} of an alert's key. */
typedef struct heed_keyed {
    char *name, *value;
    bool gone; /* a forgotten event has it; at the end: and none that is left */
} heed_keyed;

typedef struct heed_keys {
    heed_keyed *at;
    int64_t n, cap;
} heed_keys;

int heed__told_read(heed_store *store, heed_keys *keys, heed_error *err);
/* An event that is to be forgotten, while what was found in it is still there. */
int heed__told_note(heed_store *store, heed_keys *keys, int64_t seq, heed_error *err);
/* The user, by whom alerts may be counted too. */
void heed__told_user(heed_keys *keys, const char *user);
/* After all of them are forgotten. */
int heed__told_clean(heed_store *store, heed_keys *keys, heed_error *err);
void heed__told_free(heed_store *store, heed_keys *keys);

#endif
