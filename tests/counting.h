/* counting.h: hooks that count allocations and fill what they give with NaN. Each program has its
 * own count. */
#ifndef HEED_TESTS_COUNTING_H
#define HEED_TESTS_COUNTING_H

#include <stdlib.h>
#include <string.h>

#include "heed/base.h"

static int64_t allocations; /* made so far */
static int64_t held;        /* not given back */

static inline void *counting_alloc(void *user, size_t size) {
    (void)user;
    allocations++, held++;
    void *p = malloc(size);
    return p ? memset(p, 0xff, size) : NULL;
}

static inline void counting_release(void *user, void *memory) {
    (void)user;
    held -= memory != NULL;
    free(memory);
}

static const heed_hooks counting = { .alloc = counting_alloc, .release = counting_release };

#endif
