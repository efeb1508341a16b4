/* scale.c: a line.   x [..] -> y [..]
 *
 *   forward    y  = a·x + b
 *   backward   dx += a · dy
 */
#include "ops/op.h"

typedef struct line {
    const heed_math_kernels *k;
    float *y;
    const float *x;
    float a, b;
} line;

static void scale_range(void *arg, int64_t begin, int64_t end, int worker) {
    const line *l = arg;
    (void)worker;
    l->k->axpby(l->y + begin, l->a, l->x + begin, l->b, end - begin);
}

static void scale_backward(heed_ctx *cx, const heed_node *n) {
    const float *a = n->saved;
    float beta, *dx = heed__grad_beta(cx, n->src[0], &beta);
    if (dx) heed__axpy_grad(cx, dx, beta, *a, n->out->grad, n->out->len);
}

static const heed_op scale_op = { .name = "scale", .backward = scale_backward };

heed_tensor *heed_scale(heed_ctx *cx, heed_tensor *x, float a, float b) {
    if (!x || !heed__is_f32(cx, &scale_op, "x", x)) return NULL;
    heed_tensor *y = heed__like(cx, x);
    float *saved = y ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = a;
    line l = { .k = cx->k->math, .y = y->data, .x = x->data, .a = a, .b = b };
    heed__parallel(cx, x->len, 1, scale_range, &l);
    return heed__record1(cx, &scale_op, y, x, saved);
}
