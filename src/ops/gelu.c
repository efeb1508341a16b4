/* gelu.c: Gaussian error linear unit, exact.   x [..] -> y [..]
 *
 *   forward    y  = x · Φ(x),  Φ(x) = (1 + erf(x/√2)) / 2
 *   backward   dx += dy · (Φ(x) + x · φ(x)),  φ(x) = exp(−x²/2) / √(2π)
 */
#include "ops/op.h"

static void gelu_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->gelu_grad, n->src[0]->data);
}

static const heed_op gelu_op = { .name = "gelu", .backward = gelu_backward };

heed_tensor *heed_gelu(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &gelu_op, x, cx->k->math->gelu, 8) : NULL;
}
