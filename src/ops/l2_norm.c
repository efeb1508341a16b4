/* l2_norm.c: rows of length 1.   x [..,N] -> y [..,N]
 *
 *   forward    y  = x / s,  s = max(|x|, eps)
 *   backward   dx += (dy − y · Σ dy·y) / s    where |x| > eps, else dy / s
 */
#include "ops/rows.h"

#include <math.h>
#include <string.h>

typedef struct unit {
    const heed_kernels *k;
    const float *x, *dy;
    float *y, eps, beta, *length; /* [rows]: s, negative where eps was the larger */
    float *dx;
    int64_t cols;
} unit;

static void l2_norm_range(void *arg, int64_t begin, int64_t end, int worker) {
    const unit *u = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = u->x + r * u->cols;
        const float norm = sqrtf(u->k->row->sum_sq(x, u->cols));
        u->length[r] = norm <= u->eps ? -u->eps : norm; /* NaN stays */
        u->k->math->axpby(u->y + r * u->cols, 1 / fabsf(u->length[r]), x, 0, u->cols);
    }
}

static void l2_norm_grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const unit *u = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *y = u->y + r * u->cols, *dy = u->dy + r * u->cols;
        const float inv = 1 / fabsf(u->length[r]);
        float *dx = u->dx + r * u->cols;
        if (u->beta == 0) memset(dx, 0, (size_t)u->cols * sizeof *dx);
        u->k->math->axpy(dx, inv, dy, u->cols);
        if (u->length[r] > 0)
            u->k->math->axpy(dx, -inv * u->k->row->dot(dy, y, u->cols), y, u->cols);
    }
}

static void l2_norm_backward(heed_ctx *cx, const heed_node *n) {
    unit u = *(const unit *)n->saved;
    u.dy = n->out->grad;
    u.dx = heed__grad_beta(cx, n->src[0], &u.beta);
    if (u.dx && n->out->len)
        heed__parallel(cx, heed__rows(n->out), 3 * u.cols, l2_norm_grad_range, &u);
}

static const heed_op l2_norm_op = { .name = "l2_norm", .backward = l2_norm_backward };

heed_tensor *heed_l2_norm(heed_ctx *cx, heed_tensor *x, float eps) {
    if (!x || !heed__has_rows(cx, &l2_norm_op, x)) return NULL;
    if (!(eps > 0))
        return heed_fail(cx, HEED_EINVALID, "l2_norm: eps = %g is not above 0", (double)eps);
    heed_tensor *y = heed__like(cx, x);
    unit *u = y ? heed__alloc(cx, 1, sizeof *u) : NULL;
    if (!u) return NULL;
    *u = (unit){ .k = cx->k, .x = x->data, .y = y->data, .eps = eps, .cols = heed__cols(x) };
    u->length = heed__alloc(cx, heed__rows(x), sizeof *u->length);
    if (!u->length) return NULL;
    if (x->len) heed__parallel(cx, heed__rows(x), 2 * u->cols, l2_norm_range, u);
    return heed__record1(cx, &l2_norm_op, y, x, u);
}
