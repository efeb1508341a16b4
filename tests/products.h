/* products.h: what the tests of matrix products share: sizes by chance, rooms whose ends would
 * show, and pools of 1, 2, 3 and 7 threads. Each program has its own. */
#ifndef HEED_TESTS_PRODUCTS_H
#define HEED_TESTS_PRODUCTS_H

#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "heed/base.h"

static uint64_t products_state = 1;

/* In [0,n). */
static inline int64_t pick(int64_t n) {
    products_state = products_state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((products_state >> 33) % (uint64_t)n);
}

/* In [-1,1). */
static inline float value(void) {
    products_state = products_state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(products_state >> 33) / 1073741824.0f - 1.0f;
}

/* size bytes and at least 64 more, aligned to 64, all 0xff; free it. */
static inline void *filled(int64_t size) {
    const size_t room = (size_t)(size + 127) / 64 * 64;
    void *p = aligned_alloc(64, room);
    assert_non_null(p);
    return memset(p, 0xff, room);
}

/* n floats, NaN; free them. */
static inline float *floats(int64_t n) {
    return filled(n * (int64_t)sizeof(float));
}

static heed_pool *pools[4];

static inline int start_pools(void **unused) {
    (void)unused;
    static const int threads[] = { 1, 2, 3, 7 };
    for (int i = 0; i < 4; i++)
        if (!(pools[i] = heed_pool_new(threads[i], NULL, NULL))) return -1;
    return 0;
}

static inline int end_pools(void **unused) {
    (void)unused;
    for (int i = 0; i < 4; i++) heed_pool_free(pools[i]);
    return 0;
}

#endif
