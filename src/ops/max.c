/* max.c: the largest of each row.   x [..,N] -> y [..]
 *
 *   forward    y = xₖ,  k = the first index of the largest (NaN is passed over unless all are NaN)
 *   backward   dxₖ += dy
 */
#include "ops/op.h"

#include <string.h>

typedef struct pick {
    const heed_row_kernels *k;
    int64_t cols;
    const float *x, *dy;
    float *y, *dx, beta;
    int64_t *at; /* [rows]: k */
} pick;

static void max_range(void *arg, int64_t begin, int64_t end, int worker) {
    const pick *p = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = p->x + r * p->cols;
        int64_t i = 0;
        p->y[r] = p->k->max(x, p->cols);
        while (i < p->cols && x[i] != p->y[r]) i++;
        p->at[r] = i < p->cols ? i : 0;
    }
}

static void max_grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const pick *p = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        float *dx = p->dx + r * p->cols;
        if (p->beta == 0) memset(dx, 0, (size_t)p->cols * sizeof *dx);
        dx[p->at[r]] += p->dy[r];
    }
}

static void max_backward(heed_ctx *cx, const heed_node *n) {
    pick p = *(const pick *)n->saved;
    p.dy = n->out->grad;
    p.dx = heed__grad_beta(cx, n->src[0], &p.beta);
    if (p.dx) heed__parallel(cx, n->out->len, p.cols, max_grad_range, &p);
}

static const heed_op max_op = { .name = "max", .backward = max_backward };

heed_tensor *heed_max(heed_ctx *cx, heed_tensor *x) {
    char text[96];
    if (!x || !heed__is_f32(cx, &max_op, "x", x)) return NULL;
    if (x->ndim < 1 || !heed__cols(x))
        return heed_fail(cx, HEED_ESHAPE, "max: %s has no rows to look into",
                         heed_shape_text(x, text));
    heed_tensor *y = heed__out(cx, &max_op, x->ndim - 1, x->shape);
    pick *p = y ? heed__alloc(cx, 1, sizeof *p) : NULL;
    if (!p) return NULL;
    *p = (pick){ .k = cx->k->row, .cols = heed__cols(x), .x = x->data, .y = y->data };
    p->at = heed__alloc(cx, y->len, sizeof *p->at);
    if (!p->at) return NULL;
    heed__parallel(cx, y->len, p->cols, max_range, p);
    return heed__record1(cx, &max_op, y, x, p);
}
