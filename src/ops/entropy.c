/* entropy.c: see entropy.h. The formulas are in cross_entropy.c. */
#include "ops/entropy.h"

#include "ops/fill.h"
#include "ops/rows.h"

#include <math.h>
#include <string.h>

static bool counts(const heed__entropy *e, int64_t r) {
    return !(e->cfg.use_ignore && e->label[r] == e->cfg.ignore);
}

/* Σⱼ wⱼ·(log_sum − (xⱼ − top)) / K */
static float smooth_part(const heed__entropy *e, const float *x, int64_t r, float *room) {
    const float k = (float)e->cols;
    e->k->math->axpby(room, 1, x, -e->top[r], e->cols);
    if (!e->weight) return e->log_sum[r] - e->k->row->sum(room, e->cols) / k;
    return (e->log_sum[r] * e->weight_sum - e->k->row->dot(e->weight, room, e->cols)) / k;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const heed__entropy *e = arg;
    const float eps = e->cfg.smoothing;
    float *room = e->scratch ? e->scratch + worker * e->cols : NULL;
    for (int64_t r = begin; r < end; r++) {
        const float *x = e->x + r * e->cols;
        e->loss[r] = e->s[r] = e->t[r] = e->top[r] = e->log_sum[r] = 0;
        if (!counts(e, r)) continue;
        const float w = e->weight ? e->weight[e->label[r]] : 1;
        e->top[r] = e->k->row->max(x, e->cols);
        e->log_sum[r] = e->top[r] > -INFINITY ? e->k->row->log_sum(x, e->top[r], e->cols) : 0;
        const float nll = e->log_sum[r] - (x[e->label[r]] - e->top[r]);
        e->t[r] = (1 - eps) * w;
        e->s[r] = e->t[r];
        e->loss[r] = e->t[r] * nll;
        if (eps == 0) continue;
        e->s[r] += eps * (e->weight ? e->weight_sum / (float)e->cols : 1);
        e->loss[r] += eps * smooth_part(e, x, r, room);
    }
}

/* Turns loss = w·L, s = t = w into those of the focal loss, all rows at once. */
static bool make_focal(heed_ctx *cx, const heed__entropy *e) {
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

/* Adds -ε·d/K·w to n columns from `col` on. */
static void smooth_back(const heed__entropy *e, float *to, int64_t col, int64_t n) {
    const float over = -e->d * e->cfg.smoothing / (float)e->cols;
    if (over == 0) return;
    if (e->weight)
        e->k->math->axpy(to, over, e->weight + col, n);
    else
        e->k->math->axpby(to, 1, to, over, n);
}

void heed__entropy_back(const heed__entropy *e, float *to, int64_t row, int64_t col, int64_t n) {
    const int64_t label = e->label[row] - col;
    if (!counts(e, row)) {
        memset(to, 0, (size_t)n * sizeof *to);
        return;
    }
    e->k->row->exp_sub_scale(to, e->x + row * e->cols + col, e->top[row], e->log_sum[row],
                             e->d * e->s[row], n);
    if (label >= 0 && label < n) to[label] -= e->d * e->t[row];
    smooth_back(e, to, col, n);
}

static bool cfg_fits(heed_ctx *cx, const heed_op *op, const heed_cross_entropy_cfg *cfg) {
    if (!(cfg->smoothing >= 0 && cfg->smoothing <= 1)) {
        heed_fail(cx, HEED_EINVALID, "%s: smoothing = %g is not within 0..1", op->name,
                  (double)cfg->smoothing);
        return false;
    }
    if (!(cfg->focal_gamma >= 0 && cfg->focal_gamma < 1e6F)) {
        heed_fail(cx, HEED_EINVALID, "%s: focal_gamma = %g is negative or no number", op->name,
                  (double)cfg->focal_gamma);
        return false;
    }
    if (!(cfg->focal_gamma > 0 && cfg->smoothing > 0)) return true;
    heed_fail(cx, HEED_EUNSUPPORTED, "%s: focal_gamma and smoothing do not go together", op->name);
    return false;
}

static bool labels_fit(heed_ctx *cx, const heed_op *op, const heed_tensor *logits,
                       const heed_tensor *labels, const heed_cross_entropy_cfg *cfg) {
    char tx[96], tl[96];
    bool same = labels->ndim == logits->ndim - 1;
    for (int d = 0; same && d < labels->ndim; d++) same = labels->shape[d] == logits->shape[d];
    if (!same) {
        heed_fail(cx, HEED_ESHAPE, "%s: labels %s are not one for each row of logits %s", op->name,
                  heed_shape_text(labels, tl), heed_shape_text(logits, tx));
        return false;
    }
    const int32_t *label = labels->data;
    for (int64_t r = 0; r < labels->len; r++) {
        if (cfg->use_ignore && label[r] == cfg->ignore) continue;
        if (label[r] >= 0 && label[r] < heed__cols(logits)) continue;
        heed_fail(cx, HEED_EINVALID, "%s: label %d of row %lld is not within 0..%lld", op->name,
                  (int)label[r], (long long)r, (long long)heed__cols(logits) - 1);
        return false;
    }
    return true;
}

/* Room for everything that rows keep, and the weights' copy. */
static bool make_room(heed_ctx *cx, const heed_op *op, heed__entropy *e) {
    float *rows = heed__alloc(cx, e->rows, 5 * sizeof *rows);
    float *weight = e->cfg.class_weight ? heed__alloc(cx, e->cols, sizeof *weight) : NULL;
    if (!rows || (e->cfg.class_weight && !weight)) return false;
    e->loss = rows;
    e->top = rows + e->rows;
    e->s = rows + 2 * e->rows;
    e->t = rows + 3 * e->rows;
    e->log_sum = rows + 4 * e->rows;
    e->weight = weight;
    if (!weight) return true;
    memcpy(weight, e->cfg.class_weight, (size_t)e->cols * sizeof *weight);
    for (int64_t j = 0; j < e->cols; j++)
        if (!(weight[j] >= 0 && weight[j] < 1e30F)) {
            heed_fail(cx, HEED_EINVALID, "%s: weight %g of class %lld is no weight", op->name,
                      (double)weight[j], (long long)j);
            return false;
        }
    e->weight_sum = e->k->row->sum(weight, e->cols);
    return true;
}

/* *loss, and norm = Σ w over the rows that count. */
static bool reduce(heed_ctx *cx, heed__entropy *e, float *loss) {
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

heed__entropy *heed__entropy_new(heed_ctx *cx, const heed_op *op, const heed_tensor *logits,
                                 const heed_tensor *labels, const heed_cross_entropy_cfg *cfg) {
    const heed_cross_entropy_cfg none = { 0 };
    if (!cfg) cfg = &none;
    if (!heed__is_dtype(cx, op, "labels", labels, HEED_I32) || !cfg_fits(cx, op, cfg) ||
        !labels_fit(cx, op, logits, labels, cfg))
        return NULL;
    heed__entropy *e = heed__alloc(cx, 1, sizeof *e);
    if (!e) return NULL;
    *e = (heed__entropy){ .k = cx->k, .x = logits->data, .label = labels->data, .cfg = *cfg };
    e->rows = labels->len;
    e->cols = heed__cols(logits);
    return make_room(cx, op, e) ? e : NULL;
}

bool heed__entropy_loss(heed_ctx *cx, heed__entropy *e, float *loss) {
    if (e->cfg.smoothing > 0 && e->cols) {
        e->scratch = heed__temp(cx, heed_pool_threads(cx->pool) * e->cols, sizeof(float));
        if (!e->scratch) return false;
    }
    if (e->cols) heed__parallel(cx, e->rows, 8 * e->cols, forward_range, e);
    if (e->scratch) heed__temp_end(cx, e->scratch);
    if (e->cfg.focal_gamma > 0 && !make_focal(cx, e)) return false;
    return reduce(cx, e, loss);
}
