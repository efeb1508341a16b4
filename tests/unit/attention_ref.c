/* attention_ref.c: attention as its formula says, in double. */
#include "unit/attention_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool ref_visible(const ref_call *c, int64_t b, int64_t t, int64_t s) {
    const heed_attention_cfg *g = c->cfg;
    const int64_t p = t + g->query_start;
    const int64_t start = g->key_starts ? HEED_I32_DATA(g->key_starts)[b] : 0;
    int64_t end = g->key_lengths ? start + HEED_I32_DATA(g->key_lengths)[b] : c->S;
    if (g->q_segments) { /* the last n keys are those of the segment */
        const int32_t id = HEED_I32_DATA(g->q_segments)[b * c->T + t];
        const heed_tensor *ks = g->k_segments ? g->k_segments : g->q_segments;
        while (end > start && HEED_I32_DATA(ks)[b * c->S + end - 1] != id) end--;
        if (HEED_I32_DATA(ks)[b * c->S + s] != id) return false;
    }
    if (g->causal && end > p + 1) end = p + 1;
    if (s < start || s >= end) return false;
    if (g->truncate && s < end - g->truncate) return false;
    if (g->window && g->left >= 0 && s < p - g->left) return false;
    if (g->window && g->right >= 0 && s > p + g->right) return false;
    if (!g->mask) return true;
    return HEED_U8_DATA(g->mask)[((g->mask->ndim == 3 ? b : 0) * c->T + t) * c->S + s] != 0;
}

/* HF's T5 formula, with logarithms. */
static int64_t bucket(int64_t distance, int64_t buckets, int64_t max, bool one_way) {
    int64_t base = 0, n = -distance;
    if (!one_way) {
        buckets /= 2;
        if (distance > 0) base = buckets;
        n = llabs(n);
    } else {
        n = n > 0 ? n : 0;
    }
    const int64_t exact = buckets / 2;
    if (n < exact) return base + n;
    const double at = log((double)n / (double)exact) / log((double)max / (double)exact);
    const int64_t i = exact + (int64_t)(at * (double)(buckets - exact) + 1e-9);
    return base + (i < buckets - 1 ? i : buckets - 1);
}

typedef struct Row { /* one query */
    double *logit, *p, *slope;
    double *q, *k; /* q [D], k [S,D]: unit length for cosine */
} Row;

static double scale_of(const ref_call *c, int64_t h) {
    const heed_attention_cfg *g = c->cfg;
    double s = g->scale != 0                       ? (double)g->scale
               : g->score == HEED_SCORE_SCALED_DOT ? 1 / sqrt((double)c->D)
                                                   : 1;
    if (g->temperature)
        s /= (double)HEED_F32_DATA(g->temperature)[g->temperature->len == 1 ? 0 : h];
    return s;
}

static double norm(const float *x, int64_t n) {
    double s = 0;
    for (int64_t i = 0; i < n; i++) s += (double)x[i] * (double)x[i];
    return s > 0 ? sqrt(s) : INFINITY;
}

static const float *q_row(const ref_call *c, int64_t b, int64_t t, int64_t h) {
    return c->q + ((b * c->T + t) * c->H + h) * c->D;
}
static int64_t k_at(const ref_call *c, int64_t b, int64_t s, int64_t h) {
    return (b * c->S + s) * c->Hk + h / (c->H / c->Hk);
}

static double position(const ref_call *c, int64_t h, int64_t t, int64_t s) {
    const heed_attention_cfg *g = c->cfg;
    const int64_t d = s - t - g->query_start, max = g->t5_distance ? g->t5_distance : 128;
    double x = 0;
    if (g->bias) x += (double)HEED_F32_DATA(g->bias)[(h * c->T + t) * c->S + s];
    if (g->alibi) x -= (double)HEED_F32_DATA(g->alibi)[h] * (double)llabs(d);
    if (g->t5)
        x += (double)HEED_F32_DATA(
            g->t5)[bucket(d, g->t5->shape[0], max, g->t5_one_way) * c->H + h];
    return x;
}

static void one_row(const ref_call *c, int64_t b, int64_t h, int64_t t, Row *r) {
    const heed_attention_cfg *g = c->cfg;
    const double scale = scale_of(c, h);
    const float *q = q_row(c, b, t, h);
    const double qn = g->score == HEED_SCORE_COSINE ? norm(q, c->D) : 1;
    double max = -INFINITY, sum = 0;
    double dot[512] = { 0 };
    for (int64_t s = 0; s < c->S; s++) {
        if (!ref_visible(c, b, t, s)) continue;
        const float *k = c->k + k_at(c, b, s, h) * c->D;
        const double kn = g->score == HEED_SCORE_COSINE ? norm(k, c->D) : 1;
        for (int64_t i = 0; i < c->D; i++) dot[s] += (double)q[i] * (double)k[i] / qn / kn;
        double x = dot[s] * scale;
        r->slope[s] = 1;
        if (g->softcap > 0) {
            const double y = tanh(x / (double)g->softcap);
            x = (double)g->softcap * y, r->slope[s] = 1 - y * y;
        }
        r->logit[s] = x + position(c, h, t, s);
        if (r->logit[s] > max) max = r->logit[s];
    }
    const double sink = g->sinks ? (double)HEED_F32_DATA(g->sinks)[h] : -INFINITY;
    if (sink > max) max = sink;
    for (int64_t s = 0; s < c->S; s++) {
        r->p[s] = ref_visible(c, b, t, s) ? exp(r->logit[s] - max) : 0;
        sum += r->p[s];
    }
    const double of_sink = sink > -INFINITY ? exp(sink - max) : 0;
    sum += of_sink;
    double *out = c->out + ((b * c->T + t) * c->H + h) * c->Dv, delta = 0;
    for (int64_t s = 0; s < c->S; s++) {
        if (sum > 0) r->p[s] /= sum;
        const float *v = c->v + k_at(c, b, s, h) * c->Dv;
        for (int64_t i = 0; r->p[s] > 0 && i < c->Dv; i++) out[i] += r->p[s] * (double)v[i];
    }
    if (!c->dq) return;
    const float *dy = c->dout + ((b * c->T + t) * c->H + h) * c->Dv;
    for (int64_t i = 0; i < c->Dv; i++) delta += (double)dy[i] * out[i];
    if (c->dsinks && sum > 0) c->dsinks[h] -= of_sink / sum * delta;
    for (int64_t s = 0; s < c->S; s++) {
        if (!ref_visible(c, b, t, s)) continue;
        const float *v = c->v + k_at(c, b, s, h) * c->Dv, *k = c->k + k_at(c, b, s, h) * c->D;
        double *dk = c->dk + k_at(c, b, s, h) * c->D, *dv = c->dv + k_at(c, b, s, h) * c->Dv;
        double *dq = c->dq + (q - c->q), dp = 0;
        for (int64_t i = 0; i < c->Dv; i++) dp += (double)dy[i] * (double)v[i];
        for (int64_t i = 0; i < c->Dv; i++) dv[i] += r->p[s] * (double)dy[i];
        double ds = r->p[s] * (dp - delta);
        if (c->dbias) c->dbias[(h * c->T + t) * c->S + s] += ds;
        if (c->dt5)
            c->dt5[bucket(s - t - g->query_start, g->t5->shape[0],
                          g->t5_distance ? g->t5_distance : 128, g->t5_one_way) *
                       c->H +
                   h] += ds;
        ds *= r->slope[s];
        if (c->dtau) {
            const int64_t i = g->temperature->len == 1 ? 0 : h;
            c->dtau[i] -= ds * dot[s] * scale / (double)HEED_F32_DATA(g->temperature)[i];
        }
        const double kn = g->score == HEED_SCORE_COSINE ? norm(k, c->D) : 1;
        const double own = g->score == HEED_SCORE_COSINE ? dot[s] : 0;
        for (int64_t i = 0; i < c->D; i++) {
            const double qi = (double)q[i] / qn, ki = (double)k[i] / kn;
            dq[i] += ds * scale * (ki - qi * own) / qn;
            dk[i] += ds * scale * (qi - ki * own) / kn;
        }
    }
}

void ref_attention(const ref_call *c) {
    Row r = { .logit = calloc((size_t)c->S + 1, sizeof(double)),
              .p = calloc((size_t)c->S + 1, sizeof(double)),
              .slope = calloc((size_t)c->S + 1, sizeof(double)) };
    for (int64_t b = 0; b < c->B; b++)
        for (int64_t h = 0; h < c->H; h++)
            for (int64_t t = 0; t < c->T; t++) one_row(c, b, h, t, &r);
    free(r.logit), free(r.p), free(r.slope);
}
