/* store_option.h: which store a command means: --store FILE, --flow FLOW.yaml, or what lies here.
 */
#ifndef HEED_SERVE_STORE_OPTION_H
#define HEED_SERVE_STORE_OPTION_H

#include "store/store.h"

typedef struct heed_store_option {
    const char *flow, *store; /* as given, or NULL */
    const heed_hooks *hooks;
} heed_store_option;

/* Opens it; it must be there already. With neither: the store of flow.yaml in this folder, else
 * heed.db. NULL and *err. */
heed_store *heed__store_option_open(const heed_store_option *option, bool read_only,
                                    heed_error *err);

#endif
