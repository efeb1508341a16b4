/* conv1d.c: convolution over time, as conv2d of height 1.
 *   x [B,I,T], w [O,I/g,K], b [O] -> y [B,O,T']
 *
 *   forward    y_bot = b_o + Σ_i,k w_oik · x[b, i, t·stride + k·dilation - padding]
 *   backward   see convolve.c
 */
#include "ops/convolve.h"

static const heed_op op = { .name = "conv1d", .backward = heed__convolve_backward };

heed_tensor *heed_conv1d(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                         const heed_conv_cfg *cfg) {
    if (!x || !w) return NULL;
    heed_tensor *const src[3] = { x, w, b };
    return heed__convolve(cx, &op, src, cfg, 1);
}
