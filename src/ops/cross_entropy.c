/* cross_entropy.c: cross-entropy from logits, fused with softmax.   logits [..,K], labels I32 [..]
 *
 *   forward    Lᵣ = −log pᵣ[labelᵣ],  log pᵣ = xᵣ − lseᵣ,  lseᵣ = log Σⱼ exp xᵣⱼ;   w: class
 * weights loss = Σᵣ w·Lᵣ / Σᵣ w                         over the rows that count smoothing ε: w·Lᵣ
 * becomes (1−ε)·w·Lᵣ + ε/K · Σⱼ wⱼ·(−log pᵣⱼ)     (as PyTorch has it) focal γ:       w·Lᵣ becomes
 * w·(1−p)^γ·Lᵣ backward   dxᵣⱼ += d · ( sᵣ·pᵣⱼ − tᵣ·[j = labelᵣ] − ε/K·wⱼ ),   d = dloss / Σ w
 *              plain:      s = t = w
 *              smoothing:  t = (1−ε)·w,  s = t + ε/K·Σⱼ wⱼ
 *              focal:      s = t = w·(1−p)^γ·(1 + γ·p·Lᵣ/(1−p))
 *
 * One lse, s and t are kept for each row and p is made again, so no [..,K] buffer but the gradient.
 */
#include "ops/fill.h"
#include "ops/rows.h"

#include <string.h>

typedef struct entropy {
    const heed_kernels *k;
    const float *x;
    const int32_t *label;
    int64_t rows, cols;
    float *loss, *lse, *s, *t; /* [rows] each */
    float *scratch;            /* backward: [threads,K] */
    heed_cross_entropy_cfg cfg;
    const float *weight; /* [K] or NULL; a copy */
    float weight_sum;    /* Σⱼ wⱼ */
    float *dx, beta, d;  /* backward; d = dloss / Σ w */
    float norm;          /* Σ w, 0 where nothing counts */
} entropy;

static bool counts(const entropy *e, int64_t r) {
    return !(e->cfg.use_ignore && e->label[r] == e->cfg.ignore);
}

/* Σⱼ wⱼ·(lse − xⱼ) / K */
static float smooth_part(const entropy *e, const float *x, float lse) {
    const float k = (float)e->cols;
    if (!e->weight) return lse - e->k->row->sum(x, e->cols) / k;
    return (lse * e->weight_sum - e->k->row->dot(e->weight, x, e->cols)) / k;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy *e = arg;
    const float eps = e->cfg.smoothing;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = e->x + r * e->cols;
        e->loss[r] = e->s[r] = e->t[r] = e->lse[r] = 0;
        if (!counts(e, r)) continue;
        const float w = e->weight ? e->weight[e->label[r]] : 1;
        const float lse = e->k->row->log_sum_exp(x, e->cols);
        const float nll = lse - x[e->label[r]];
        e->lse[r] = lse;
        e->t[r] = (1 - eps) * w;
        e->s[r] = e->t[r];
        e->loss[r] = e->t[r] * nll;
        if (eps == 0) continue;
        e->s[r] += eps * (e->weight ? e->weight_sum / (float)e->cols : 1);
        e->loss[r] += eps * smooth_part(e, x, lse);
    }
}

/* Turns loss = w·L, s = t = w into those of the focal loss, all rows at once. */
static bool make_focal(heed_ctx *cx, const entropy *e) {
    const heed_math_kernels *k = e->k->math;
    const float gamma = e->cfg.focal_gamma, least = 0x1p-24F;
    float *p = heed__temp(cx, 2 * e->rows, sizeof *p), *q = p ? p + e->rows : NULL;
    if (!p) return false;
    for (int64_t r = 0; r < e->rows; r++) p[r] = e->t[r] > 0 ? -e->loss[r] / e->t[r] : 0;
    k->exp(p, p, e->rows);
    for (int64_t r = 0; r < e->rows; r++) q[r] = 1 - p[r] > least ? 1 - p[r] : least;
    for (int64_t r = 0; r < e->rows; r++)
        e->s[r] = e->t[r] > 0 ? gamma * p[r] * (e->loss[r] / e->t[r]) / q[r] : 0;
    k->log(q, q, e->rows);
    for (int64_t r = 0; r < e->rows; r++) q[r] *= gamma;
    k->exp(q, q, e->rows); /* (1-p)^γ */
    for (int64_t r = 0; r < e->rows; r++) {
        e->t[r] *= q[r] * (1 + e->s[r]);
        e->s[r] = e->t[r];
        e->loss[r] *= q[r];
    }
    heed__temp_end(cx, p);
    return true;
}

static void backward_row(const entropy *e, float *to, int64_t r) {
    const float *x = e->x + r * e->cols;
    const float over = -e->d * e->cfg.smoothing / (float)e->cols;
    e->k->row->exp_sub_scale(to, x, e->lse[r], e->d * e->s[r], e->cols);
    to[e->label[r]] -= e->d * e->t[r];
    if (over == 0) return;
    if (e->weight)
        e->k->math->axpy(to, over, e->weight, e->cols);
    else
        e->k->math->axpby(to, 1, to, over, e->cols);
}

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy *e = arg;
    for (int64_t r = begin; r < end; r++) {
        float *dx = e->dx + r * e->cols;
        if (!counts(e, r)) {
            if (e->beta == 0) memset(dx, 0, (size_t)e->cols * sizeof *dx);
            continue;
        }
        if (e->beta == 0) {
            backward_row(e, dx, r);
            continue;
        }
        float *row = e->scratch + worker * e->cols;
        backward_row(e, row, r);
        e->k->math->add(dx, dx, row, e->cols);
    }
}

static void cross_entropy_backward(heed_ctx *cx, const heed_node *n) {
    entropy e = *(const entropy *)n->saved;
    e.dx = heed__grad_beta(cx, n->src[0], &e.beta);
    if (!e.dx) return;
    e.d = e.norm > 0 ? *n->out->grad / e.norm : 0;
    e.scratch = heed__alloc(cx, heed_pool_threads(cx->pool) * e.cols, sizeof(float));
    if (e.scratch && e.rows) heed__parallel(cx, e.rows, 8 * e.cols, backward_range, &e);
}

static const heed_op cross_entropy_op = { .name = "cross_entropy",
                                          .backward = cross_entropy_backward };

static bool cfg_fits(heed_ctx *cx, const heed_cross_entropy_cfg *cfg) {
    if (!(cfg->smoothing >= 0 && cfg->smoothing <= 1)) {
        heed_fail(cx, HEED_EINVALID, "cross_entropy: smoothing = %g is not within 0..1",
                  (double)cfg->smoothing);
        return false;
    }
    if (!(cfg->focal_gamma >= 0 && cfg->focal_gamma < 1e6F)) {
        heed_fail(cx, HEED_EINVALID, "cross_entropy: focal_gamma = %g is negative or no number",
                  (double)cfg->focal_gamma);
        return false;
    }
    if (!(cfg->focal_gamma > 0 && cfg->smoothing > 0)) return true;
    heed_fail(cx, HEED_EUNSUPPORTED, "cross_entropy: focal_gamma and smoothing do not go together");
    return false;
}

static bool labels_fit(heed_ctx *cx, const heed_tensor *logits, const heed_tensor *labels,
                       const heed_cross_entropy_cfg *cfg) {
    char tx[96], tl[96];
    bool same = labels->ndim == logits->ndim - 1;
    for (int d = 0; same && d < labels->ndim; d++) same = labels->shape[d] == logits->shape[d];
    if (!same) {
        heed_fail(cx, HEED_ESHAPE, "cross_entropy: labels %s are not one for each row of logits %s",
                  heed_shape_text(labels, tl), heed_shape_text(logits, tx));
        return false;
    }
    const int32_t *label = labels->data;
    for (int64_t r = 0; r < labels->len; r++) {
        if (cfg->use_ignore && label[r] == cfg->ignore) continue;
        if (label[r] >= 0 && label[r] < heed__cols(logits)) continue;
        heed_fail(cx, HEED_EINVALID, "cross_entropy: label %d of row %lld is not within 0..%lld",
                  (int)label[r], (long long)r, (long long)heed__cols(logits) - 1);
        return false;
    }
    return true;
}

/* Room for everything that rows keep, and the weights' copy. */
static bool make_room(heed_ctx *cx, entropy *e) {
    float *rows = heed__alloc(cx, e->rows, 4 * sizeof *rows);
    float *weight = e->cfg.class_weight ? heed__alloc(cx, e->cols, sizeof *weight) : NULL;
    if (!rows || (e->cfg.class_weight && !weight)) return false;
    e->loss = rows;
    e->lse = rows + e->rows;
    e->s = rows + 2 * e->rows;
    e->t = rows + 3 * e->rows;
    e->weight = weight;
    if (!weight) return true;
    memcpy(weight, e->cfg.class_weight, (size_t)e->cols * sizeof *weight);
    for (int64_t j = 0; j < e->cols; j++)
        if (!(weight[j] >= 0 && weight[j] < 1e30F)) {
            heed_fail(cx, HEED_EINVALID, "cross_entropy: weight %g of class %lld is no weight",
                      (double)weight[j], (long long)j);
            return false;
        }
    e->weight_sum = e->k->row->sum(weight, e->cols);
    return true;
}

/* *loss, and norm = Σ w over the rows that count. */
static bool reduce(heed_ctx *cx, entropy *e, float *loss) {
    float *w = heed__temp(cx, e->rows, sizeof *w);
    if (!w) return false;
    for (int64_t r = 0; r < e->rows; r++)
        w[r] = !counts(e, r) ? 0 : e->weight ? e->weight[e->label[r]] : 1;
    if (!heed__total(cx, &e->norm, w, e->rows) || !heed__total(cx, loss, e->loss, e->rows))
        return false;
    heed__temp_end(cx, w);
    *loss = e->norm > 0 ? *loss / e->norm : 0;
    return true;
}

heed_tensor *heed_cross_entropy(heed_ctx *cx, heed_tensor *logits, heed_tensor *labels,
                                const heed_cross_entropy_cfg *cfg) {
    const heed_cross_entropy_cfg none = { 0 };
    if (!cfg) cfg = &none;
    if (!logits || !labels || !heed__has_rows(cx, &cross_entropy_op, logits) ||
        !heed__is_dtype(cx, &cross_entropy_op, "labels", labels, HEED_I32) || !cfg_fits(cx, cfg) ||
        !labels_fit(cx, logits, labels, cfg))
        return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    entropy *e = y ? heed__alloc(cx, 1, sizeof *e) : NULL;
    if (!e) return NULL;
    *e = (entropy){ .k = cx->k, .x = logits->data, .label = labels->data, .cfg = *cfg };
    e->rows = labels->len;
    e->cols = heed__cols(logits);
    if (!make_room(cx, e)) return NULL;
    if (e->cols) heed__parallel(cx, e->rows, 8 * e->cols, forward_range, e);
    if (cfg->focal_gamma > 0 && !make_focal(cx, e)) return NULL;
    if (!reduce(cx, e, y->data)) return NULL;
    return heed__record2(cx, &cross_entropy_op, y, logits, labels, e);
}
