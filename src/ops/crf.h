/* crf.h: the lattice of a linear-chain CRF, shared by the loss (crf.c) and by whoever reads
 * marginals out of a trained one. */
#ifndef HEED_OPS_CRF_H
#define HEED_OPS_CRF_H

#include "tensor/ctx.h"

/* Transitions in the forms that the passes read, [K,K] each. */
typedef struct heed__crf_trans {
    const float *log; /* from, to: as they were given */
    float *to;        /* the same, transposed */
    float *scaled;    /* exp(log - most), from, to */
    float *scaled_to; /* the same, transposed */
    float most;       /* the largest */
} heed__crf_trans;
enum { HEED_CRF_FORMS = 3, HEED_CRF_ROOM = 4 };
/* Fills them; room is of HEED_CRF_FORMS·K·K floats and lives as long. */
void heed__crf_prepare(const heed_kernels *k, heed__crf_trans *t, const float *log, int64_t K,
                       float *room);

/* One sequence. The caller's arrays; forward fills a, c and last, backward reads them. */
typedef struct heed__crf {
    const heed_kernels *k;
    int64_t steps, tags; /* T, K */
    const float *x;      /* [T,K] emissions */
    heed__crf_trans trans;
    const float *first, *end; /* [K] scores of a first and of a last tag; NULL: zeros */
    float *a;                 /* [T,K] log p(tag at t | x up to t), by the forward pass */
    float *c;                 /* [T] log of what the pass's step t was divided by */
    float last;               /* and of the last tag's scores */
    float *room;              /* [HEED_CRF_ROOM,K] */
} heed__crf;

/* The forward pass; returns log Z. steps is at least 1. */
double heed__crf_forward(heed__crf *f);

/* The backward pass. b [T,K] becomes the other half: exp(a + b) are the marginals of each tag.
 * NULL: not kept. */
void heed__crf_backward(const heed__crf *f, float *b);

#endif
