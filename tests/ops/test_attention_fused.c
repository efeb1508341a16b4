/* test_attention_fused.c: what attention promises, asked of the fused kernel, forward and
 * gradients: a tap's numbers against the reference in double, the same bits with it and without,
 * its memory; what dropout leaves; a batch of one and of many; padding on either side; huge logits.
 * Small shapes, and some of several tiles and blocks of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention_problem.h"

static const sizes small = { 2, 5, 7, 4, 2, 4, 3 }, tiles = { 2, 150, 170, 4, 2, 20, 12 };
static const sizes blocks = { 2, 20, 600, 4, 2, 20, 12 };

static heed_ctx *context_of(heed_precision precision, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(
        &(heed_ctx_cfg){ .threads = threads, .train = true, .seed = 5, .precision = precision },
        &err);
    if (!cx) fail_msg("%s", err.msg);
    return cx;
}

static heed_ctx *context(int threads) {
    return context_of(HEED_PRECISION_F32, threads);
}

static const float *f(const heed_tensor *t) {
    return HEED_F32_DATA(t);
}

static heed_tensor *numbers(heed_ctx *cx, int64_t B, int64_t T, int64_t C, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ B, T, C });
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)(2 * problem_random(&seed));
    return heed_want_grad(cx, t);
}

/* By heed_attention, which must choose the fused kernel. */
static heed_tensor *attend(heed_ctx *cx, heed_tensor *const in[3], const heed_attention_cfg *cfg) {
    heed_attention_call c = { in[0], in[1], in[2], *cfg, { 0 } };
    if (heed__attention_check(cx, c.q, c.k, c.v, &c.cfg, &c.d))
        fail_msg("%s", heed_ctx_error(cx)->msg);
    assert_true(c.d.fused);
    heed_tensor *y = heed_attention(cx, in[0], in[1], in[2], cfg);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    return y;
}

static void backward(heed_ctx *cx, heed_tensor *y, const heed_tensor *dout) {
    if (heed_backward_from(cx, y, dout->data)) fail_msg("%s", heed_ctx_error(cx)->msg);
}

static void same(const float *a, const float *b, int64_t len, const char *what) {
    if (memcmp(a, b, (size_t)len * sizeof *a) != 0) fail_msg("%s: other bits", what);
}

/* -- the tap */

/* How far a tap's weights, and its sums over them, may be off. */
typedef struct margin {
    double each, sum;
} margin;

/* In bf16, scores are of numbers of 8 bits. */
static const margin margins[] = {
    [HEED_PRECISION_F32] = { 2e-6, 1e-5 }, [HEED_PRECISION_BF16] = { 1e-2, 1e-2 }
};

/* The largest weights of one row: those of their keys, none left out that is larger. */
static void check_top(const double *w, int64_t S, const float *top, const int32_t *key, int64_t n,
                      double off) {
    int64_t seen = 0, taken = 0;
    double least = 1;
    for (int64_t s = 0; s < S; s++) seen += w[s] > 0;
    for (int64_t i = 0; i < n; i++) {
        if (key[i] < 0) {
            assert_true(top[i] == 0 && i >= seen);
            continue;
        }
        if (key[i] >= S) fail_msg("key %d of %lld", (int)key[i], (long long)S);
        taken++;
        least = (double)top[i];
        assert_true(fabs(w[key[i]] - least) < off);
        assert_true(i == 0 || top[i] < top[i - 1] || (top[i] == top[i - 1] && key[i] > key[i - 1]));
    }
    assert_int_equal(taken, seen < n ? seen : n);
    for (int64_t s = 0; s < S; s++) {
        bool chosen = false;
        for (int64_t i = 0; i < n; i++) chosen |= key[i] == s;
        assert_true(chosen || w[s] <= least + 2 * off);
    }
}

static void check_tap(const problem *p, const heed_attention_tap *tap, const margin *off) {
    const ref_attention *r = &p->ref;
    const int64_t T = r->T, S = r->S, all = r->B * r->H * T;
    double *w = malloc((size_t)(all * S) * sizeof *w);
    double *column = calloc((size_t)S, sizeof *column);
    ref_attend(r, w, NULL);
    for (int64_t row = 0; row < all; row++) {
        double entropy = 0;
        for (int64_t s = 0; s < S; s++) {
            const double a = w[row * S + s];
            column[s] += a;
            if (a > 0) entropy -= a * log(a);
        }
        assert_true(fabs(entropy - (double)f(tap->row_entropy)[row]) < off->sum * (1 + entropy));
        check_top(w + row * S, S, f(tap->top_weights) + row * tap->top_k,
                  HEED_I32_DATA(tap->top_keys) + row * tap->top_k, tap->top_k, off->each);
        for (int64_t i = 0; i < tap->rows_len; i++) {
            const float *got = f(tap->row_weights) + (row / T * tap->rows_len + i) * S;
            for (int64_t s = 0; tap->rows[i] == row % T && s < S; s++)
                assert_true(fabs(w[row * S + s] - (double)got[s]) < off->each);
        }
        if (row % T != T - 1) continue;
        for (int64_t s = 0; s < S; s++) {
            const double got = (double)f(tap->column)[row / T * S + s];
            assert_true(fabs(column[s] - got) < off->sum * (1 + column[s]));
            column[s] = 0;
        }
    }
    free(column);
    free(w);
}

/* One call with its gradients, from the same step, so that dropout draws the same. */
static float *run(heed_ctx *cx, const kind *k, const sizes *z, heed_attention_tap *tap,
                  float dropout, int64_t *len) {
    problem p;
    heed_ctx_reset(cx);
    heed_ctx_set_step(cx, 3);
    problem_init(&p, cx, k, z);
    p.cfg.tap = tap;
    p.cfg.dropout = dropout;
    heed_tensor *y = attend(cx, p.in, &p.cfg);
    if (tap) check_tap(&p, tap, &margins[heed_ctx_precision(cx)]); /* weights before dropout */
    heed_tensor *loss = problem_loss(&p, cx, y);
    if (heed_backward(cx, loss)) fail_msg("%s", heed_ctx_error(cx)->msg);
    *len = y->len;
    for (int i = 0; i < REF_TENSORS; i++) *len += p.in[i] ? p.len[i] : 0;
    float *all = malloc((size_t)*len * sizeof *all), *at = all;
    memcpy(at, y->data, (size_t)y->len * sizeof *at);
    at += y->len;
    for (int i = 0; i < REF_TENSORS; i++) {
        if (!p.in[i]) continue;
        memcpy(at, p.in[i]->grad, (size_t)p.len[i] * sizeof *at);
        at += p.len[i];
    }
    problem_free(&p);
    return all;
}

static void check_kind(heed_ctx *cx, const kind *k, const sizes *z, float dropout) {
    const int64_t rows[] = { z->T - 1, 0, z->T / 2 };
    heed_attention_tap tap = {
        .rows = rows, .rows_len = 3, .top_k = 5, .column_mass = true, .entropy = true
    };
    int64_t len, len_tapped;
    float *plain = run(cx, k, z, NULL, dropout, &len);
    float *tapped = run(cx, k, z, &tap, dropout, &len_tapped);
    assert_int_equal(len, len_tapped);
    same(plain, tapped, len, "with a tap");
    free(plain);
    free(tapped);
}

static void tap_of(heed_precision precision) {
    static const int visible[] = { 0, 1, 2, 3, 4, 5, 6, 12, 13, 14 };
    static const int extra[] = { 0, 1, 4, 5 };
    heed_ctx *cx = context_of(precision, 2);
    int n = 0;
    for (int score = 0; score <= HEED_SCORE_COSINE; score++)
        for (size_t v = 0; v < sizeof visible / sizeof visible[0]; v++)
            for (int e = 0; e < 4; e++, n++)
                check_kind(cx, &(kind){ score, 0, visible[v], n % 6, extra[e] }, &small,
                           n % 3 ? 0 : 0.2f);
    const kind large[] = { { 0, 0, 0, 0, 0 },  { 0, 0, 1, 0, 0 }, { 0, 0, 3, 3, 4 },
                           { 2, 0, 5, 0, 5 },  { 1, 0, 6, 2, 0 }, { 0, 0, 12, 1, 1 },
                           { 0, 0, 14, 0, 5 }, { 0, 0, 2, 0, 0 } };
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        check_kind(cx, &large[i], &tiles, i % 2 ? 0.1f : 0);
    for (int i = 0; i < 3; i++) check_kind(cx, &large[i > 1 ? 7 : i], &blocks, 0);
    heed_ctx_free(cx);
}

static void test_tap(void **state) {
    (void)state;
    tap_of(HEED_PRECISION_F32);
}

static void test_tap_bf16(void **state) {
    (void)state;
    tap_of(HEED_PRECISION_BF16);
}

/* What a tap holds besides the call's own memory, forward and backward; T queries and keys. */
static int64_t tap_memory(int64_t T, heed_attention_tap ask) {
    int64_t held[2];
    for (int with = 0; with < 2; with++) {
        heed_ctx *cx = context(1);
        heed_tensor *in[3] = { numbers(cx, 1, T, 16, 1), numbers(cx, 1, T, 16, 2),
                               numbers(cx, 1, T, 16, 3) };
        heed_attention_cfg c = { .heads = 2, .tap = with ? &ask : NULL };
        heed_tensor *y = attend(cx, in, &c);
        backward(cx, y, y);
        heed_ctx_reset(cx); /* what is held now is what was handed out */
        held[with] = (int64_t)heed_ctx_memory(cx);
        heed_ctx_free(cx);
    }
    return held[1] - held[0];
}

/* What was asked and next to nothing besides; one head's [T,T] would be 4 MB. */
static void test_tap_memory(void **state) {
    (void)state;
    enum { T = 1024, H = 2, ROWS = 256, TOP = 64, LITTLE = 1 << 16 };
    int64_t rows[ROWS];
    for (int64_t i = 0; i < ROWS; i++) rows[i] = T - 1 - i;
    const heed_attention_tap all = {
        .rows = rows, .rows_len = 2, .top_k = 4, .column_mass = true, .entropy = true
    };
    const int64_t some = tap_memory(T, all);
    const int64_t many = tap_memory(T, (heed_attention_tap){ .rows = rows, .rows_len = ROWS });
    const int64_t top = tap_memory(T, (heed_attention_tap){ .top_k = TOP });
    print_message("a little of all: %lld bytes, %d rows: %lld, top %d: %lld\n", (long long)some,
                  ROWS, (long long)many, TOP, (long long)top);
    assert_true(some <= 4 * H * (2 * T + T * 4 * 2 + T + T) + LITTLE);
    assert_true(many >= 4 * H * ROWS * T && many <= 4 * H * ROWS * T + LITTLE);
    assert_true(top >= 8 * H * TOP * T && top <= 8 * H * TOP * T + LITTLE);
}

/* -- dropout: each weight by its own chance. All weights are alike, values the unit matrix. */

enum { DROP_B = 2, DROP_T = 20, DROP_H = 2, DROP_ROWS = DROP_B * DROP_T * DROP_H, DROP_S = 300 };

/* Which weights of rows [B,T,H] of S are left, which are as large as they must be. */
static void draw(heed_precision precision, int64_t S, bool kept[DROP_ROWS][DROP_S]) {
    heed_ctx *cx = context_of(precision, 2);
    heed_tensor *q = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ DROP_B, DROP_T, DROP_H * 8 });
    heed_tensor *k = numbers(cx, DROP_B, S, DROP_H * 8, 1);
    heed_tensor *v = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ DROP_B, S, DROP_H * S });
    for (int64_t row = 0; row < DROP_B * S; row++)
        for (int64_t h = 0; h < DROP_H; h++) HEED_F32_DATA(v)[(row * DROP_H + h) * S + row % S] = 1;
    const heed_tensor *y = attend(cx, (heed_tensor *[]){ q, k, v },
                                  &(heed_attention_cfg){ .heads = DROP_H, .dropout = 0.5f });
    for (int64_t i = 0; i < y->len; i++) {
        const float x = f(y)[i] * (float)S / 2;
        kept[i / S][i % S] = x != 0;
        assert_true(x == 0 || fabsf(x - 1) < 2e-3f);
    }
    heed_ctx_free(cx);
}

static void check_drawn(heed_precision precision, int64_t S) {
    static bool kept[DROP_ROWS][DROP_S];
    int64_t all = 0;
    draw(precision, S, kept);
    for (int64_t i = 0; i < DROP_ROWS; i++)
        for (int64_t s = 0; s < S; s++) all += kept[i][s];
    assert_true(llabs(2 * all - DROP_ROWS * S) < DROP_ROWS * S / 25);
    for (int64_t i = 0; i < DROP_ROWS; i++) /* no two rows are alike */
        for (int64_t j = 0; j < i; j++) {
            int64_t alike = 0;
            for (int64_t s = 0; s < S; s++) alike += kept[i][s] == kept[j][s];
            if (4 * alike > 3 * S) fail_msg("rows %d and %d are left alike", (int)i, (int)j);
        }
    for (int next = 0; next < 2; next++) /* nor are keys alike, of a row or of one and the next */
        for (int64_t far = 64; far < S; far *= 2) {
            int64_t alike = 0, n = 0;
            for (int64_t i = 0; i + next * DROP_H < DROP_ROWS; i++)
                for (int64_t s = 0; s + far < S; s++, n++)
                    alike += kept[i][s + far] == kept[i + next * DROP_H][s];
            if (5 * alike > 3 * n) fail_msg("keys %d apart are left alike", (int)far);
        }
}

static void test_dropout(void **state) {
    (void)state;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        check_drawn(bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32, 100);
        check_drawn(bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32, DROP_S);
    }
}

/* -- batch mates: 64 rows together are 64 rows each alone */

static void check_batch(int64_t B, int64_t T, int64_t S, const heed_attention_cfg *cfg) {
    enum { C = 24 };
    heed_ctx *cx = context(2);
    const int64_t L[] = { T, S, S };
    heed_tensor *in[3], *dout = numbers(cx, B, T, C, 4);
    for (int i = 0; i < 3; i++) in[i] = numbers(cx, B, L[i], C, (uint64_t)i + 1);
    heed_tensor *all = attend(cx, in, cfg);
    backward(cx, all, dout);
    for (int64_t b = 0; b < B; b++) {
        heed_tensor *one[3];
        for (int i = 0; i < 3; i++) {
            const int64_t shape[] = { 1, L[i], C };
            one[i] = heed_from_f32(cx, 3, shape, f(in[i]) + b * L[i] * C);
            heed_want_grad(cx, one[i]);
        }
        heed_tensor *y = attend(cx, one, cfg);
        same(f(y), f(all) + b * T * C, T * C, "alone");
        if (heed_backward_from(cx, y, f(dout) + b * T * C)) fail_msg("%s", heed_ctx_error(cx)->msg);
        for (int i = 0; i < 3; i++)
            same(one[i]->grad, in[i]->grad + b * L[i] * C, L[i] * C, "gradient alone");
    }
    heed_ctx_free(cx);
}

static void test_batch(void **state) {
    (void)state;
    check_batch(64, 10, 10, &(heed_attention_cfg){ .heads = 3 });
    check_batch(64, 9, 21, &(heed_attention_cfg){ .heads = 4, .causal = true, .query_start = 12 });
    check_batch(64, 1, 33, &(heed_attention_cfg){ .heads = 2, .softcap = 2 });
    check_batch(6, 150, 170, &(heed_attention_cfg){ .heads = 3 });
    check_batch(6, 170, 170, &(heed_attention_cfg){ .heads = 2, .causal = true });
    check_batch(6, 170, 170,
                &(heed_attention_cfg){ .heads = 2, .window = true, .left = 40, .right = 9 });
}

/* -- padding on either side and batch mates: the middle one of three rows */

typedef struct pad {
    int64_t left, len, right;
    bool queries; /* they are padded too (self-attention), else they come as they are */
} pad;

enum { PAD_C = 48 };

static heed_tensor *widened(heed_ctx *cx, const float *x, const pad *p, bool wide, uint64_t seed) {
    const int64_t left = wide ? p->left : 0, right = wide ? p->right : 0;
    heed_tensor *t = numbers(cx, 3, left + p->len + right, PAD_C, seed);
    const int64_t at = (left + p->len + right + left) * PAD_C;
    memcpy(HEED_F32_DATA(t) + at, x, (size_t)(p->len * PAD_C) * sizeof *x);
    return t;
}

static const float *middle(const float *x, const pad *p, bool wide) {
    const int64_t left = wide ? p->left : 0, right = wide ? p->right : 0;
    return x + (left + p->len + right + left) * PAD_C;
}

static void check_padding(heed_ctx *cx, const pad *p, heed_attention_cfg c) {
    heed_tensor *in[3], *wider[3], *dout = numbers(cx, 1, p->len, PAD_C, 9);
    for (int i = 0; i < 3; i++) {
        in[i] = numbers(cx, 1, p->len, PAD_C, 10 + (uint64_t)i);
        wider[i] = widened(cx, f(in[i]), p, i > 0 || p->queries, 20 + (uint64_t)i);
    }
    heed_tensor *y = attend(cx, in, &c);
    backward(cx, y, dout);
    const int32_t whole = (int32_t)(p->left + p->len + p->right);
    c.key_starts = heed_from_i32(cx, 1, (int64_t[]){ 3 }, (int32_t[]){ 0, (int32_t)p->left, 0 });
    c.key_lengths = heed_from_i32(cx, 1, (int64_t[]){ 3 },
                                  (int32_t[]){ whole, (int32_t)p->len, whole });
    if (!p->queries) c.query_start = p->left;
    heed_tensor *z = attend(cx, wider, &c), *dz = numbers(cx, 3, z->shape[1], PAD_C, 30);
    /* what comes back for padding is nothing */
    memset(HEED_F32_DATA(dz) + z->shape[1] * PAD_C, 0,
           (size_t)(z->shape[1] * PAD_C) * sizeof(float));
    memcpy(HEED_F32_DATA(dz) + (middle(f(dz), p, p->queries) - f(dz)), dout->data,
           (size_t)dout->len * sizeof(float));
    same(f(y), middle(f(z), p, p->queries), y->len, "padded");
    backward(cx, z, dz);
    for (int i = 0; i < 3; i++)
        same(in[i]->grad, middle(wider[i]->grad, p, i > 0 || p->queries), in[i]->len,
             "gradient padded");
    heed_ctx_reset(cx);
}

static void test_padding(void **state) {
    (void)state;
    heed_ctx *cx = context(2);
    const heed_attention_cfg kinds[] = {
        { .heads = 3 },
        { .heads = 3, .causal = true },
        { .heads = 4, .window = true, .left = 4, .right = 2 },
        { .heads = 2, .causal = true, .truncate = 5, .score = HEED_SCORE_COSINE, .scale = 3 },
    };
    for (int k = 0; k < 4; k++)
        for (int64_t left = 0; left < 40; left += 3)
            for (int64_t right = 0; right < 40; right += 13)
                for (int queries = 0; queries < 2; queries++)
                    check_padding(cx, &(pad){ left, 37, right, queries }, kinds[k]);
    for (int k = 0; k < 4; k++)
        for (int64_t left = 0; left < 160; left += 67)
            for (int queries = 0; queries < 2; queries++)
                check_padding(cx, &(pad){ left, 150, 45, queries }, kinds[k]);
    heed_ctx_free(cx);
}

/* -- logits of hundreds of thousands, of both signs (of a cosine, ten thousand). Queries and keys
 * are halves: unequal dot products are so far apart that the larger one is all. */

enum { HUGE_B = 2, HUGE_H = 3, HUGE_D = 8 };

static heed_tensor *halves(heed_ctx *cx, int64_t T, uint64_t seed) {
    heed_tensor *t = numbers(cx, HUGE_B, T, (int64_t)HUGE_H * HUGE_D, seed);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = rintf(2 * f(t)[i]) / 2;
    return t;
}

static double *doubles(const heed_tensor *t) {
    double *x = malloc((size_t)t->len * sizeof *x);
    for (int64_t i = 0; i < t->len; i++) x[i] = (double)f(t)[i];
    return x;
}

/* What comes back for one query's output of one head: keys and values get theirs added. */
static void pull(const ref_attention *r, const double *w, const double *q, const double *dout,
                 int64_t source, double scale, double *dq, double *dk, double *dv) {
    double mean = 0;
    double *dp = calloc((size_t)r->S, sizeof *dp);
    for (int64_t s = 0; s < r->S; s++) {
        const double *v = r->t[REF_V] + source + s * HUGE_H * HUGE_D;
        for (int64_t d = 0; d < HUGE_D; d++) dp[s] += dout[d] * v[d];
        mean += w[s] * dp[s];
    }
    for (int64_t s = 0; s < r->S; s++) {
        const int64_t at = source + s * HUGE_H * HUGE_D;
        const double ds = scale * w[s] * (dp[s] - mean);
        for (int64_t d = 0; d < HUGE_D; d++) {
            dq[d] += ds * r->t[REF_K][at + d];
            dk[at + d] += ds * q[d];
            dv[at + d] += w[s] * dout[d];
        }
    }
    free(dp);
}

static void near(const float *got, const double *want, int64_t len, double tolerance,
                 const char *what) {
    for (int64_t i = 0; i < len; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance))
            fail_msg("%s[%lld] is %g, not %g", what, (long long)i, (double)got[i], want[i]);
}

/* Gradients by the formulas of a dot product's softmax, from the reference's weights. */
static void check_huge_gradients(const ref_attention *r, const double *w, heed_tensor *const in[3],
                                 const heed_tensor *dout) {
    const double scale = (double)r->cfg->scale;
    double *dy = doubles(dout), *d[3];
    for (int i = 0; i < 3; i++) d[i] = calloc((size_t)in[i]->len, sizeof *d[i]);
    for (int64_t row = 0; row < HUGE_B * HUGE_H * r->T; row++) {
        const int64_t b = row / r->T / HUGE_H, h = row / r->T % HUGE_H, t = row % r->T;
        const int64_t at = ((b * r->T + t) * HUGE_H + h) * HUGE_D;
        pull(r, w + row * r->S, r->t[REF_Q] + at, dy + at, (b * r->S * HUGE_H + h) * HUGE_D, scale,
             d[0] + at, d[1], d[2]);
    }
    static const char *const names[] = { "dq", "dk", "dv" };
    for (int i = 0; i < 3; i++) {
        near(in[i]->grad, d[i], in[i]->len, i < 2 ? 0.1 * fabs(scale) : 3e-2, names[i]);
        free(d[i]);
    }
    free(dy);
}

static void check_huge(heed_ctx *cx, int64_t T, int64_t S, heed_attention_cfg c) {
    heed_tensor *in[3] = { halves(cx, T, 1), halves(cx, S, 2), halves(cx, S, 3) };
    heed_tensor *dout = halves(cx, T, 4), *y = attend(cx, in, &c);
    backward(cx, y, dout);
    ref_attention r = { .cfg = &c,
                        .B = HUGE_B,
                        .T = T,
                        .S = S,
                        .H = HUGE_H,
                        .Hk = HUGE_H,
                        .D = HUGE_D,
                        .Dk = HUGE_D,
                        .Dv = HUGE_D };
    for (int i = 0; i < 3; i++) r.t[i] = doubles(in[i]);
    if (c.sinks) r.t[REF_SINKS] = doubles(c.sinks);
    double *w = malloc((size_t)(HUGE_B * HUGE_H * T * S) * sizeof *w);
    double *want = malloc((size_t)y->len * sizeof *want);
    ref_attend(&r, w, want);
    /* a logit is rounded by 1e-7 of itself, here by some hundredths where two are equal */
    near(f(y), want, y->len, c.score == HEED_SCORE_COSINE ? 2e-3 : 2e-2, "y");
    if (c.score != HEED_SCORE_COSINE) check_huge_gradients(&r, w, in, dout);
    for (int i = 0; i < 3; i++)
        for (int64_t e = 0; e < in[i]->len; e++) assert_true(isfinite(in[i]->grad[e]));
    for (int i = 0; i < 3; i++) free(r.t[i]);
    free(r.t[REF_SINKS]);
    free(want);
    free(w);
    heed_ctx_reset(cx);
}

static void test_huge_logits(void **state) {
    (void)state;
    heed_ctx *cx = context(2);
    for (int sign = -1; sign < 2; sign += 2)
        for (int score = 0; score <= HEED_SCORE_COSINE; score++) {
            heed_attention_cfg c = { .heads = HUGE_H, .score = (heed_score_kind)score };
            c.scale = (float)sign * 1e4f;
            check_huge(cx, 9, 7, c);
            check_huge(cx, 150, 170, c);
            c.causal = true, c.query_start = 20;
            check_huge(cx, 150, 170, c);
            c.sinks = heed_from_f32(cx, 1, (int64_t[]){ 3 }, (float[]){ -1e4f, 0, 1e4f });
            check_huge(cx, 150, 170, c);
        }
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tap),         cmocka_unit_test(test_tap_bf16),
        cmocka_unit_test(test_tap_memory),  cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_batch),       cmocka_unit_test(test_padding),
        cmocka_unit_test(test_huge_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
