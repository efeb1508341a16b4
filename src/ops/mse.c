/* mse.c: mean of squared differences.   x [..], target [..] -> []
 *
 *   forward    L  = (1/n) Σ (x − t)²
 *   backward   dx += dL · 2/n · (x − t)
 *              dt −= dL · 2/n · (x − t)
 */
#include "ops/op.h"

typedef struct mse {
    const heed_kernels *k;
    const float *x, *t;
    int64_t len;
    float *part; /* forward: sums of blocks */
    float *out, beta, g;
} mse;

/* One block of 4096: Σ (x − t)² */
static void forward_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const mse *m = arg;
    float diff[HEED_SUM_BLOCK];
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        const int64_t at = b * HEED_SUM_BLOCK;
        const int64_t n = m->len - at < HEED_SUM_BLOCK ? m->len - at : HEED_SUM_BLOCK;
        m->k->math->sub(diff, m->x + at, m->t + at, n);
        m->part[b] = m->k->row->sum_sq(diff, n);
    }
}

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    enum { BLOCK = 1024 };
    const mse *m = arg;
    float diff[BLOCK];
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        m->k->math->sub(diff, m->x + i, m->t + i, n);
        if (m->beta != 0)
            m->k->math->axpy(m->out + i, m->g, diff, n);
        else
            m->k->math->axpby(m->out + i, m->g, diff, 0, n);
    }
}

static void mse_backward(heed_ctx *cx, const heed_node *n) {
    mse m = { .k = cx->k, .x = n->src[0]->data, .t = n->src[1]->data, .len = n->src[0]->len };
    const float g = m.len ? 2 * *n->out->grad / (float)m.len : 0;
    for (int i = 0; i < 2; i++) {
        m.g = i ? -g : g;
        m.out = heed__grad_beta(cx, n->src[i], &m.beta);
        if (m.out) heed__parallel(cx, m.len, 2, grad_range, &m);
    }
}

static const heed_op mse_op = { .name = "mse", .backward = mse_backward };

heed_tensor *heed_mse(heed_ctx *cx, heed_tensor *x, heed_tensor *target) {
    if (!cx || !x || !target || !heed__are_alike(cx, &mse_op, x, target)) return NULL;
    const int64_t blocks = (x->len + HEED_SUM_BLOCK - 1) / HEED_SUM_BLOCK;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    mse m = { .k = cx->k, .x = x->data, .t = target->data, .len = x->len };
    m.part = y ? heed__temp(cx, blocks, sizeof(float)) : NULL;
    if (!m.part) return NULL;
    heed__parallel(cx, blocks, 2 * HEED_SUM_BLOCK, forward_blocks, &m);
    const float total = heed__tree_sum(m.part, blocks);
    heed__temp_end(cx, m.part);
    HEED_F32_DATA(y)[0] = x->len ? total / (float)x->len : 0;
    return heed__record2(cx, &mse_op, y, x, target, NULL);
}
