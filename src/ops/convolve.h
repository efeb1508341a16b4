/* convolve.h: what conv1d and conv2d share: a 1d convolution is a 2d one of height 1. */
#ifndef HEED_OPS_CONVOLVE_H
#define HEED_OPS_CONVOLVE_H

#include "tensor/ctx.h"

/* x [B,I,(Y,)X], w [O,I/g,(Ky,)Kx], b [O] or NULL, with `dims` 1 or 2; records op. */
heed_tensor *heed__convolve(heed_ctx *cx, const heed_op *op, heed_tensor *const src[3],
                            const heed_conv_cfg *cfg, int dims);
void heed__convolve_backward(heed_ctx *cx, const heed_node *n);

#endif
