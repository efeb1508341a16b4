/* affine.h: what affine and affine_act share. */
#ifndef HEED_OPS_AFFINE_H
#define HEED_OPS_AFFINE_H

#include "ops/op.h"
#include "ops/product.h"

/* True when x [..,I], w [O,I], b [O] or NULL fit together; else the error is set. */
bool heed__affine_fits(heed_ctx *cx, const heed_op *op, const heed_tensor *x, const heed_tensor *w,
                       const heed_tensor *b);
/* A new tensor [..,O]. */
heed_tensor *heed__affine_out(heed_ctx *cx, const heed_op *op, const heed_tensor *x,
                              const heed_tensor *w);
/* The product x·Wᵀ, to be completed with c and an epilogue. */
heed_gemm heed__affine_product(const heed_tensor *x, const heed_tensor *w);
/* dx += dz·W and dW += dzᵀ·x, from dz [M,O]. False when memory is short. */
bool heed__affine_grads(heed_ctx *cx, heed_tensor *x, heed_tensor *w, const float *dz);

#endif
