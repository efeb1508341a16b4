/* attention_rows.c: one row on the general path, from its scores to its weights and back, in this
 * order (each step only where the config asks for it):
 *
 *   hide · divide by the row's deviation · by the temperature · soft-cap · bias, alibi, t5 ·
 *   log of the span's ramp · keep the top · Gumbel noise · weights · sink's share    -> p
 *   one-hot or Gaussian around a centre                                              -> a
 *   dropout                                                                          -> w
 */
#include "ops/attention_general.h"

#include <math.h>
#include <string.h>

#include "kernels/math.h"
#include "kernels/row.h"
#include "ops/attention_weights.h"

/* One row of a block: pointers to its first summed column, n columns, keys from s on. */
typedef struct line {
    const heed__general *g;
    heed__block *k;
    int64_t i, t, p, s, n;
    float *x, *plain, *pw, *a, *w, *dx;
    float *spare; /* [n] */
} line;

static line line_of(const heed__general *g, heed__block *k, int64_t i) {
    const int64_t at = i * k->ld + k->from[i];
    return (line){ .g = g,
                   .k = k,
                   .i = i,
                   .t = k->t0 + i,
                   .p = k->t0 + i + g->c.query_start,
                   .s = k->lo + k->from[i],
                   .n = k->end[i] - k->from[i],
                   .x = k->x + at,
                   .plain = k->plain + at,
                   .pw = k->p + at,
                   .a = k->a + at,
                   .w = k->w + at,
                   .dx = k->dx + at,
                   .spare = k->row };
}

static const float *data(const heed__general *g, int which) {
    return HEED_F32_DATA(g->src[which]);
}

/* A number of the row that random streams count by; 2^20 queries of 2^24 keys before it repeats. */
static uint64_t row_number(const line *l) {
    return (uint64_t)(l->k->b * l->g->H + l->k->h) << 20 | (uint64_t)l->t;
}

/* Where the row's random numbers begin: keys are counted from its origin on, in steps of 128. */
static int64_t random_at(const line *l) {
    int64_t begin, end;
    heed__general_valid(l->g, l->k->b, &begin, &end);
    const int64_t away = l->g->c.q_segments ? 0 : l->s - begin;
    return (int64_t)(row_number(l) << 24 | (uint64_t)away);
}

static float temperature(const line *l) {
    const heed_tensor *t = l->g->src[GENERAL_TEMPERATURE];
    return t ? HEED_F32_DATA(t)[t->len == 1 ? 0 : l->k->h] : 1;
}

/* -- positions and reach */

static int64_t distance_at(const line *l) { /* index of the row's first distance in positions[] */
    return l->s - l->p + l->g->T - 1 + l->g->c.query_start;
}

/* Adds to the scores; a hidden one stays so, whatever stands beside it: -inf + NaN is none. */
static void add_to_seen(const line *l, const float *more) {
    l->g->k->math->add(l->spare, l->x, more, l->n);
    for (int64_t j = 0; j < l->n; j++) l->x[j] = l->x[j] == -INFINITY ? l->x[j] : l->spare[j];
}

static void add_positions(const line *l) {
    const heed__general *g = l->g;
    const int64_t h = l->k->h;
    if (g->c.bias) add_to_seen(l, data(g, GENERAL_BIAS) + (h * g->T + l->t) * g->S + l->s);
    if (g->positions) add_to_seen(l, g->positions + h * (g->T + g->S) + distance_at(l));
}

static float ramp_of(const line *l) {
    return l->g->c.span_ramp > 0 ? l->g->c.span_ramp : 32;
}

/* clamp((R + z - |p - s|) / R, 0, 1) of column j. */
static float reach_at(const line *l, int64_t j) {
    const float ramp = ramp_of(l), z = data(l->g, GENERAL_SPAN)[l->k->h];
    const float away = fabsf((float)(l->p - l->s - j)), m = (ramp + z - away) / ramp;
    return m < 0 ? 0 : m > 1 ? 1 : m;
}

/* Weights multiplied by m and divided by their sum are the softmax of x + log m. */
static void add_span(const line *l) {
    for (int64_t j = 0; j < l->n; j++) l->spare[j] = reach_at(l, j);
    l->g->k->math->log(l->spare, l->spare, l->n);
    add_to_seen(l, l->spare);
}

static void span_grad(const line *l, float *dz) {
    double sum = 0;
    for (int64_t j = 0; j < l->n; j++) {
        const float m = reach_at(l, j);
        if (m > 0 && m < 1) sum += (double)l->dx[j] / m;
    }
    *dz += (float)(sum / ramp_of(l));
}

/* -- forward */

static void soft_cap(const line *l) {
    const float cap = l->g->c.softcap;
    for (int64_t j = 0; j < l->n; j++) l->spare[j] = l->x[j] / cap;
    l->g->k->math->tanh(l->spare, l->spare, l->n);
    for (int64_t j = 0; j < l->n; j++)
        if (l->x[j] > -INFINITY) l->x[j] = cap * l->spare[j];
}

static float gumbel_tau(const heed__general *g) {
    return g->c.gumbel_tau > 0 ? g->c.gumbel_tau : 1;
}

static void row_scores(const line *l) {
    const heed__general *g = l->g;
    const heed_attention_cfg *c = &g->c;
    const float tau = temperature(l);
    if (c->score_std) l->k->dev[l->i] = heed__scores_by_std(l->x, l->n);
    for (int64_t j = 0; c->temperature && j < l->n; j++) l->x[j] /= tau;
    if (g->keep_plain) memcpy(l->plain, l->x, (size_t)l->n * sizeof(float));
    if (c->softcap > 0) soft_cap(l);
    add_positions(l);
    if (c->span) add_span(l);
    if (c->weights == HEED_WEIGHTS_TOPK) heed__scores_keep_top(l->x, l->n, c->topk);
    if (c->weights != HEED_WEIGHTS_GUMBEL) return;
    const uint64_t where[3] = { g->seed, g->stream, (uint64_t)random_at(l) };
    if (g->train) heed__scores_add_gumbel(g->k, l->x, l->n, where, l->spare);
    for (int64_t j = 0; j < l->n; j++) l->x[j] /= gumbel_tau(g);
}

static void softmax_with_sink(const line *l, float sink) {
    const heed__general *g = l->g;
    float lse = g->k->row->softmax(l->pw, l->x, l->n), share[2];
    if (!(lse > -INFINITY)) return;
    share[0] = lse - sink, share[1] = sink - lse;
    g->k->math->sigmoid(share, share, 2);
    for (int64_t j = 0; j < l->n; j++) l->pw[j] *= share[0];
    l->k->sunk[l->i] = share[1];
}

static void row_weights(const line *l) {
    const heed__general *g = l->g;
    switch (g->c.weights) {
    case HEED_WEIGHTS_SPARSEMAX:
        heed__weights_sparsemax(l->pw, l->x, l->n);
        break;
    case HEED_WEIGHTS_ENTMAX15:
        heed__weights_entmax15(l->pw, l->x, l->n);
        break;
    case HEED_WEIGHTS_SIGMOID:
        heed__weights_sigmoid(g->k, l->pw, l->x, l->n);
        break;
    default:
        if (g->c.sinks)
            softmax_with_sink(l, data(g, GENERAL_SINKS)[l->k->h]);
        else
            heed__weights_softmax(g->k, l->pw, l->x, l->n);
    }
    const bool none = isnan(l->pw[0]);
    for (int64_t j = 0; none && j < l->n; j++) /* of a row that is NaN too, what it does not see */
        if (l->x[j] == -INFINITY) l->pw[j] = 0;
}

/* exp(-(s-c)² / (2σ²)), σ = local_width / 2, of every column. */
static void gaussian(const line *l, float *out) {
    const heed__general *g = l->g;
    const float c = data(g, GENERAL_CENTER)[l->k->b * g->T + l->t], sigma = g->c.local_width / 2;
    for (int64_t j = 0; j < l->n; j++) {
        const float z = ((float)(l->s + j) - c) / sigma;
        out[j] = -0.5f * z * z;
    }
    g->k->math->exp(out, out, l->n);
}

static void row_choice(const line *l) {
    const heed__general *g = l->g;
    const heed_attention_cfg *c = &g->c;
    if (c->local_center) {
        gaussian(l, l->spare);
        g->k->math->mul(l->a, l->pw, l->spare, l->n);
        for (int64_t j = 0; j < l->n; j++) /* of a center that is NaN too, what it does not see */
            l->a[j] = l->pw[j] == 0 ? 0 : l->a[j];
    } else if (c->weights == HEED_WEIGHTS_REINFORCE && g->train) {
        uint32_t bits[4];
        heed_philox(g->seed, g->stream, row_number(l), bits);
        heed__weights_draw(l->a, l->pw, l->n, (float)(bits[0] >> 8) * 0x1p-24f);
    } else if (l->a != l->pw) {
        heed__weights_argmax(l->a, l->x, l->n);
    }
}

static void drop(const line *l, float *y, const float *x) {
    const heed__general *g = l->g;
    const float p = g->c.dropout;
    g->k->math->dropout(y, x, l->n, g->seed, g->stream, random_at(l), (uint32_t)(p * 65536 + 0.5f),
                        1 / (1 - p), false);
}

void heed__general_rows(const heed__general *g, heed__block *k) {
    const size_t size = (size_t)(k->n * k->ld) * sizeof(float);
    memset(k->p, 0, size);
    if (k->a != k->p) memset(k->a, 0, size);
    if (k->w != k->a) memset(k->w, 0, size);
    for (int64_t i = 0; i < k->n; i++) {
        heed__general_hide(g, k, i);
        const line l = line_of(g, k, i);
        k->sunk[i] = 0;
        if (!l.n) continue;
        row_scores(&l);
        row_weights(&l);
        row_choice(&l);
        if (l.w != l.a) drop(&l, l.w, l.a);
    }
}

/* -- backward: dx turns from dL/dw into dL/da, dL/dp, dL/dx and the gradients before it */

static void choice_grad(const line *l, const heed__general_grads *to) {
    const heed__general *g = l->g;
    if (!g->c.local_center) return; /* one-hot: straight-through, dL/dp = dL/da */
    float *dc = heed__general_small(g, to, l->k, GENERAL_CENTER);
    const float c = data(g, GENERAL_CENTER)[l->k->b * g->T + l->t], sigma = g->c.local_width / 2;
    gaussian(l, l->spare);
    double sum = 0;
    for (int64_t j = 0; j < l->n; j++) {
        if (l->a[j] != 0) sum += (double)l->dx[j] * l->a[j] * ((float)(l->s + j) - c);
        l->dx[j] *= l->spare[j];
    }
    if (dc) dc[l->t] += (float)(sum / sigma / sigma);
}

static void sink_grad(const line *l, const heed__general_grads *to) {
    float *ds = heed__general_small(l->g, to, l->k, GENERAL_SINKS);
    double sum = 0; /* a value that weighs nothing has no part in it, NaN neither */
    for (int64_t j = 0; j < l->n; j++)
        if (l->pw[j] != 0) sum += (double)l->pw[j] * l->dx[j];
    for (int64_t j = 0; j < l->n; j++)
        l->dx[j] = l->pw[j] != 0 ? (float)(l->pw[j] * (l->dx[j] - sum)) : 0;
    if (ds) *ds -= (float)(l->k->sunk[l->i] * sum);
}

static void weights_grad(const line *l, const heed__general_grads *to) {
    switch (l->g->c.weights) {
    case HEED_WEIGHTS_SPARSEMAX:
        heed__weights_sparsemax_grad(l->dx, l->pw, l->dx, l->n);
        break;
    case HEED_WEIGHTS_ENTMAX15:
        heed__weights_entmax15_grad(l->dx, l->pw, l->dx, l->n);
        break;
    case HEED_WEIGHTS_SIGMOID:
        heed__weights_sigmoid_grad(l->dx, l->pw, l->dx, l->n);
        break;
    default:
        if (l->g->c.sinks)
            sink_grad(l, to);
        else
            heed__weights_softmax_grad(l->dx, l->pw, l->dx, l->n);
    }
}

static void positions_grad(const line *l, const heed__general_grads *to) {
    const heed__general *g = l->g;
    const int64_t h = l->k->h;
    float *dt5 = heed__general_small(g, to, l->k, GENERAL_T5), *db = to->to[GENERAL_BIAS];
    if (db) {
        db += (h * g->T + l->t) * g->S + l->s;
        g->k->math->add(db, db, l->dx, l->n);
    }
    const int32_t *bucket = g->bucket ? g->bucket + distance_at(l) : NULL;
    for (int64_t j = 0; dt5 && j < l->n; j++) dt5[bucket[j]] += l->dx[j];
}

static void scores_grad(const line *l, const heed__general_grads *to) {
    const heed__general *g = l->g;
    const heed_attention_cfg *c = &g->c;
    const float tau = temperature(l);
    float *dz = heed__general_small(g, to, l->k, GENERAL_SPAN);
    float *dtau = heed__general_small(g, to, l->k, GENERAL_TEMPERATURE);
    for (int64_t j = 0; c->weights == HEED_WEIGHTS_GUMBEL && j < l->n; j++)
        l->dx[j] /= gumbel_tau(g);
    if (dz) span_grad(l, dz);
    positions_grad(l, to);
    if (c->softcap > 0) {
        for (int64_t j = 0; j < l->n; j++) l->spare[j] = l->plain[j] / c->softcap;
        g->k->math->tanh(l->spare, l->spare, l->n);
        for (int64_t j = 0; j < l->n; j++) l->dx[j] *= 1 - l->spare[j] * l->spare[j];
    }
    double along = 0;
    for (int64_t j = 0; dtau && j < l->n; j++)
        if (l->plain[j] != -INFINITY) along += (double)l->dx[j] * l->plain[j];
    if (dtau) *dtau -= (float)(along / tau);
    for (int64_t j = 0; c->temperature && j < l->n; j++) l->dx[j] /= tau;
    if (!c->score_std) return;
    for (int64_t j = 0; j < l->n; j++) l->spare[j] = l->plain[j] * tau;
    heed__scores_by_std_grad(l->dx, l->spare, l->dx, l->n, l->k->dev[l->i]);
}

void heed__general_rows_grad(const heed__general *g, heed__block *k, const heed__general_grads *to,
                             heed__general_from from) {
    for (int64_t i = 0; i < k->n; i++) {
        const line l = line_of(g, k, i);
        float *dx = k->dx + i * k->ld;
        if (from == GENERAL_FROM_W && l.w != l.a && l.n) drop(&l, l.dx, l.dx);
        if (from != GENERAL_FROM_X && l.n) {
            choice_grad(&l, to);
            weights_grad(&l, to);
        }
        if (l.n) scores_grad(&l, to);
        for (int64_t j = 0; j < k->ld; j++)
            if (j < k->from[i] || j >= k->end[i]) dx[j] = 0;
    }
}
