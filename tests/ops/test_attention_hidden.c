/* test_attention_hidden.c: what keys that nobody sees and queries that see nothing hold, NaN and
 * infinities too, changes no bit of an output or a gradient, whatever the score and the weights, in
 * both precisions and as a mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "attention_problem.h"

enum { B = 2, T = 37, H = 2, HK = 1, D = 7, DV = 5, A = 3 };
enum { GRADS = 8, ROOM = 8192 };
static const int32_t starts[B] = { 5, 0 }, lengths[B] = { 20, 30 };

/* One way to attend. */
typedef struct way {
    heed_score_kind score;
    heed_weights_kind weights;
    bool relative, mean;
    heed_precision precision;
    float softcap;
} way;

static heed_tensor *numbers(heed_ctx *cx, int ndim, const int64_t *shape, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)problem_random(&seed);
    return heed_want_grad(cx, t);
}

/* Rows first..last-1 of row b of x [B,T,width]. */
static void fill(heed_tensor *x, int64_t b, int64_t first, int64_t last, float with) {
    const int64_t width = x->shape[2];
    for (int64_t i = (b * T + first) * width; i < (b * T + last) * width; i++)
        HEED_F32_DATA(x)[i] = with;
}

static heed_tensor *attend(heed_ctx *cx, const way *w, heed_tensor *in[GRADS]) {
    heed_attention_cfg c = { .heads = H, .kv_heads = HK, .score = w->score, .weights = w->weights };
    c.causal = true, c.softcap = w->softcap;
    c.key_starts = heed_from_i32(cx, 1, (int64_t[]){ B }, starts);
    c.key_lengths = heed_from_i32(cx, 1, (int64_t[]){ B }, lengths);
    if (w->mean) return heed_attention_mean(cx, in[0], in[1], NULL, &c);
    c.temperature = in[3];
    if (w->score == HEED_SCORE_BILINEAR)
        c.score_w = in[4] = numbers(cx, 3, (int64_t[]){ H, D, D }, 4);
    if (w->score == HEED_SCORE_ADDITIVE) {
        c.score_wq = in[4] = numbers(cx, 3, (int64_t[]){ H, A, D }, 4);
        c.score_wk = in[5] = numbers(cx, 3, (int64_t[]){ H, A, D }, 5);
        c.score_v = in[6] = numbers(cx, 2, (int64_t[]){ H, A }, 6);
    }
    if (w->relative) c.relative = in[7] = numbers(cx, 2, (int64_t[]){ T, H * D }, 7);
    return heed_attention(cx, in[0], in[1], in[2], &c);
}

/* Output and gradients into `to` where hidden rows hold `with`; how many numbers. */
static int64_t run(heed_ctx *cx, const way *w, float with, float *to) {
    heed_tensor *in[GRADS] = { numbers(cx, 3, (int64_t[]){ B, T, H * D }, 1),
                               numbers(cx, 3, (int64_t[]){ B, T, HK * D }, 2),
                               numbers(cx, 3, (int64_t[]){ B, T, HK * DV }, 3) };
    float dout[B * T * H * DV];
    uint64_t seed = 9;
    int64_t n = 0;
    for (size_t i = 0; i < sizeof dout / sizeof *dout; i++) dout[i] = (float)problem_random(&seed);
    in[3] = heed_want_grad(cx, heed_from_f32(cx, 1, (int64_t[]){ H }, (const float[]){ 0.5f, 2 }));
    fill(in[0], 0, 0, starts[0], with);
    for (int i = 1; i < 3; i++) {
        fill(in[i], 0, 0, starts[0], with), fill(in[i], 0, starts[0] + lengths[0], T, with);
        fill(in[i], 1, lengths[1], T, with);
    }
    heed_tensor *y = attend(cx, w, in);
    if (!y) fail_msg("score %d, weights %d: %s", w->score, w->weights, heed_ctx_error(cx)->msg);
    assert_int_equal(heed_backward_from(cx, y, dout), 0);
    memcpy(to, y->data, (size_t)y->len * sizeof *to), n = y->len;
    for (int i = 0; i < GRADS; i++) {
        if (!in[i] || !in[i]->grad) continue;
        memcpy(to + n, in[i]->grad, (size_t)in[i]->len * sizeof *to), n += in[i]->len;
    }
    assert_true(n <= ROOM);
    heed_ctx_reset(cx);
    return n;
}

static void check(heed_ctx *cx, const way *w) {
    static float plain[ROOM], other[ROOM];
    const float with[] = { NAN, INFINITY, -INFINITY, 3e38f };
    const int64_t n = run(cx, w, 0, plain);
    for (int64_t i = 0; i < n; i++) assert_true(isfinite(plain[i]));
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        assert_int_equal(run(cx, w, with[i], other), n);
        for (int64_t j = 0; j < n; j++)
            if (memcmp(plain + j, other + j, sizeof *plain) != 0)
                fail_msg("score %d, weights %d, softcap %g, relative %d, mean %d, precision %d by "
                         "%s: hidden "
                         "%g makes number %lld %g from %g",
                         w->score, w->weights, (double)w->softcap, w->relative, w->mean,
                         w->precision, heed_ctx_isa(cx), (double)with[i], (long long)j,
                         (double)other[j], (double)plain[j]);
    }
}

static void test_hidden(void **state) {
    (void)state;
    static const heed_weights_kind kinds[] = { HEED_WEIGHTS_SOFTMAX, HEED_WEIGHTS_SPARSEMAX,
                                               HEED_WEIGHTS_ENTMAX15, HEED_WEIGHTS_SIGMOID };
    static const char *const isas[] = { NULL, "scalar" };
    for (int isa = 0; isa < 4; isa++) {
        const heed_precision precision = isa % 2 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32;
        heed_error err;
        heed_ctx *cx = heed_ctx_new(
            &(heed_ctx_cfg){
                .train = true, .threads = 1, .isa = isas[isa / 2], .precision = precision },
            &err);
        assert_non_null(cx);
        for (int score = 0; score <= HEED_SCORE_ADDITIVE; score++)
            for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
                for (int cap = 0; cap < 2; cap++)
                    check(cx, &(way){ (heed_score_kind)score, kinds[i], false, false, precision,
                                      cap ? 1.5f : 0 });
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            check(cx, &(way){ HEED_SCORE_DOT, kinds[i], true, false, precision, 0 });
        check(cx, &(way){ .mean = true, .precision = precision });
        heed_ctx_free(cx);
    }
}

/* The weights of a query that is not finite are 0 for keys that it does not see. */
static void tap_of(heed_ctx *cx, bool mean) {
    enum { ROW = 3 };
    heed_tensor *q = numbers(cx, 3, (int64_t[]){ 1, T, D }, 1);
    heed_tensor *k = numbers(cx, 3, (int64_t[]){ 1, T, D }, 2);
    heed_attention_tap tap = { .rows = (int64_t[]){ ROW }, .rows_len = 1, .column_mass = true };
    const heed_attention_cfg c = { .causal = true, .tap = &tap };
    HEED_F32_DATA(q)[ROW * D] = NAN;
    heed_tensor *y = mean ? heed_attention_mean(cx, q, k, NULL, &c)
                          : heed_attention(cx, q, k, k, &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    for (int64_t s = 0; s < T; s++) {
        const float w = HEED_F32_DATA(tap.row_weights)[s], sum = HEED_F32_DATA(tap.column)[s];
        if (s <= ROW ? !isnan(w) : w != 0 || !isfinite(sum))
            fail_msg("key %lld has the weight %g and the mass %g by %s", (long long)s, (double)w,
                     (double)sum, heed_ctx_isa(cx));
        if (mean && (isnan(HEED_F32_DATA(y)[s]) != 0) != (s <= ROW))
            fail_msg("key %lld has the mean weight %g", (long long)s, (double)HEED_F32_DATA(y)[s]);
    }
    heed_ctx_reset(cx);
}

static void test_tap(void **state) {
    (void)state;
    static const char *const isas[] = { NULL, "scalar" };
    for (int i = 0; i < 4; i++) {
        heed_error err;
        heed_ctx *cx = heed_ctx_new(
            &(heed_ctx_cfg){ .threads = 1,
                             .isa = isas[i / 2],
                             .precision = i % 2 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32 },
            &err);
        assert_non_null(cx);
        tap_of(cx, false), tap_of(cx, true);
        heed_ctx_free(cx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hidden), cmocka_unit_test(test_tap) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
