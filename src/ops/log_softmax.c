/* log_softmax.c: the logarithm of softmax over the last axis.   x [..,N] -> y [..,N]
 *
 *   forward    yᵢ  = xᵢ − max x − log Σⱼ exp(xⱼ − max x)
 *   backward   dxᵢ += dyᵢ − exp(yᵢ) · Σⱼ dyⱼ
 */
#include "ops/rows.h"

static void log_softmax_backward(heed_ctx *cx, const heed_node *n) {
    heed__row_map_backward(cx, n, cx->k->row->log_softmax_grad);
}

static const heed_op log_softmax_op = { .name = "log_softmax", .backward = log_softmax_backward };

heed_tensor *heed_log_softmax(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__row_map(cx, &log_softmax_op, x, cx->k->row->log_softmax) : NULL;
}
