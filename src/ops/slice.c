/* slice.c: a range of one axis.   x [P,A,N] -> y [P,end−begin,N]   (P, N: the axes around it)
 *
 *   forward    y[p,i,:] = x[p, begin+i, :]     a view where all axes before are 1, else a copy
 *   backward   dx[p, begin+i, :] += dy[p,i,:]  a view shares its gradient and needs none
 */
#include "ops/op.h"

#include <string.h>

typedef struct cut {
    int64_t outer, skip, row, whole; /* of P rows of `whole` numbers, `row` of them from skip on */
    const heed_math_kernels *k;
    float *to, beta;
    const char *from;
    char *out;
    size_t size; /* of an element */
} cut;

static void copy_range(void *arg, int64_t begin, int64_t end, int worker) {
    const cut *c = arg;
    const size_t row = (size_t)c->row * c->size, whole = (size_t)c->whole * c->size;
    (void)worker;
    for (int64_t p = begin; p < end; p++)
        memcpy(c->out + (size_t)p * row, c->from + (size_t)p * whole + (size_t)c->skip * c->size,
               row);
}

/* dx, of which only a part is written where it holds something already. */
static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const cut *c = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        const float *dy = (const float *)(const void *)c->from + p * c->row;
        float *dx = c->to + p * c->whole;
        if (c->beta != 0) {
            c->k->add(dx + c->skip, dx + c->skip, dy, c->row);
            continue;
        }
        const int64_t rest = c->whole - c->skip - c->row;
        memset(dx, 0, (size_t)c->skip * sizeof *dx);
        memcpy(dx + c->skip, dy, (size_t)c->row * sizeof *dx);
        memset(dx + c->skip + c->row, 0, (size_t)rest * sizeof *dx);
    }
}

static void slice_backward(heed_ctx *cx, const heed_node *n) {
    cut c = *(const cut *)n->saved;
    c.to = heed__grad_beta(cx, n->src[0], &c.beta);
    c.from = (const char *)n->out->grad;
    if (c.to && c.whole) heed__parallel(cx, c.outer, c.whole, grad_range, &c);
}

static const heed_op slice_op = { .name = "slice", .backward = slice_backward };

static bool range_fits(heed_ctx *cx, const heed_tensor *x, int axis, int64_t begin, int64_t end) {
    char text[96];
    if (axis < 0 || axis >= x->ndim) {
        heed_fail(cx, HEED_EINVALID, "slice: %s has no axis %d", heed_shape_text(x, text), axis);
        return false;
    }
    if (begin >= 0 && begin <= end && end <= x->shape[axis]) return true;
    heed_fail(cx, HEED_EINVALID, "slice: %lld..%lld is not within axis %d of %s", (long long)begin,
              (long long)end, axis, heed_shape_text(x, text));
    return false;
}

static heed_tensor *copy_out(heed_ctx *cx, heed_tensor *x, const int64_t *shape, cut *c) {
    heed_tensor *y = heed_new(cx, x->dtype, x->ndim, shape);
    cut *saved = y ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    c->k = cx->k->math;
    c->size = heed_dtype_size(x->dtype);
    c->from = x->data;
    c->out = y->data;
    *saved = *c;
    if (c->row) heed__parallel(cx, c->outer, c->row, copy_range, c);
    return heed__record1(cx, &slice_op, y, x, saved);
}

heed_tensor *heed_slice(heed_ctx *cx, heed_tensor *x, int axis, int64_t begin, int64_t end) {
    int64_t shape[HEED_MAX_NDIM], inner = 1;
    if (!x || !range_fits(cx, x, axis, begin, end)) return NULL;
    cut c = { .outer = 1 };
    for (int d = 0; d < x->ndim; d++) {
        shape[d] = x->shape[d];
        if (d < axis) c.outer *= x->shape[d];
        if (d > axis) inner *= x->shape[d];
    }
    shape[axis] = end - begin;
    c.row = (end - begin) * inner;
    c.skip = begin * inner;
    c.whole = x->shape[axis] * inner;
    if (c.outer == 1) return heed__view(cx, x, c.skip, x->ndim, shape);
    return copy_out(cx, x, shape, &c);
}
