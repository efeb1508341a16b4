/* relu.c: the rectifier.   x [..] -> y [..]
 *
 *   forward    y  = max(x, 0)
 *   backward   dx += dy where x > 0
 */
#include "ops/op.h"

static void relu_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->relu_grad, n->src[0]->data);
}

static const heed_op relu_op = { .name = "relu", .backward = relu_backward };

heed_tensor *heed_relu(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &relu_op, x, cx->k->math->relu, 1) : NULL;
}
