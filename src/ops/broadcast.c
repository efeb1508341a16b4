/* broadcast.c: see broadcast.h. */
#include "ops/broadcast.h"

#include <string.h>

enum { TILE = 512, BLOCK = 1024 };

bool heed__overlap(const float *a, const float *b, int64_t n) {
    if (!a || !b) return false;
    const uintptr_t x = (uintptr_t)a, y = (uintptr_t)b, size = (uintptr_t)n * sizeof *a;
    return x < y ? y - x < size : x - y < size;
}

/* -- forward and the gradient of the first operand: a map in which b repeats */

typedef struct repeat {
    heed_repeat r; /* r.b: `tile` numbers, a multiple of the period */
    int64_t tile;
    const heed_math_kernels *k;
} repeat;

static void repeat_piece(const repeat *p, int64_t at, int64_t from, int64_t n) {
    const heed_repeat *r = &p->r;
    float part[BLOCK];
    if (r->beta == 0) {
        r->f(r->y + at, r->x + at, r->b + from, n);
        return;
    }
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t m = n - i < BLOCK ? n - i : BLOCK;
        r->f(part, r->x + at + i, r->b + from + i, m);
        p->k->add(r->y + at + i, r->y + at + i, part, m);
    }
}

static void repeat_range(void *arg, int64_t begin, int64_t end, int worker) {
    const repeat *p = arg;
    (void)worker;
    for (int64_t at = begin; at < end;) {
        const int64_t from = at % p->tile;
        const int64_t n = end - at < p->tile - from ? end - at : p->tile - from;
        repeat_piece(p, at, from, n);
        at += n;
    }
}

bool heed__repeat(heed_ctx *cx, const heed_repeat *r) {
    repeat p = { .r = *r, .tile = r->period, .k = cx->k->math };
    float *tile = NULL;
    if (!r->len) return true;
    if (r->period < TILE / 2 && r->period < r->len) { /* short ones are laid out many times */
        p.tile = TILE / r->period * r->period;
        p.r.b = tile = heed__temp(cx, p.tile, sizeof *tile);
        if (!tile) return false;
        for (int64_t i = 0; i < p.tile; i++) tile[i] = r->b[i % r->period];
    }
    heed__parallel(cx, r->len, 1, repeat_range, &p);
    heed__temp_end(cx, tile);
    return true;
}

/* -- the gradient of the second operand: sums over its repetitions */

static float sum_block(heed_ctx *cx, const heed_fold *f, int64_t block) {
    const int64_t at = block * HEED_SUM_BLOCK;
    const int64_t n = f->len - at < HEED_SUM_BLOCK ? f->len - at : HEED_SUM_BLOCK;
    return f->y ? cx->k->row->dot(f->x + at, f->y + at, n) : cx->k->row->sum(f->x + at, n);
}

typedef struct fold_one {
    heed_ctx *cx;
    const heed_fold *f;
    float *part;
} fold_one;

static void fold_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const fold_one *o = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) o->part[i] = sum_block(o->cx, o->f, i);
}

static void fold_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const heed_fold *f = arg;
    const int64_t at = range[HEED_ROW] * f->period + range[HEED_COL];
    if (!f->y) {
        cx->k->row->add_rows(sum, f->x + at, f->period, range[HEED_ROWS], range[HEED_COLS]);
        return;
    }
    for (int64_t i = 0; i < range[HEED_ROWS]; i++)
        cx->k->math->mul_add(sum, f->x + at + i * f->period, f->y + at + i * f->period,
                             range[HEED_COLS]);
}

/* total[period] = the sums. */
static bool fold_into(heed_ctx *cx, const heed_fold *f, float *total) {
    if (f->period > 1)
        return heed__col_sums(cx, &(heed_col_sums){ .out = total,
                                                    .rows = f->len / f->period,
                                                    .cols = f->period,
                                                    .piece = 256,
                                                    .fn = fold_rows,
                                                    .arg = f });
    const int64_t blocks = (f->len + HEED_SUM_BLOCK - 1) / HEED_SUM_BLOCK;
    fold_one o = { .cx = cx, .f = f, .part = heed__temp(cx, blocks, sizeof(float)) };
    if (!o.part) return false;
    heed__parallel(cx, blocks, HEED_SUM_BLOCK, fold_blocks, &o);
    *total = heed__tree_sum(o.part, blocks);
    heed__temp_end(cx, o.part);
    return true;
}

bool heed__fold(heed_ctx *cx, const heed_fold *f) {
    const heed_math_kernels *k = cx->k->math;
    if (!f->period) return true;
    if (f->beta == 0 && f->sign > 0) return fold_into(cx, f, f->out);
    float *total = heed__temp(cx, f->period, sizeof *total);
    if (!total || !fold_into(cx, f, total)) return false;
    if (f->beta != 0)
        k->axpy(f->out, f->sign, total, f->period);
    else
        k->axpby(f->out, f->sign, total, 0, f->period);
    heed__temp_end(cx, total);
    return true;
}

/* -- the operation */

static bool fits(const heed_tensor *a, const heed_tensor *b) {
    if (b->len == 1) return true;
    if (b->ndim > a->ndim) return false;
    for (int d = 1; d <= b->ndim; d++)
        if (a->shape[a->ndim - d] != b->shape[b->ndim - d]) return false;
    return true;
}

heed_tensor *heed__binary(heed_ctx *cx, const heed_op *op, heed_tensor *a, heed_tensor *b,
                          heed_map2 f) {
    char ta[96], tb[96];
    if (!a || !b) return NULL;
    if (!heed__is_f32(cx, op, "the first", a) || !heed__is_f32(cx, op, "the second", b))
        return NULL;
    if (!fits(a, b))
        return heed_fail(cx, HEED_ESHAPE,
                         "%s: %s and %s do not fit together: the second must be as the first, a "
                         "tail of its shape, or one number",
                         op->name, heed_shape_text(a, ta), heed_shape_text(b, tb));
    heed_tensor *y = heed__like(cx, a);
    if (!y || !heed__repeat(cx, &(heed_repeat){ .f = f,
                                                .y = y->data,
                                                .x = a->data,
                                                .b = b->data,
                                                .len = a->len,
                                                .period = b->len }))
        return NULL;
    return heed__record2(cx, op, y, a, b, NULL);
}
