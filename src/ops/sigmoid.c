/* sigmoid.c: the logistic function.   x [..] -> y [..]
 *
 *   forward    y  = 1 / (1 + exp(−x))
 *   backward   dx += dy · y · (1 − y)
 */
#include "ops/op.h"

static void sigmoid_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->sigmoid_grad, n->out->data);
}

static const heed_op sigmoid_op = { .name = "sigmoid", .backward = sigmoid_backward };

heed_tensor *heed_sigmoid(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &sigmoid_op, x, cx->k->math->sigmoid, 8) : NULL;
}
