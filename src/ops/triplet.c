/* triplet.c: an anchor nearer to its positive than to its negative.   a, p, n [N,C] -> []
 *
 *   forward    Lᵢ = max(0, |a−p| − |a−n| + margin),   L = (1/N) Σ Lᵢ      (Euclidean lengths)
 *   backward   where Lᵢ > 0, with u = (a−p)/|a−p|, v = (a−n)/|a−n| (0 for a length of 0), g = dL/N:
 *              da += g·(u − v),   dp −= g·u,   dn += g·v
 */
#include "ops/fill.h"

#include <math.h>
#include <string.h>

typedef struct triple {
    const heed_kernels *k;
    const float *at[3]; /* anchor, positive, negative */
    int64_t rows, cols;
    float margin, *loss, *length[2]; /* [rows]: L, |a−p|, |a−n| */
    float *scratch;                  /* [threads,C], in backward [threads,2,C] */
    float *to, beta, g;              /* one gradient at a time */
    int which;
} triple;

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const triple *t = arg;
    float *diff = t->scratch + worker * t->cols;
    for (int64_t i = begin; i < end; i++) {
        for (int side = 0; side < 2; side++) {
            t->k->math->sub(diff, t->at[0] + i * t->cols, t->at[1 + side] + i * t->cols, t->cols);
            t->length[side][i] = sqrtf(t->k->row->sum_sq(diff, t->cols));
        }
        const float over = t->length[0][i] - t->length[1][i] + t->margin;
        t->loss[i] = over <= 0 ? 0 : over; /* NaN stays */
    }
}

/* part[0..C) += g·(x − y)/|x − y|; the difference comes first, and into part[C..2C) */
static void add_unit(const triple *t, float *part, int64_t row, int side, float g) {
    const float length = t->length[side][row];
    if (length == 0) return;
    t->k->math->sub(part + t->cols, t->at[0] + row * t->cols, t->at[1 + side] + row * t->cols,
                    t->cols);
    t->k->math->axpy(part, g / length, part + t->cols, t->cols);
}

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const triple *t = arg;
    float *part = t->scratch + worker * 2 * t->cols;
    for (int64_t i = begin; i < end; i++) {
        float *dx = t->to + i * t->cols;
        memset(part, 0, (size_t)t->cols * sizeof *part);
        if (t->loss[i] != 0) {
            if (t->which != 2) add_unit(t, part, i, 0, t->which == 0 ? t->g : -t->g);
            if (t->which != 1) add_unit(t, part, i, 1, t->which == 0 ? -t->g : t->g);
        }
        if (t->beta != 0)
            t->k->math->add(dx, dx, part, t->cols);
        else
            memcpy(dx, part, (size_t)t->cols * sizeof *dx);
    }
}

static void triplet_backward(heed_ctx *cx, const heed_node *n) {
    triple t = *(const triple *)n->saved;
    if (!t.rows || !t.cols) return;
    t.g = *n->out->grad / (float)t.rows;
    t.scratch = heed__alloc(cx, heed_pool_threads(cx->pool) * t.cols, 2 * sizeof(float));
    if (!t.scratch) return;
    for (t.which = 0; t.which < 3; t.which++) {
        t.to = heed__grad_beta(cx, n->src[t.which], &t.beta);
        if (t.to) heed__parallel(cx, t.rows, 4 * t.cols, grad_range, &t);
    }
}

static const heed_op triplet_op = { .name = "triplet", .backward = triplet_backward };

heed_tensor *heed_triplet(heed_ctx *cx, heed_tensor *anchor, heed_tensor *positive,
                          heed_tensor *negative, float margin) {
    char text[96];
    if (!anchor || !positive || !negative || !heed__are_alike(cx, &triplet_op, anchor, positive) ||
        !heed__are_alike(cx, &triplet_op, anchor, negative))
        return NULL;
    if (anchor->ndim != 2)
        return heed_fail(cx, HEED_ESHAPE, "triplet: %s is not [N,C]",
                         heed_shape_text(anchor, text));
    if (!isfinite(margin))
        return heed_fail(cx, HEED_EINVALID, "triplet: margin = %g is no number", (double)margin);
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    triple *t = y ? heed__alloc(cx, 1, sizeof *t) : NULL;
    if (!t) return NULL;
    *t = (triple){ .k = cx->k, .rows = anchor->shape[0], .cols = anchor->shape[1] };
    t->at[0] = anchor->data;
    t->at[1] = positive->data;
    t->at[2] = negative->data;
    t->margin = margin;
    t->loss = heed__alloc(cx, t->rows, 3 * sizeof(float));
    t->scratch = heed__temp(cx, heed_pool_threads(cx->pool) * t->cols, sizeof(float));
    if (!t->loss || !t->scratch) return NULL;
    t->length[0] = t->loss + t->rows;
    t->length[1] = t->loss + 2 * t->rows;
    heed__parallel(cx, t->rows, 4 * t->cols, forward_range, t);
    heed__temp_end(cx, t->scratch);
    if (!heed__total(cx, y->data, t->loss, t->rows)) return NULL;
    if (t->rows) HEED_F32_DATA(y)[0] /= (float)t->rows;
    return heed__record3(cx, &triplet_op, y, anchor, positive, negative, t);
}
