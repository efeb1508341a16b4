/* attn.h: the fused attention kernel: softmax of a dot product, forward and backward, with nothing
 * of size [T,S] in memory.
 *
 * Method: online softmax over blocks of keys (Milakov and Gimelshein 2018; Dao et al. 2022,
 * "FlashAttention"), the backward pass recomputing the weights from the rows' log-sums (Dao 2023).
 * Everything is in base 2: queries are multiplied by scale·log2(e) first, weights are 2^(x - max).
 *
 * Stated order, the same on every ISA and for any split of the work. A run is a stretch of queries
 * and the stretch of keys that they may see: a whole row of the batch without padding, or one
 * segment of it. Its keys are counted from its first one.
 *   score    one chain of fma over D from +0
 *   max, sum over a block of HEED_ATTN_BLOCK keys: 16 lanes, key i in lane i % 16; the sum's lanes
 *            go on through all blocks (multiplied by 2^(old max - new max) before each) and are
 *            added by the row rule's tree at the end
 *   output   before each block multiplied by that factor, then one chain of fma over its keys;
 *            multiplied by 1 / sum at the end
 *   dq       one chain of fma over all keys, then multiplied by the scale and added to the gradient
 *   dk, dv   one chain of fma over the queries of one head, multiplied, added to the gradient;
 * heads that share a key head follow one another. Keys that no row of a tile sees are skipped;
 * those hidden to some are weighed 0.
 * (So a dy that is not finite spoils dv of keys that its query does not see, if they are in one
 * block with it.)
 *
 * With bf16 the five products q·k, p·v, dy·v, ds·k and those of dk and dv are bf16.h's: queries
 * (scaled), keys, values, weights after dropout, dy and ds are rounded to bf16, sums are f32, each
 * in the order of bf16.h, whose units of 32 are counted from the first of D, from the run's first
 * key, and for dk and dv from the run's first query. Softmax, its sums and its gradient are f32 as
 * above, but that weights below 2^-40 of the largest so far (of the row's sum, in backward) are 0.
 */
#ifndef HEED_KERNELS_ATTN_H
#define HEED_KERNELS_ATTN_H

#include "kernels/kernels.h"

enum {
    HEED_ATTN_BLOCK = 256, /* keys of a block; part of the stated order */
    HEED_ATTN_TILE = 128,  /* keys of a block in backward */
    HEED_ATTN_GROUP = 16   /* room for the rows that one tile takes */
};
#define HEED_ATTN_LEAST_BF16 -40.0f /* binary logarithm of the least weight that counts in bf16 */
#define HEED_ATTN_MOST_BF16  0x1.fefffep127f /* the largest number that is finite as bf16 */
/* Sums of products of two numbers within it are finite, whatever the width and the dropout. */
#define HEED_ATTN_MODEST 0x1p40f

/* What the rows of a tile may see of a block of keys, and what is added to their scores. Pointers
 * are at the block's first key. */
typedef struct heed_attn_rows {
    int rows;         /* 1..kernels' rows */
    int64_t from, to; /* keys from..to-1 of the block are seen by some row */
    bool edge;        /* but not all of them by all rows: lo, hi, mask, segments count */
    int32_t lo[HEED_ATTN_GROUP], hi[HEED_ATTN_GROUP];
    const uint8_t *mask[HEED_ATTN_GROUP]; /* NULL in [0]: none */
    const int32_t *key_segment;           /* NULL: all the same */
    int32_t segment;
    const float *bias[HEED_ATTN_GROUP];     /* natural units; NULL in [0]: none */
    const float *relative[HEED_ATTN_GROUP]; /* base 2, 16 floats readable past the end; likewise */
    float softcap;                          /* base 2; 0: none */
    uint32_t drop_limit;                    /* weights whose 16 random bits are below it are 0 */
    float drop_scale;
    uint64_t drop_seed, drop_stream;
    uint64_t drop_first[HEED_ATTN_GROUP]; /* element number of the block's first key */
} heed_attn_rows;

/* One tile of rows against one block of keys. Room for rows is rounded up to the next of 1, 2, 4,
 * 8, HEED_ATTN_GROUP in q, s, o. */
typedef struct heed_attn_step {
    const float *q; /* scaled rows, ldq apart */
    int64_t ldq, d;
    const float *keys;   /* panels [keys/16][d][16] */
    const float *values; /* [keys, dv] */
    int64_t dv;          /* multiple of 16 */
    bool careful;        /* a value is not finite: weights of 0 must not touch it */
    float *s;            /* scratch [rows, HEED_ATTN_BLOCK + 16] */
    float *o;            /* [rows, dv] */
    float *max;          /* [rows] */
    float *sum;          /* [rows, 16] */
} heed_attn_step;

/* Backward of one tile of rows against one block of at most HEED_ATTN_TILE keys. */
typedef struct heed_attn_grad {
    const float *q;             /* scaled rows, ldq apart */
    const float *dy;            /* [rows, dv] */
    int64_t ldq, d, dv, width;  /* dv: width rounded up to 16 */
    const float *keys, *values; /* panels [keys/16][d or width][16] */
    const float *key_rows;      /* [keys, ldq] */
    const float *lse;           /* base 2, [rows] */
    const float *delta;         /* [rows]: dot(dy, y) */
    float *p, *ds; /* [rows, HEED_ATTN_TILE + 16]: weights after dropout, gradient of the scores */
    float *cap;    /* scratch [rows, HEED_ATTN_TILE + 16], with softcap */
    float *dq;     /* [rows, ldq], added to; NULL: not wanted */
    float **dbias; /* [rows] at the block's first key, added to; NULL: not wanted */
    float **drelative;
    bool careful; /* a key is not finite */
} heed_attn_grad;

typedef struct heed_attn_mean_step heed_attn_mean_step;

struct heed_attn_kernels {
    int rows; /* of a tile */
    /* dst [n, dp] = src [n, d] rows ld apart · all · scale[row] (NULL: 1), zeros past d. True when
     * every number is finite. */
    bool (*pack_rows)(float *dst, int64_t dp, const float *src, int64_t ld, int64_t n, int64_t d,
                      float all, const float *scale);
    /* dst panels [(n+15)/16][d][16] = src [n, d] rows ld apart · scale[row] (NULL: 1), zeros past
     * n */
    void (*pack_panels)(float *dst, const float *src, int64_t ld, int64_t n, int64_t d,
                        const float *scale);
    void (*forward)(const heed_attn_step *s, const heed_attn_rows *r);
    /* y rows ldy apart = o / sum, lse = max + log2(sum); rows that saw nothing: 0 and +inf */
    void (*finish)(float *y, int64_t ldy, int64_t d, const heed_attn_step *s, int64_t rows,
                   float *lse);
    void (*backward)(const heed_attn_grad *g, const heed_attn_rows *r);
    /* dx [keys, n] += sum over rows a[row][key]·b[row], one chain over the rows, where a rows are
     * lda apart and b rows n; room for keys is rounded up as that for rows of a tile is */
    void (*transposed)(float *dx, const float *a, int64_t lda, const float *b, int64_t n,
                       int64_t rows, int64_t keys);
    /* y = y + a·x of n */
    void (*add_scaled)(float *y, const float *x, float a, int64_t n);
    /* The weights of rows that are done: p = 2^(score - lse) in s, hidden ones 0; s [rows, ld] */
    void (*weights)(const heed_attn_step *s, const heed_attn_rows *r, const float *lse, float *p,
                    int64_t ld);
    /* attn_mean.h */
    void (*mean_forward)(const heed_attn_mean_step *m, const heed_attn_rows *r);
    void (*mean_backward)(const heed_attn_mean_step *m, const heed_attn_rows *r);
    /* The same from scores that stand in s->s. */
    void (*reveal)(const heed_attn_step *s, const heed_attn_rows *r, const float *lse, float *p,
                   int64_t ld);
    /* Of bf16, between its products: scores in s->s to weights, o multiplied for them; 0 from the
     * last multiple of 32 before the first key seen on */
    void (*soften)(const heed_attn_step *s, const heed_attn_rows *r);
    /* scores in p and dy·v in ds to weights and the scores' gradient */
    void (*score_grad)(const heed_attn_grad *g, const heed_attn_rows *r);
    /* c += a·b as bf16.h has it, steps with a 0 in a left out; size: rows, columns, steps */
    void (*apply)(float *c, int64_t ldc, const float *a, int64_t lda, const float *b, int64_t ldb,
                  const int64_t size[3]);
    /* no number of [n, d] rows ld apart is larger than `most` in size, or NaN */
    bool (*within)(const float *x, int64_t ld, int64_t n, int64_t d, float most);
    float (*dot)(const float *x, const float *y, int64_t n); /* x rounded to bf16 */
};

/* A whole call: forward fills out and lse; backward adds to what gradients are asked for. Pointers
 * that are NULL: without it. */
typedef struct heed_attn {
    int64_t B, T, S, H, Hk, D, Dv;
    bool bf16;                /* products in bf16 */
    const float *q, *key, *v; /* [B,T,H,D], [B,S,Hk,D], [B,S,Hk,Dv] */
    float *out, *lse;         /* [B,T,H,Dv]; [B,H,T] in base 2 */
    const float *scale;       /* [H]: of the score, temperature included */
    bool cosine;              /* rows of q and k are divided by their length */
    bool unit_keys;           /* but k's are already */
    bool causal, window;
    int64_t query_start, left, right, truncate;
    const int32_t *starts, *lengths;      /* [B] */
    const int32_t *q_segment, *k_segment; /* [B,T], [B,S]; both or none */
    const uint8_t *mask;                  /* [T,S], or [B,T,S] with mask_batch */
    bool mask_batch;
    const float *bias; /* [H,T,S] */
    /* base 2, [H, relative_len]: element i is for distance s - p_t = relative_first + i; as many as
     * there are distances, and 16 more */
    const float *relative;
    int64_t relative_first, relative_len;
    float softcap;      /* natural */
    const float *sinks; /* [H] */
    float dropout;
    uint64_t seed, stream;
    /* keys and values in a cache's form instead of key and v: panels [B,Hk,room/16,D,16], rows
     * [B,Hk,room,Dvp], Dvp the next multiple of 16; cached_finite: all values are */
    const float *panels, *rows;
    int64_t room;
    bool cached_finite;
    /* backward */
    const float *dout;
    float *dq, *dk, *dv;    /* added to */
    float *dbias;           /* [H,T,S], added to */
    float *drelative;       /* [B,H,relative_len], zeroed by the caller, added to */
    float *dscale, *dsinks; /* [B,H], written: the parts of each row of the batch */
} heed_attn;

/* Bytes of scratch that a call needs with `threads` workers; the caller gives that much, aligned to
 * 64. The result never depends on the number of threads. */
int64_t heed__attn_forward_scratch(const heed_kernels *k, const heed_attn *a, int threads);
int64_t heed__attn_backward_scratch(const heed_kernels *k, const heed_attn *a, int threads);
void heed__attn_forward(const heed_kernels *k, heed_pool *pool, const heed_attn *a, void *scratch);
void heed__attn_backward(const heed_kernels *k, heed_pool *pool, const heed_attn *a, void *scratch);

/* Visits the weights (before dropout) of rows of row b, head h, after forward: p [S], hidden keys
 * 0. rows: rows_len of them in any order, or NULL: all T in order. Scratch:
 * heed__attn_weights_scratch(k, a) bytes. */
typedef void (*heed_attn_visit)(void *arg, int64_t t, const float *p);
int64_t heed__attn_weights_scratch(const heed_kernels *k, const heed_attn *a);
void heed__attn_weights(const heed_kernels *k, const heed_attn *a, const int64_t bh[2],
                        const int64_t *rows, int64_t rows_len, heed_attn_visit visit, void *arg,
                        void *scratch);

#endif
