/* silu.c: sigmoid linear unit.   x [..] -> y [..]
 *
 *   forward    y  = x · s,  s = 1 / (1 + exp(−x))
 *   backward   dx += dy · s · (1 + x · (1 − s))
 */
#include "ops/op.h"

static void silu_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->silu_grad, n->src[0]->data);
}

static const heed_op silu_op = { .name = "silu", .backward = silu_backward };

heed_tensor *heed_silu(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &silu_op, x, cx->k->math->silu, 8) : NULL;
}
