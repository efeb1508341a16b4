/* norm.c: the backward of layer_norm and rms_norm; the formulas are in their files. */
#include "ops/norm.h"

#include <string.h>

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const heed_norm_arg *a = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        float *dx = a->y + r * a->cols;
        const float *x = a->x + r * a->cols, *dy = a->dy + r * a->cols;
        if (a->beta == 0) memset(dx, 0, (size_t)a->cols * sizeof *dx);
        if (a->rms)
            a->k->rms_norm_grad(dx, x, a->gain, dy, a->stat + r, a->cols);
        else
            a->k->layer_norm_grad(dx, x, a->gain, dy, a->stat + 2 * r, a->cols);
    }
}

/* Gain's and bias's sums side by side: [gain | bias], so that one pass over rows makes both. */
static void param_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const heed_norm_arg *a = arg;
    const int64_t row = range[HEED_ROW], width = a->rms ? 1 : 2;
    cx->k->row->norm_param_grad(sum, a->rms ? NULL : sum + a->cols, a->x + row * a->cols,
                                a->dy + row * a->cols, a->stat + width * row, a->rms,
                                range[HEED_ROWS], a->cols);
}

static void params_backward(heed_ctx *cx, const heed_node *n, const heed_norm_arg *a) {
    heed_tensor *gain = n->src[1], *bias = a->rms ? NULL : n->src[2];
    const int64_t cols = a->cols, rows = heed__rows(n->out);
    if (!(gain && gain->needs_grad) && !(bias && bias->needs_grad)) return;
    float *sums = heed__temp(cx, 2 * cols, sizeof *sums), beta;
    if (!sums || !heed__col_sums(cx, &(heed_col_sums){ .out = sums,
                                                       .rows = rows,
                                                       .cols = a->rms ? cols : 2 * cols,
                                                       .fn = param_rows,
                                                       .arg = a }))
        return;
    float *dgain = heed__grad_beta(cx, gain, &beta);
    if (dgain) heed__axpy_grad(cx, dgain, beta, 1, sums, cols);
    float *dbias = heed__grad_beta(cx, bias, &beta);
    if (dbias) heed__axpy_grad(cx, dbias, beta, 1, sums + cols, cols);
    heed__temp_end(cx, sums);
}

void heed__norm_backward(heed_ctx *cx, const heed_node *n, bool rms) {
    heed_norm_arg a = { .k = cx->k->row,
                        .x = n->src[0]->data,
                        .gain = n->src[1] ? n->src[1]->data : NULL,
                        .dy = n->out->grad,
                        .stat = n->saved,
                        .cols = heed__cols(n->out),
                        .rms = rms };
    a.y = heed__grad_beta(cx, n->src[0], &a.beta);
    if (a.y && n->out->len) heed__parallel(cx, heed__rows(n->out), 4 * a.cols, grad_range, &a);
    params_backward(cx, n, &a);
}
