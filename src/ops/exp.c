/* exp.c: the exponential.   x [..] -> y [..]
 *
 *   forward    y  = exp(x)
 *   backward   dx += dy · y
 */
#include "ops/op.h"

static void exp_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->mul_add, n->out->data);
}

static const heed_op exp_op = { .name = "exp", .backward = exp_backward };

heed_tensor *heed_exp(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &exp_op, x, cx->k->math->exp, 8) : NULL;
}
