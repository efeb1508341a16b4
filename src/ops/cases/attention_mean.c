/* Cases of heed_attention_mean: the weights as a double loop, summed over the queries. */
#include "ops/cases/cases.h"

#include "heed/attention.h"

#include <math.h>
#include <stdlib.h>

enum { Q, K, QUERIES, LENGTHS, STARTS, SEGMENTS };

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_attention_cfg cfg = *(const heed_attention_cfg *)c->cfg;
    cfg.key_lengths = in[LENGTHS];
    cfg.key_starts = in[STARTS];
    cfg.q_segments = in[SEGMENTS];
    return heed_attention_mean(cx, in[Q], in[K], in[QUERIES], &cfg);
}

typedef struct row {
    const heed_case *c;
    const double *const *in;
    int64_t b, h, t, T, S, H, Hk, D;
} row;

static bool sees(const row *r, int64_t s) {
    const heed_attention_cfg *g = r->c->cfg;
    const int64_t start = r->in[STARTS] ? (int64_t)r->in[STARTS][r->b] : 0;
    const int64_t end = r->in[LENGTHS] ? start + (int64_t)r->in[LENGTHS][r->b] : r->S;
    if (s < start || s >= end || (g->causal && s > r->t)) return false;
    if (g->window && (r->t - s > g->left || s - r->t > g->right)) return false;
    const double *id = r->in[SEGMENTS] ? r->in[SEGMENTS] + r->b * r->T : NULL;
    return !id || id[r->t] == id[s];
}

static double score(const row *r, int64_t s) {
    const heed_attention_cfg *g = r->c->cfg;
    const double *q = r->in[Q] + ((r->b * r->T + r->t) * r->H + r->h) * r->D;
    const double *k = r->in[K] + ((r->b * r->S + s) * r->Hk + r->h / (r->H / r->Hk)) * r->D;
    double sum = 0;
    for (int64_t i = 0; i < r->D; i++) sum += q[i] * k[i];
    if (g->scale != 0) return sum * (double)g->scale;
    return g->score == HEED_SCORE_SCALED_DOT ? sum / sqrt((double)r->D) : sum;
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const heed_attention_cfg *cfg = c->cfg;
    row r = { .c = c, .in = in, .T = c->in[Q].shape[1], .S = c->in[K].shape[1] };
    r.H = cfg->heads, r.Hk = cfg->kv_heads ? cfg->kv_heads : cfg->heads;
    r.D = c->in[Q].shape[2] / r.H;
    const int64_t B = c->in[Q].shape[0];
    double *a = malloc((size_t)(r.S + 1) * sizeof *a);
    for (int64_t i = 0; i < B * r.H * r.S; i++) out[i] = 0;
    for (int64_t i = 0; a && i < B * r.H * r.T; i++) {
        r.b = i / r.T / r.H, r.h = i / r.T % r.H, r.t = i % r.T;
        const int64_t n = in[QUERIES] ? (int64_t)in[QUERIES][r.b] : r.T;
        double max = -INFINITY, sum = 0;
        for (int64_t s = 0; s < r.S; s++) {
            a[s] = sees(&r, s) ? score(&r, s) : -INFINITY;
            max = fmax(max, a[s]);
        }
        for (int64_t s = 0; s < r.S; s++) sum += a[s] > -INFINITY ? exp(a[s] - max) : 0;
        for (int64_t s = 0; r.t < n && s < r.S; s++)
            if (a[s] > -INFINITY)
                out[(r.b * r.H + r.h) * r.S + s] += exp(a[s] - max) / sum / (double)n;
    }
    free(a);
}

typedef struct form {
    const char *name;
    heed_attention_cfg cfg;
    int64_t B, T, S, D;
    unsigned with; /* bits of the optional inputs */
} form;

static heed_case case_of(const form *f) {
    const heed_attention_cfg *g = &f->cfg;
    const int64_t H = g->heads, Hk = g->kv_heads ? g->kv_heads : H;
    static const int32_t queries[] = { 9, 0, 4 }, lengths[] = { 5, 0, 31 }, starts[] = { 2, 0, 1 };
    static int32_t segments[2 * 41];
    for (int i = 0; i < 2 * 41; i++) segments[i] = i % 41 / (i < 41 ? 13 : 20);
    heed_case c = { .apply = apply, .reference = reference, .count = 6, .cfg = g };
    for (int i = 0; f->name[i] && i < 63; i++) c.name[i] = f->name[i];
    c.in[Q] = (heed_case_input){ HEED_DIMS(f->B, f->T, H * f->D) };
    c.in[K] = (heed_case_input){ HEED_DIMS(f->B, f->S, Hk * f->D) };
    c.in[QUERIES] = (heed_case_input){ HEED_DIMS(f->B), .dtype = HEED_I32, .ids = queries };
    c.in[LENGTHS] = (heed_case_input){ HEED_DIMS(f->B), .dtype = HEED_I32, .ids = lengths };
    c.in[STARTS] = (heed_case_input){ HEED_DIMS(f->B), .dtype = HEED_I32, .ids = starts };
    c.in[SEGMENTS] = (heed_case_input){ HEED_DIMS(f->B, f->T), .dtype = HEED_I32, .ids = segments };
    for (int i = QUERIES; i <= SEGMENTS; i++) {
        c.in[i].optional = true;
        c.in[i].absent = !(f->with & 1u << i);
    }
    c.out = (heed_case_shape){ HEED_DIMS(f->B, H, f->S) };
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    c.grad_floor = 1e-2;
    return c;
}

static const form forms[] = {
    { "one head", { .heads = 1 }, 1, 3, 5, 7, 0 },
    { "one key", { .heads = 2 }, 2, 5, 1, 3, 0 },
    { "grouped, causal", { .heads = 4, .kv_heads = 2, .causal = true }, 2, 70, 70, 5, 0 },
    { "lengths", { .heads = 2 }, 3, 9, 33, 8, 1u << QUERIES | 1u << LENGTHS | 1u << STARTS },
    { "dot, window",
      { .heads = 2, .score = HEED_SCORE_DOT, .scale = 0.3f, .window = true, .left = 9, .right = 3 },
      1,
      130,
      130,
      17,
      0 },
    { "segments", { .heads = 2 }, 2, 41, 41, 6, 1u << SEGMENTS },
    { "many keys", { .heads = 1 }, 1, 13, 1100, 4, 0 },
    { "enough for all threads", { .heads = 3 }, 4, 130, 97, 16, 0 },
    { "no batch", { .heads = 2 }, 0, 3, 5, 4, 0 },
    { "no keys", { .heads = 2 }, 1, 3, 0, 4, 0 },
    { "no queries", { .heads = 2 }, 1, 0, 3, 4, 0 },
};

void heed_cases_attention_mean(heed_case_list *l) {
    static const form bench = { "T128, D16", { .heads = 4 }, 64, 128, 128, 16, 0 };
    static const form odd = { "softcap", { .heads = 2, .softcap = 2 }, 1, 3, 5, 4, 0 };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const heed_case c = case_of(&forms[i]);
        heed_case_add(l, &c);
    }
    heed_case timed = case_of(&bench);
    timed.bench = true;
    timed.flops = 2.0 * 64 * 4 * 128 * 128 * 16;
    heed_case_add(l, &timed);
    heed_case bad = case_of(&odd);
    bad.refuse = "exists for softmax";
    bad.code = HEED_EUNSUPPORTED;
    heed_case_add(l, &bad);
    bad = case_of(&forms[3]);
    bad.in[QUERIES].shape[0] = 2;
    bad.refuse = "lengths are";
    heed_case_add(l, &bad);
}
