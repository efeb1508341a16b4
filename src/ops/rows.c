/* rows.c: see rows.h. */
#include "ops/rows.h"

#include <string.h>

bool heed__has_rows(heed_ctx *cx, const heed_op *op, const heed_tensor *x) {
    if (!heed__is_f32(cx, op, "x", x)) return false;
    if (x->ndim > 0) return true;
    heed_fail(cx, HEED_ESHAPE, "%s: a scalar has no last axis", op->name);
    return false;
}

bool heed__is_row_of(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *x,
                     const heed_tensor *row) {
    char tx[96], tr[96];
    if (!row) return true;
    if (!heed__is_f32(cx, op, what, row)) return false;
    if (row->ndim == 1 && row->shape[0] == heed__cols(x)) return true;
    heed_fail(cx, HEED_ESHAPE, "%s: %s %s does not belong to x %s", op->name, what,
              heed_shape_text(row, tr), heed_shape_text(x, tx));
    return false;
}

typedef struct map {
    float (*fn)(float *y, const float *x, int64_t n);
    heed_map1_grad back;
    float *y, beta;
    const float *x, *dy;
    int64_t cols;
} map;

static void map_range(void *arg, int64_t begin, int64_t end, int worker) {
    const map *m = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++)
        (void)m->fn(m->y + r * m->cols, m->x + r * m->cols, m->cols);
}

static void back_range(void *arg, int64_t begin, int64_t end, int worker) {
    const map *m = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        float *dx = m->y + r * m->cols;
        if (m->beta == 0) memset(dx, 0, (size_t)m->cols * sizeof *dx);
        m->back(dx, m->x + r * m->cols, m->dy + r * m->cols, m->cols);
    }
}

heed_tensor *heed__row_map(heed_ctx *cx, const heed_op *op, heed_tensor *x,
                           float (*fn)(float *y, const float *x, int64_t n)) {
    if (!x || !heed__has_rows(cx, op, x)) return NULL;
    heed_tensor *y = heed__like(cx, x);
    if (!y) return NULL;
    map m = { .fn = fn, .y = y->data, .x = x->data, .cols = heed__cols(x) };
    if (x->len) heed__parallel(cx, heed__rows(x), 8 * m.cols, map_range, &m);
    return heed__record1(cx, op, y, x, NULL);
}

void heed__row_map_backward(heed_ctx *cx, const heed_node *n, heed_map1_grad fn) {
    map m = { .back = fn, .x = n->out->data, .dy = n->out->grad, .cols = heed__cols(n->out) };
    m.y = heed__grad_beta(cx, n->src[0], &m.beta);
    if (m.y && n->out->len) heed__parallel(cx, heed__rows(n->out), 4 * m.cols, back_range, &m);
}
