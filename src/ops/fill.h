/* fill.h: sums over everything, and gradients that are one number everywhere. */
#ifndef HEED_OPS_FILL_H
#define HEED_OPS_FILL_H

#include "ops/op.h"

/* *total = sum of n numbers; false when memory is short. */
bool heed__total(heed_ctx *cx, float *total, const float *x, int64_t n);
/* dx += g for every element. */
void heed__fill_grad(heed_ctx *cx, heed_tensor *x, float g);

#endif
