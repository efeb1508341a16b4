/* mean.c: the mean of all numbers, 0 of none.   x [..] -> y []
 *
 *   forward    y = Σᵢ xᵢ / n          (blocks of 4096 by the row rule, then a tree)
 *   backward   dxᵢ += dy / n
 */
#include "ops/fill.h"

static void mean_backward(heed_ctx *cx, const heed_node *n) {
    const int64_t len = n->src[0]->len;
    if (len) heed__fill_grad(cx, n->src[0], *n->out->grad / (float)len);
}

static const heed_op mean_op = { .name = "mean", .backward = mean_backward };

heed_tensor *heed_mean(heed_ctx *cx, heed_tensor *x) {
    if (!x || !heed__is_f32(cx, &mean_op, "x", x)) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    if (!y || !heed__total(cx, y->data, x->data, x->len)) return NULL;
    if (x->len) HEED_F32_DATA(y)[0] /= (float)x->len;
    return heed__record1(cx, &mean_op, y, x, NULL);
}
