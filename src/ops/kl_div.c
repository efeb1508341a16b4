/* kl_div.c: divergence of softmax from given probabilities.   logits [..,K], target [..,K] -> []
 *
 *   forward    L   = (1/R) Σᵣ Σⱼ tⱼ · (log tⱼ − log pⱼ),  0 where tⱼ is 0
 *              log p = (x − top) − log Σ exp(x − top),  top = max x
 *   backward   dxⱼ += dL/R · (pⱼ · Σₖ tₖ − tⱼ);   the target takes no gradient
 */
#include "ops/fill.h"
#include "ops/rows.h"

#include <math.h>
#include <string.h>

typedef struct kl {
    const heed_kernels *k;
    const float *x, *t;
    int64_t rows, cols;
    float *loss, *mass, *top, *log_sum; /* [rows]: L, Σ t, max x, log Σ exp(x − max x) */
    float *scratch;                     /* [threads,K] */
    float *dx, beta, g;
} kl;

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const kl *q = arg;
    float *row = q->scratch + worker * q->cols;
    for (int64_t r = begin; r < end; r++) {
        const float *x = q->x + r * q->cols, *t = q->t + r * q->cols;
        const float top = q->k->row->max(x, q->cols);
        const float log_sum = top > -INFINITY ? q->k->row->log_sum(x, top, q->cols) : 0;
        q->top[r] = top;
        q->log_sum[r] = log_sum;
        q->mass[r] = q->k->row->sum(t, q->cols);
        q->k->math->log(row, t, q->cols);
        for (int64_t j = 0; j < q->cols; j++)
            row[j] = t[j] == 0 ? 0 : t[j] * (row[j] - ((x[j] - top) - log_sum));
        q->loss[r] = q->k->row->sum(row, q->cols);
    }
}

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const kl *q = arg;
    for (int64_t r = begin; r < end; r++) {
        float *dx = q->dx + r * q->cols;
        float *to = q->beta == 0 ? dx : q->scratch + worker * q->cols;
        q->k->row->exp_sub_scale(to, q->x + r * q->cols, q->top[r], q->log_sum[r],
                                 q->g * q->mass[r], q->cols);
        q->k->math->axpy(to, -q->g, q->t + r * q->cols, q->cols);
        if (to != dx) q->k->math->add(dx, dx, to, q->cols);
    }
}

static void kl_div_backward(heed_ctx *cx, const heed_node *n) {
    kl q = *(const kl *)n->saved;
    q.dx = heed__grad_beta(cx, n->src[0], &q.beta);
    q.g = q.rows ? *n->out->grad / (float)q.rows : 0;
    q.scratch = q.dx ? heed__alloc(cx, heed_pool_threads(cx->pool) * q.cols, sizeof(float)) : NULL;
    if (q.scratch && q.cols) heed__parallel(cx, q.rows, 10 * q.cols, backward_range, &q);
}

static const heed_op kl_div_op = { .name = "kl_div", .backward = kl_div_backward };

heed_tensor *heed_kl_div(heed_ctx *cx, heed_tensor *logits, heed_tensor *target) {
    if (!logits || !target || !heed__are_alike(cx, &kl_div_op, logits, target) ||
        !heed__has_rows(cx, &kl_div_op, logits))
        return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    kl *q = y ? heed__alloc(cx, 1, sizeof *q) : NULL;
    if (!q) return NULL;
    *q = (kl){ .k = cx->k, .x = logits->data, .t = target->data };
    q->rows = heed__rows(logits);
    q->cols = heed__cols(logits);
    HEED_F32_DATA(y)[0] = 0;
    if (!logits->len) return heed__record1(cx, &kl_div_op, y, logits, q);
    q->loss = heed__alloc(cx, q->rows, 4 * sizeof(float));
    q->scratch = heed__temp(cx, heed_pool_threads(cx->pool) * q->cols, sizeof(float));
    if (!q->loss || !q->scratch) return NULL;
    q->mass = q->loss + q->rows;
    q->top = q->loss + 2 * q->rows;
    q->log_sum = q->loss + 3 * q->rows;
    heed__parallel(cx, q->rows, 20 * q->cols, forward_range, q);
    heed__temp_end(cx, q->scratch);
    if (!heed__total(cx, y->data, q->loss, q->rows)) return NULL;
    HEED_F32_DATA(y)[0] /= (float)q->rows;
    return heed__record1(cx, &kl_div_op, y, logits, q);
}
