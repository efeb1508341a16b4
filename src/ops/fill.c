/* fill.c: see fill.h. */
#include "ops/fill.h"

bool heed__total(heed_ctx *cx, float *total, const float *x, int64_t n) {
    float *scratch = heed__temp(cx, (n + HEED_SUM_BLOCK - 1) / HEED_SUM_BLOCK, sizeof *scratch);
    if (!scratch) return false;
    *total = heed__sum_many(cx->k, cx->pool, x, n, scratch);
    heed__temp_end(cx, scratch);
    return true;
}

typedef struct fill {
    const heed_math_kernels *k;
    float *dx, beta, g;
} fill;

static void fill_range(void *arg, int64_t begin, int64_t end, int worker) {
    const fill *f = arg;
    (void)worker;
    if (f->beta != 0)
        f->k->axpby(f->dx + begin, 1, f->dx + begin, f->g, end - begin);
    else
        for (int64_t i = begin; i < end; i++) f->dx[i] = f->g;
}

void heed__fill_grad(heed_ctx *cx, heed_tensor *x, float g) {
    fill f = { .k = cx->k->math, .g = g };
    f.dx = heed__grad_beta(cx, x, &f.beta);
    if (f.dx) heed__parallel(cx, x->len, 1, fill_range, &f);
}
