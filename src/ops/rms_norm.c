/* rms_norm.c: rows of mean square 1 (Zhang and Sennrich 2019).   x [..,N], gain [N] or NULL -> y
 *
 *   forward    y  = x · r · g,  r = 1 / √(mean x² + eps)
 *   backward   dx += r · (dy·g − x·r · mean(dy·g · x·r))
 *              dg += Σ dy · x·r    over rows: shards of 1024, see gemm.h
 */
#include "ops/norm.h"

static void rms_norm_backward(heed_ctx *cx, const heed_node *n) {
    heed__norm_backward(cx, n, true);
}

static const heed_op rms_norm_op = { .name = "rms_norm", .backward = rms_norm_backward };

static void rms_norm_range(void *arg, int64_t begin, int64_t end, int worker) {
    const heed_norm_arg *a = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++)
        a->k->rms_norm(a->y + r * a->cols, a->x + r * a->cols, a->gain, a->eps, a->stat + r,
                       a->cols);
}

heed_tensor *heed_rms_norm(heed_ctx *cx, heed_tensor *x, heed_tensor *gain, float eps) {
    if (!x || !heed__has_rows(cx, &rms_norm_op, x) ||
        !heed__is_row_of(cx, &rms_norm_op, "gain", x, gain))
        return NULL;
    if (!(eps >= 0))
        return heed_fail(cx, HEED_EINVALID, "rms_norm: eps = %g is negative", (double)eps);
    heed_tensor *y = heed__like(cx, x);
    float *stat = y ? heed__alloc(cx, heed__rows(x), sizeof *stat) : NULL;
    if (!stat) return NULL;
    heed_norm_arg a = { .k = cx->k->row,
                        .y = y->data,
                        .x = x->data,
                        .gain = gain ? gain->data : NULL,
                        .eps = eps,
                        .stat = stat,
                        .cols = heed__cols(x) };
    if (x->len) heed__parallel(cx, heed__rows(x), 4 * a.cols, rms_norm_range, &a);
    return heed__record2(cx, &rms_norm_op, y, x, gain, stat);
}
