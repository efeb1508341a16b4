/* attention_scores.c: the scores of a block of queries on the general path, and their gradients.
 *
 *   dot         x_ts = scale · q_t·k_s
 *   relative    x_ts = scale · ((q_t + u)·k_s + (q_t + v)·r_{p_t-s})
 *   additive    x_ts = scale · vᵀ tanh(q_t + k_s)
 *
 * Bilinear and cosine scores come here as dots of queries and keys that are made before.
 */
#include "ops/attention_general.h"

#include <float.h>
#include <string.h>

#include "kernels/attn_run.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "ops/attention_product.h"

enum { KEYS_AT_ONCE = 16 };

static float *data(const heed__general *g, int which) {
    return g->src[which] ? HEED_F32_DATA(g->src[which]) : NULL;
}

static const float *query(const heed__general *g, const heed__block *k) {
    return data(g, GENERAL_Q) + ((k->b * g->T + k->t0) * g->H + k->h) * g->D;
}

/* Offset of key s of the block's head, in keys or in their gradient. */
static int64_t key_at(const heed__general *g, const heed__block *k, int64_t s) {
    return ((k->b * g->S + s) * g->Hk + k->h / (g->H / g->Hk)) * g->D;
}

int64_t heed__general_head_room(const heed__general *g) {
    return (3 * GENERAL_BLOCK + KEYS_AT_ONCE) * g->D;
}

/* The block's queries packed, plus a vector of the head where there is one. */
static void shifted(const heed__general *g, const heed__block *k, int which, float *out) {
    const float *q = query(g, k), *add = data(g, which);
    for (int64_t i = 0; i < k->n; i++) {
        const float *from = q + i * g->H * g->D;
        if (add)
            g->k->math->add(out + i * g->D, from, add + k->h * g->D, g->D);
        else
            memcpy(out + i * g->D, from, (size_t)g->D * sizeof(float));
    }
}

/* The same for sums over queries: zeros in place of one that is not finite, whose dx is 0 for what
 * it does not see, and NaN for what it sees, or 0 where the weights are flat or scores -inf. */
static void shifted_sound(const heed__general *g, const heed__block *k, int which, float *out) {
    shifted(g, k, which, out);
    heed__attn_leave_out(g->k, out, g->D, k->n, g->D, FLT_MAX);
}

/* -- relative: distances first..first+count-1 are those of the block, as far as r goes */
typedef struct distances {
    int64_t first, count, ld;
    const float *r; /* of the first, H·D apart */
} distances;

static distances distances_of(const heed__general *g, const heed__block *k) {
    const int64_t p = k->t0 + g->c.query_start, L = g->src[GENERAL_RELATIVE]->shape[0];
    distances d = { .first = p - (k->hi - 1) };
    if (d.first < 0) d.first = 0;
    int64_t last = p + k->n - 1 - k->lo;
    if (last > L - 1) last = L - 1;
    d.count = last < d.first ? 0 : last - d.first + 1;
    d.ld = (g->S + GENERAL_BLOCK + 15) / 16 * 16;
    d.r = data(g, GENERAL_RELATIVE) + (d.first * g->H + k->h) * g->D;
    return d;
}

/* Column of far[] for (row i, column j) of the block, or -1. */
static int64_t far_at(const heed__general *g, const heed__block *k, const distances *d, int64_t i,
                      int64_t j) {
    const int64_t away = k->t0 + i + g->c.query_start - (k->lo + j) - d->first;
    return away >= 0 && away < d->count ? away : -1;
}

static void add_relative(const heed__general *g, heed__block *k) {
    const distances d = distances_of(g, k);
    float *qv = k->head + GENERAL_BLOCK * g->D;
    shifted(g, k, GENERAL_W, qv);
    heed__gemm(g->k, NULL,
               &(heed_gemm){ .m = k->n,
                             .n = d.count,
                             .k = g->D,
                             .a = qv,
                             .lda = g->D,
                             .b = d.r,
                             .ldb = g->H * g->D,
                             .tb = true,
                             .c = k->far,
                             .ldc = d.ld,
                             .scale = g->scale },
               k->product);
    for (int64_t i = 0; i < k->n; i++) {
        float *x = k->x + i * k->ld;
        for (int64_t j = k->from[i]; j < k->end[i]; j++) {
            const int64_t at = far_at(g, k, &d, i, j);
            if (at >= 0) x[j] += k->far[i * d.ld + at];
        }
        heed__canon(g->k, x + k->from[i], k->end[i] - k->from[i]);
    }
}

/* -- additive: tanh(q_t + k_s) of a few keys at once, from column j on */
static int64_t tanh_sums(const heed__general *g, const heed__block *k, int64_t i, int64_t j) {
    const int64_t D = g->D, left = k->end[i] - j, n = left < KEYS_AT_ONCE ? left : KEYS_AT_ONCE;
    const float *q = query(g, k) + i * g->H * D;
    for (int64_t e = 0; e < n; e++)
        g->k->math->add(k->head + e * D, q, data(g, GENERAL_K) + key_at(g, k, k->lo + j + e), D);
    g->k->math->tanh(k->head, k->head, n * D);
    return n;
}

static void additive(const heed__general *g, heed__block *k) {
    const float *v = data(g, GENERAL_SCORE_V) + k->h * g->D;
    for (int64_t i = 0; i < k->n; i++) {
        float *x = k->x + i * k->ld;
        memset(x, 0, (size_t)k->ld * sizeof *x);
        for (int64_t j = k->from[i]; j < k->end[i];) {
            const int64_t n = tanh_sums(g, k, i, j);
            for (int64_t e = 0; e < n; e++, j++)
                x[j] = g->scale * g->k->row->dot(k->head + e * g->D, v, g->D);
        }
    }
}

void heed__general_scores(const heed__general *g, heed__block *k) {
    if (k->hi == k->lo) return;
    if (g->c.score == HEED_SCORE_ADDITIVE) {
        additive(g, k);
        return;
    }
    shifted(g, k, GENERAL_U, k->head);
    heed__gemm(g->k, NULL,
               &(heed_gemm){ .m = k->n,
                             .n = k->hi - k->lo,
                             .k = g->D,
                             .a = k->head,
                             .lda = g->D,
                             .b = data(g, GENERAL_K) + key_at(g, k, k->lo),
                             .ldb = g->Hk * g->D,
                             .tb = true,
                             .c = k->x,
                             .ldc = k->ld,
                             .scale = g->scale },
               k->product);
    if (g->src[GENERAL_RELATIVE]) add_relative(g, k);
}

/* -- sums over keys */

static bool finite_row(const float *x, int64_t n) {
    float none = 0;
    for (int64_t i = 0; i < n; i++) none += x[i] - x[i]; /* NaN for NaN and infinities, else 0 */
    return none == 0;
}

void heed__general_mix(const heed__general *g, heed__block *k, const heed__mix *m) {
    heed__gemm(g->k, NULL,
               &(heed_gemm){ .m = k->n,
                             .n = m->width,
                             .k = m->len,
                             .a = m->weights,
                             .lda = m->ldw,
                             .b = m->rows,
                             .ldb = m->ld,
                             .c = m->c,
                             .ldc = m->ldc },
               k->product);
    for (int64_t i = 0; i < k->n; i++) {
        float *c = m->c + i * m->ldc;
        const float *w = m->weights + i * m->ldw;
        if (finite_row(c, m->width)) continue;
        memset(c, 0,
               (size_t)m->width * sizeof *c); /* 0·NaN came in: the same chain without zeros */
        for (int64_t j = 0; j < m->len; j++)
            if (w[j] < 0 || w[j] > 0 || w[j] != w[j])
                g->k->math->axpy(c, w[j], m->rows + j * m->ld, m->width);
    }
}

/* -- gradients; dx is already multiplied by scale */

static void add_rows(const heed__general *g, float *sum, const float *x, int64_t n) {
    if (sum) g->k->row->add_rows(sum, x, g->D, n, g->D);
}

/* d(q + v) = dF r,  dr += dFᵀ (q + v), dF the dx moved to the columns of their distances. */
static void relative_grad(const heed__general *g, heed__block *k, const heed__general_grads *to,
                          float *dq) {
    const distances d = distances_of(g, k);
    float *qv = k->head + GENERAL_BLOCK * g->D;
    for (int64_t i = 0; i < k->n; i++) {
        memset(k->far + i * d.ld, 0, (size_t)d.count * sizeof(float));
        for (int64_t j = k->from[i]; j < k->end[i]; j++) {
            const int64_t at = far_at(g, k, &d, i, j);
            if (at >= 0) k->far[i * d.ld + at] = k->dx[i * k->ld + j];
        }
    }
    if (to->to[GENERAL_RELATIVE]) {
        shifted_sound(g, k, GENERAL_W, qv);
        heed__gemm(g->k, NULL,
                   &(heed_gemm){ .m = d.count,
                                 .n = g->D,
                                 .k = k->n,
                                 .a = k->far,
                                 .lda = d.ld,
                                 .ta = true,
                                 .b = qv,
                                 .ldb = g->D,
                                 .c = to->to[GENERAL_RELATIVE] + (d.first * g->H + k->h) * g->D,
                                 .ldc = g->H * g->D,
                                 .accumulate = true },
                   k->product);
    }
    heed__general_mix(g, k,
                      &(heed__mix){ .weights = k->far,
                                    .rows = d.r,
                                    .c = qv,
                                    .len = d.count,
                                    .ldw = d.ld,
                                    .ld = g->H * g->D,
                                    .ldc = g->D,
                                    .width = g->D });
    add_rows(g, heed__general_small(g, to, k, GENERAL_W), qv, k->n);
    g->k->math->add(dq, dq, qv, k->n * g->D);
}

static void dot_grad(const heed__general *g, heed__block *k, const heed__general_grads *to) {
    const int64_t D = g->D, keys = k->hi - k->lo;
    float *dq = k->head + 2 * GENERAL_BLOCK * D;
    if (to->to[GENERAL_K]) {
        shifted_sound(g, k, GENERAL_U, k->head);
        heed__gemm(g->k, NULL,
                   &(heed_gemm){ .m = keys,
                                 .n = D,
                                 .k = k->n,
                                 .a = k->dx,
                                 .lda = k->ld,
                                 .ta = true,
                                 .b = k->head,
                                 .ldb = D,
                                 .c = to->to[GENERAL_K] + key_at(g, k, k->lo),
                                 .ldc = g->Hk * D,
                                 .accumulate = true },
                   k->product);
    }
    heed__general_mix(g, k,
                      &(heed__mix){ .weights = k->dx,
                                    .rows = data(g, GENERAL_K) + key_at(g, k, k->lo),
                                    .c = dq,
                                    .len = keys,
                                    .ldw = k->ld,
                                    .ld = g->Hk * D,
                                    .ldc = D,
                                    .width = D });
    add_rows(g, heed__general_small(g, to, k, GENERAL_U), dq, k->n);
    if (g->src[GENERAL_RELATIVE]) relative_grad(g, k, to, dq);
    for (int64_t i = 0; to->to[GENERAL_Q] && i < k->n; i++)
        g->k->math->axpy(to->to[GENERAL_Q] + ((k->b * g->T + k->t0 + i) * g->H + k->h) * D, 1,
                         dq + i * D, D);
}

/* z = tanh(q + k) becomes dL/d(q + k) = dx·v·(1 - z²). */
static void additive_pair(float *z, float dx, const float *v, int64_t D) {
    for (int64_t d = 0; d < D; d++) z[d] = dx * v[d] * (1 - z[d] * z[d]);
}

static void additive_grad(const heed__general *g, heed__block *k, const heed__general_grads *to) {
    const int64_t D = g->D;
    float *dq = k->head + 2 * GENERAL_BLOCK * D;
    const float *v = data(g, GENERAL_SCORE_V) + k->h * D;
    float *dv = heed__general_small(g, to, k, GENERAL_SCORE_V);
    for (int64_t i = 0; i < k->n; i++) {
        memset(dq, 0, (size_t)D * sizeof *dq);
        for (int64_t j = k->from[i]; j < k->end[i];) {
            const int64_t n = tanh_sums(g, k, i, j);
            for (int64_t e = 0; e < n; e++, j++) {
                const float dx = k->dx[i * k->ld + j];
                float *z = k->head + e * D, *dk = to->to[GENERAL_K];
                if (dx == 0) continue; /* hidden, perhaps: its sums may be NaN */
                if (dv) g->k->math->axpy(dv, dx, z, D);
                additive_pair(z, dx, v, D);
                g->k->math->add(dq, dq, z, D);
                if (dk) dk += key_at(g, k, k->lo + j);
                if (dk) g->k->math->add(dk, dk, z, D);
            }
        }
        if (to->to[GENERAL_Q])
            g->k->math->axpy(to->to[GENERAL_Q] + ((k->b * g->T + k->t0 + i) * g->H + k->h) * D, 1,
                             dq, D);
    }
}

void heed__general_scores_grad(const heed__general *g, heed__block *k,
                               const heed__general_grads *to) {
    if (k->hi == k->lo) return;
    for (int64_t e = 0; e < k->n * k->ld; e++) k->dx[e] *= g->scale;
    if (g->c.score == HEED_SCORE_ADDITIVE)
        additive_grad(g, k, to);
    else
        dot_grad(g, k, to);
}
