/* share.h: whole numbers for the drivers of kernels, and rows shared out evenly among tiles. */
#ifndef HEED_KERNELS_SHARE_H
#define HEED_KERNELS_SHARE_H

#include <stdint.h>

static inline int64_t heed__min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t heed__max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static inline int64_t heed__ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

static inline int64_t heed__round_up(int64_t a, int64_t b) {
    return heed__ceil_div(a, b) * b;
}

/* The first row of tile t when `rows` rows are shared out evenly among `tiles`, in whole units. */
static inline int64_t heed__even_row(int64_t unit, int64_t rows, int64_t tiles, int64_t t) {
    const int64_t units = heed__ceil_div(rows, unit), more = units % tiles;
    return heed__min64(rows, unit * (units / tiles * t + heed__min64(t, more)));
}

#endif
