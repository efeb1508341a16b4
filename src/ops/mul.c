/* mul.c: product of elements.   a [..,N], b the same, a tail of it, or one number -> y as a
 *
 *   forward    y  = a · b
 *   backward   da += dy · b
 *              db += Σ dy · a   over the places where b was used
 */
#include "ops/broadcast.h"

static void mul_backward(heed_ctx *cx, const heed_node *n) {
    const heed_math_kernels *k = cx->k->math;
    const float *a = n->src[0]->data, *b = n->src[1]->data, *dy = n->out->grad;
    const int64_t len = n->out->len, period = n->src[1]->len;
    float beta, *da = heed__grad_beta(cx, n->src[0], &beta);
    if (da && !heed__repeat(cx, &(heed_repeat){ .f = k->mul,
                                                .y = da,
                                                .beta = beta,
                                                .x = dy,
                                                .b = b,
                                                .len = len,
                                                .period = period }))
        return;
    float *db = heed__grad_beta(cx, n->src[1], &beta);
    if (!db) return;
    if (period == len)
        heed__map_grad(
            cx,
            &(heed_map_grad){ .f = k->mul_add, .dx = db, .beta = beta, .a = dy, .b = a, .n = len });
    else
        heed__fold(cx, &(heed_fold){ .out = db,
                                     .beta = beta,
                                     .sign = 1,
                                     .x = dy,
                                     .y = a,
                                     .len = len,
                                     .period = period });
}

static const heed_op mul_op = { .name = "mul", .backward = mul_backward };

heed_tensor *heed_mul(heed_ctx *cx, heed_tensor *a, heed_tensor *b) {
    return cx && a && b ? heed__binary(cx, &mul_op, a, b, cx->k->math->mul) : NULL;
}
