/* attention_fused.c: attention by the fused kernel: softmax of a dot product.
 *
 *   forward    y_t = Σ_s a_ts v_s,   a_t = softmax_s(c q_t·k_s + positions_ts) over the keys seen
 *   backward   from the rows' log-sums alone; kernels/attn.h tells how
 */
#include <math.h>
#include <string.h>

#include "kernels/attn_run.h"
#include "kernels/math.h"
#include "ops/attention_impl.h"

/* What backward needs: the call, and its problem with out and the log-sums. */
typedef struct Saved {
    heed_attention_call c;
    heed_attn a;
} Saved;

enum { SRC_Q, SRC_K, SRC_V, SRC_BIAS, SRC_T5, SRC_SINKS, SRC_TEMPERATURE, SRC_COUNT };

static const float *make_scales(heed_ctx *cx, const heed_attention_call *c) {
    const heed_attention_cfg *g = &c->cfg;
    float *scale = heed__alloc(cx, c->d.H, sizeof *scale);
    const float plain = g->score == HEED_SCORE_SCALED_DOT ? 1.0f / sqrtf((float)c->d.D) : 1.0f;
    for (int64_t h = 0; scale && h < c->d.H; h++) {
        const heed_tensor *tau = g->temperature;
        scale[h] = g->scale != 0 ? g->scale : plain;
        if (tau) scale[h] /= HEED_F32_DATA(tau)[tau->len == 1 ? 0 : h];
    }
    return scale;
}

/* alibi and t5 as one table of distances for each head, in base 2. */
static bool make_relative(heed_ctx *cx, const heed_attention_call *c, heed_attn *a) {
    if (!c->cfg.alibi && !c->cfg.t5) return true;
    a->relative_first = -(c->d.T - 1 + c->cfg.query_start);
    a->relative_len = c->d.T + c->d.S + 16;
    float *table = heed__alloc(cx, c->d.H, (size_t)a->relative_len * sizeof *table);
    if (!table) return false;
    for (int64_t h = 0; h < c->d.H; h++)
        heed__attention_relative(&c->cfg, h, a->relative_first, a->relative_len,
                                 table + h * a->relative_len);
    for (int64_t i = 0; i < c->d.H * a->relative_len; i++) table[i] *= HEED_ATTN_LOG2E;
    a->relative = table;
    return true;
}

#define OPTIONAL(t) ((t) ? HEED_F32_DATA(t) : NULL)

bool heed__attention_problem(heed_ctx *cx, const heed_attention_call *c, heed_attn *a) {
    const heed_attention_cfg *g = &c->cfg;
    const heed_attention_dims *d = &c->d;
    const heed_tensor *ks = g->k_segments ? g->k_segments : g->q_segments;
    *a = (heed_attn){ .B = d->B,
                      .T = d->T,
                      .S = d->S,
                      .H = d->H,
                      .Hk = d->Hk,
                      .D = d->D,
                      .Dv = d->Dv,
                      .bf16 = cx->precision == HEED_PRECISION_BF16,
                      .q = HEED_F32_DATA(c->q),
                      .scale = make_scales(cx, c),
                      .cosine = g->score == HEED_SCORE_COSINE,
                      .causal = g->causal,
                      .window = g->window,
                      .query_start = g->query_start,
                      .left = g->left,
                      .right = g->right,
                      .truncate = g->truncate,
                      .starts = g->key_starts ? HEED_I32_DATA(g->key_starts) : NULL,
                      .lengths = g->key_lengths ? HEED_I32_DATA(g->key_lengths) : NULL,
                      .q_segment = g->q_segments ? HEED_I32_DATA(g->q_segments) : NULL,
                      .k_segment = ks ? HEED_I32_DATA(ks) : NULL,
                      .mask = g->mask ? HEED_U8_DATA(g->mask) : NULL,
                      .mask_batch = g->mask && g->mask->ndim == 3,
                      .bias = OPTIONAL(g->bias),
                      .softcap = g->softcap,
                      .sinks = OPTIONAL(g->sinks) };
    if (cx->train && g->dropout > 0) {
        a->dropout = g->dropout;
        a->seed = cx->seed;
        a->stream = heed__stream(cx);
    }
    a->lse = heed__alloc(cx, d->B * d->H, (size_t)d->T * sizeof(float));
    return a->scale && a->lse && make_relative(cx, c, a);
}

/* Scratch of either pass: one size, so that backward takes the place that forward had. */
static void *make_scratch(heed_ctx *cx, const heed_attn *a) {
    const int threads = heed_pool_threads(cx->pool);
    const int64_t f = heed__attn_forward_scratch(cx->k, a, threads);
    const int64_t b = heed__attn_backward_scratch(cx->k, a, threads);
    return heed__temp(cx, f > b ? f : b, 1);
}

/* -- backward */

typedef struct Parts {
    float *scale, *sinks; /* [B,H] */
} Parts;

static bool prepare(heed_ctx *cx, const heed_node *n, heed_attn *a, Parts *p) {
    const int64_t heads = a->B * a->H;
    heed_tensor *const *src = n->src;
    a->dout = n->out->grad;
    a->dq = src[SRC_Q]->needs_grad ? heed_grad(cx, src[SRC_Q]) : NULL;
    a->dk = src[SRC_K]->needs_grad ? heed_grad(cx, src[SRC_K]) : NULL;
    a->dv = src[SRC_V]->needs_grad ? heed_grad(cx, src[SRC_V]) : NULL;
    if (src[SRC_BIAS]) a->dbias = heed_grad(cx, src[SRC_BIAS]);
    if (src[SRC_SINKS] && src[SRC_SINKS]->needs_grad) {
        a->dsinks = p->sinks = heed__alloc(cx, heads, sizeof(float));
        if (!a->dsinks) return false;
    }
    if (src[SRC_TEMPERATURE] && src[SRC_TEMPERATURE]->needs_grad) {
        a->dscale = p->scale = heed__alloc(cx, heads, sizeof(float));
        if (!a->dscale) return false;
    }
    if (src[SRC_T5] && src[SRC_T5]->needs_grad) {
        a->drelative = heed__alloc(cx, heads, (size_t)a->relative_len * sizeof(float));
        if (!a->drelative) return false;
        memset(a->drelative, 0, (size_t)(heads * a->relative_len) * sizeof(float));
    }
    return true;
}

static void t5_gradient(heed_ctx *cx, const Saved *s, const heed_attn *a) {
    heed_tensor *t5 = s->c.cfg.t5;
    float *grad = heed_grad(cx, t5);
    const heed_t5 buckets = heed__t5_buckets(&s->c.cfg);
    const int64_t H = a->H;
    for (int64_t i = 0; grad && i < a->relative_len; i++) {
        const int64_t bucket = heed__t5_bucket(&buckets, a->relative_first + i);
        for (int64_t b = 0; b < a->B; b++)
            for (int64_t h = 0; h < H; h++)
                grad[bucket * H + h] += a->drelative[(b * H + h) * a->relative_len + i];
    }
    if (grad) heed__canon(cx->k, grad, t5->len);
}

static void fused_backward(heed_ctx *cx, const heed_node *n) {
    const Saved *s = n->saved;
    heed_attn a = s->a;
    Parts p = { 0 };
    if (!prepare(cx, n, &a, &p)) return;
    void *scratch = make_scratch(cx, &a);
    if (!scratch) return;
    heed__attn_backward(cx->k, cx->pool, &a, scratch);
    heed__temp_end(cx, scratch);
    if (a.drelative) t5_gradient(cx, s, &a);
    float *sinks = p.sinks ? heed_grad(cx, s->c.cfg.sinks) : NULL;
    for (int64_t b = 0; sinks && b < a.B; b++)
        cx->k->math->add(sinks, sinks, p.sinks + b * a.H, a.H);
    heed_tensor *tau = s->c.cfg.temperature;
    float *dtau = p.scale ? heed_grad(cx, tau) : NULL;
    for (int64_t i = 0; dtau && i < a.B * a.H; i++) {
        const int64_t h = tau->len == 1 ? 0 : i % a.H;
        dtau[h] -= p.scale[i] * a.scale[i % a.H] / HEED_F32_DATA(tau)[h];
    }
    if (dtau) heed__canon(cx->k, dtau, tau->len);
}

static const heed_op fused_op = { .name = "attention", .backward = fused_backward };

/* -- the tap */

typedef struct Tap {
    heed_ctx *cx;
    const heed_attn *a;
    heed_attention_tap *tap;
    char *scratch;
    int64_t size;
} Tap;

typedef struct TapHead {
    const Tap *t;
    int64_t head; /* b·H + h */
} TapHead;

static void visit_chosen(void *arg, int64_t t, const float *p) {
    const TapHead *v = arg;
    const heed_attention_tap *tap = v->t->tap;
    const int64_t S = v->t->a->S;
    float *out = HEED_F32_DATA(tap->row_weights) + v->head * tap->rows_len * S;
    for (int64_t i = 0; i < tap->rows_len; i++)
        if (tap->rows[i] == t) memcpy(out + i * S, p, (size_t)S * sizeof *p);
}

/* The n largest of p [S], by insertion: n is small, and most keys fail the first comparison. */
static void keep_largest(float *weight, int32_t *key, int64_t n, const float *p, int64_t S) {
    int64_t held = 0;
    for (int64_t s = 0; s < S; s++) {
        if (!(p[s] > 0) || (held == n && p[s] <= weight[n - 1])) continue;
        int64_t i = held < n ? held++ : n - 1;
        for (; i > 0 && weight[i - 1] < p[s]; i--) weight[i] = weight[i - 1], key[i] = key[i - 1];
        weight[i] = p[s], key[i] = (int32_t)s;
    }
}

static void visit_all(void *arg, int64_t t, const float *p) {
    const TapHead *v = arg;
    const heed_attention_tap *tap = v->t->tap;
    const int64_t S = v->t->a->S, row = v->head * v->t->a->T + t;
    if (tap->top_k)
        keep_largest(HEED_F32_DATA(tap->top_weights) + row * tap->top_k,
                     HEED_I32_DATA(tap->top_keys) + row * tap->top_k, tap->top_k, p, S);
    float *column = tap->column_mass ? HEED_F32_DATA(tap->column) + v->head * S : NULL;
    for (int64_t s = 0; column && s < S; s++) column[s] += p[s];
    if (!tap->entropy) return;
    float sum = 0;
    for (int64_t s = 0; s < S; s += 64) {
        float log[64];
        const int64_t n = S - s < 64 ? S - s : 64;
        v->t->cx->k->math->log(log, p + s, n);
        for (int64_t i = 0; i < n; i++)
            if (p[s + i] > 0) sum = fmaf(-p[s + i], log[i], sum);
    }
    HEED_F32_DATA(tap->row_entropy)[row] = sum;
}

static void tap_heads(void *arg, int64_t begin, int64_t end, int worker) {
    const Tap *t = arg;
    char *scratch = t->scratch + worker * t->size;
    for (int64_t head = begin; head < end; head++) {
        TapHead v = { t, head };
        const int64_t bh[2] = { head / t->a->H, head % t->a->H };
        if (t->tap->rows_len)
            heed__attn_weights(t->cx->k, t->a, bh, t->tap->rows, t->tap->rows_len, visit_chosen, &v,
                               scratch);
        if (t->tap->top_k || t->tap->column_mass || t->tap->entropy)
            heed__attn_weights(t->cx->k, t->a, bh, NULL, 0, visit_all, &v, scratch);
    }
}

bool heed__attention_run_tap(heed_ctx *cx, const heed_attn *a, heed_attention_tap *tap) {
    Tap t = { .cx = cx, .a = a, .tap = tap, .size = heed__attn_weights_scratch(cx->k, a) };
    t.scratch = heed__temp(cx, t.size, (size_t)heed_pool_threads(cx->pool));
    if (!t.scratch) return false;
    heed_pool_run(cx->pool, a->B * a->H, 1, tap_heads, &t);
    heed__temp_end(cx, t.scratch);
    return true;
}

/* -- forward */

bool heed__attention_run(heed_ctx *cx, const heed_attn *a) {
    void *scratch = make_scratch(cx, a);
    if (!scratch) return false;
    heed__attn_forward(cx->k, cx->pool, a, scratch);
    heed__temp_end(cx, scratch);
    return true;
}

heed_tensor *heed__attention_fused(heed_ctx *cx, const heed_attention_call *c) {
    const int64_t shape[] = { c->d.B, c->d.T, c->d.H * c->d.Dv };
    heed_tensor *out = heed_new(cx, HEED_F32, 3, shape);
    Saved *s = out ? heed__alloc(cx, 1, sizeof *s) : NULL;
    if (!s) return NULL;
    s->c = *c;
    if (!heed__attention_problem(cx, c, &s->a)) return NULL;
    s->a.key = HEED_F32_DATA(c->k);
    s->a.v = HEED_F32_DATA(c->v);
    s->a.out = HEED_F32_DATA(out);
    if (!heed__attention_run(cx, &s->a)) return NULL;
    if (c->cfg.tap && !heed__attention_run_tap(cx, &s->a, c->cfg.tap)) return NULL;
    heed_tensor *src[SRC_COUNT] = {
        c->q, c->k, c->v, c->cfg.bias, c->cfg.t5, c->cfg.sinks, c->cfg.temperature
    };
    return heed_record(cx, &fused_op, out, SRC_COUNT, src, s);
}
