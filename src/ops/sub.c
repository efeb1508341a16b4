/* sub.c: difference.   a [..,N], b the same, a tail of it, or one number -> y as a
 *
 *   forward    y  = a − b
 *   backward   da += dy
 *              db −= Σ dy   over the places where b was used
 */
#include "ops/broadcast.h"

static void sub_backward(heed_ctx *cx, const heed_node *n) {
    const float *dy = n->out->grad;
    const int64_t len = n->out->len, period = n->src[1]->len;
    float beta, *db = heed__grad_beta(cx, n->src[1], &beta);
    if (db && period == len)
        heed__axpy_grad(cx, db, beta, -1, dy, len);
    else if (db)
        heed__fold(
            cx, &(heed_fold){
                    .out = db, .beta = beta, .sign = -1, .x = dy, .len = len, .period = period });
    heed__pass_grad(cx, n->src[0], n->out);
}

static const heed_op sub_op = { .name = "sub", .backward = sub_backward };

heed_tensor *heed_sub(heed_ctx *cx, heed_tensor *a, heed_tensor *b) {
    return cx && a && b ? heed__binary(cx, &sub_op, a, b, cx->k->math->sub) : NULL;
}
