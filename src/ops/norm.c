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

enum { PIECE = 64 }; /* columns of one unit of work */

/* Sums lie as [gain of PIECE columns | their bias], piece after piece (rms: gain alone), so that
 * one pass over rows makes both. */
static void param_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const heed_norm_arg *a = arg;
    const int64_t parts = a->rms ? 1 : 2, cols = range[HEED_COLS] / parts;
    const int64_t at = range[HEED_ROW] * a->cols + range[HEED_COL] / parts;
    cx->k->row->norm_param_grad(sum, a->rms ? NULL : sum + cols, a->x + at, a->dy + at, a->cols,
                                a->stat + parts * range[HEED_ROW], a->rms, range[HEED_ROWS], cols);
}

/* dt += the gains' (part 0) or the biases' (part 1) sums. */
static void add_param(heed_ctx *cx, heed_tensor *t, const heed_norm_arg *a, const float *sums,
                      int64_t part) {
    const int64_t parts = a->rms ? 1 : 2;
    float beta, *dt = heed__grad_beta(cx, t, &beta);
    for (int64_t j = 0; dt && j < a->cols; j += PIECE) {
        const int64_t n = a->cols - j < PIECE ? a->cols - j : PIECE;
        const float *from = sums + parts * j + part * n;
        if (beta != 0)
            cx->k->math->add(dt + j, dt + j, from, n);
        else
            memcpy(dt + j, from, (size_t)n * sizeof *dt);
    }
}

static void params_backward(heed_ctx *cx, const heed_node *n, const heed_norm_arg *a) {
    heed_tensor *gain = n->src[1], *bias = a->rms ? NULL : n->src[2];
    const int64_t parts = a->rms ? 1 : 2;
    if (!(gain && gain->needs_grad) && !(bias && bias->needs_grad)) return;
    float *sums = heed__temp(cx, parts * a->cols, sizeof *sums);
    if (!sums || !heed__col_sums(cx, &(heed_col_sums){ .out = sums,
                                                       .rows = heed__rows(n->out),
                                                       .cols = parts * a->cols,
                                                       .piece = parts * PIECE,
                                                       .fn = param_rows,
                                                       .arg = a }))
        return;
    add_param(cx, gain, a, sums, 0);
    if (bias) add_param(cx, bias, a, sums, 1);
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
