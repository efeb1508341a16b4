/* drop.c: see drop.h. */
#include "ops/drop.h"

bool heed__drop_begin(heed_ctx *cx, const heed_op *op, float p, heed__drop *d) {
    if (!cx) return false;
    *d = (heed__drop){ .k = cx->k->math };
    if (!(p >= 0 && p <= 1)) {
        heed_fail(cx, HEED_EINVALID, "%s: p = %g is not within 0..1", op->name, (double)p);
        return false;
    }
    d->on = cx->train && p > 0;
    if (!d->on) return true;
    d->seed = cx->seed;
    d->stream = heed__stream(cx);
    d->limit = (uint32_t)(p * 65536.0F + 0.5F);
    d->scale = p < 1 ? 1 / (1 - p) : 0;
    return true;
}

void heed__drop_apply(const heed__drop *d, float *y, const float *x, int64_t n, int64_t first,
                      bool accumulate) {
    d->k->dropout(y, x, n, d->seed, d->stream, first, d->limit, d->scale, accumulate);
}

void heed__join_part(const void *arg, const int64_t range[4]) {
    enum { AHEAD = 6 }; /* rows of the residual that are asked for early */
    const heed__join *j = arg;
    const int64_t n = range[HEED_COLS], end = range[HEED_ROW] + range[HEED_ROWS];
    for (int64_t i = range[HEED_ROW]; i < end; i++) {
        const int64_t at = i * j->cols + range[HEED_COL];
        if (j->residual && i + AHEAD < end)
            for (int64_t k = 0; k < n; k += 16)
                __builtin_prefetch(j->residual + at + AHEAD * j->cols + k);
        heed__drop_apply(j->drop, j->y + at, j->y + at, n, at, false);
        if (j->residual) j->drop->k->add(j->y + at, j->residual + at, j->y + at, n);
    }
}

/* -- backward */

typedef struct back {
    const heed__drop *drop;
    float *dz;
    const float *dy;
    int64_t cols;
} back;

/* dz of some rows and columns, which are added to sum. */
static void back_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const back *b = arg;
    const int64_t n = range[HEED_COLS];
    for (int64_t i = range[HEED_ROW]; i < range[HEED_ROW] + range[HEED_ROWS]; i++) {
        const int64_t at = i * b->cols + range[HEED_COL];
        heed__drop_apply(b->drop, b->dz + at, b->dy + at, n, at, false);
        cx->k->math->add(sum, sum, b->dz + at, n);
    }
}

enum { BLOCK = 4096 }; /* a multiple of 128: no block of random bits is made twice */

static void back_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const back *b = arg;
    const int64_t first = begin * BLOCK, n = end * BLOCK - first, left = b->cols - first;
    (void)worker;
    heed__drop_apply(b->drop, b->dz + first, b->dy + first, n < left ? n : left, first, false);
}

const float *heed__drop_back(heed_ctx *cx, const heed__drop *d, heed_tensor *bias,
                             const heed_tensor *out) {
    const int64_t rows = heed__rows(out), cols = heed__cols(out);
    if (!d->on) return heed__bias_grad(cx, bias, out->grad, rows, cols) ? out->grad : NULL;
    back b = { .drop = d, .dz = heed__alloc(cx, out->len, sizeof(float)), .dy = out->grad };
    if (!b.dz) return NULL;
    float beta, *db = heed__grad_beta(cx, bias, &beta);
    if (!db) {
        b.cols = out->len; /* rows do not matter */
        heed__parallel(cx, (out->len + BLOCK - 1) / BLOCK, 4 * BLOCK, back_blocks, &b);
        return b.dz;
    }
    b.cols = cols;
    heed_col_sums s = { .out = db, .beta = beta, .rows = rows, .cols = cols };
    s.piece = heed__col_piece(cx, cols);
    s.fn = back_rows;
    s.arg = &b;
    return heed__col_sums(cx, &s) ? b.dz : NULL;
}
