/* norm.h: what layer_norm and rms_norm share. */
#ifndef HEED_OPS_NORM_H
#define HEED_OPS_NORM_H

#include "ops/rows.h"

/* A pass over rows. stat: mean and 1/deviation of each row, or for rms 1/rms alone. */
typedef struct heed_norm_arg {
    const heed_row_kernels *k;
    float *y;
    const float *x, *gain, *bias, *dy;
    float *stat, eps, beta;
    int64_t cols;
    bool rms;
} heed_norm_arg;

/* Gradients of x, gain and (layer norm) bias from the stat that the node saved. */
void heed__norm_backward(heed_ctx *cx, const heed_node *n, bool rms);

#endif
