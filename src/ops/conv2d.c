/* conv2d.c: convolution over images.   x [B,I,Y,X], w [O,I/g,Ky,Kx], b [O] -> y [B,O,Y',X']
 *
 *   forward    y_bo(u,v) = b_o + Σ_i,k,l w_oikl · x_bi(u·s + k·d - p, v·s + l·d - p)
 *   backward   see convolve.c
 */
#include "ops/convolve.h"

static const heed_op op = { .name = "conv2d", .backward = heed__convolve_backward };

heed_tensor *heed_conv2d(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                         const heed_conv_cfg *cfg) {
    if (!x || !w) return NULL;
    heed_tensor *const src[3] = { x, w, b };
    return heed__convolve(cx, &op, src, cfg, 2);
}
