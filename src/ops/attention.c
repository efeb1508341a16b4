/* attention.c: the attention operation: checks a call and hands it to the path that computes it;
 * and the small tables of positions that both paths use. */
#include <math.h>
#include <string.h>

#include "ops/attention_impl.h"

/* Keys that the queries of a call see in all, by the limits that are ranges. */
static double visible(const heed_attention_cfg *c, const heed_attention_dims *d) {
    double sum = 0;
    for (int64_t b = 0; b < d->B; b++) {
        const int64_t start = c->key_starts ? HEED_I32_DATA(c->key_starts)[b] : 0;
        const int64_t len = c->key_lengths ? HEED_I32_DATA(c->key_lengths)[b] : d->S - start;
        for (int64_t t = 0; t < d->T; t++) {
            const int64_t p = t + c->query_start;
            int64_t from = start, to = start + len;
            if (c->causal && to > p + 1) to = p + 1;
            if (c->truncate && from < to - c->truncate) from = to - c->truncate;
            if (c->window && c->left >= 0 && from < p - c->left) from = p - c->left;
            if (c->window && c->right >= 0 && to > p + c->right + 1) to = p + c->right + 1;
            if (to > from) sum += (double)(to - from);
        }
    }
    return sum;
}

void heed__attention_count(const heed_ctx *cx, const heed_attention_call *c) {
    if (!cx->flops) return;
    const heed_attention_dims *d = &c->d;
    const int64_t score = c->cfg.score_v ? c->cfg.score_v->shape[1] : d->Dk;
    double flops = 2.0 * (double)(d->H * (score + d->Dv)) * visible(&c->cfg, d);
    const double queries = 2.0 * (double)(d->B * d->T), keys = 2.0 * (double)(d->B * d->S);
    if (c->cfg.score_w) flops += queries * (double)c->cfg.score_w->len;
    if (c->cfg.score_wq) flops += queries * (double)c->cfg.score_wq->len;
    if (c->cfg.score_wk) flops += keys * (double)c->cfg.score_wk->len;
    heed__count(cx, NULL, "attention", flops);
}

heed_tensor *heed_attention(heed_ctx *cx, heed_tensor *q, heed_tensor *k, heed_tensor *v,
                            const heed_attention_cfg *cfg) {
    if (!cx || !q || !k || !v) return NULL;
    heed_attention_call c = { .q = q, .k = k, .v = v };
    if (cfg) c.cfg = *cfg;
    if (heed__attention_check(cx, q, k, v, &c.cfg, &c.d)) return NULL;
    if (c.cfg.tap && !heed__attention_tap_make(cx, c.cfg.tap, &c.d)) return NULL;
    if (c.cfg.more) *c.cfg.more = (heed_attention_more){ 0 };
    heed__attention_count(cx, &c);
    return c.d.fused ? heed__attention_fused(cx, &c) : heed__attention_general(cx, &c);
}

bool heed__attention_tap_make(heed_ctx *cx, heed_attention_tap *tap, const heed_attention_dims *d) {
    heed_tensor **const out[] = { &tap->row_weights, &tap->top_weights, &tap->top_keys,
                                  &tap->column, &tap->row_entropy };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) *out[i] = NULL;
    const int64_t rows[] = { d->B, d->H, tap->rows_len, d->S };
    const int64_t top[] = { d->B, d->H, d->T, tap->top_k };
    const int64_t column[] = { d->B, d->H, d->S };
    const int64_t entropy[] = { d->B, d->H, d->T };
    if (tap->rows_len && !(tap->row_weights = heed_zeros(cx, HEED_F32, 4, rows))) return false;
    if (tap->top_k) {
        tap->top_weights = heed_zeros(cx, HEED_F32, 4, top);
        tap->top_keys = heed_zeros(cx, HEED_I32, 4, top);
        if (!tap->top_weights || !tap->top_keys) return false;
        memset(tap->top_keys->data, 0xff, (size_t)tap->top_keys->len * sizeof(int32_t));
    }
    if (tap->column_mass && !(tap->column = heed_zeros(cx, HEED_F32, 3, column))) return false;
    if (tap->entropy && !(tap->row_entropy = heed_zeros(cx, HEED_F32, 3, entropy))) return false;
    return true;
}

/* A power of two at the largest 2^n <= heads, then every other slope of twice as many heads. All
 * slopes are powers of sqrt(sqrt(...2)), made by square roots alone, which are exactly rounded. */
static float alibi_slope(int64_t n, int64_t i) { /* 2^(-8 (i+1) / n), n a power of two */
    double root = 1.0 / 256;                     /* 2^(-8/n) by halving the exponent */
    double slope = 1;
    for (int64_t m = 1; m < n; m *= 2) root = sqrt(root);
    for (int64_t e = 0; e <= i; e++) slope *= root;
    return (float)slope;
}

void heed_alibi_slopes(int64_t heads, float *slopes) {
    int64_t n = 1;
    while (n * 2 <= heads) n *= 2;
    for (int64_t h = 0; h < heads; h++)
        slopes[h] = h < n ? alibi_slope(n, h) : alibi_slope(2 * n, 2 * (h - n));
}

/* The edges are exact · ratio^i, ratio = (farthest / exact)^(1/count), found by bisection and
 * compared with a margin that no rounding can blur: a logarithm would differ between machines. */
heed_t5 heed__t5_buckets(const heed_attention_cfg *cfg) {
    heed_t5 t = { .buckets = cfg->t5->shape[0] / (cfg->t5_one_way ? 1 : 2),
                  .farthest = cfg->t5_distance ? cfg->t5_distance : 128,
                  .one_way = cfg->t5_one_way };
    t.exact = t.buckets / 2;
    const double step = (double)t.farthest / (double)t.exact;
    double hi = step;
    t.ratio = 1;
    for (int n = 0; n < 64; n++) {
        const double mid = 0.5 * (t.ratio + hi);
        double power = 1;
        for (int64_t e = t.exact; e < t.buckets && power <= step; e++) power *= mid;
        *(power > step ? &hi : &t.ratio) = mid;
    }
    return t;
}

int64_t heed__t5_bucket(const heed_t5 *t, int64_t distance) {
    int64_t base = 0, n = -distance; /* n > 0: the key is earlier */
    if (n < 0) {
        base = t->one_way ? 0 : t->buckets;
        n = t->one_way ? 0 : -n;
    }
    if (n < t->exact) return base + n;
    if (n >= t->farthest) return base + t->buckets - 1;
    int64_t i = t->exact;
    double edge = (double)t->exact * t->ratio;
    for (; i < t->buckets - 1 && edge <= (double)n * (1 + 1e-9); i++) edge *= t->ratio;
    return base + i;
}

void heed__attention_relative(const heed_attention_cfg *cfg, int64_t head, int64_t first, int64_t n,
                              float *out) {
    const heed_t5 t5 = cfg->t5 ? heed__t5_buckets(cfg) : (heed_t5){ 0 };
    const float slope = cfg->alibi ? HEED_F32_DATA(cfg->alibi)[head] : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        const int64_t distance = first + i;
        out[i] = -slope * (float)(distance < 0 ? -distance : distance);
        if (!cfg->t5) continue;
        const int64_t b = heed__t5_bucket(&t5, distance);
        out[i] += HEED_F32_DATA(cfg->t5)[b * cfg->t5->shape[1] + head];
    }
}
