/* softmax.c: softmax over the last axis.   x [..,N] -> y [..,N]
 *
 *   forward    yᵢ  = exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x)      a row of −inf alone gives zeros
 *   backward   dxᵢ += yᵢ · (dyᵢ − Σⱼ dyⱼ yⱼ)
 */
#include "ops/rows.h"

static void softmax_backward(heed_ctx *cx, const heed_node *n) {
    heed__row_map_backward(cx, n, cx->k->row->softmax_grad);
}

static const heed_op softmax_op = { .name = "softmax", .backward = softmax_backward };

heed_tensor *heed_softmax(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__row_map(cx, &softmax_op, x, cx->k->row->softmax) : NULL;
}
