/* crf.h: the lattice of a linear-chain CRF, shared by the loss (crf.c) and by whoever reads
 * marginals out of a trained one. */
#ifndef HEED_OPS_CRF_H
#define HEED_OPS_CRF_H

#include "tensor/ctx.h"

/* One sequence. The caller's arrays; forward fills a, c and last, backward reads them. */
typedef struct heed__crf {
    const heed_kernels *k;
    int64_t steps, tags;      /* T, K */
    const float *x;           /* [T,K] emissions */
    const float *trans;       /* [K,K] from, to */
    const float *trans_to;    /* [K,K] the same, transposed: to, from */
    const float *first, *end; /* [K] scores of a first and of a last tag; NULL: zeros */
    float *a;                 /* [T,K] log p(tag at t | x up to t), by the forward pass */
    float *c;                 /* [T] log of what the pass's step t was divided by */
    float last;               /* and of the last tag's scores */
    float *room;              /* [2,K] */
} heed__crf;

/* The forward pass; returns log Z. steps is at least 1. */
double heed__crf_forward(heed__crf *f);

/* The backward pass. b [T,K] becomes the other half: exp(a + b) are the marginals of each tag.
 * NULL: not kept. */
void heed__crf_backward(const heed__crf *f, float *b);
/* to = fromᵀ, both [K,K] */
void heed__crf_transpose(float *to, const float *from, int64_t K);

#endif
