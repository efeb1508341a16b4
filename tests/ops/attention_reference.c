/* attention_reference.c: see attention_reference.h. */
#include "attention_reference.h"

#include <math.h>
#include <stdlib.h>

static const double *head(const ref_attention *r, int which, int64_t row, int64_t h) {
    const int64_t heads = which == REF_Q ? r->H : r->Hk;
    const int64_t width = which == REF_Q ? r->D : which == REF_K ? r->Dk : r->Dv;
    return r->t[which] + (row * heads + h) * width;
}

static double dot(const double *x, const double *y, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* -- scores of one pair */

static double bilinear(const ref_attention *r, const double *q, const double *k, int64_t h) {
    double sum = 0;
    for (int64_t i = 0; i < r->D; i++)
        sum += q[i] * dot(r->t[REF_SCORE_W] + (h * r->D + i) * r->Dk, k, r->Dk);
    return sum;
}

static double additive(const ref_attention *r, const double *q, const double *k, int64_t h) {
    double sum = 0;
    for (int64_t i = 0; i < r->A; i++) {
        const double *wq = r->t[REF_SCORE_WQ], *wk = r->t[REF_SCORE_WK];
        const double a = wq ? dot(wq + (h * r->A + i) * r->D, q, r->D) : q[i];
        const double b = wk ? dot(wk + (h * r->A + i) * r->Dk, k, r->Dk) : k[i];
        sum += r->t[REF_SCORE_V][h * r->A + i] * tanh(a + b);
    }
    return sum;
}

static double relative(const ref_attention *r, const double *q, const double *k, int64_t h,
                       int64_t away) {
    const double *e = r->t[REF_RELATIVE] + (away * r->H + h) * r->D;
    double sum = 0;
    for (int64_t i = 0; i < r->D; i++) {
        const double u = r->t[REF_U] ? r->t[REF_U][h * r->D + i] : 0;
        const double v = r->t[REF_RV] ? r->t[REF_RV][h * r->D + i] : 0;
        sum += (q[i] + u) * k[i] + (q[i] + v) * e[i];
    }
    return sum;
}

static double score(const ref_attention *r, int64_t b, int64_t h, int64_t t, int64_t s) {
    const double *q = head(r, REF_Q, b * r->T + t, h);
    const double *k = head(r, REF_K, b * r->S + s, h / (r->H / r->Hk));
    const heed_attention_cfg *c = r->cfg;
    double scale = c->scale;
    if (scale == 0) scale = c->score == HEED_SCORE_SCALED_DOT ? 1 / sqrt((double)r->D) : 1;
    switch (c->score) {
    case HEED_SCORE_BILINEAR:
        return scale * bilinear(r, q, k, h);
    case HEED_SCORE_ADDITIVE:
        return scale * additive(r, q, k, h);
    case HEED_SCORE_COSINE:
        return scale * dot(q, k, r->D) / sqrt(dot(q, q, r->D) * dot(k, k, r->D));
    default:
        break;
    }
    if (c->relative) return scale * relative(r, q, k, h, t + c->query_start - s);
    return scale * dot(q, k, r->D);
}

/* -- who sees whom: a key must pass all that is set */

static bool in_pattern(const heed_attention_cfg *c, int64_t p, int64_t s, int64_t start) {
    const int64_t away = p - s;
    if (c->globals && (s - start < c->globals || (p >= start && p - start < c->globals)))
        return true;
    if (c->stride && away % c->stride == 0) return true;
    if (c->stride && !c->window && !c->block) return false;
    if (c->window && c->left >= 0 && s < p - c->left) return false;
    if (c->window && c->right >= 0 && s > p + c->right) return false;
    if (c->block && (p < start || (p - start) / c->block != (s - start) / c->block)) return false;
    return c->dilation <= 1 || away % c->dilation == 0;
}

bool ref_sees(const ref_attention *r, int64_t b, int64_t t, int64_t s) {
    const heed_attention_cfg *c = r->cfg;
    const int64_t p = t + c->query_start;
    const int64_t start = c->key_starts ? HEED_I32_DATA(c->key_starts)[b] : 0;
    int64_t last = c->key_lengths ? start + HEED_I32_DATA(c->key_lengths)[b] : r->S;
    if (s < start || s >= last || (c->causal && s > p)) return false;
    if (c->causal && p + 1 < last) last = p + 1;
    if (c->truncate && s < last - c->truncate) return false;
    if (c->q_segments) {
        const heed_tensor *k = c->k_segments ? c->k_segments : c->q_segments;
        if (HEED_I32_DATA(c->q_segments)[b * r->T + t] != HEED_I32_DATA(k)[b * r->S + s])
            return false;
    }
    if (c->mask) {
        const int64_t plane = c->mask->ndim == 3 ? b : 0;
        if (!HEED_U8_DATA(c->mask)[(plane * r->T + t) * r->S + s]) return false;
    }
    if (c->local_center && fabs((double)s - r->t[REF_CENTER][b * r->T + t]) > c->local_width)
        return false;
    return in_pattern(c, p, s, start);
}

/* -- positions.  The bucket is Raffel et al.'s, as their code has it. */

static int64_t bucket(const heed_attention_cfg *c, int64_t distance) {
    int64_t count = c->t5->shape[0], base = 0, n = -distance;
    const double far = c->t5_distance ? (double)c->t5_distance : 128;
    if (!c->t5_one_way) {
        count /= 2;
        if (n < 0) base = count;
        n = n < 0 ? -n : n;
    } else if (n < 0) {
        n = 0;
    }
    const int64_t exact = count / 2;
    if (n < exact) return base + n;
    const double part = log((double)n / (double)exact) / log(far / (double)exact);
    const int64_t large = exact + (int64_t)(part * (double)(count - exact) + 1e-9);
    return base + (large < count ? large : count - 1);
}

static double position(const ref_attention *r, int64_t h, int64_t t, int64_t s) {
    const heed_attention_cfg *c = r->cfg;
    const int64_t distance = s - t - c->query_start;
    double sum = 0;
    if (c->bias) sum += r->t[REF_BIAS][(h * r->T + t) * r->S + s];
    if (c->alibi)
        sum -= (double)HEED_F32_DATA(c->alibi)[h] * (double)(distance < 0 ? -distance : distance);
    if (c->t5) sum += r->t[REF_T5][bucket(c, distance) * r->H + h];
    return sum;
}

/* -- one row: scores to weights */

static double reach(const ref_attention *r, int64_t h, int64_t t, int64_t s) {
    const double ramp = r->cfg->span_ramp > 0 ? (double)r->cfg->span_ramp : 32;
    const double away = fabs((double)(t + r->cfg->query_start - s));
    return fmax(0, fmin(1, (ramp + r->t[REF_SPAN][h] - away) / ramp));
}

static void row_scores(const ref_attention *r, int64_t b, int64_t h, int64_t t, double *x) {
    const heed_attention_cfg *c = r->cfg;
    for (int64_t s = 0; s < r->S; s++)
        x[s] = ref_sees(r, b, t, s) && (!c->span || reach(r, h, t, s) > 0) ? score(r, b, h, t, s)
                                                                           : -INFINITY;
    if (c->score_std) ref_by_std(x, r->S);
    for (int64_t s = 0; s < r->S; s++) {
        if (!(x[s] > -INFINITY)) continue;
        if (c->temperature) x[s] /= r->t[REF_TEMPERATURE][r->temperatures == 1 ? 0 : h];
        if (c->softcap > 0) x[s] = (double)c->softcap * tanh(x[s] / (double)c->softcap);
        x[s] += position(r, h, t, s);
    }
    if (c->weights == HEED_WEIGHTS_TOPK) ref_keep_top(x, r->S, c->topk);
    for (int64_t s = 0; s < r->S && c->weights == HEED_WEIGHTS_GUMBEL && c->gumbel_tau > 0; s++)
        x[s] /= (double)c->gumbel_tau;
}

static void by_reach(const ref_attention *r, int64_t h, int64_t t, double *p) {
    double sum = 0;
    for (int64_t s = 0; s < r->S; s++) sum += p[s] *= reach(r, h, t, s);
    for (int64_t s = 0; s < r->S && sum > 0; s++) p[s] /= sum;
}

static void row_weights(const ref_attention *r, int64_t b, int64_t h, int64_t t, double *p) {
    const heed_attention_cfg *c = r->cfg;
    double *x = malloc((size_t)(r->S + 1) * sizeof *x);
    row_scores(r, b, h, t, x);
    switch (c->weights) {
    case HEED_WEIGHTS_SPARSEMAX:
        ref_sparsemax(p, x, r->S);
        break;
    case HEED_WEIGHTS_ENTMAX15:
        ref_entmax15(p, x, r->S);
        break;
    case HEED_WEIGHTS_SIGMOID:
        ref_sigmoid(p, x, r->S);
        break;
    default:
        ref_softmax(p, x, r->S, c->sinks ? r->t[REF_SINKS] + h : NULL);
    }
    if (c->span) by_reach(r, h, t, p);
    for (int64_t s = 0; c->local_center && s < r->S; s++) {
        const double sigma = (double)c->local_width / 2;
        p[s] *= exp(-0.5 * pow(((double)s - r->t[REF_CENTER][b * r->T + t]) / sigma, 2));
    }
    free(x);
}

void ref_attend(const ref_attention *r, double *weights, double *out) {
    double *p = malloc((size_t)(r->S + 1) * sizeof *p);
    for (int64_t row = 0; row < r->B * r->H * r->T; row++) {
        const int64_t b = row / r->T / r->H, h = row / r->T % r->H, t = row % r->T;
        row_weights(r, b, h, t, p);
        for (int64_t s = 0; s < r->S; s++) {
            if (weights) weights[row * r->S + s] = p[s];
            if (r->shift) p[s] += r->shift[row * r->S + s];
        }
        double *y = out ? out + ((b * r->T + t) * r->H + h) * r->Dv : NULL;
        for (int64_t i = 0; y && i < r->Dv; i++) {
            y[i] = 0;
            for (int64_t s = 0; s < r->S; s++)
                if (ref_sees(r, b, t, s))
                    y[i] += p[s] * head(r, REF_V, b * r->S + s, h / (r->H / r->Hk))[i];
        }
    }
    free(p);
}

/* -- penalties */

static double entropy(const ref_attention *r, const double *w) {
    double sum = 0, rows = 0;
    for (int64_t row = 0; row < r->B * r->H * r->T; row++) {
        double mass = 0;
        for (int64_t s = 0; s < r->S; s++) {
            const double a = w[row * r->S + s];
            mass += a;
            if (a > 0) sum -= a * log(a);
        }
        rows += mass > 0;
    }
    return rows > 0 ? sum / rows : 0;
}

static double diversity(const ref_attention *r, const double *w) {
    double sum = 0;
    for (int64_t i = 0; i < r->B * r->T * r->H * r->H; i++) {
        const int64_t b = i / (r->H * r->H) / r->T, t = i / (r->H * r->H) % r->T;
        const int64_t g = i / r->H % r->H, h = i % r->H;
        const double *x = w + ((b * r->H + g) * r->T + t) * r->S;
        const double *y = w + ((b * r->H + h) * r->T + t) * r->S;
        sum += pow(dot(x, y, r->S) - (g == h), 2);
    }
    return sum / (double)(r->B * r->T);
}

static double coverage(const ref_attention *r, const double *w) {
    double sum = 0;
    for (int64_t i = 0; i < r->B * r->H * r->S; i++) {
        const double *a = w + i / r->S * r->T * r->S + i % r->S;
        double before = 0;
        for (int64_t t = 0; t < r->T; t++) {
            sum += fmin(a[t * r->S], before);
            before += a[t * r->S];
        }
    }
    return sum / (double)(r->B * r->H * r->T);
}

double ref_penalty(const ref_attention *r, const double *weights) {
    switch (r->cfg->penalty) {
    case HEED_PENALTY_ENTROPY:
        return entropy(r, weights);
    case HEED_PENALTY_DIVERSITY:
        return diversity(r, weights);
    case HEED_PENALTY_COVERAGE:
        return coverage(r, weights);
    default:
        return 0;
    }
}
