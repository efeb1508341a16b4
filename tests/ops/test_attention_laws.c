/* test_attention_laws.c: what attention's weights promise: sums, zeros, temperature, choices that
 * are drawn with the right frequencies and learn, dropout, taps, penalties, rows that see nothing,
 * huge logits, memory that does not grow with T·S. By the general path; test_attention_fused.c asks
 * the fused kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention_problem.h"

static heed_ctx *context(bool train) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = train, .seed = 5 }, &err);
    if (!cx) fail_msg("%s", err.msg);
    heed_ctx_set_record(cx, true);
    return cx;
}

static heed_tensor *numbers(heed_ctx *cx, int64_t B, int64_t T, int64_t C, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ B, T, C });
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)(2 * problem_random(&seed));
    return heed_want_grad(cx, t);
}

/* Every row of S is the same as that of the unit matrix: outputs are the weights themselves. */
static heed_tensor *unit_values(heed_ctx *cx, int64_t B, int64_t S) {
    heed_tensor *v = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, S, S });
    for (int64_t i = 0; i < B * S; i++) HEED_F32_DATA(v)[i * S + i % S] = 1;
    return v;
}

static heed_tensor *attend(heed_ctx *cx, heed_tensor *const in[3], const heed_attention_cfg *cfg) {
    heed_attention_call c = { in[0], in[1], in[2], *cfg, { 0 } };
    if (heed__attention_check(cx, c.q, c.k, c.v, &c.cfg, &c.d) ||
        (c.cfg.tap && !heed__attention_tap_make(cx, c.cfg.tap, &c.d)))
        fail_msg("%s", heed_ctx_error(cx)->msg);
    heed_tensor *y = heed__attention_general(cx, &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    return y;
}

static const float *f(const heed_tensor *t) {
    return HEED_F32_DATA(t);
}

static heed_attention_cfg with_weights(int n, heed_attention_more *more) {
    heed_attention_cfg c = { .weights = (heed_weights_kind)n, .topk = 3, .more = more };
    if (n > HEED_WEIGHTS_SIGMOID) c.weights = HEED_WEIGHTS_GUMBEL, c.gumbel_hard = true;
    return c;
}

/* -- sums and zeros */

static void test_sums(void **state) {
    (void)state;
    enum { T = 45, S = 61 };
    heed_ctx *cx = context(false);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS; n++) {
        heed_attention_cfg c = with_weights(n, &more);
        heed_tensor *in[3] = { numbers(cx, 1, T, 8, 1), numbers(cx, 1, S, 8, 2),
                               unit_values(cx, 1, S) };
        const float *w = f(attend(cx, in, &c));
        for (int64_t t = 0; t < T; t++) {
            double sum = 0;
            int64_t zeros = 0, ones = 0;
            for (int64_t s = 0; s < S; s++) {
                const float a = w[t * S + s];
                assert_true(a >= 0);
                sum += (double)a;
                zeros += a == 0;
                ones += a == 1;
            }
            if (n != HEED_WEIGHTS_SIGMOID) assert_true(fabs(sum - 1) < 1e-6);
            if (n == HEED_WEIGHTS_SOFTMAX) assert_int_equal(zeros, 0);
            if (n == HEED_WEIGHTS_SPARSEMAX || n == HEED_WEIGHTS_ENTMAX15)
                assert_true(zeros > S / 2);
            if (n == HEED_WEIGHTS_TOPK) assert_int_equal(zeros, S - 3);
            if (c.gumbel_hard || n == HEED_WEIGHTS_HARD || n == HEED_WEIGHTS_REINFORCE)
                assert_true(ones == 1 && zeros == S - 1);
        }
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- temperature */

static void test_temperature(void **state) {
    (void)state;
    enum { T = 20, S = 30 };
    heed_ctx *cx = context(false);
    heed_tensor *in[3] = { numbers(cx, 1, T, 8, 1), numbers(cx, 1, S, 8, 2),
                           unit_values(cx, 1, S) };
    for (int score = 0; score <= HEED_SCORE_COSINE; score++) {
        double last = -1;
        for (float tau = 0.01f; tau < 50; tau *= 3) {
            heed_attention_tap tap = { .entropy = true };
            heed_attention_cfg c = { .score = (heed_score_kind)score, .tap = &tap };
            c.temperature = heed_from_f32(cx, 1, (int64_t[]){ 1 }, &tau);
            attend(cx, in, &c);
            double sum = 0;
            for (int64_t t = 0; t < T; t++) sum += (double)f(tap.row_entropy)[t];
            assert_true(sum > last);
            last = sum;
        }
        assert_true(last < T * log(S) && last > 0.98 * T * log(S));
        const float least = 1e-5f;
        heed_attention_cfg cold = { .score = (heed_score_kind)score };
        cold.temperature = heed_from_f32(cx, 1, (int64_t[]){ 1 }, &least);
        heed_attention_cfg hard = { .score = (heed_score_kind)score, .weights = HEED_WEIGHTS_HARD };
        const heed_tensor *a = attend(cx, in, &cold), *b = attend(cx, in, &hard);
        for (int64_t i = 0; i < a->len; i++) assert_true(fabsf(f(a)[i] - f(b)[i]) < 1e-6f);
    }
    heed_ctx_free(cx);
}

static void test_cosine_scale(void **state) {
    (void)state;
    heed_ctx *cx = context(false);
    heed_tensor *in[3] = { numbers(cx, 1, 9, 8, 1), numbers(cx, 1, 9, 8, 2),
                           numbers(cx, 1, 9, 8, 3) };
    const heed_attention_cfg c = { .heads = 2, .score = HEED_SCORE_COSINE, .scale = 7 };
    const heed_tensor *a = attend(cx, in, &c);
    for (int i = 0; i < 2; i++) in[i] = heed_scale(cx, in[i], 1000, 0);
    const heed_tensor *b = attend(cx, in, &c);
    for (int64_t i = 0; i < a->len; i++) assert_true(fabsf(f(a)[i] - f(b)[i]) < 2e-6f);
    heed_ctx_free(cx);
}

/* A published listing: X [3,5], three projections [5,3], weights softmax(S / std(S)) of S = Q Kᵀ,
 * z = weights V; here for 100 random X against the same in double. */
static void test_listing(void **state) {
    (void)state;
    heed_ctx *cx = context(false);
    uint64_t seed = 99;
    for (int n = 0; n < 100; n++) {
        double q[9], k[9], v[9], x[9], *const to[3] = { q, k, v }, z[3];
        heed_tensor *in[3];
        for (int i = 0; i < 3; i++) {
            in[i] = heed_new(cx, HEED_F32, 3, (int64_t[]){ 1, 3, 3 });
            for (int e = 0; e < 9; e++) { /* a product of normals: five of them, as X W has */
                double sum = 0;
                for (int j = 0; j < 5; j++)
                    sum += 3 * problem_random(&seed) * problem_random(&seed);
                HEED_F32_DATA(in[i])[e] = (float)sum;
                to[i][e] = (double)(float)sum;
            }
        }
        const heed_attention_cfg c = { .score = HEED_SCORE_DOT, .score_std = true };
        const heed_tensor *got = attend(cx, in, &c);
        for (int t = 0; t < 3; t++) {
            for (int s = 0; s < 3; s++)
                x[s] = q[3 * t] * k[3 * s] + q[3 * t + 1] * k[3 * s + 1] +
                       q[3 * t + 2] * k[3 * s + 2];
            const double mean = (x[0] + x[1] + x[2]) / 3;
            const double std = sqrt(
                (pow(x[0] - mean, 2) + pow(x[1] - mean, 2) + pow(x[2] - mean, 2)) / 2);
            double sum = 0;
            for (int s = 0; s < 3; s++) sum += x[s] = exp(x[s] / std);
            for (int j = 0; j < 3; j++)
                z[j] = (x[0] * v[j] + x[1] * v[3 + j] + x[2] * v[6 + j]) / sum;
            for (int j = 0; j < 3; j++)
                assert_true(fabs((double)f(got)[t * 3 + j] - z[j]) < 1e-5 * (1 + fabs(z[j])));
        }
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- choices that are drawn */

/* T equal queries: how often each key is chosen, beside softmax's p. */
static void check_frequencies(const heed_attention_cfg *c) {
    enum { T = 8000, S = 5 };
    heed_ctx *cx = context(true);
    heed_tensor *in[3] = { numbers(cx, 1, T, 4, 1), numbers(cx, 1, S, 4, 2),
                           unit_values(cx, 1, S) };
    for (int64_t i = 4; i < 4 * T; i++) HEED_F32_DATA(in[0])[i] = HEED_F32_DATA(in[0])[i % 4];
    const float *p = f(attend(cx, in, &(heed_attention_cfg){ 0 }));
    const heed_tensor *w = attend(cx, in, c);
    for (int s = 0; s < S; s++) {
        double count = 0, pairs = 0;
        for (int64_t t = 0; t < T; t++) {
            assert_true(f(w)[t * S + s] == 0 || f(w)[t * S + s] == 1);
            count += (double)f(w)[t * S + s];
            if (t) pairs += (double)(f(w)[t * S + s] * f(w)[(t - 1) * S + s]);
        }
        const double want = (double)p[s], error = sqrt(want * (1 - want) / T);
        assert_true(fabs(count / T - want) < 4.5 * error);
        assert_true(fabs(pairs / (T - 1) - want * want) < 10 * error); /* one row after another */
    }
    const heed_tensor *again = attend(cx, in, c); /* another call draws anew */
    assert_memory_not_equal(again->data, w->data, T * S * sizeof(float));
    heed_ctx_free(cx);
}

static void test_frequencies(void **state) {
    (void)state;
    heed_attention_more more;
    check_frequencies(&(heed_attention_cfg){ .weights = HEED_WEIGHTS_GUMBEL, .gumbel_hard = true });
    check_frequencies(&(heed_attention_cfg){ .weights = HEED_WEIGHTS_REINFORCE, .more = &more });
}

/* Gradient to q by hand, from that of the scores times tau. */
static void check_query_gradient(heed_tensor *const in[3], const double *dx, double tau) {
    const int64_t T = in[0]->shape[1], S = in[1]->shape[1], D = in[0]->shape[2];
    for (int64_t t = 0; t < T; t++)
        for (int64_t d = 0; d < D; d++) {
            double want = 0;
            for (int64_t s = 0; s < S; s++)
                want += dx[t * S + s] * (double)f(in[1])[s * D + d] / sqrt((double)D) / tau;
            assert_true(fabs((double)in[0]->grad[t * D + d] - want) < 1e-5 * (1 + fabs(want)));
        }
}

static void test_gumbel_gradient(void **state) {
    (void)state;
    enum { T = 40, S = 13 };
    heed_ctx *cx = context(true);
    for (int hard = 0; hard < 2; hard++) {
        heed_attention_cfg c = { .weights = HEED_WEIGHTS_GUMBEL, .gumbel_tau = 0.6f };
        heed_tensor *in[3] = { numbers(cx, 1, T, 4, 1), numbers(cx, 1, S, 4, 2),
                               unit_values(cx, 1, S) };
        heed_tensor *soft = attend(cx, in, &c), *y = soft;
        if (hard) { /* the same place in the next step draws the same noise again */
            float *keep = malloc((size_t)soft->len * sizeof *keep);
            memcpy(keep, soft->data, (size_t)soft->len * sizeof *keep);
            const uint64_t step = heed_ctx_step(cx);
            heed_ctx_reset(cx);
            heed_ctx_set_step(cx, step);
            c.gumbel_hard = true;
            in[0] = numbers(cx, 1, T, 4, 1), in[1] = numbers(cx, 1, S, 4, 2);
            in[2] = unit_values(cx, 1, S);
            y = attend(cx, in, &c);
            soft = heed_from_f32(cx, 3, y->shape, keep);
            free(keep);
        }
        float dout[T * S];
        double dx[T * S];
        uint64_t seed = 3;
        for (int64_t i = 0; i < T * S; i++) dout[i] = (float)problem_random(&seed);
        for (int64_t t = 0; t < T; t++) {
            double sum = 0;
            for (int64_t i = t * S; i < t * S + S; i++) sum += (double)(f(soft)[i] * dout[i]);
            for (int64_t i = t * S; i < t * S + S; i++)
                dx[i] = (double)f(soft)[i] * ((double)dout[i] - sum);
        }
        assert_int_equal(heed_backward_from(cx, y, dout), 0);
        check_query_gradient(in, dx, 0.6000000238);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* log_prob is the sum of drawn log p; its gradient to the scores is 1[drawn] - p. */
static void test_reinforce(void **state) {
    (void)state;
    enum { B = 2, T = 40, S = 13 };
    heed_ctx *cx = context(true);
    heed_attention_more more;
    heed_tensor *in[3] = { numbers(cx, B, T, 4, 1), numbers(cx, B, S, 4, 2),
                           unit_values(cx, B, S) };
    const heed_tensor *p = attend(cx, in, &(heed_attention_cfg){ 0 });
    const heed_attention_cfg c = { .weights = HEED_WEIGHTS_REINFORCE, .more = &more };
    const heed_tensor *drawn = attend(cx, in, &c);
    for (int64_t b = 0; b < B; b++) {
        double sum = 0;
        for (int64_t i = b * T * S; i < (b + 1) * T * S; i++)
            if (f(drawn)[i] > 0) sum += log((double)f(p)[i]);
        assert_true(fabs(sum - (double)f(more.log_prob)[b]) < 1e-4);
    }
    heed_tensor *reward = heed_from_f32(cx, 1, (int64_t[]){ B }, (float[]){ 1.5f, -2 });
    heed_tensor *base = heed_from_f32(cx, 1, (int64_t[]){ B }, (float[]){ 0.5f, 0 });
    heed_tensor *loss = heed_reinforce(cx, more.log_prob, reward, base);
    const double want = -(1.0 * (double)f(more.log_prob)[0] - 2.0 * (double)f(more.log_prob)[1]) /
                        2;
    assert_true(fabs((double)heed_item(loss) - want) < 1e-4);
    assert_int_equal(heed_backward(cx, loss), 0);
    double dx[T * S];
    for (int64_t i = 0; i < T * S; i++) dx[i] = -0.5 * ((double)f(drawn)[i] - (double)f(p)[i]);
    check_query_gradient(in, dx, 1); /* of row b = 0, advantage 1 */
    heed_ctx_free(cx);
}

/* -- dropout: kept weights are scaled, and the backward drops the same */

static void test_dropout(void **state) {
    (void)state;
    enum { T = 70, S = 200 };
    heed_ctx *cx = context(true);
    const int kinds[] = { HEED_WEIGHTS_SOFTMAX, HEED_WEIGHTS_SPARSEMAX, HEED_WEIGHTS_SIGMOID };
    for (int n = 0; n < 3; n++) {
        heed_attention_cfg c = { .weights = (heed_weights_kind)kinds[n], .dropout = 0.25f };
        heed_tensor *in[3] = { numbers(cx, 1, T, 4, 1), numbers(cx, 1, S, 4, 2),
                               heed_want_grad(cx, unit_values(cx, 1, S)) };
        const heed_attention_cfg whole = { .weights = c.weights };
        const heed_tensor *a = attend(cx, in, &whole);
        heed_tensor *w = attend(cx, in, &c);
        int64_t gone = 0, there = 0;
        for (int64_t i = 0; i < a->len; i++) {
            if (f(a)[i] == 0) continue;
            there++;
            gone += f(w)[i] == 0;
            if (f(w)[i] > 0) assert_true(fabsf(f(w)[i] - f(a)[i] / 0.75f) < 1e-5f * f(w)[i]);
        }
        const double part = (double)gone / (double)there;
        assert_true(fabs(part - 0.25) < 5 * sqrt(0.1875 / (double)there));
        float *dout = calloc((size_t)w->len, sizeof *dout);
        for (int64_t t = 0; t < T; t++) dout[t * S] = 1; /* dv_s[0] = Σ_t w_ts */
        assert_int_equal(heed_backward_from(cx, w, dout), 0);
        for (int64_t s = 0; s < S; s++) {
            double sum = 0;
            for (int64_t t = 0; t < T; t++) sum += (double)f(w)[t * S + s];
            assert_true(fabs((double)in[2]->grad[s * S] - sum) < 1e-5 * (1 + sum));
        }
        if (n == 0) { /* dp of key 0 alone: a_t0 kept? then w_t0 (1[s=0] - a_ts) */
            double *dx = calloc(T * S, sizeof *dx);
            for (int64_t i = 0; i < T * S; i++)
                dx[i] = (double)f(w)[i - i % S] * ((i % S == 0) - (double)f(a)[i]);
            check_query_gradient(in, dx, 1);
            free(dx);
        }
        free(dout);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- taps */

static void test_tap(void **state) {
    (void)state;
    enum { B = 2, H = 2, T = 37, S = 51 };
    heed_ctx *cx = context(false);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS; n++) {
        int64_t rows[T];
        for (int64_t t = 0; t < T; t++) rows[t] = t;
        heed_attention_tap tap = { rows, T, 4, true, true, NULL, NULL, NULL, NULL, NULL };
        heed_attention_cfg c = with_weights(n, &more);
        c.heads = H, c.causal = true, c.query_start = 9;
        c.key_lengths = heed_from_i32(cx, 1, (int64_t[]){ B }, (int32_t[]){ S, 6 });
        heed_tensor *in[3] = { numbers(cx, B, T, 8, 1), numbers(cx, B, S, 8, 2),
                               numbers(cx, B, S, 6, 3) };
        const heed_tensor *y = attend(cx, in, &c);
        c.tap = &tap;
        assert_memory_equal(attend(cx, in, &c)->data, y->data, (size_t)y->len * sizeof(float));
        for (int64_t r = 0; r < B * H * T; r++) {
            const float *w = f(tap.row_weights) + r * S, *top = f(tap.top_weights) + r * 4;
            const int32_t *key = HEED_I32_DATA(tap.top_keys) + r * 4;
            const int64_t b = r / T / H, h = r / T % H, t = r % T;
            double entropy = 0, out = 0;
            for (int64_t s = 0; s < S; s++) {
                const double a = (double)w[s];
                entropy -= a > 0 ? a * log(a) : 0;
                out += a * (double)f(in[2])[((b * S + s) * H + h) * 3 + 1];
            }
            assert_true(fabs(entropy - (double)f(tap.row_entropy)[r]) < 1e-5 * S);
            assert_true(fabs(out - (double)f(y)[((b * T + t) * H + h) * 3 + 1]) < 1e-5);
            for (int i = 0; i < 4; i++) {
                assert_true(key[i] < 0 ? top[i] == 0 : top[i] == w[key[i]]);
                if (i && key[i] >= 0)
                    assert_true(top[i] < top[i - 1] ||
                                (top[i] == top[i - 1] && key[i] > key[i - 1]));
                for (int64_t s = 0; key[3] >= 0 && s < S; s++)
                    assert_true(w[s] <= top[3] || s == key[0] || s == key[1] || s == key[2]);
            }
        }
        for (int64_t i = 0; i < B * H * S; i++) {
            double sum = 0;
            for (int64_t t = 0; t < T; t++)
                sum += (double)f(tap.row_weights)[(i / S * T + t) * S + i % S];
            assert_true(fabs(sum - (double)f(tap.column)[i]) < 1e-5);
        }
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- extremes */

static void backward_is(heed_ctx *cx, heed_tensor *y, heed_tensor *const in[3], bool zero) {
    float *dout = malloc((size_t)y->len * sizeof *dout);
    for (int64_t i = 0; i < y->len; i++) dout[i] = (float)(i % 3) - 0.7f;
    assert_int_equal(heed_backward_from(cx, y, dout), 0);
    free(dout);
    for (int i = 0; i < 3; i++)
        for (int64_t e = 0; in[i]->grad && e < in[i]->len; e++)
            assert_true(zero ? in[i]->grad[e] == 0 : isfinite(in[i]->grad[e]));
}

static void test_nothing_to_see(void **state) {
    (void)state;
    heed_ctx *cx = context(true);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS; n++) {
        heed_attention_cfg c = with_weights(n, &more);
        c.mask = heed_zeros(cx, HEED_U8, 2, (int64_t[]){ 9, 7 });
        heed_tensor *in[3] = { numbers(cx, 2, 9, 4, 1), numbers(cx, 2, 7, 4, 2),
                               numbers(cx, 2, 7, 3, 3) };
        if (n == HEED_WEIGHTS_SOFTMAX)
            c.sinks = heed_from_f32(cx, 1, (int64_t[]){ 1 }, (float[]){ 0.5f });
        heed_tensor *y = attend(cx, in, &c);
        for (int64_t i = 0; i < y->len; i++) assert_true(f(y)[i] == 0);
        backward_is(cx, y, in, true);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

static void test_huge_logits(void **state) {
    (void)state;
    heed_ctx *cx = context(true);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS * 2; n++) {
        heed_attention_cfg c = with_weights(n % KIND_WEIGHTS, &more);
        c.heads = 2, c.score = HEED_SCORE_DOT;
        c.scale = n < KIND_WEIGHTS ? 1e4f : -1e4f;
        heed_tensor *in[3] = { numbers(cx, 2, 9, 4, 1), numbers(cx, 2, 7, 4, 2),
                               numbers(cx, 2, 7, 6, 3) };
        heed_tensor *y = attend(cx, in, &c);
        for (int64_t i = 0; i < y->len; i++) assert_true(isfinite(f(y)[i]));
        backward_is(cx, y, in, false);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* Blocks of rows and no [T,S]: 16 MB here for one head's. */
static void test_memory(void **state) {
    (void)state;
    heed_ctx *cx = context(false);
    heed_tensor *in[3] = { numbers(cx, 1, 2048, 4, 1), numbers(cx, 1, 2048, 4, 2),
                           numbers(cx, 1, 2048, 4, 3) };
    heed_attention_cfg c = { .heads = 2, .weights = HEED_WEIGHTS_SPARSEMAX };
    backward_is(cx, attend(cx, in, &c), in, false);
    assert_true(heed_ctx_memory(cx) < 8u << 20);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),         cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_cosine_scale), cmocka_unit_test(test_listing),
        cmocka_unit_test(test_frequencies),  cmocka_unit_test(test_gumbel_gradient),
        cmocka_unit_test(test_reinforce),    cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_tap),          cmocka_unit_test(test_nothing_to_see),
        cmocka_unit_test(test_huge_logits),  cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
