/* Cases of heed_attention: a few of its kinds on both paths. The product of all kinds is walked by
 * tests/ops/test_attention_kinds.c against a reference of its own. */
#include "ops/cases/cases.h"

#include "heed/attention.h"

#include <math.h>
#include <stdlib.h>

enum { Q, K, V, LENGTHS, BIAS, TEMPERATURE, SINKS, CENTER };

/* cfg says the kind; i: T, S, D, Dv of it, f: none */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_attention_cfg cfg = *(const heed_attention_cfg *)c->cfg;
    cfg.key_lengths = in[LENGTHS];
    cfg.bias = in[BIAS];
    cfg.temperature = in[TEMPERATURE];
    cfg.sinks = in[SINKS];
    cfg.local_center = in[CENTER];
    return heed_attention(cx, in[Q], in[K], in[V], &cfg);
}

typedef struct row {
    const heed_attention_cfg *cfg;
    const heed_case *c;
    const double *const *in;
    int64_t b, h, t, T, S, H, Hk, D, Dv;
} row;

static bool sees(const row *r, int64_t s) {
    const heed_attention_cfg *c = r->cfg;
    if (r->in[LENGTHS] && s >= (int64_t)r->in[LENGTHS][r->b]) return false;
    if (c->causal && s > r->t) return false;
    if (c->window && (r->t - s > c->left || s - r->t > c->right)) return false;
    if (c->block && r->t / c->block != s / c->block) return false;
    return !r->in[CENTER] ||
           fabs((double)s - r->in[CENTER][r->b * r->T + r->t]) <= (double)c->local_width;
}

static double score(const row *r, int64_t s) {
    const double *q = r->in[Q] + ((r->b * r->T + r->t) * r->H + r->h) * r->D;
    const double *k = r->in[K] + ((r->b * r->S + s) * r->Hk + r->h / (r->H / r->Hk)) * r->D;
    double sum = 0, qq = 0, kk = 0;
    for (int64_t i = 0; i < r->D; i++) sum += q[i] * k[i], qq += q[i] * q[i], kk += k[i] * k[i];
    if (r->cfg->score == HEED_SCORE_SCALED_DOT) sum /= sqrt((double)r->D);
    if (r->cfg->score == HEED_SCORE_COSINE) sum /= sqrt(qq * kk);
    if (r->in[TEMPERATURE])
        sum /= r->in[TEMPERATURE][heed_case_len(r->c, TEMPERATURE) == 1 ? 0 : r->h];
    if (r->cfg->softcap > 0) sum = (double)r->cfg->softcap * tanh(sum / (double)r->cfg->softcap);
    return sum + (r->in[BIAS] ? r->in[BIAS][(r->h * r->T + r->t) * r->S + s] : 0);
}

/* The weights of one row: softmax, or gates. */
static void weigh(const row *r, double *a) {
    double max = r->in[SINKS] ? r->in[SINKS][r->h] : -INFINITY, sum = 0;
    for (int64_t s = 0; s < r->S; s++) {
        a[s] = sees(r, s) ? score(r, s) : -INFINITY;
        max = fmax(max, a[s]);
    }
    for (int64_t s = 0; s < r->S; s++) sum += a[s] > -INFINITY ? exp(a[s] - max) : 0;
    if (r->in[SINKS]) sum += exp(r->in[SINKS][r->h] - max);
    for (int64_t s = 0; s < r->S; s++) {
        if (r->cfg->weights == HEED_WEIGHTS_SIGMOID)
            a[s] = 1 / (1 + exp(-a[s]));
        else
            a[s] = a[s] > -INFINITY ? exp(a[s] - max) / sum : 0;
        if (!r->in[CENTER]) continue;
        const double sigma = (double)r->cfg->local_width / 2;
        a[s] *= exp(-0.5 * pow(((double)s - r->in[CENTER][r->b * r->T + r->t]) / sigma, 2));
    }
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const heed_attention_cfg *cfg = c->cfg;
    row r = { .cfg = cfg, .c = c, .in = in, .T = c->in[Q].shape[1], .S = c->in[K].shape[1] };
    r.H = cfg->heads, r.Hk = cfg->kv_heads ? cfg->kv_heads : cfg->heads;
    r.D = c->in[Q].shape[2] / r.H, r.Dv = c->in[V].shape[2] / r.Hk;
    double *a = malloc((size_t)(r.S + 1) * sizeof *a);
    for (int64_t n = 0; a && n < c->in[Q].shape[0] * r.T * r.H; n++) {
        r.b = n / r.H / r.T, r.t = n / r.H % r.T, r.h = n % r.H;
        weigh(&r, a);
        const double *v = in[V] + (r.b * r.S * r.Hk + r.h / (r.H / r.Hk)) * r.Dv;
        for (int64_t i = 0; i < r.Dv; i++) {
            double sum = 0;
            for (int64_t s = 0; s < r.S; s++) sum += a[s] * v[s * r.Hk * r.Dv + i];
            out[n * r.Dv + i] = sum;
        }
    }
    free(a);
}

typedef struct form {
    const char *name;
    heed_attention_cfg cfg;
    int64_t B, T, S, D, Dv;
    unsigned with; /* bits of the optional inputs */
} form;

static heed_case case_of(const form *f) {
    const heed_attention_cfg *g = &f->cfg;
    const int64_t H = g->heads, Hk = g->kv_heads ? g->kv_heads : H;
    static const int32_t lengths[] = { 5, 0, 31 };
    heed_case c = { .apply = apply, .reference = reference, .count = 8, .cfg = g };
    for (int i = 0; f->name[i] && i < 63; i++) c.name[i] = f->name[i];
    c.in[Q] = (heed_case_input){ HEED_DIMS(f->B, f->T, H * f->D) };
    c.in[K] = (heed_case_input){ HEED_DIMS(f->B, f->S, Hk * f->D) };
    c.in[V] = (heed_case_input){ HEED_DIMS(f->B, f->S, Hk * f->Dv) };
    c.in[LENGTHS] = (heed_case_input){ HEED_DIMS(f->B), .dtype = HEED_I32, .ids = lengths };
    c.in[BIAS] = (heed_case_input){ HEED_DIMS(H, f->T, f->S) };
    c.in[TEMPERATURE] = (heed_case_input){ HEED_DIMS(H), .lo = 0.5, .hi = 2 };
    c.in[SINKS] = (heed_case_input){ HEED_DIMS(H) };
    c.in[CENTER] = (heed_case_input){ HEED_DIMS(f->B, f->T), .lo = 0, .hi = (double)f->S };
    for (int i = LENGTHS; i <= CENTER; i++) {
        c.in[i].optional = true;
        c.in[i].absent = !(f->with & 1u << i);
    }
    c.out = (heed_case_shape){ HEED_DIMS(f->B, f->T, H * f->Dv) };
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    return c;
}

static const form forms[] = {
    { "one head", { .heads = 1 }, 1, 3, 5, 7, 4, 0 },
    { "grouped, causal", { .heads = 4, .kv_heads = 2, .causal = true }, 2, 70, 70, 5, 3, 0 },
    { "lengths", { .heads = 2 }, 3, 9, 33, 8, 8, 1u << LENGTHS },
    { "cosine",
      { .heads = 3, .score = HEED_SCORE_COSINE },
      2,
      5,
      17,
      16,
      3,
      1u << TEMPERATURE | 1u << BIAS },
    { "softcap, sinks, window",
      { .heads = 2, .softcap = 2, .window = true, .left = 9, .right = 3 },
      1,
      130,
      130,
      6,
      5,
      1u << SINKS },
    { "sigmoid",
      { .heads = 2, .score = HEED_SCORE_DOT, .weights = HEED_WEIGHTS_SIGMOID },
      2,
      33,
      17,
      5,
      3,
      1u << TEMPERATURE },
    { "block-local, causal",
      { .heads = 2, .causal = true, .block = 7 },
      1,
      40,
      40,
      5,
      3,
      1u << BIAS },
    { "local-p", { .heads = 2, .local_width = 5.3f }, 2, 9, 20, 4, 3, 1u << CENTER },
    { "no batch", { .heads = 2 }, 0, 3, 5, 4, 4, 0 },
    { "no keys", { .heads = 2 }, 1, 3, 0, 4, 4, 0 },
    { "no queries", { .heads = 2, .block = 4 }, 1, 0, 3, 4, 4, 0 },
};

static const form benches[] = {
    { "full, T512", { .heads = 8 }, 1, 512, 512, 64, 64, 0 },
    { "causal, T2048", { .heads = 8, .causal = true }, 1, 2048, 2048, 64, 64, 0 },
    { "sparsemax, T512",
      { .heads = 8, .weights = HEED_WEIGHTS_SPARSEMAX },
      1,
      512,
      512,
      64,
      64,
      0 },
};

void heed_cases_attention(heed_case_list *l) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const heed_case c = case_of(&forms[i]);
        heed_case_add(l, &c);
    }
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        const form *f = &benches[i];
        heed_case c = case_of(f);
        c.bench = true;
        c.flops = 4.0 * (double)(f->T * f->S * f->cfg.heads * f->D) / (f->cfg.causal ? 2 : 1);
        heed_case_add(l, &c);
    }
    static const form odd = { "heads that do not divide", { .heads = 3 }, 1, 3, 5, 4, 4, 0 };
    heed_case bad = case_of(&odd);
    bad.in[Q].shape[2] = 13;
    bad.refuse = "do not divide";
    heed_case_add(l, &bad);
}
