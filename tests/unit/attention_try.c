/* attention_try.c: see attention_try.h. */
#include "unit/attention_try.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/attention_ref.h"

#include "heed/ops.h"

static float *numbers(heed_rng *rng, int64_t n, float size) {
    float *x = malloc((size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = heed_rng_normal(rng) * size;
    return x;
}

static heed_tensor *tensor(heed_ctx *cx, heed_rng *rng, int ndim, const int64_t *shape,
                           float size) {
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= shape[i];
    float *x = numbers(rng, n, size);
    heed_tensor *t = heed_want_grad(cx, heed_from_f32(cx, ndim, shape, x));
    free(x);
    return t;
}
#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                     \
        __VA_ARGS__                                                                                \
    }

typedef struct Inputs {
    heed_tensor *q, *k, *v, *src[TRY_GRADS];
    float *dout;
    heed_attention_cfg cfg;
} Inputs;

static void make_lists(heed_ctx *cx, const Try *y, heed_rng *rng, heed_attention_cfg *g) {
    if (y->starts || y->lengths) {
        g->key_starts = y->starts ? heed_zeros(cx, HEED_I32, DIMS(y->B)) : NULL;
        g->key_lengths = heed_zeros(cx, HEED_I32, DIMS(y->B));
        for (int64_t b = 0; b < y->B; b++) {
            const int64_t start = y->starts ? (int64_t)heed_rng_below(rng, (uint64_t)y->S + 1) : 0;
            if (y->starts) HEED_I32_DATA(g->key_starts)[b] = (int32_t)start;
            HEED_I32_DATA(g->key_lengths)
            [b] = (int32_t)heed_rng_below(rng, (uint64_t)(y->S - start) + 1);
        }
    }
    if (y->segments) {
        g->q_segments = heed_zeros(cx, HEED_I32, DIMS(y->B, y->T));
        g->k_segments = heed_zeros(cx, HEED_I32, DIMS(y->B, y->S));
        for (int64_t i = 0; i < y->B * y->T; i++)
            HEED_I32_DATA(g->q_segments)[i] = (int32_t)(i % y->T * 3 / y->T);
        for (int64_t i = 0; i < y->B * y->S; i++) /* the last document comes in two pieces */
            HEED_I32_DATA(g->k_segments)[i] = (int32_t)(i % y->S * 4 / y->S) % 3;
    }
    if (y->mask2 || y->mask3) {
        g->mask = y->mask3 ? heed_zeros(cx, HEED_U8, DIMS(y->B, y->T, y->S))
                           : heed_zeros(cx, HEED_U8, DIMS(y->T, y->S));
        for (int64_t i = 0; i < g->mask->len; i++)
            HEED_U8_DATA(g->mask)[i] = (uint8_t)(heed_rng_below(rng, 3) ? 255 : 0);
    }
}

static Inputs make(heed_ctx *cx, const Try *y, uint64_t seed) {
    heed_rng rng = { .seed = seed };
    Inputs in = { .cfg = y->cfg };
    heed_attention_cfg *g = &in.cfg;
    const float size = y->size > 0 ? y->size : 1;
    g->heads = y->H, g->kv_heads = y->Hk;
    in.src[0] = in.q = tensor(cx, &rng, DIMS(y->B, y->T, y->H * y->D), size);
    in.src[1] = in.k = tensor(cx, &rng, DIMS(y->B, y->S, y->Hk * y->D), size);
    in.src[2] = in.v = tensor(cx, &rng, DIMS(y->B, y->S, y->Hk * y->Dv), 1);
    in.dout = numbers(&rng, y->B * y->T * y->H * y->Dv, 1);
    if (y->bias) in.src[3] = g->bias = tensor(cx, &rng, DIMS(y->H, y->T, y->S), 1);
    if (y->t5) in.src[4] = g->t5 = tensor(cx, &rng, DIMS(8, y->H), 1);
    if (y->sinks) in.src[5] = g->sinks = tensor(cx, &rng, DIMS(y->H), 1);
    if (y->tau1 || y->tauH) {
        in.src[6] = g->temperature = tensor(cx, &rng, DIMS(y->tau1 ? 1 : y->H), 1);
        for (int64_t i = 0; i < g->temperature->len; i++)
            HEED_F32_DATA(g->temperature)[i] = 0.5f + fabsf(HEED_F32_DATA(g->temperature)[i]);
    }
    if (y->alibi) {
        g->alibi = heed_zeros(cx, HEED_F32, DIMS(y->H));
        heed_alibi_slopes(y->H, HEED_F32_DATA(g->alibi));
    }
    make_lists(cx, y, &rng, g);
    return in;
}

static float *copy(const float *x, int64_t n) {
    float *y = malloc((size_t)(n + 1) * sizeof *y);
    if (n) memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

static void die_of(heed_ctx *cx, const char *where) {
    const heed_error *e = heed_ctx_error(cx);
    fail_msg("%s: %s", where, e ? e->msg : "no error");
}

Result try_run(heed_ctx *cx, const Try *y, uint64_t seed) {
    Inputs in = make(cx, y, seed);
    heed_tensor *out = heed_attention(cx, in.q, in.k, in.v, &in.cfg);
    if (!out || heed_backward_from(cx, out, in.dout)) die_of(cx, "attention");
    Result r = { .len = out->len };
    r.out = copy(out->data, out->len);
    for (int i = 0; i < TRY_GRADS; i++) {
        if (!in.src[i]) continue;
        r.grad_len[i] = in.src[i]->len;
        r.grad[i] = copy(in.src[i]->grad, in.src[i]->grad ? in.src[i]->len : 0);
        if (!in.src[i]->grad && in.src[i]->len) fail_msg("source %d has no gradient", i);
    }
    free(in.dout);
    heed_ctx_reset(cx);
    return r;
}

void try_done(Result *r) {
    free(r->out);
    for (int i = 0; i < TRY_GRADS; i++) free(r->grad[i]);
}

static void same(const float *a, const float *b, int64_t n, const char *what, int i) {
    if (n && memcmp(a, b, (size_t)n * sizeof *a)) {
        int64_t at = 0;
        while (!memcmp(a + at, b + at, sizeof *a)) at++;
        fail_msg("%s, array %d: element %lld of %lld is %a, not %a", what, i, (long long)at,
                 (long long)n, (double)a[at], (double)b[at]);
    }
}

void try_same(const Result *a, const Result *b, const char *what) {
    same(a->out, b->out, a->len, what, -1);
    for (int i = 0; i < TRY_GRADS; i++) same(a->grad[i], b->grad[i], a->grad_len[i], what, i);
}

Exact try_reference(heed_ctx *cx, const Try *y, uint64_t seed) {
    Inputs in = make(cx, y, seed);
    Exact e = { 0 };
    for (int i = 0; i < TRY_GRADS; i++)
        if (in.src[i]) e.grad[i] = calloc((size_t)in.src[i]->len + 1, sizeof(double));
    e.out = calloc((size_t)(y->B * y->T * y->H * y->Dv) + 1, sizeof *e.out);
    ref_attention(&(ref_call){ .B = y->B,
                               .T = y->T,
                               .S = y->S,
                               .H = y->H,
                               .Hk = y->Hk,
                               .D = y->D,
                               .Dv = y->Dv,
                               .q = in.q->data,
                               .k = in.k->data,
                               .v = in.v->data,
                               .dout = in.dout,
                               .cfg = &in.cfg,
                               .out = e.out,
                               .dq = e.grad[0],
                               .dk = e.grad[1],
                               .dv = e.grad[2],
                               .dbias = e.grad[3],
                               .dt5 = e.grad[4],
                               .dsinks = e.grad[5],
                               .dtau = e.grad[6] });
    free(in.dout);
    heed_ctx_reset(cx);
    return e;
}

void try_exact_done(Exact *e) {
    for (int i = 0; i < TRY_GRADS; i++) free(e->grad[i]);
    free(e->out);
}

#define SIZES(b, t, s, h, hk, d, dv) .B = b, .T = t, .S = s, .H = h, .Hk = hk, .D = d, .Dv = dv

const Try try_list[TRY_LIST] = {
    { SIZES(1, 1, 1, 1, 1, 1, 1) },
    { SIZES(2, 17, 17, 3, 3, 7, 7) },
    { SIZES(1, 70, 69, 2, 1, 64, 33) },
    { SIZES(1, 3, 300, 2, 2, 16, 16) },
    { SIZES(1, 270, 280, 1, 1, 20, 40), .cfg.causal = true },
    { SIZES(2, 0, 5, 2, 2, 8, 8) },
    { SIZES(2, 5, 0, 2, 2, 8, 8) },
    { SIZES(1, 9, 13, 1, 1, 256, 255) },
    { SIZES(2, 40, 40, 4, 2, 32, 32), .cfg.causal = true },
    { SIZES(3, 33, 65, 2, 2, 24, 8), .starts = true },
    { SIZES(3, 33, 65, 2, 2, 24, 8), .lengths = true },
    { SIZES(2, 60, 60, 2, 2, 16, 16), .starts = true, .cfg = { .causal = true } },
    { SIZES(1, 150, 150, 2, 2, 16, 16), .cfg = { .window = true, .left = 20, .right = 3 } },
    { SIZES(1, 150, 150, 1, 1, 16, 16),
      .cfg = { .window = true, .left = 20, .right = -1, .causal = true } },
    { SIZES(2, 41, 50, 1, 1, 12, 12), .lengths = true, .cfg = { .truncate = 9 } },
    { SIZES(2, 41, 50, 1, 1, 12, 12), .cfg = { .truncate = 9, .causal = true, .query_start = 9 } },
    { SIZES(2, 67, 70, 2, 1, 12, 12), .segments = true },
    { SIZES(2, 70, 70, 2, 2, 12, 12), .segments = true, .cfg = { .causal = true } },
    { SIZES(2, 31, 45, 2, 2, 9, 9), .mask2 = true },
    { SIZES(2, 31, 45, 2, 2, 9, 9), .mask3 = true, .bias = true },
    { SIZES(3, 20, 37, 4, 2, 9, 9), .bias = true },
    { SIZES(2, 35, 35, 3, 3, 9, 9), .alibi = true, .cfg = { .causal = true } },
    { SIZES(2, 35, 150, 2, 2, 9, 9), .t5 = true, .cfg = { .query_start = 60, .t5_distance = 32 } },
    { SIZES(2, 40, 40, 2, 2, 9, 9), .t5 = true, .alibi = true,
      .cfg = { .causal = true, .t5_one_way = true } },
    { SIZES(2, 19, 23, 2, 2, 9, 9), .cfg = { .softcap = 2 }, .bias = true, .size = 2 },
    { SIZES(2, 19, 23, 2, 1, 9, 9), .sinks = true, .lengths = true },
    { SIZES(2, 19, 23, 2, 2, 9, 9), .tauH = true,
      .cfg = { .score = HEED_SCORE_COSINE, .scale = 4 } },
    { SIZES(2, 19, 23, 2, 2, 9, 9), .tau1 = true,
      .cfg = { .score = HEED_SCORE_DOT, .softcap = 5 } },
    { SIZES(1, 130, 200, 2, 2, 5, 70), .starts = true, .mask2 = true, .sinks = true, .t5 = true,
      .cfg = { .causal = true, .query_start = 50 } },
};

Try try_chance(heed_rng *rng) {
#define BELOW(n) ((int64_t)heed_rng_below(rng, (uint64_t)(n)))
    Try y = { .B = 1 + BELOW(3), .T = BELOW(71), .S = BELOW(71), .Hk = 1 + BELOW(2) };
    y.H = y.Hk * (1 + BELOW(3));
    y.D = 1 + BELOW(BELOW(4) ? 40 : 256);
    y.Dv = 1 + BELOW(BELOW(4) ? 40 : 256);
    y.cfg.causal = BELOW(2);
    y.cfg.query_start = BELOW(3) ? 0 : BELOW(20);
    y.starts = !BELOW(3), y.lengths = !BELOW(3), y.mask3 = !BELOW(4), y.bias = !BELOW(4);
    y.t5 = !BELOW(4), y.sinks = !BELOW(4), y.cfg.softcap = BELOW(4) ? 0 : 3;
    y.segments = !BELOW(5) && y.T && y.S;
    if (!BELOW(3)) y.cfg.window = true, y.cfg.left = BELOW(30), y.cfg.right = BELOW(9) - 1;
    if (!BELOW(4)) y.cfg.truncate = 1 + BELOW(20);
    return y;
#undef BELOW
}
