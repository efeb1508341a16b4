/* attention_penalty.c: what the distribution of weights costs, as one number with a gradient.
 *
 *   entropy     mean over rows that see a key of -Σ_s a log a
 *   coverage    mean over b, h, t of Σ_s min(a_ts, c_ts), c_ts = Σ_{u<t} a_us   (See et al. 2017)
 *   diversity   mean over b, t of |A Aᵀ - I|², A [H,S] the heads' weights       (Lin et al. 2017)
 *
 * The weights are made again, block by block, with those that multiply the values; backward makes
 * them once more and hands dL/da to the rows.
 */
#include "ops/attention_general.h"

#include <string.h>

#include "kernels/math.h"
#include "kernels/row.h"
#include "ops/attention_weights.h"

typedef struct penalty {
    heed__general g; /* without values and dropout */
    double count;    /* what the sum is divided by */
    /* of one pass */
    float *room, *extra; /* of all workers */
    int64_t room_len, extra_len;
    double *sum, *seen; /* [B,H] */
    float scale;        /* dL/dsum, in backward */
    heed__general_grads to;
} penalty;

/* -- entropy */

static void entropy_row(penalty *p, const heed__block *k, int64_t i, bool backward) {
    const int64_t at = i * k->ld + k->from[i], n = k->end[i] - k->from[i];
    bool sees = false;
    for (int64_t j = 0; j < n && !sees; j++) sees = k->a[at + j] > 0;
    if (!sees) return;
    if (backward) {
        heed__weights_entropy_grad(p->g.k, k->dx + at, k->a + at, n, p->scale, k->row);
        return;
    }
    p->sum[k->b * p->g.H + k->h] += (double)heed__weights_entropy(p->g.k, k->a + at, n, k->row);
    p->seen[k->b * p->g.H + k->h] += 1;
}

/* -- coverage: cover[s] is the sum of earlier rows' weights; later[s] counts the rows that still
 * come and take cover[s] as the smaller */

static void cover_rows(penalty *p, const heed__block *k, float *cover) {
    double sum = 0;
    for (int64_t i = 0; i < k->n; i++)
        for (int64_t j = k->from[i]; j < k->end[i]; j++) {
            const float a = k->a[i * k->ld + j], c = cover[k->lo + j];
            sum += (double)(a < c ? a : c);
            cover[k->lo + j] = c + a;
        }
    p->sum[k->b * p->g.H + k->h] += sum;
}

static void count_later(const heed__block *k, float *cover, float *later) {
    for (int64_t i = 0; i < k->n; i++)
        for (int64_t j = k->from[i]; j < k->end[i]; j++) {
            const float a = k->a[i * k->ld + j], c = cover[k->lo + j];
            if (c < a) later[k->lo + j] += 1;
            cover[k->lo + j] = c + a;
        }
}

static void cover_grad(const penalty *p, const heed__block *k, float *cover, float *later) {
    for (int64_t i = 0; i < k->n; i++)
        for (int64_t j = k->from[i]; j < k->end[i]; j++) {
            const int64_t s = k->lo + j;
            const float a = k->a[i * k->ld + j], c = cover[s];
            if (c < a) later[s] -= 1;
            k->dx[i * k->ld + j] = p->scale * (later[s] + (a <= c ? 1.0f : 0.0f));
            cover[s] = c + a;
        }
}

/* -- one head at a time: entropy and coverage */

static void head_forward(penalty *p, heed__block *k, int64_t b, int64_t h, float *extra) {
    memset(extra, 0, (size_t)p->extra_len * sizeof *extra);
    for (int64_t t = 0; t < p->g.T; t += GENERAL_BLOCK) {
        heed__general_make(&p->g, k, b, h, t);
        if (p->g.c.penalty == HEED_PENALTY_COVERAGE)
            cover_rows(p, k, extra);
        else
            for (int64_t i = 0; i < k->n; i++) entropy_row(p, k, i, false);
    }
}

static void head_backward(penalty *p, heed__block *k, int64_t b, int64_t h, float *extra) {
    const bool coverage = p->g.c.penalty == HEED_PENALTY_COVERAGE;
    float *cover = extra, *later = extra + p->g.S;
    memset(extra, 0, (size_t)p->extra_len * sizeof *extra);
    for (int64_t t = 0; coverage && t < p->g.T; t += GENERAL_BLOCK) {
        heed__general_make(&p->g, k, b, h, t);
        count_later(k, cover, later);
    }
    if (coverage) memset(cover, 0, (size_t)p->g.S * sizeof *cover);
    for (int64_t t = 0; t < p->g.T; t += GENERAL_BLOCK) {
        heed__general_make(&p->g, k, b, h, t);
        memset(k->dx, 0, (size_t)(k->n * k->ld) * sizeof(float));
        if (coverage)
            cover_grad(p, k, cover, later);
        else
            for (int64_t i = 0; i < k->n; i++) entropy_row(p, k, i, true);
        heed__general_rows_grad(&p->g, k, &p->to, GENERAL_FROM_A);
        heed__general_scores_grad(&p->g, k, &p->to);
    }
}

/* -- all heads of a block of rows: diversity.  extra is [H,GENERAL_BLOCK,S], then [H,H] */

static float *weights_at(const penalty *p, float *extra, int64_t h, int64_t i) {
    return extra + (h * GENERAL_BLOCK + i) * p->g.S;
}

static void gather_heads(const penalty *p, heed__block *k, int64_t b, int64_t t, float *extra) {
    memset(extra, 0, (size_t)p->extra_len * sizeof *extra);
    for (int64_t h = 0; h < p->g.H; h++) {
        heed__general_make(&p->g, k, b, h, t);
        for (int64_t i = 0; i < k->n; i++)
            if (k->hi > k->lo)
                memcpy(weights_at(p, extra, h, i) + k->lo, k->a + i * k->ld,
                       (size_t)(k->hi - k->lo) * sizeof(float));
    }
}

/* A Aᵀ - I of row i, [H,H]; returns its squared norm. */
static double likeness(const penalty *p, int64_t b, int64_t i, float *extra) {
    const int64_t H = p->g.H;
    float *same = extra + H * GENERAL_BLOCK * p->g.S;
    int64_t begin, end;
    double sum = 0;
    heed__general_valid(&p->g, b, &begin, &end);
    for (int64_t e = 0; e < H * H; e++) {
        const float *x = weights_at(p, extra, e / H, i), *y = weights_at(p, extra, e % H, i);
        same[e] = p->g.k->row->dot(x + begin, y + begin, end - begin) - (e / H == e % H ? 1 : 0);
        sum += (double)same[e] * (double)same[e];
    }
    return sum;
}

static void diverse_forward(penalty *p, heed__block *k, int64_t b, float *extra) {
    for (int64_t t = 0; t < p->g.T; t += GENERAL_BLOCK) {
        gather_heads(p, k, b, t, extra);
        for (int64_t i = 0; i < k->n; i++) p->sum[b * p->g.H] += likeness(p, b, i, extra);
    }
}

/* dA = 4 (A Aᵀ - I) A of head h, into dx. */
static void diverse_grad(const penalty *p, heed__block *k, float *extra) {
    const int64_t H = p->g.H;
    const float *same = extra + H * GENERAL_BLOCK * p->g.S + k->h * H;
    for (int64_t i = 0; i < k->n; i++) {
        likeness(p, k->b, i, extra);
        for (int64_t e = 0; e < H; e++)
            p->g.k->math->axpy(k->dx + i * k->ld, 4 * p->scale * same[e],
                               weights_at(p, extra, e, i) + k->lo, k->hi - k->lo);
    }
}

static void diverse_backward(penalty *p, heed__block *k, int64_t b, float *extra) {
    for (int64_t t = 0; t < p->g.T; t += GENERAL_BLOCK) {
        gather_heads(p, k, b, t, extra);
        for (int64_t h = 0; h < p->g.H; h++) {
            heed__general_make(&p->g, k, b, h, t);
            memset(k->dx, 0, (size_t)(k->n * k->ld) * sizeof(float));
            diverse_grad(p, k, extra);
            heed__general_rows_grad(&p->g, k, &p->to, GENERAL_FROM_A);
            heed__general_scores_grad(&p->g, k, &p->to);
        }
    }
}

/* -- passes */

static bool all_heads(const penalty *p) {
    return p->g.c.penalty == HEED_PENALTY_DIVERSITY;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    penalty *p = arg;
    heed__block k = heed__general_block(&p->g, p->room + worker * p->room_len);
    float *extra = p->extra + worker * p->extra_len;
    for (int64_t i = begin; i < end; i++)
        if (all_heads(p))
            diverse_forward(p, &k, i, extra);
        else
            head_forward(p, &k, i / p->g.H, i % p->g.H, extra);
}

/* Items: whole batch rows (all heads needed at once), or (batch, value head), or a value head
 * through the whole batch; with diversity and a gradient that all rows share, everything in turn.
 */
static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    penalty *p = arg;
    const int64_t B = p->g.B, Hv = p->g.Hv, group = p->g.H / Hv;
    const bool shared = p->to.by_head;
    heed__block k = heed__general_block(&p->g, p->room + worker * p->room_len);
    float *extra = p->extra + worker * p->extra_len;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t e = 0; all_heads(p) && e < (shared ? B : 1); e++)
            diverse_backward(p, &k, shared ? e : i, extra);
        for (int64_t e = 0; !all_heads(p) && e < (shared ? B : 1) * group; e++)
            head_backward(p, &k, shared ? e / group : i / Hv,
                          (shared ? i : i % Hv) * group + e % group, extra);
    }
}

static int64_t extra_floats(const heed__general *g) {
    if (g->c.penalty == HEED_PENALTY_DIVERSITY)
        return (g->H * GENERAL_BLOCK * g->S + g->H * g->H + 15) / 16 * 16;
    return g->c.penalty == HEED_PENALTY_COVERAGE ? (2 * g->S + 15) / 16 * 16 : 0;
}

static bool make_room(heed_ctx *cx, penalty *p) {
    const int64_t workers = heed_pool_threads(cx->pool);
    p->room_len = heed__general_room(&p->g);
    p->extra_len = extra_floats(&p->g);
    p->room = heed__temp(cx, p->room_len * workers, sizeof(float));
    p->extra = heed__temp(cx, p->extra_len * workers, sizeof(float));
    return p->room && p->extra;
}

static void end_room(heed_ctx *cx, penalty *p) {
    heed__temp_end(cx, p->extra);
    heed__temp_end(cx, p->room);
}

static void penalty_backward(heed_ctx *cx, const heed_node *n) {
    penalty p = *(const penalty *)n->saved;
    if (!make_room(cx, &p) || !heed__general_grads_make(cx, &p.g, &p.to)) return;
    p.scale = (float)((double)n->out->grad[0] / p.count);
    const int64_t rows = all_heads(&p) ? p.g.B : p.g.B * p.g.Hv;
    const int64_t shared = all_heads(&p) ? 1 : p.g.Hv, count = p.to.by_head ? shared : rows;
    heed__parallel(cx, count, 4 * heed__general_cost(&p.g, p.g.T), backward_range, &p);
    heed__general_grads_end(&p.g, &p.to);
    end_room(cx, &p);
}

static const heed_op op_penalty = { "attention_penalty", penalty_backward };

static double total(const penalty *p, const double *of) {
    double sum = 0;
    for (int64_t i = 0; i < p->g.B * p->g.H; i++) sum += of[i];
    return sum;
}

heed_tensor *heed__general_penalty(heed_ctx *cx, const heed__general *g) {
    const int64_t rows = g->B * g->H;
    penalty *p = heed_scratch(cx, sizeof *p);
    if (!p) return NULL;
    *p = (penalty){ .g = *g };
    p->g.src[GENERAL_V] = NULL;
    p->g.c.dropout = 0;
    p->sum = heed__temp(cx, 2 * rows, sizeof(double));
    if (!p->sum || !make_room(cx, p)) return NULL;
    p->seen = p->sum + rows;
    memset(p->sum, 0, (size_t)(2 * rows) * sizeof(double));
    heed__parallel(cx, all_heads(p) ? g->B : rows, heed__general_cost(g, g->T), forward_range, p);
    p->count = (double)(g->B * g->T) * (g->c.penalty == HEED_PENALTY_COVERAGE ? (double)g->H : 1);
    if (g->c.penalty == HEED_PENALTY_ENTROPY) p->count = total(p, p->seen);
    if (!(p->count > 0)) p->count = 1;
    const float value = (float)(total(p, p->sum) / p->count);
    end_room(cx, p);
    heed__temp_end(cx, p->sum);
    heed_tensor *y = heed_scalar(cx, value);
    return y ? heed_record(cx, &op_penalty, y, GENERAL_SOURCES, p->g.src, p) : NULL;
}
