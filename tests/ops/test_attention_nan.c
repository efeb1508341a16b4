/* test_attention_nan.c: a number that is none is never hidden: whatever its bits, in queries, keys,
 * biases, sinks or centers, all rows that see it are NaN, by every kind of weights, in both
 * precisions, over a cache and as a mean; and no other row is. Gradients that hold some have the
 * same bits on every ISA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "attention_problem.h"
#include "isas.h"

enum { T = 20, AT = 3, D = 8, DV = 4 };

static const uint32_t nans[] = { 0x7fc00000, 0xffc00000, 0x7fc00001, 0x7f800001,
                                 0x7fc12345, 0x7fffffff, 0xffffffff };

typedef struct setting {
    heed_ctx *cx;
    uint32_t nan;
    bool causal;
} setting;

static void put_nan(float *x, uint32_t nan) {
    memcpy(x, &nan, sizeof nan);
}

static heed_tensor *numbers(heed_ctx *cx, int64_t C, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ 1, T, C });
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)(2 * problem_random(&seed));
    return t;
}

static void inputs(heed_ctx *cx, heed_tensor *in[3]) {
    in[0] = numbers(cx, D, 1), in[1] = numbers(cx, D, 2), in[2] = numbers(cx, DV, 3);
}

/* Rows first..last-1 of y are NaN in all their numbers, the others in none. */
static void rows_are_nan(const setting *s, const heed_tensor *y, int64_t first, int64_t last,
                         const char *what) {
    if (!y) fail_msg("%s: %s", what, heed_ctx_error(s->cx)->msg);
    const int64_t width = y->shape[2];
    for (int64_t i = 0; i < y->len; i++) {
        const int64_t row = i / width;
        if ((isnan(HEED_F32_DATA(y)[i]) != 0) != (row >= first && row < last))
            fail_msg("%s, NaN %08x by %s: row %lld holds %g", what, s->nan, heed_ctx_isa(s->cx),
                     (long long)row, (double)HEED_F32_DATA(y)[i]);
    }
}

static void test_weights(const setting *s) {
    for (int n = 0; n <= HEED_WEIGHTS_SIGMOID; n++)
        for (int which = 0; which < 2; which++) {
            heed_attention_more more;
            heed_attention_cfg c = { .weights = (heed_weights_kind)n, .topk = 3, .more = &more };
            heed_tensor *in[3];
            c.causal = s->causal;
            inputs(s->cx, in);
            put_nan(HEED_F32_DATA(in[which]) + AT * D + 2, s->nan);
            rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c),
                         which && !s->causal ? 0 : AT, which ? T : AT + 1,
                         which ? "a key" : "a query");
            heed_ctx_reset(s->cx);
        }
}

static void test_beside(const setting *s) {
    heed_tensor *in[3], *t5 = heed_zeros(s->cx, HEED_F32, 2, (int64_t[]){ 4, 1 });
    heed_tensor *bias = heed_zeros(s->cx, HEED_F32, 3, (int64_t[]){ 1, T, T });
    heed_tensor *sinks = heed_zeros(s->cx, HEED_F32, 1, (int64_t[]){ 1 });
    heed_attention_cfg c = { .bias = bias };
    inputs(s->cx, in);
    put_nan(HEED_F32_DATA(bias) + AT * T, s->nan);
    rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c), AT, AT + 1, "bias");
    c = (heed_attention_cfg){ .t5 = t5, .causal = true };
    put_nan(HEED_F32_DATA(t5), s->nan); /* each row's own key */
    rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c), 0, T, "t5");
    c = (heed_attention_cfg){ .sinks = sinks };
    put_nan(HEED_F32_DATA(sinks), s->nan);
    rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c), 0, T, "sinks");
    heed_tensor *center = heed_zeros(s->cx, HEED_F32, 2, (int64_t[]){ 1, T });
    c = (heed_attention_cfg){ .local_center = center, .local_width = 3 };
    put_nan(HEED_F32_DATA(center) + AT, s->nan);
    rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c), AT, AT + 1, "local_center");
    heed_tensor *far = heed_zeros(s->cx, HEED_F32, 2, (int64_t[]){ T, D }); /* inf - inf */
    c = (heed_attention_cfg){
        .relative = far, .causal = true, .weights = HEED_WEIGHTS_TOPK, .topk = 3
    };
    HEED_F32_DATA(in[0])[AT * D + 2] = INFINITY;
    for (int64_t i = 0; i < T; i++)
        HEED_F32_DATA(in[1])[i * D + 2] = 1, HEED_F32_DATA(far)[i * D + 2] = -1;
    rows_are_nan(s, heed_attention(s->cx, in[0], in[1], in[2], &c), AT, AT + 1, "relative");
    heed_ctx_reset(s->cx);
}

static void test_cache_and_mean(const setting *s) {
    heed_error err;
    heed_tensor *in[3];
    inputs(s->cx, in);
    put_nan(HEED_F32_DATA(in[1]) + AT * D, s->nan);
    heed_kv_cache *cache = heed_kv_cache_new(&(heed_kv_cache_cfg){ .dim = D, .value_dim = DV },
                                             &err);
    assert_non_null(cache);
    assert_int_equal(heed_kv_cache_append(s->cx, cache, in[1], in[2]), 0);
    const heed_attention_cfg c = { .causal = true };
    rows_are_nan(s, heed_attention_cached(s->cx, in[0], cache, &c), AT, T, "a cached key");
    rows_are_nan(s, heed_attention_mean(s->cx, in[0], in[1], NULL, NULL), 0, 1, "mean");
    heed_kv_cache_free(cache);
    heed_ctx_reset(s->cx);
}

static void test_nan(void **state) {
    (void)state;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int i = 0; i < 2 * count; i++) {
        heed_error err;
        setting s = { .cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1,
                                                          .train = true,
                                                          .isa = all[i / 2]->name,
                                                          .precision = i % 2 ? HEED_PRECISION_BF16
                                                                             : HEED_PRECISION_F32 },
                                         &err) };
        if (!s.cx) fail_msg("%s", err.msg);
        for (size_t n = 0; n < 2 * sizeof nans / sizeof *nans; n++) {
            s.nan = nans[n / 2], s.causal = n % 2;
            test_weights(&s), test_beside(&s), test_cache_and_mean(&s);
        }
        heed_ctx_free(s.cx);
    }
}

/* -- gradients */

enum {
    LONG = 150,
    WIDE = 8,
    EACH = LONG * WIDE,
    BIAS = LONG * LONG,
    ALL = 4 * EACH + 2 * BIAS + 1
};
enum { PLACE = 13 }; /* a row that tiles of every ISA have beside others */

/* One number of q, k, v, dy or the sink is none, in a call of this kind. */
typedef struct spoilt {
    int which; /* q, k, v, dy, the sink */
    float number;
    bool bf16, window, softcap, sinks, bias, mean, plain;
    bool sharp; /* most weights are 0 */
    bool open;  /* later keys are seen too, all by some tiles and not by others */
    bool more;  /* so are others beside it, each in its way */
    bool apart; /* the weights of key PLACE are 0, and its products with dy not finite */
    bool late;  /* keys start at PLACE: the queries before it see none */
} spoilt;

#define ODD_NAN __builtin_nanf("0x3fffff")

static const spoilt calls[] = {
    { .which = 0, .number = NAN },
    { .which = 3, .number = NAN },
    { .which = 0, .number = NAN, .window = true },
    { .which = 3, .number = NAN, .window = true },
    { .which = 0, .number = NAN, .bf16 = true },
    { .which = 3, .number = NAN, .bf16 = true },
    { .which = 3, .number = INFINITY, .bf16 = true, .window = true },
    { .which = 1, .number = ODD_NAN, .more = true },
    { .which = 1, .number = ODD_NAN, .more = true, .bf16 = true },
    { .which = 1, .number = NAN, .softcap = true },
    { .which = 1, .number = INFINITY, .bf16 = true, .softcap = true, .window = true },
    { .which = 2, .number = -INFINITY, .window = true },
    { .which = 0, .number = INFINITY, .sinks = true },
    { .which = 2, .number = ODD_NAN, .more = true, .bf16 = true, .sinks = true },
    { .which = 0, .number = -INFINITY, .bf16 = true, .sinks = true, .window = true },
    { .which = 0, .number = 3e38f },
    { .which = 3, .number = NAN, .bias = true },
    { .which = 2, .number = INFINITY, .sharp = true },
    { .which = 2, .number = INFINITY, .bf16 = true, .sharp = true },
    { .which = 2, .number = 3e38f, .apart = true },
    { .which = 2, .number = 3e38f, .apart = true, .bf16 = true },
    { .which = 0, .number = NAN, .mean = true },
    { .which = 0, .number = INFINITY, .open = true },
    { .which = 0, .number = INFINITY, .open = true, .mean = true },
    { .which = 3, .number = NAN, .mean = true },
    { .which = 0, .number = NAN, .mean = true, .window = true },
    { .which = 3, .number = INFINITY, .mean = true, .window = true },
    { .which = 4, .number = NAN, .sinks = true, .late = true },
    { .which = 4, .number = NAN, .bf16 = true, .sinks = true, .late = true },
    { .which = 4, .number = INFINITY, .sinks = true, .late = true },
    { .which = 4, .number = INFINITY, .bf16 = true, .sinks = true, .late = true },
    { .which = 2, .number = INFINITY, .sinks = true },
};

/* The output, gradients of q, k, v and, where there is one, of the bias, the weights and, where
 * there is one, the gradient of the sink, one after another. */
static void gradients(const char *isa, const spoilt *of, float *to) {
    static float dy[EACH];
    heed_error err;
    heed_ctx *cx = heed_ctx_new(
        &(heed_ctx_cfg){ .threads = 1,
                         .train = true,
                         .isa = isa,
                         .precision = of->bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32 },
        &err);
    if (!cx) fail_msg("%s", err.msg);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_tensor *in[4];
    uint64_t seed = 5;
    for (int i = 0; i < 4; i++) {
        const char name[2] = { "qkvb"[i] };
        in[i] = heed_param(ps, name, (heed_init){ 0 }, 3,
                           (int64_t[]){ 1, LONG, i < 3 ? WIDE : LONG });
        for (int64_t j = 0; j < in[i]->len; j++)
            HEED_F32_DATA(in[i])[j] = (float)problem_random(&seed);
    }
    for (int64_t j = 0; j < EACH; j++) dy[j] = (float)problem_random(&seed);
    for (int64_t j = 0; of->sharp && j < EACH; j++) HEED_F32_DATA(in[0])[j] *= 3000;
    for (int64_t j = 0; of->apart && j < EACH; j++) {
        HEED_F32_DATA(in[0])[j] = 99, dy[j] *= 1e10f;
        HEED_F32_DATA(in[1])[j] = j / WIDE == PLACE ? -9 : 9;
    }
    if (of->which < 3)
        HEED_F32_DATA(in[of->which])[PLACE * WIDE + 3] = of->number;
    else if (of->which == 3)
        dy[of->mean ? PLACE : PLACE * WIDE + 3] = of->number;
    for (int j = 2; of->more && j < 8; j += 2)
        HEED_F32_DATA(in[of->which])[PLACE * WIDE + j] = j == 6 ? -INFINITY : INFINITY;
    int64_t rows[LONG];
    for (int64_t t = 0; t < LONG; t++) rows[t] = t;
    heed_attention_tap tap = { .rows = rows, .rows_len = LONG };
    const heed_attention_cfg c = {
        .causal = !of->open,
        .score = of->plain ? HEED_SCORE_DOT : HEED_SCORE_SCALED_DOT,
        .tap = &tap,
        .window = of->window || of->open,
        .left = of->open ? 15 : 3,
        .right = -1,
        .key_lengths = of->open ? heed_from_i32(cx, 1, (int64_t[]){ 1 }, &(int32_t){ 144 }) : NULL,
        .key_starts = of->late ? heed_from_i32(cx, 1, (int64_t[]){ 1 }, &(int32_t){ PLACE }) : NULL,
        .softcap = of->softcap ? 5 : 0,
        .sinks = of->sinks ? heed_want_grad(cx, heed_zeros(cx, HEED_F32, 1, (int64_t[]){ 1 }))
                           : NULL,
        .bias = of->bias ? in[3] : NULL,
    };
    if (of->which == 4) HEED_F32_DATA(c.sinks)[0] = of->number;
    heed_tensor *y = of->mean ? heed_attention_mean(cx, in[0], in[1], NULL, &c)
                              : heed_attention(cx, in[0], in[1], in[2], &c);
    assert_int_equal(heed_backward_from(cx, y, dy), 0);
    memcpy(to, y->data, (size_t)y->len * sizeof(float));
    to += EACH;
    for (int i = 0; i < 4; i++, to += EACH)
        memcpy(to, heed_grad(cx, in[i]), (size_t)in[i]->len * sizeof(float));
    memcpy(to - EACH + BIAS, tap.row_weights->data, BIAS * sizeof(float));
    if (of->sinks) to[2 * BIAS - EACH] = *heed_grad(cx, c.sinks);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

/* Every NaN of x is the canonical one; how many there are. */
static int64_t all_canonical(const float *x, int64_t n, const char *what, size_t number) {
    int64_t none = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        none += isnan(x[i]) != 0;
        if (isnan(x[i]) && bits != 0x7fc00000)
            fail_msg("%s %zu: number %lld is the NaN %08x", what, number, (long long)i, bits);
    }
    return none;
}

static void test_gradients(void **state) {
    (void)state;
    static float plain[ALL], other[ALL];
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (size_t n = 0; n < sizeof calls / sizeof *calls; n++) {
        gradients("scalar", &calls[n], plain);
        all_canonical(plain, ALL, "call", n);
        for (int i = 1; i < count; i++) {
            gradients(all[i]->name, &calls[n], other);
            if (memcmp(plain, other, sizeof plain) != 0)
                fail_msg("call %zu: %s gives other bits", n, all[i]->name);
        }
    }
}

/* With a bound on the scores too, a key that a query does not see is nothing to it. */
static void test_hidden_key(void **state) {
    (void)state;
    static float all[ALL];
    for (size_t k = 0; k < 2; k++) {
        const spoilt of = { .which = 1, .number = NAN, .softcap = true, .bf16 = k == 1 };
        gradients(NULL, &of, all);
        for (size_t i = 0; i < PLACE * WIDE; i++) assert_true(all[EACH + i] == all[EACH + i]);
        assert_true(all[EACH + PLACE * WIDE] != all[EACH + PLACE * WIDE]);
    }
}

/* A query that is no number, or none as bf16, is nothing to keys that it does not see. */
static void test_spoilt_query(void **state) {
    (void)state;
    static float all[ALL];
    static const spoilt calls_of[] = {
        { .which = 0, .number = NAN },
        { .which = 0, .number = NAN, .bf16 = true },
        { .which = 0, .number = 2.3565e38f, .bf16 = true, .plain = true },
    };
    for (size_t i = 0; i < sizeof calls_of / sizeof *calls_of; i++) {
        gradients(NULL, &calls_of[i], all);
        const float *dk = all + 2 * EACH;
        size_t none = 0;
        for (size_t j = 0; j < EACH; j++) {
            none += isnan(dk[j]) != 0;
            if (j >= (PLACE + 1) * WIDE && !isfinite(dk[j]))
                fail_msg("call %zu: number %zu of dk is %g", i, j, (double)dk[j]);
        }
        assert_true(none);
    }
}

/* Queries that see no key are zeros whatever the sink is, those beside them in a tile too. */
static void test_sink(void **state) {
    (void)state;
    static float all[ALL];
    for (int i = 0; i < 4; i++) {
        const float sink = i / 2 ? INFINITY : NAN;
        const spoilt of = {
            .which = 4, .number = sink, .sinks = true, .late = true, .bf16 = i % 2
        };
        gradients(NULL, &of, all);
        for (int64_t j = 0; j < PLACE * WIDE; j++) assert_true(all[j] == 0 && all[EACH + j] == 0);
        assert_true(isnan(all[PLACE * WIDE]));
    }
}

/* Gradients of what is small, where infinities of both signs meet, and linear attention: the NaN
 * that comes of it is the canonical one. */
static void test_canonical(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = true }, &err);
    assert_non_null(cx);
    for (size_t way = 0; way < 3; way++) { /* fused, general, linear */
        static float dy[T * DV];
        heed_tensor *in[8], *y;
        uint64_t seed = 7;
        inputs(cx, in);
        in[3] = heed_zeros(cx, HEED_F32, 1, (int64_t[]){ 1 });
        in[4] = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ 4, 1 });
        in[5] = heed_from_f32(cx, 1, (int64_t[]){ 1 }, &(float){ 2 });
        for (int i = 0; i < 6; i++) heed_want_grad(cx, in[i]);
        for (int64_t i = 0; i < T * DV; i++) dy[i] = (float)problem_random(&seed);
        for (int64_t i = 0; i < DV; i++) HEED_F32_DATA(in[2])[AT * DV + i] = i % 2 ? 3e38f : -3e38f;
        for (int64_t i = 0; i < T * DV; i++) dy[i] *= 9;
        const heed_attention_cfg c = { .sinks = in[3],
                                       .t5 = in[4],
                                       .temperature = in[5],
                                       .dilation = way ? 2 : 0,
                                       .stride = way ? 1 : 0 };
        if (way == 2) HEED_F32_DATA(in[0])[AT * D] = INFINITY;
        y = way < 2 ? heed_attention(cx, in[0], in[1], in[2], &c)
                    : heed_linear_attention(cx, in[0], in[1], in[2], NULL);
        if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
        assert_int_equal(heed_backward_from(cx, y, dy), 0);
        int64_t none = all_canonical(HEED_F32_DATA(y), y->len, "output", way);
        for (int i = 0; i < (way < 2 ? 6 : 3); i++)
            none += all_canonical(in[i]->grad, in[i]->len, "gradient", way);
        assert_true(none);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nan),        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_hidden_key), cmocka_unit_test(test_spoilt_query),
        cmocka_unit_test(test_sink),       cmocka_unit_test(test_canonical)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
