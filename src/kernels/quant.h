/* quant.h: int8 matrix products with exact 32-bit sums, and the scales around them.
 *
 *     S[m,n] = sum over k of A[m,k]·B[n,k]                  exact for k <= HEED_Q_MAX_K
 *     C[m,n] = ((float)S · row_scale[m]) · col_scale[n] + bias[n], act, + residual
 *
 * Integers have no order, so every machine gives the same bits; nothing saturates on the way. Each
 * step of the epilogue is one rounding.
 */
#ifndef HEED_KERNELS_QUANT_H
#define HEED_KERNELS_QUANT_H

#include "heed/ops.h"
#include "kernels/kernels.h"

enum { HEED_Q_MAX_K = 131071 };

typedef struct heed_qgemm {
    int64_t m, n, k;
    const int8_t *a; /* [m,k] rows lda apart */
    int64_t lda;
    const void *packed; /* B, made by heed__q_pack */
    int32_t *sums;      /* [m,n] rows ldc apart: S alone, and the rest is not used; or NULL: */
    float *c;           /* [m,n] rows ldc apart */
    int64_t ldc;
    const float *row_scale; /* [m] */
    const float *col_scale; /* [n] */
    const float *bias;      /* [n] or NULL */
    heed_act act;
    const float *residual; /* [m,n] rows ldr apart, or NULL */
    int64_t ldr;
} heed_qgemm;

/* One tile: mr rows times nv panels of 16 columns over all k. */
typedef struct heed_q_tile {
    const int32_t *a;    /* [k4,mr] of four int8 each */
    const int32_t *b;    /* panel v at b + v·16·k4, [k4,16] of four int8 each */
    const int32_t *comp; /* [16·nv] -128 · sum over k of B */
    int32_t *sums;       /* or NULL, then: */
    float *c;
    const float *row_scale, *col_scale, *bias; /* of the tile's rows and columns */
    int64_t k4, ldc, rows, cols;
} heed_q_tile;
typedef void (*heed_q_tile_fn)(const heed_q_tile *t);

struct heed_quant_kernels {
    int rows;
    int unit; /* packed tiles of A are filled up to a multiple of so many rows and fours of k */
    heed_q_tile_fn tile[3][33];        /* [log2 nv][mr] */
    void (*begin)(void), (*end)(void); /* around a worker's tiles, or NULL */
    /* a [rows,k] to [k4,rows]; up to 60 bytes past the end are written too. With unit 16 to
     * [rows/16][k/64][16][64], what does not exist 0. */
    void (*pack_rows)(int32_t *to, const int8_t *a, int64_t lda, int64_t rows, int64_t k);
    /* q = nearest of x·(127 / max|x|), ties to even; returns the scale max|x| / 127. A row of
     * numbers below 2^-120 is one of zeros, its scale 0. Elements that are NaN become -127; x holds
     * no infinity. */
    float (*quantize)(int8_t *q, const float *x, int64_t n);
};

/* Bytes of B packed: panels [n/16][k/4][16][4], k and n filled up with 0, for each column its sum,
 * and 960 more that a tile of 64 k may read. */
int64_t heed__q_packed_size(int64_t n, int64_t k);
/* packed is aligned to 64; b [n,k] rows ldb apart (a weight [out,in]). */
void heed__q_pack(void *packed, const int8_t *b, int64_t ldb, int64_t n, int64_t k);
/* Puts another row [k] into the place of row j of a packed B [n,k]. */
void heed__q_pack_row(void *packed, const int8_t *row, int64_t n, int64_t k, int64_t j);
/* Bytes of scratch for `threads` workers, aligned to 64 by the caller. */
int64_t heed__q_scratch(const heed_kernels *k, const heed_qgemm *g, int threads);
void heed__qgemm(const heed_kernels *k, heed_pool *pool, const heed_qgemm *g, void *scratch);

#endif
