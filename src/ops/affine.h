/* affine.h: what affine, affine_act, affine_drop and feed_forward share. */
#ifndef HEED_OPS_AFFINE_H
#define HEED_OPS_AFFINE_H

#include "ops/drop.h"
#include "ops/product.h"

/* True when x [..,I], w [O,I], b [O] or NULL fit together; else the error is set. */
bool heed__affine_fits(heed_ctx *cx, const heed_op *op, const heed_tensor *x, const heed_tensor *w,
                       const heed_tensor *b);
/* True when residual is NULL or of y's shape; else the error is set. */
bool heed__residual_fits(heed_ctx *cx, const heed_op *op, const heed_tensor *y,
                         const heed_tensor *residual);
/* True when there is such an activation; else the error is set. */
bool heed__act_fits(heed_ctx *cx, const heed_op *op, heed_act act);
/* dx += dy·act'(x); NULL for none. */
heed_map1_grad heed__act_grad(const heed_math_kernels *k, heed_act act);
/* A new tensor [..,O]. */
heed_tensor *heed__affine_out(heed_ctx *cx, const heed_op *op, const heed_tensor *x,
                              const heed_tensor *w);
/* The product x·Wᵀ, to be completed with c and an epilogue. */
heed_gemm heed__affine_product(const heed_tensor *x, const heed_tensor *w);
/* y = drop(product) + residual: completes the product and computes it. False when memory is short.
 */
bool heed__affine_join(heed_ctx *cx, heed_gemm *g, const heed__drop *drop, heed_tensor *y,
                       const heed_tensor *residual);
/* dx += dz·W and dW += dzᵀ·x, from dz [M,O]. False when memory is short. */
bool heed__affine_grads(heed_ctx *cx, heed_tensor *x, heed_tensor *w, const float *dz);

#endif
