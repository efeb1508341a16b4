/* sum_axis.c: the sum over one axis, which goes.   x [P,A,N] -> y [P,N]   (P, N: axes around it)
 *
 *   forward    y[p,:] = Σₐ x[p,a,:]      N = 1: the row rule; else a chain in the order of a
 *   backward   dx[p,a,:] += dy[p,:]
 */
#include "ops/op.h"

#include <string.h>

typedef struct fold {
    const heed_kernels *k;
    int64_t p, a, n;
    const float *from;
    float *to, beta;
} fold;

static void sum_range(void *arg, int64_t begin, int64_t end, int worker) {
    const fold *f = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        const float *x = f->from + p * f->a * f->n;
        float *y = f->to + p * f->n;
        if (f->n == 1) {
            *y = f->k->row->sum(x, f->a);
            continue;
        }
        memset(y, 0, (size_t)f->n * sizeof *y);
        f->k->row->add_rows(y, x, f->n, f->a, f->n);
    }
}

/* One unit is one (p,a). */
static void spread_range(void *arg, int64_t begin, int64_t end, int worker) {
    const fold *f = arg;
    (void)worker;
    for (int64_t u = begin; u < end; u++) {
        const float *dy = f->from + u / f->a * f->n;
        float *dx = f->to + u * f->n;
        if (f->n == 1)
            *dx = f->beta != 0 ? *dx + *dy : *dy;
        else if (f->beta != 0)
            f->k->math->add(dx, dx, dy, f->n);
        else
            memcpy(dx, dy, (size_t)f->n * sizeof *dx);
    }
}

static void sum_axis_backward(heed_ctx *cx, const heed_node *n) {
    fold f = *(const fold *)n->saved;
    f.from = n->out->grad;
    f.to = heed__grad_beta(cx, n->src[0], &f.beta);
    if (f.to && f.n) heed__parallel(cx, f.p * f.a, f.n, spread_range, &f);
}

static const heed_op sum_axis_op = { .name = "sum_axis", .backward = sum_axis_backward };

heed_tensor *heed_sum_axis(heed_ctx *cx, heed_tensor *x, int axis) {
    char text[96];
    if (!cx || !x || !heed__is_f32(cx, &sum_axis_op, "x", x)) return NULL;
    if (axis < 0 || axis >= x->ndim)
        return heed_fail(cx, HEED_EINVALID, "sum_axis: %s has no axis %d", heed_shape_text(x, text),
                         axis);
    int64_t shape[HEED_MAX_NDIM];
    fold f = { .k = cx->k, .p = 1, .a = x->shape[axis], .n = 1, .from = x->data };
    for (int d = 0; d < x->ndim; d++) {
        if (d != axis) shape[d < axis ? d : d - 1] = x->shape[d];
        if (d < axis) f.p *= x->shape[d];
        if (d > axis) f.n *= x->shape[d];
    }
    heed_tensor *y = heed__out(cx, &sum_axis_op, x->ndim - 1, shape);
    fold *saved = y ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    f.to = y->data;
    *saved = f;
    if (f.n) heed__parallel(cx, f.p, f.a * f.n, sum_range, &f);
    return heed__record1(cx, &sum_axis_op, y, x, saved);
}
