/* entropy.h: what cross_entropy and affine_cross_entropy share: the loss of rows of logits, and its
 * gradient for any part of a row. */
#ifndef HEED_OPS_ENTROPY_H
#define HEED_OPS_ENTROPY_H

#include "ops/op.h"

typedef struct heed__entropy {
    const heed_kernels *k;
    const float *x; /* logits [rows,cols] */
    const int32_t *label;
    int64_t rows, cols;
    float *loss, *s, *t; /* [rows] each */
    float *top, *log_sum; /* [rows]: log Σⱼ exp xⱼ in two parts, max x and log Σⱼ exp(xⱼ − max x) */
    float *scratch; /* [threads,cols] where smoothing asks for it */
    heed_cross_entropy_cfg cfg;
    const float *weight; /* [K] or NULL; a copy */
    float weight_sum;    /* Σⱼ wⱼ */
    float d;             /* backward: dloss / Σ w */
    float norm;          /* Σ w, 0 where nothing counts */
} heed__entropy;

/* Checks labels and cfg (NULL: none) against logits, whose numbers need not be there yet. NULL, and
 * the error set, where they do not fit or memory is short. */
heed__entropy *heed__entropy_new(heed_ctx *cx, const heed_op *op, const heed_tensor *logits,
                                 const heed_tensor *labels, const heed_cross_entropy_cfg *cfg);
/* The loss, from the logits' numbers. False when memory is short. */
bool heed__entropy_loss(heed_ctx *cx, heed__entropy *e, float *loss);
/* to[n] = the gradient of columns [col, col+n) of a row; `to` may be those logits. */
void heed__entropy_back(const heed__entropy *e, float *to, int64_t row, int64_t col, int64_t n);

#endif
