/* div.c: quotient.   a [..,N], b the same, a tail of it, or one number -> y as a
 *
 *   forward    y  = a / b
 *   backward   da += dy / b
 *              db −= (Σ dy · y) / b   over the places where b was used
 */
#include "ops/broadcast.h"

/* db −= (Σ dy·y) / b */
static void divisor_backward(heed_ctx *cx, const heed_node *n) {
    const int64_t period = n->src[1]->len;
    float beta, *db = heed__grad_beta(cx, n->src[1], &beta);
    float *sums = db ? heed__temp(cx, period, sizeof *sums) : NULL;
    if (!sums || !heed__fold(cx, &(heed_fold){ .out = sums,
                                               .sign = 1,
                                               .x = n->out->grad,
                                               .y = n->out->data,
                                               .len = n->out->len,
                                               .period = period }))
        return;
    heed__map2(cx, cx->k->math->div, sums, sums, n->src[1]->data, period);
    heed__axpy_grad(cx, db, beta, -1, sums, period);
    heed__temp_end(cx, sums);
}

static void div_backward(heed_ctx *cx, const heed_node *n) {
    float beta, *da = heed__grad_beta(cx, n->src[0], &beta);
    if (da && !heed__repeat(cx, &(heed_repeat){ .f = cx->k->math->div,
                                                .y = da,
                                                .beta = beta,
                                                .x = n->out->grad,
                                                .b = n->src[1]->data,
                                                .len = n->out->len,
                                                .period = n->src[1]->len }))
        return;
    divisor_backward(cx, n);
}

static const heed_op div_op = { .name = "div", .backward = div_backward };

heed_tensor *heed_div(heed_ctx *cx, heed_tensor *a, heed_tensor *b) {
    return cx && a && b ? heed__binary(cx, &div_op, a, b, cx->k->math->div) : NULL;
}
