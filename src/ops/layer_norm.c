/* layer_norm.c: rows of mean 0 and variance 1 (Ba et al. 2016).
 * x [..,N], gain [N] or NULL, bias [N] or NULL -> y [..,N]
 *
 *   forward    x̂  = (x − mean x) · r,  r = 1 / √(var x + eps);   y = x̂ · g + b
 *   backward   dx̂ = dy · g
 *              dx += r · (dx̂ − mean dx̂ − x̂ · mean(dx̂ · x̂))
 *              dg += Σ dy · x̂,   db += Σ dy    over rows: shards of 1024, see gemm.h
 */
#include "ops/norm.h"

static void layer_norm_backward(heed_ctx *cx, const heed_node *n) {
    heed__norm_backward(cx, n, false);
}

static const heed_op layer_norm_op = { .name = "layer_norm", .backward = layer_norm_backward };

static void layer_norm_range(void *arg, int64_t begin, int64_t end, int worker) {
    const heed_norm_arg *a = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++)
        a->k->layer_norm(a->y + r * a->cols, a->x + r * a->cols, a->gain, a->bias, a->eps,
                         a->stat + 2 * r, a->cols);
}

heed_tensor *heed_layer_norm(heed_ctx *cx, heed_tensor *x, heed_tensor *gain, heed_tensor *bias,
                             float eps) {
    if (!x || !heed__has_rows(cx, &layer_norm_op, x) ||
        !heed__is_row_of(cx, &layer_norm_op, "gain", x, gain) ||
        !heed__is_row_of(cx, &layer_norm_op, "bias", x, bias))
        return NULL;
    if (!(eps >= 0))
        return heed_fail(cx, HEED_EINVALID, "layer_norm: eps = %g is negative", (double)eps);
    heed_tensor *y = heed__like(cx, x);
    float *stat = y ? heed__alloc(cx, 2 * heed__rows(x), sizeof *stat) : NULL;
    if (!stat) return NULL;
    heed_norm_arg a = { .k = cx->k->row,
                        .y = y->data,
                        .x = x->data,
                        .gain = gain ? gain->data : NULL,
                        .bias = bias ? bias->data : NULL,
                        .eps = eps,
                        .stat = stat,
                        .cols = heed__cols(x) };
    if (x->len) heed__parallel(cx, heed__rows(x), 4 * a.cols, layer_norm_range, &a);
    return heed__record3(cx, &layer_norm_op, y, x, gain, bias, stat);
}
