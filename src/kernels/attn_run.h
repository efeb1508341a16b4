/* attn_run.h: what the drivers of fused attention share: runs, and what a tile's rows may see. */
#ifndef HEED_KERNELS_ATTN_RUN_H
#define HEED_KERNELS_ATTN_RUN_H

#include "kernels/attn.h"

#define HEED_ATTN_LOG2E 0x1.715476p0f
#define HEED_ATTN_LN2   0x1.62e430p-1f

/* Rows of the caller's lie far apart, which no machine foresees: they are asked for so many rows
 * before their turn. */
enum { HEED_ATTN_AHEAD = 6 };

static inline void heed__attn_expect(const float *row, int64_t n) {
    for (int64_t j = 0; j < n; j += 16) __builtin_prefetch(row + j, 1);
}

/* The next `floats` numbers of a worker's room, which begins at base (NULL: it is only measured),
 * on a line of the cache; *at: bytes carved so far. */
static inline float *heed__attn_carve(char *base, int64_t *at, int64_t floats) {
    float *p = base ? (float *)(void *)(base + *at) : NULL;
    *at += (floats * (int64_t)sizeof(float) + 63) / 64 * 64;
    return p;
}

/* Queries q0..q1-1 of row b of the batch and the keys k0..k1-1 that they may see, if anything hides
 * none of them. Keys are counted from k0. */
typedef struct heed_attn_run {
    int64_t b, q0, q1, k0, k1;
    int64_t stop; /* end of the row's valid keys, those of other segments too */
    bool mixed;   /* keys of other segments lie between */
} heed_attn_run;

static inline int64_t heed__attn_round16(int64_t n) {
    return (n + 15) / 16 * 16;
}

/* The next run of row b at or after query r->q1; false when queries end at `end`. For the first set
 * r->b and r->q0 = r->q1 = the first query. */
bool heed__attn_next_run(const heed_attn *a, heed_attn_run *r, int64_t end);

/* Queries t..t+n-1 of the run see no key of it outside *lo..*hi-1, counted from k0; lo is a
 * multiple of HEED_ATTN_BLOCK, and hi <= lo where bounds leave nothing. So a window costs its
 * width. */
void heed__attn_reach(const heed_attn *a, const heed_attn_run *run, int64_t t, int64_t n,
                      int64_t *lo, int64_t *hi);

/* Fills *r for rows of the run: `rows` queries from t on of head h, against its keys from `key` on,
 * at most n of them. False where no key is seen. */
bool heed__attn_rows(const heed_attn *a, const heed_attn_run *run, int64_t h, int64_t t,
                     int64_t key, int64_t n, heed_attn_rows *r);

/* 1 / length of n rows of d numbers, ld apart (0 for a row of zeros), by the row rule. */
void heed__attn_unit(const heed_kernels *k, float *scale, const float *x, int64_t ld, int64_t n,
                     int64_t d);

/* Zeros in place of those of n rows of d numbers, ld apart, that hold one beyond `most` or NaN: in
 * sums whose factors are 0 for what such a query does not see, and NaN for what it sees. */
void heed__attn_leave_out(const heed_kernels *k, float *rows, int64_t ld, int64_t n, int64_t d,
                          float most);

/* How a forward pass cuts the queries of each row and key head: `chunks` pieces of `chunk`, where
 * there are too few rows and heads for the threads. */
typedef struct heed_attn_cut {
    int64_t chunks, chunk;
} heed_attn_cut;
heed_attn_cut heed__attn_cut(const heed_attn *a, int threads);

/* Clears o [n + HEED_ATTN_GROUP, dv], max and sum of s for n rows of head h that saw nothing yet
 * but its sink. */
void heed__attn_start_rows(const heed_attn *a, const heed_attn_step *s, int64_t n, int64_t h);

#endif
