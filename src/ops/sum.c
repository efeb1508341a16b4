/* sum.c: the sum of all numbers.   x [..] -> y []
 *
 *   forward    y = Σᵢ xᵢ          (blocks of 4096 by the row rule, then a tree)
 *   backward   dxᵢ += dy
 */
#include "ops/fill.h"

static void sum_backward(heed_ctx *cx, const heed_node *n) {
    heed__fill_grad(cx, n->src[0], *n->out->grad);
}

static const heed_op sum_op = { .name = "sum", .backward = sum_backward };

heed_tensor *heed_sum(heed_ctx *cx, heed_tensor *x) {
    if (!x || !heed__is_f32(cx, &sum_op, "x", x)) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    if (!y || !heed__total(cx, y->data, x->data, x->len)) return NULL;

    return heed__record1(cx, &sum_op, y, x, NULL);
}
