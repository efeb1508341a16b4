/* cross_entropy.c: cross-entropy from logits, fused with softmax.   logits [..,K], labels I32 [..]
 *
 *   forward    Lᵣ = −log pᵣ[labelᵣ],  log pᵣⱼ = (xᵣⱼ − topᵣ) − log Σₖ exp(xᵣₖ − topᵣ),  top = max x
 *              loss = Σᵣ w·Lᵣ / Σᵣ w   over the rows that count;  w: weight of the label's class
 *              smoothing ε: w·Lᵣ becomes (1−ε)·w·Lᵣ + ε/K · Σⱼ wⱼ·(−log pᵣⱼ), as PyTorch has it
 *              focal γ:     w·Lᵣ becomes w·(1−p)^γ·Lᵣ
 *
 *   backward   dxᵣⱼ += d · ( sᵣ·pᵣⱼ − tᵣ·[j = labelᵣ] − ε/K·wⱼ ),   d = dloss / Σ w
 *              plain:      s = t = w
 *              smoothing:  t = (1−ε)·w,  s = t + ε/K·Σⱼ wⱼ
 *              focal:      s = t = w·(1−p)^γ·(1 + γ·p·Lᵣ/(1−p))
 *
 * One top, log Σ, s and t are kept for each row and p is made again: no [..,K] buffer but the
 * gradient.
 */
#include "ops/entropy.h"
#include "ops/rows.h"

typedef struct back {
    const heed__entropy *e;
    float *dx, beta;
    float *scratch; /* [threads,K] */
} back;

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const back *b = arg;
    const int64_t K = b->e->cols;
    for (int64_t r = begin; r < end; r++) {
        float *dx = b->dx + r * K, *row = b->beta == 0 ? dx : b->scratch + worker * K;
        heed__entropy_back(b->e, row, r, 0, K);
        if (row != dx) b->e->k->math->add(dx, dx, row, K);
    }
}

static void cross_entropy_backward(heed_ctx *cx, const heed_node *n) {
    heed__entropy e = *(const heed__entropy *)n->saved;
    back b = { .e = &e };
    b.dx = heed__grad_beta(cx, n->src[0], &b.beta);
    if (!b.dx) return;
    e.d = e.norm > 0 ? *n->out->grad / e.norm : 0;
    b.scratch = heed__alloc(cx, heed_pool_threads(cx->pool) * e.cols, sizeof(float));
    if (b.scratch && e.rows) heed__parallel(cx, e.rows, 8 * e.cols, backward_range, &b);
}

static const heed_op cross_entropy_op = { .name = "cross_entropy",
                                          .backward = cross_entropy_backward };

heed_tensor *heed_cross_entropy(heed_ctx *cx, heed_tensor *logits, heed_tensor *labels,
                                const heed_cross_entropy_cfg *cfg) {
    if (!logits || !labels || !heed__has_rows(cx, &cross_entropy_op, logits)) return NULL;
    heed__entropy *e = heed__entropy_new(cx, &cross_entropy_op, logits, labels, cfg);
    heed_tensor *y = e ? heed_new(cx, HEED_F32, 0, NULL) : NULL;
    if (!y || !heed__entropy_loss(cx, e, y->data)) return NULL;
    return heed__record2(cx, &cross_entropy_op, y, logits, labels, e);
}
