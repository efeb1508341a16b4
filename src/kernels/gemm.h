/* gemm.h: f32 matrix products in every form that forward and backward need.
 *
 *     C[m,n] = epilogue( sum over k of A[m,k]·B[k,n] )
 *
 * Order of the sum: one chain of fused multiply-adds in the order of k, starting from +0 — from C's
 * old value where accumulate is set and shard is 0 — whatever the ISA, tile sizes, threads, m and
 * n. With shard = s > 0 the k axis is cut into pieces of s; each piece is a chain from +0, pieces
 * are added pairwise as a balanced tree (left half: the largest power of two smaller than the
 * count), and the old value of C is added last. Weight gradients use HEED_GEMM_SHARD.
 */
#ifndef HEED_KERNELS_GEMM_H
#define HEED_KERNELS_GEMM_H

#include "heed/ops.h"
#include "kernels/kernels.h"
#include "kernels/math.h"

enum { HEED_PANEL = 16, HEED_GEMM_SHARD = 1024 };

typedef struct heed_gemm {
    int64_t m, n, k;
    const float *a; /* [m,k] rows lda apart; ta: [k,m] */
    const float *b; /* [k,n] rows ldb apart; tb: [n,k] (a weight [out,in]) */
    const float
        *packed; /* B already in panels, made by heed__pack_b: b, ldb, tb are not used; or NULL */
    float *c;    /* [m,n] rows ldc apart */
    int64_t lda, ldb, ldc;
    bool ta, tb, accumulate;
    int64_t shard;
    /* epilogue, in this order: ·scale, + bias[n], keep in pre, act, gate, + residual */
    float scale;       /* 0: 1 */
    const float *bias; /* [n] or NULL */
    float *pre;        /* [m,n] rows ldc apart: the value before act, for backward; or NULL */
    heed_act act;
    /* [m,n] rows ldc apart, or NULL: C·gate_scale where it is above 0, else 0 (a NaN stays one), as
     * a rectifier, with dropout after it, does to its result's gradient */
    const float *gate;
    float gate_scale;
    const float *residual; /* [m,n] rows ldr apart, or NULL */
    int64_t ldr;
    /* called for every part of C that is finished, all of them once, while it is in the caches of
     * the worker that made it: range is first row, rows, first column, columns (begins at a
     * multiple of 64). Not with a batch. NULL: nothing */
    void (*after)(const void *arg, const int64_t range[4]);
    const void *after_arg;
    /* the same for `batch` products (0: 1), operands that many elements apart (0: shared); step_b
     * is of b or packed; pre, gate and residual move with c */
    int64_t batch, step_a, step_b, step_c;
} heed_gemm;

/* One tile of C: mr rows times nv panels of 16 columns, over a block of k. */
typedef struct heed_tile {
    const float *a;    /* element of row i in step k at a + i·row + k·step */
    int64_t row, step; /* one of them is 1; packed [kc,mr]: 1 and mr */
    const float *b;    /* row k of panel v at b + k·bk + v·bp */
    float *c;
    int64_t bk, bp, ldc, kc;
    int64_t rows;       /* mr */
    int64_t cols;       /* columns that exist, 16·(nv-1) < cols <= 16·nv */
    const float *ask_b; /* rows of panels to be asked for, ask_rows of them */
    int64_t ask_rows;
    bool ask_c; /* and C of the tile below this one */
    bool more;  /* after these panels lie those of the next group */
    bool fresh; /* chains start from +0, else from C */
    bool last;  /* the sums end here: what follows is done, NaNs are made canonical */
    bool relu;
    const float *bias; /* of the first column, or NULL */
    const float *gate; /* of the first element, rows ldc apart; or NULL */
    float gate_scale;
    const float *residual; /* of the first element, rows ldr apart; or NULL */
    int64_t ldr;
} heed_tile;
typedef void (*heed_tile_fn)(const heed_tile *t);

typedef void (*heed_pack_fn)(float *to, int64_t step, const float *from, int64_t ld, int64_t rows,
                             int64_t kk);

/* What differs by ISA: the tile of the product, its packing, and the arithmetic of the epilogue. */
struct heed_gemm_kernels {
    int rows;    /* most rows of a tile */
    int unit;    /* packed tiles of A are filled up to a multiple of so many rows, 1 or 16 */
    bool pairs;  /* two of k take one float in panels and packed A, k filled up to units of 32 */
    bool copy_b; /* operands change on the way into panels, so none is read where it lies, and tiles
                  * leave bias, rectifier and residual to the epilogue */
    heed_tile_fn tile[3][33]; /* [log2 nv][mr]; NULL where it does not exist */
    /* B: from [rows,kk] to [kk,step] and from [kk,cols] to [kk,step]; rows, cols <= 16. Rest of
     * step zeros; for step < 16 up to 15 floats past the end are written too. */
    heed_pack_fn pack_rows, pack_cols;
    heed_pack_fn a_rows, a_cols;       /* the same for a tile of A, step its rows */
    void (*begin)(void), (*end)(void); /* around a worker's tiles, or NULL */
    /* not used in tables of another precision: */
    void (*finish)(float *c, float scale, const float *bias, int64_t n); /* c = c·scale + bias */
    void (*add)(float *y, const float *x, int64_t n);                    /* y += x */
};

/* What an epilogue makes of each number, in place; NULL: nothing. */
heed_map1 heed__act(const heed_kernels *k, heed_act act);

/* Floats of scratch that one call needs for `threads` workers; the caller gives that much, aligned
 * to 64. Nothing in it outlives the call. At most 4 MB a worker, and with shard
 * 0.27 MB for each doubling of the number of pieces. */
int64_t heed__gemm_scratch(const heed_kernels *k, const heed_gemm *g, int threads);
/* Computes. Any pool (NULL: alone). No allocation, cannot fail; m, n or k may be 0 (k = 0: the sum
 * is 0). */
void heed__gemm(const heed_kernels *k, heed_pool *pool, const heed_gemm *g, float *scratch);

/* B in panels of 16 columns: packed[(j/16)·K·16 + i·16 + j%16] = B[i,j], columns past n are 0.
 * Floats needed: */
int64_t heed__packed_len(int64_t n, int64_t k);
void heed__pack_b(const heed_kernels *k, float *packed, const float *b, int64_t ldb, bool tb,
                  int64_t n, int64_t kk);

/* The same with another set of kernels: bf16.h. */
int64_t heed__gemm_scratch_with(const heed_gemm_kernels *gk, const heed_gemm *g, int threads);
void heed__gemm_with(const heed_kernels *k, const heed_gemm_kernels *gk, heed_pool *pool,
                     const heed_gemm *g, float *scratch);
void heed__pack_b_with(const heed_gemm_kernels *gk, float *packed, const float *b, int64_t ldb,
                       bool tb, int64_t n, int64_t kk);

#endif
