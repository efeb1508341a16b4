/* tanh.c: the hyperbolic tangent.   x [..] -> y [..]
 *
 *   forward    y  = tanh(x)
 *   backward   dx += dy · (1 − y²)
 */
#include "ops/op.h"

static void tanh_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->tanh_grad, n->out->data);
}

static const heed_op tanh_op = { .name = "tanh", .backward = tanh_backward };

heed_tensor *heed_tanh(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &tanh_op, x, cx->k->math->tanh, 8) : NULL;
}
