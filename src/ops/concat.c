/* concat.c: tensors joined along one axis.   xₖ [P,Aₖ,N] -> y [P,ΣAₖ,N]   (P, N: axes around it)
 *
 *   forward    y[p, Σ_{j<k} Aⱼ + i, :] = xₖ[p,i,:]
 *   backward   dxₖ[p,i,:] += dy[p, Σ_{j<k} Aⱼ + i, :]
 */
#include "ops/op.h"

#include <string.h>

typedef struct part {
    const heed_math_kernels *k;
    float *part, *whole;            /* rows of `row` and of `stride` numbers */
    int64_t row, stride, at, outer; /* at: where the part's numbers begin in a row of the whole */
    float beta;
} part;

static void join_range(void *arg, int64_t begin, int64_t end, int worker) {
    const part *p = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++)
        memcpy(p->whole + i * p->stride + p->at, p->part + i * p->row,
               (size_t)p->row * sizeof(float));
}

static void split_range(void *arg, int64_t begin, int64_t end, int worker) {
    const part *p = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const float *dy = p->whole + i * p->stride + p->at;
        float *dx = p->part + i * p->row;
        if (p->beta != 0)
            p->k->add(dx, dx, dy, p->row);
        else
            memcpy(dx, dy, (size_t)p->row * sizeof *dx);
    }
}

/* The geometry of the whole: *axis is kept with the node. */
static part part_of(heed_ctx *cx, const heed_tensor *whole, int axis) {
    part p = { .k = cx->k->math, .stride = 1, .outer = 1 };
    for (int d = 0; d < axis; d++) p.outer *= whole->shape[d];
    for (int d = axis; d < whole->ndim; d++) p.stride *= whole->shape[d];
    return p;
}

static void concat_backward(heed_ctx *cx, const heed_node *n) {
    part p = part_of(cx, n->out, *(const int *)n->saved);
    p.whole = n->out->grad;
    for (int i = 0; i < n->count; i++) {
        p.row = p.outer ? n->src[i]->len / p.outer : 0;
        p.part = heed__grad_beta(cx, n->src[i], &p.beta);
        if (p.part && p.row) heed__parallel(cx, p.outer, p.row, split_range, &p);
        p.at += p.row;
    }
}

static const heed_op concat_op = { .name = "concat", .backward = concat_backward };

/* The joined shape; false with the error set where a part does not fit. */
static bool joined_shape(heed_ctx *cx, heed_tensor *const *parts, int count, int axis,
                         int64_t *shape) {
    const heed_tensor *first = parts[0];
    char ta[96], tb[96];
    if (axis < 0 || axis >= first->ndim) {
        heed_fail(cx, HEED_EINVALID, "concat: %s has no axis %d", heed_shape_text(first, ta), axis);
        return false;
    }
    for (int d = 0; d < first->ndim; d++) shape[d] = d == axis ? 0 : first->shape[d];
    for (int i = 0; i < count; i++) {
        if (!heed__is_f32(cx, &concat_op, "a part", parts[i])) return false;
        bool fits = parts[i]->ndim == first->ndim;
        for (int d = 0; fits && d < first->ndim; d++)
            fits = d == axis || parts[i]->shape[d] == first->shape[d];
        if (!fits || __builtin_add_overflow(shape[axis], parts[i]->shape[axis], &shape[axis])) {
            heed_fail(cx, HEED_ESHAPE, "concat: %s and %s do not join along axis %d",
                      heed_shape_text(first, ta), heed_shape_text(parts[i], tb), axis);
            return false;
        }
    }
    return true;
}

heed_tensor *heed_concat(heed_ctx *cx, heed_tensor *const *parts, int count, int axis) {
    int64_t shape[HEED_MAX_NDIM];
    if (!parts || count < 1)
        return heed_fail(cx, HEED_EINVALID, "concat: there is nothing to join");
    for (int i = 0; i < count; i++)
        if (!parts[i]) return NULL;
    if (!joined_shape(cx, parts, count, axis, shape)) return NULL;
    heed_tensor *y = heed__out(cx, &concat_op, parts[0]->ndim, shape);
    int *saved = y ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = axis;
    part p = part_of(cx, y, axis);
    p.whole = y->data;
    for (int i = 0; i < count; i++) {
        p.part = parts[i]->data;
        p.row = p.outer ? parts[i]->len / p.outer : 0;
        if (p.row) heed__parallel(cx, p.outer, p.row, join_range, &p);
        p.at += p.row;
    }
    return heed_record(cx, &concat_op, y, count, parts, saved);
}
