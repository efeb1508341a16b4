/* attn_mean.h: the weights of attention averaged over the queries, forward and backward: what each
 * key receives of all of them. Where attention's outputs are only averaged, this is all of it that
 * is needed, and neither outputs nor values come in.
 *
 *   forward    m_s  = 1/n Σ_t a_ts,  a_t the softmax of row t's scores, as attn.h has them
 *   backward   u_s  = dm_s / n,  δ_t = Σ_s a_ts u_s,  ds_ts = a_ts (u_s − δ_t)
 *              dq_t += c Σ_s ds_ts k_s,  dk_s += c Σ_t ds_ts q_t
 *
 * Rows of weights are made for a tile of queries against all keys of a run at once. Stated order:
 *   score    one chain of fma over D from +0
 *   max, sum over all keys of the run: 16 lanes, key i in lane i % 16, then the row rule's tree
 *   m        one chain of fma over the queries of a_ts = 2^(x - max) times 1/sum; then times 1/n
 *   δ        as the sum;  dq, dk  as in attn.h
 */
#ifndef HEED_KERNELS_ATTN_MEAN_H
#define HEED_KERNELS_ATTN_MEAN_H

#include "kernels/attn.h"

/* One tile of rows against all keys of a run. Room for rows as in heed_attn_step. */
struct heed_attn_mean_step {
    const float *q; /* scaled rows, ldq apart */
    int64_t ldq, d;
    const float *keys; /* panels [keys/16][d][16] */
    float *s;          /* [rows, ld]: scratch; backward leaves the scores' gradient in it */
    int64_t ld;
    float *lse; /* base 2, [rows]: forward writes it */
    float *sum; /* [keys]: forward adds the rows' weights to it */
    /* backward */
    const float *u;        /* [keys] */
    float *work;           /* [keys] scratch */
    const float *key_rows; /* [keys, ldq] */
    float *dq;             /* [rows, ldq], added to; NULL: not wanted */
    bool careful;          /* a key is not finite */
    bool spoilt;           /* a number of u is none or huge */
};

/* a: what fused attention is told, without values, cosine, bias, relative, softcap and sinks; lse
 * is filled by forward and read by backward. */
typedef struct heed_attn_mean {
    const heed_attn *a;
    const int32_t *queries; /* [B]: queries of each row that count, or NULL: all T */
    float *mean;            /* [B,H,S] */
    const float *dmean;     /* backward: adds to a->dq and a->dk */
} heed_attn_mean;

/* Bytes of scratch for either pass with `threads` workers, aligned to 64 by the caller. */
int64_t heed__attn_mean_scratch(const heed_kernels *k, const heed_attn_mean *m, int threads);
void heed__attn_mean_forward(const heed_kernels *k, heed_pool *pool, const heed_attn_mean *m,
                             void *scratch);
void heed__attn_mean_backward(const heed_kernels *k, heed_pool *pool, const heed_attn_mean *m,
                              void *scratch);

#endif
