/* attention_problem.c: see attention_problem.h. */
#include "attention_problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double problem_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 11) * 0x1p-52 - 1;
}

static heed_tensor *f32(problem *p, heed_ctx *cx, int which, int ndim, const int64_t *shape) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; i < t->len; i++)
        HEED_F32_DATA(t)[i] = (float)(1.2 * problem_random(&p->seed));
    p->in[which] = heed_want_grad(cx, t);
    p->len[which] = t->len;
    return t;
}

static heed_tensor *i32(heed_ctx *cx, int ndim, const int64_t *shape) {
    return heed_zeros(cx, HEED_I32, ndim, shape);
}

static void between(heed_tensor *t, double lo, double hi) {
    for (int64_t i = 0; i < t->len; i++) {
        float *x = HEED_F32_DATA(t) + i;
        *x = (float)(lo + (hi - lo) * ((double)*x / 2.4 + 0.5));
    }
}

/* -- who sees whom */

static void lengths(heed_ctx *cx, heed_attention_cfg *c, const sizes *z, int64_t start) {
    c->key_lengths = i32(cx, 1, (int64_t[]){ z->B });
    c->key_starts = start ? i32(cx, 1, (int64_t[]){ z->B }) : NULL;
    for (int64_t b = 0; b < z->B; b++) {
        if (start) HEED_I32_DATA(c->key_starts)[b] = (int32_t)(b % 2 ? start : 0);
        HEED_I32_DATA(c->key_lengths)[b] = (int32_t)(b % 2 ? z->S - start - 1 : z->S / 2);
    }
}

static void segments(heed_ctx *cx, heed_attention_cfg *c, const sizes *z) {
    c->q_segments = i32(cx, 2, (int64_t[]){ z->B, z->T });
    c->k_segments = i32(cx, 2, (int64_t[]){ z->B, z->S });
    for (int64_t i = 0; i < z->B * z->T; i++)
        HEED_I32_DATA(c->q_segments)[i] = i % z->T >= z->T / 2 ? 7 : 3;
    for (int64_t i = 0; i < z->B * z->S; i++)
        HEED_I32_DATA(c->k_segments)[i] = i % z->S > z->S / 2 ? 7 : i % z->S ? 3 : -1;
}

static void mask(problem *p, heed_ctx *cx, const sizes *z, bool batch) {
    const int64_t three[] = { z->B, z->T, z->S };
    p->cfg.mask = heed_zeros(cx, HEED_U8, batch ? 3 : 2, batch ? three : three + 1);
    for (int64_t i = 0; i < p->cfg.mask->len; i++) /* query 1 sees nothing */
        HEED_U8_DATA(p->cfg.mask)[i] = problem_random(&p->seed) > -0.3 && i / z->S % z->T != 1;
}

static const char *const visible_names[KIND_VISIBLE] = {
    "full",
    "causal",
    "lengths",
    "starts and lengths",
    "window",
    "left window, causal",
    "truncate",
    "block",
    "block, globals, causal",
    "dilation",
    "stride and window",
    "stride",
    "segments",
    "mask [T,S]",
    "mask [B,T,S]",
    "window, globals, lengths, causal",
};

static void set_window(heed_attention_cfg *c, int64_t left, int64_t right) {
    c->window = true, c->left = left, c->right = right;
}

static void set_visible(problem *p, heed_ctx *cx, const sizes *z) {
    heed_attention_cfg *c = &p->cfg;
    const int v = p->kind.visible;
    c->causal = v == 1 || v == 5 || v == 8 || v == 15;
    c->query_start = c->causal && z->S > z->T ? z->S - z->T : 0;
    if (v == 2) lengths(cx, c, z, 0);
    if (v == 3) lengths(cx, c, z, 2);
    if (v == 4) set_window(c, 1, 2);
    if (v == 5) set_window(c, 2, 0);
    if (v == 6) c->truncate = 3;
    if (v == 7 || v == 8) c->block = 2;
    if (v == 8) c->globals = 1;
    if (v == 9) c->dilation = 2;
    if (v == 10) set_window(c, 1, 0);
    if (v == 10 || v == 11) c->stride = 3;
    if (v == 12) segments(cx, c, z);
    if (v == 13 || v == 14) mask(p, cx, z, v == 14);
    if (v != 15) return;
    lengths(cx, c, z, 1);
    set_window(c, 1, -1);
    c->globals = 1;
}

/* -- positions */

static const char *const position_names[KIND_POSITIONS] = {
    "no positions", "bias", "alibi", "t5", "t5 one way", "bias, alibi and t5", "relative",
};

static void set_positions(problem *p, heed_ctx *cx, const sizes *z) {
    heed_attention_cfg *c = &p->cfg;
    const int n = p->kind.positions;
    if (n == 1 || n == 5) c->bias = f32(p, cx, REF_BIAS, 3, (int64_t[]){ z->H, z->T, z->S });
    if (n == 2 || n == 5) {
        c->alibi = heed_new(cx, HEED_F32, 1, &z->H);
        heed_alibi_slopes(z->H, HEED_F32_DATA(c->alibi));
    }
    if (n >= 3 && n <= 5) c->t5 = f32(p, cx, REF_T5, 2, (int64_t[]){ 8, z->H });
    c->t5_one_way = n == 4;
    c->t5_distance = n == 5 ? 6 : 0;
    if (n != 6) return;
    const int64_t far = z->S + z->T;
    c->relative = f32(p, cx, REF_RELATIVE, 2, (int64_t[]){ far, z->H * z->D });
    c->relative_u = f32(p, cx, REF_U, 2, (int64_t[]){ z->H, z->D });
    c->relative_v = f32(p, cx, REF_RV, 2, (int64_t[]){ z->H, z->D });
}

/* -- the rest */

static const char *const extra_names[KIND_EXTRAS] = {
    "plain",
    "scale",
    "temperature [1]",
    "temperature [H]",
    "softcap",
    "sinks",
    "span",
    "score_std",
    "local_center",
    "entropy",
    "diversity",
    "coverage",
    "sinks, softcap, temperature",
    "span, temperature, entropy",
    "score_std, temperature, coverage",
    "local_center, diversity",
    "span, score_std, temperature",
};

static void set_span(problem *p, heed_ctx *cx, const sizes *z) {
    p->cfg.span = f32(p, cx, REF_SPAN, 1, &z->H);
    p->cfg.span_ramp = 2.5f;
    between(p->cfg.span, 0.1, 2);
}

static void set_center(problem *p, heed_ctx *cx, const sizes *z) {
    p->cfg.local_center = f32(p, cx, REF_CENTER, 2, (int64_t[]){ z->B, z->T });
    p->cfg.local_width = 2.25f;
    between(p->cfg.local_center, 0, (double)z->S - 1);
}

static void set_temperature(problem *p, heed_ctx *cx, int64_t len) {
    p->cfg.temperature = f32(p, cx, REF_TEMPERATURE, 1, &len);
    between(p->cfg.temperature, 0.5, 1.5);
}

static void set_extra(problem *p, heed_ctx *cx, const sizes *z) {
    heed_attention_cfg *c = &p->cfg;
    const int e = p->kind.extra;
    if (e == 1) c->scale = 0.75f;
    if (e == 2 || e >= 12) set_temperature(p, cx, 1);
    if (e == 3) set_temperature(p, cx, z->H);
    if (e == 4 || e == 12) c->softcap = 1.5f;
    if (e == 5 || e == 12) c->sinks = f32(p, cx, REF_SINKS, 1, &z->H);
    if (e == 6 || e == 13 || e == 16) set_span(p, cx, z);
    c->score_std = e == 7 || e == 14 || e == 16;
    if (e == 8 || e == 15) set_center(p, cx, z);
    if (e == 9 || e == 13) c->penalty = HEED_PENALTY_ENTROPY;
    if (e == 10 || e == 15) c->penalty = HEED_PENALTY_DIVERSITY;
    if (e == 11 || e == 14) c->penalty = HEED_PENALTY_COVERAGE;
}

static void set_score(problem *p, heed_ctx *cx, const sizes *z, int64_t Dk) {
    heed_attention_cfg *c = &p->cfg;
    const int64_t A = z->D + 1;
    if (c->score == HEED_SCORE_BILINEAR)
        c->score_w = f32(p, cx, REF_SCORE_W, 3, (int64_t[]){ z->H, z->D, Dk });
    if (c->score != HEED_SCORE_ADDITIVE) return;
    c->score_wq = f32(p, cx, REF_SCORE_WQ, 3, (int64_t[]){ z->H, A, z->D });
    c->score_wk = f32(p, cx, REF_SCORE_WK, 3, (int64_t[]){ z->H, A, Dk });
    c->score_v = f32(p, cx, REF_SCORE_V, 2, (int64_t[]){ z->H, A });
    p->ref.A = A;
}

static void to_double(problem *p) {
    int64_t sum = 0;
    for (int i = 0; i < REF_TENSORS; i++) sum += p->len[i];
    double *at = p->numbers = malloc((size_t)(sum + 1) * sizeof *at);
    for (int i = 0; i < REF_TENSORS; at += p->len[i++]) {
        p->ref.t[i] = p->in[i] ? at : NULL;
        for (int64_t j = 0; j < p->len[i]; j++) at[j] = (double)HEED_F32_DATA(p->in[i])[j];
    }
}

void problem_init(problem *p, heed_ctx *cx, const kind *k, const sizes *z) {
    *p = (problem){ .kind = *k };
    p->seed = (uint64_t)(((k->score * 10 + k->weights) * 20 + k->visible) * 20 + k->positions) *
                  20 +
              (uint64_t)k->extra + 12345;
    const bool two = k->score == HEED_SCORE_BILINEAR || k->score == HEED_SCORE_ADDITIVE;
    const int64_t Dk = two ? z->D + 2 : z->D, weights = z->B * z->H * z->T * z->S;
    heed_attention_cfg *c = &p->cfg;
    *c = (heed_attention_cfg){ .heads = z->H, .kv_heads = z->Hk, .more = &p->more };
    c->score = (heed_score_kind)k->score;
    c->gumbel_hard = k->weights == HEED_WEIGHTS_SIGMOID + 1;
    c->weights = c->gumbel_hard ? HEED_WEIGHTS_GUMBEL : (heed_weights_kind)k->weights;
    c->gumbel_tau = c->weights == HEED_WEIGHTS_GUMBEL ? 0.75f : 0;
    c->topk = c->weights == HEED_WEIGHTS_TOPK ? 2 : 0;
    f32(p, cx, REF_Q, 3, (int64_t[]){ z->B, z->T, z->H * z->D });
    f32(p, cx, REF_K, 3, (int64_t[]){ z->B, z->S, z->Hk * Dk });
    f32(p, cx, REF_V, 3, (int64_t[]){ z->B, z->S, z->Hk * z->Dv });
    set_score(p, cx, z, Dk);
    set_visible(p, cx, z);
    set_positions(p, cx, z);
    set_extra(p, cx, z);
    p->ref.cfg = c;
    p->ref.B = z->B, p->ref.T = z->T, p->ref.S = z->S, p->ref.H = z->H, p->ref.Hk = z->Hk;
    p->ref.D = z->D, p->ref.Dk = Dk, p->ref.Dv = z->Dv;
    p->ref.temperatures = p->len[REF_TEMPERATURE];
    to_double(p);
    p->shift = calloc((size_t)weights + 1, sizeof *p->shift);
    p->onehot = calloc((size_t)weights + 1, sizeof *p->onehot);
    p->w = calloc((size_t)(z->B * z->T * z->H * z->Dv) + 1, sizeof *p->w);
    for (int64_t i = 0; i < z->B * z->T * z->H * z->Dv; i++)
        p->w[i] = (double)(float)problem_random(&p->seed);
}

void problem_free(problem *p) {
    free(p->numbers);
    free(p->shift);
    free(p->onehot);
    free(p->w);
}

const char *problem_text(const problem *p) {
    static const char *const scores[] = { "scaled dot", "dot", "cosine", "bilinear", "additive" };
    static const char *const weights[] = { "softmax", "sparsemax", "entmax15", "topk",       "hard",
                                           "gumbel",  "reinforce", "sigmoid",  "gumbel hard" };
    static char text[256];
    snprintf(text, sizeof text, "%s | %s | %s | %s | %s", scores[p->kind.score],
             weights[p->kind.weights], visible_names[p->kind.visible],
             position_names[p->kind.positions], extra_names[p->kind.extra]);
    return text;
}

bool problem_one_hot(const problem *p) {
    return p->cfg.weights == HEED_WEIGHTS_HARD || p->cfg.weights == HEED_WEIGHTS_REINFORCE ||
           p->cfg.gumbel_hard;
}

/* The table at the top of heed/attention.h, in its words. */
bool problem_refused(const problem *p) {
    const heed_attention_cfg *c = &p->cfg;
    const bool softmax = c->weights == HEED_WEIGHTS_SOFTMAX;
    const bool choice = problem_one_hot(p) || c->weights == HEED_WEIGHTS_GUMBEL;
    if (c->sinks && !softmax) return true;
    if (c->softcap > 0 && (c->relative || c->span || c->local_center)) return true;
    if (c->dropout > 0 && choice) return true;
    if (c->relative && (!c->causal || c->score > HEED_SCORE_DOT)) return true;
    if ((c->span || c->penalty) && !softmax) return true;
    if (c->local_center && (!softmax || c->span)) return true;
    return c->score_std && (c->sinks || c->softcap > 0 || !softmax);
}

heed_tensor *problem_run(problem *p, heed_ctx *cx, bool general) {
    if (!general) return heed_attention(cx, p->in[REF_Q], p->in[REF_K], p->in[REF_V], &p->cfg);
    heed_attention_call c = { p->in[REF_Q], p->in[REF_K], p->in[REF_V], p->cfg, { 0 } };
    if (heed__attention_check(cx, c.q, c.k, c.v, &c.cfg, &c.d)) return NULL;
    p->more = (heed_attention_more){ 0 };
    return heed__attention_general(cx, &c);
}

heed_tensor *problem_loss(problem *p, heed_ctx *cx, heed_tensor *out) {
    if (!out) return NULL;
    heed_tensor *w = heed_new(cx, HEED_F32, 3, out->shape);
    for (int64_t i = 0; i < out->len; i++) HEED_F32_DATA(w)[i] = (float)p->w[i];
    heed_tensor *loss = heed_sum(cx, heed_mul(cx, out, w));
    if (p->cfg.penalty) loss = heed_add(cx, loss, heed_scale(cx, p->more.penalty, 0.7f, 0));
    if (p->cfg.weights != HEED_WEIGHTS_REINFORCE) return loss;
    heed_tensor *by = heed_new(cx, HEED_F32, 1, &p->ref.B);
    for (int64_t b = 0; b < p->ref.B; b++) HEED_F32_DATA(by)[b] = 0.3f + (float)b;
    return heed_add(cx, loss, heed_sum(cx, heed_mul(cx, p->more.log_prob, by)));
}

void problem_choose(problem *p) {
    const ref_attention *r = &p->ref;
    const int64_t n = r->B * r->H * r->T;
    double *weights = malloc((size_t)(n * r->S + 1) * sizeof *weights);
    ref_attend(r, weights, NULL);
    for (int64_t i = 0; i < n && problem_one_hot(p); i++) {
        const double *row = weights + i * r->S;
        int64_t best = 0;
        for (int64_t s = 1; s < r->S; s++)
            if (row[s] > row[best]) best = s;
        for (int64_t s = 0; s < r->S; s++) {
            p->onehot[i * r->S + s] = row[best] > 0 && s == best;
            p->shift[i * r->S + s] = p->onehot[i * r->S + s] - row[s];
        }
    }
    p->ref.shift = problem_one_hot(p) ? p->shift : NULL;
    free(weights);
}

double problem_ref_loss(problem *p, double *out) {
    ref_attention *r = &p->ref;
    const int64_t rows = r->B * r->H * r->T, len = r->B * r->T * r->H * r->Dv;
    double *weights = malloc((size_t)(rows * r->S + 1) * sizeof *weights), loss = 0;
    double *y = malloc((size_t)(len + 1) * sizeof *y);
    ref_attend(r, weights, y);
    if (p->cfg.weights == HEED_WEIGHTS_REINFORCE) { /* what is drawn stays drawn */
        for (int64_t i = 0; i < rows * r->S; i++) {
            p->shift[i] = p->onehot[i] - weights[i];
            if (p->onehot[i] > 0)
                loss += (0.3 + (double)(i / r->S / r->T / r->H)) * log(weights[i]);
        }
        ref_attend(r, NULL, y);
    }
    for (int64_t i = 0; i < len; i++) {
        loss += p->w[i] * y[i];
        if (out) out[i] = y[i];
    }
    if (p->cfg.penalty) loss += 0.7 * ref_penalty(r, weights);
    free(y);
    free(weights);
    return loss;
}
