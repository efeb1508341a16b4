/* product.h: the one door through which operations multiply matrices. */
#ifndef HEED_OPS_PRODUCT_H
#define HEED_OPS_PRODUCT_H

#include "kernels/gemm.h"
#include "tensor/ctx.h"

/* Computes g in the context's precision over its pool; scratch comes from the step's arena. False,
 * and the error set, when memory is short. */
bool heed__product(heed_ctx *cx, const heed_gemm *g);

#endif
