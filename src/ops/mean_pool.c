/* mean_pool.c: the mean over a row's valid steps.   x [B,T,C], lengths I32 [B] -> y [B,C]
 *
 *   forward    y_b = Σ_t<n x_bt / n,  in the order of t; 0 for n = 0
 *   backward   dx_bt += dy_b / n  for t < n
 */
#include "kernels/math.h"
#include "kernels/row.h"
#include "ops/op.h"
#include "ops/sequence.h"

#include <string.h>

typedef struct pool_job {
    const heed_ctx *cx;
    const float *x;
    float *y;
    const int32_t *lengths;
    int64_t steps, dim;
} pool_job;

static void pool_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *j = arg;
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        const int64_t n = j->lengths ? j->lengths[b] : j->steps;
        float *y = j->y + b * j->dim;
        memset(y, 0, (size_t)j->dim * sizeof *y);
        if (n == 0) continue;
        j->cx->k->row->add_rows(y, j->x + b * j->steps * j->dim, j->dim, n, j->dim);
        j->cx->k->math->axpby(y, 1.0f / (float)n, y, 0.0f, j->dim);
    }
}

/* x is dy [B,C], y is dx [B,T,C] */
static void spread_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *j = arg;
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        const int64_t n = j->lengths ? j->lengths[b] : j->steps;
        for (int64_t t = 0; t < n; t++)
            j->cx->k->math->axpy(j->y + (b * j->steps + t) * j->dim, 1.0f / (float)n,
                                 j->x + b * j->dim, j->dim);
    }
}

static void mean_pool_backward(heed_ctx *cx, const heed_node *n) {
    const heed_tensor *x = n->src[0], *lengths = n->src[1];
    pool_job j = { cx,
                   n->out->grad,
                   heed_grad(cx, n->src[0]),
                   lengths ? HEED_I32_DATA(lengths) : NULL,
                   x->shape[1],
                   x->shape[2] };
    if (j.y) heed__parallel(cx, x->shape[0], j.steps * j.dim, spread_rows, &j);
}

static const heed_op op = { .name = "mean_pool", .backward = mean_pool_backward };

heed_tensor *heed_mean_pool(heed_ctx *cx, heed_tensor *x, heed_tensor *lengths) {
    char text[96];
    if (!x) return NULL;
    if (x->dtype != HEED_F32 || x->ndim != 3)
        return heed_fail(cx, HEED_ESHAPE, "mean_pool: x %s %s is not f32 [B,T,C]",
                         heed_dtype_name(x->dtype), heed_shape_text(x, text));
    const int64_t B = x->shape[0], T = x->shape[1], C = x->shape[2];
    if (!heed__lengths_ok(cx, "mean_pool", lengths, B, T)) return NULL;
    heed_tensor *y = heed__out(cx, &op, 2, (int64_t[]){ B, C });
    if (!y) return NULL;
    pool_job j = { cx, x->data, y->data, lengths ? HEED_I32_DATA(lengths) : NULL, T, C };
    heed__parallel(cx, B, T * C, pool_rows, &j);
    return heed__record2(cx, &op, y, x, lengths, NULL);
}
