/* test_attention_unseen.c: a query or a key that holds what is no number is nothing to those that
 * do not see it or that it does not see: not a bit of their outputs or gradients is another, on the
 * fused kernel in both precisions, by every kind of weights on the general path, and in linear
 * attention. Nor is what a bias or a table of positions holds for a key that is not seen. Whoever
 * sees a NaN has it in the gradient too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "attention_problem.h"

enum { T = 75, AT = 41, D = 5, DV = 3, ROOM = 2 * T * (D + DV) + T };

/* One way to attend, causal. */
typedef struct way {
    heed_weights_kind weights;
    heed_precision precision;
    bool linear, relu, general, sinks, relative, hard, std, center;
    float softcap;
} way;

static const way ways[] = {
    { .weights = HEED_WEIGHTS_SOFTMAX },
    { .precision = HEED_PRECISION_BF16 },
    { .sinks = true, .softcap = 2 },
    { .general = true },
    { .general = true, .sinks = true },
    { .general = true, .relative = true },
    { .general = true, .softcap = 2 },
    { .general = true, .weights = HEED_WEIGHTS_SPARSEMAX },
    { .general = true, .weights = HEED_WEIGHTS_ENTMAX15 },
    { .general = true, .weights = HEED_WEIGHTS_TOPK },
    { .general = true, .weights = HEED_WEIGHTS_HARD },
    { .general = true, .weights = HEED_WEIGHTS_GUMBEL },
    { .general = true, .weights = HEED_WEIGHTS_GUMBEL, .hard = true },
    { .general = true, .weights = HEED_WEIGHTS_REINFORCE },
    { .general = true, .weights = HEED_WEIGHTS_SIGMOID },
    { .general = true, .std = true },
    { .general = true, .center = true },
    { .linear = true },
    { .linear = true, .relu = true },
};

/* Whether query t sees key s: on the general path every second of the last 12. */
static bool sees(const way *w, int64_t t, int64_t s) {
    if (w->linear) return s <= t;
    return s <= t && t - s <= 12 && (!w->general || (t - s) % 2 == 0);
}

static heed_tensor *numbers(heed_ctx *cx, int64_t width, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ 1, T, width });
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)problem_random(&seed);
    return heed_want_grad(cx, t);
}

/* What all calls of a way say. */
static heed_attention_cfg cfg_of(const way *w, heed_attention_more *more) {
    return (heed_attention_cfg){ .causal = true,
                                 .window = true,
                                 .left = 12,
                                 .right = -1,
                                 .topk = 3,
                                 .weights = w->weights,
                                 .score_std = w->std,
                                 .softcap = w->softcap,
                                 .more = more,
                                 .gumbel_hard = w->hard,
                                 .dilation = w->general ? 2 : 0 };
}

enum { NONE = 3, CENTER = 4 };

/* The output and the gradients of q, k, v and, with some, the centers, where row AT of q, k, v, of
 * none or of the centers holds `with`. */
static void run(heed_ctx *cx, const way *w, int which, float with, float *to) {
    static const int64_t width[] = { D, D, DV };
    heed_tensor *in[3];
    heed_attention_more more;
    float dy[T * DV];
    uint64_t seed = 9;
    heed_ctx_set_step(cx, 0); /* the same noise */
    for (int i = 0; i < T * DV; i++) dy[i] = (float)problem_random(&seed);
    for (int i = 0; i < 3; i++) in[i] = numbers(cx, width[i], (uint64_t)i + 1);
    if (which < NONE) HEED_F32_DATA(in[which])[AT * width[which] + 1] = with;
    heed_attention_cfg c = cfg_of(w, &more);
    if (w->sinks) c.sinks = heed_zeros(cx, HEED_F32, 1, (int64_t[]){ 1 });
    if (w->relative) {
        c.relative = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ T, D });
        for (int64_t i = 0; i < T * D; i++)
            HEED_F32_DATA(c.relative)[i] = (float)problem_random(&seed);
    }
    if (w->center) {
        c.local_center = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ 1, T }), c.local_width = 6;
        for (int t = 0; t < T; t++) HEED_F32_DATA(c.local_center)[t] = (float)t;
        heed_want_grad(cx, c.local_center);
        if (which == CENTER) HEED_F32_DATA(c.local_center)[AT] = with;
    }
    heed_tensor *y = w->linear ? heed_linear_attention(cx, in[0], in[1], in[2],
                                                       &(heed_linear_attention_cfg){
                                                           .causal = true,
                                                           .feature = w->relu ? HEED_FEATURE_RELU
                                                                              : HEED_FEATURE_ELU })
                               : heed_attention(cx, in[0], in[1], in[2], &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    assert_int_equal(heed_backward_from(cx, y, dy), 0);
    memcpy(to, y->data, sizeof(float) * T * DV), to += T * DV;
    for (int i = 0; i < 3; i++) {
        memcpy(to, in[i]->grad, sizeof(float) * (size_t)in[i]->len);
        to += in[i]->len;
    }
    if (w->center) memcpy(to, c.local_center->grad, sizeof(float) * T);
    heed_ctx_reset(cx);
}

/* Whether row i, of queries or of keys, may be touched by row AT of `which`. */
static bool touched(const way *w, int which, bool query, int64_t i) {
    if (which == 0 || which == CENTER) return query ? i == AT : sees(w, AT, i);
    if (query) return sees(w, i, AT);
    for (int64_t t = 0; t < T; t++)
        if (sees(w, t, AT) && sees(w, t, i)) return true;
    return false;
}

static void check(heed_ctx *cx, const way *w, size_t n) {
    static const float with[] = { NAN, INFINITY, -INFINITY, 3e38f };
    static const char *const names[] = { "y", "dq", "dk", "dv", "dc" };
    static const int64_t width[] = { DV, D, D, DV, 1 };
    static float plain[ROOM], other[ROOM];
    run(cx, w, NONE, 0, plain);
    for (int which = 0; which <= (w->center ? CENTER : 2); which++)
        for (size_t x = 0; x < sizeof with / sizeof *with; x++) {
            run(cx, w, which, with[x], other);
            const float *a = plain, *b = other;
            for (int part = 0; part < 4 + w->center;
                 part++, a += T * width[part - 1], b += T * width[part - 1])
                for (int64_t i = 0; i < T; i++)
                    if (!touched(w, which, part < 2 || part == 4, i) &&
                        memcmp(a + i * width[part], b + i * width[part],
                               sizeof *a * (size_t)width[part]) != 0)
                        fail_msg("way %zu by %s: %g in %s touches row %lld of %s", n,
                                 heed_ctx_isa(cx), (double)with[x],
                                 (const char *[]){ "q", "k", "v", "none", "center" }[which],
                                 (long long)i, names[part]);
        }
}

/* A query or a key that holds a NaN has it at the same place of its own gradient. */
static void check_seen(heed_ctx *cx, const way *w, size_t n) {
    static float with[ROOM];
    if (w->weights == HEED_WEIGHTS_REINFORCE) return; /* scores learn by log_prob */
    for (int which = 0; which < 2; which++) {
        run(cx, w, which, NAN, with);
        if (!isnan(with[T * DV + which * T * D + AT * D + 1]))
            fail_msg("way %zu by %s: NaN in %s has the gradient %g", n, heed_ctx_isa(cx),
                     which ? "k" : "q", (double)with[T * DV + which * T * D + AT * D + 1]);
    }
}

/* Output, gradients of q, k, v, of the bias and of the tables of distances, where those hold `with`
 * for all pairs that do not see each other. */
enum { BUCKETS = 32, BESIDE = ROOM + T * T + BUCKETS + T * D };
static void run_beside(heed_ctx *cx, const way *w, float with, float *to) {
    heed_tensor *in[6] = { numbers(cx, D, 1),
                           numbers(cx, D, 2),
                           numbers(cx, DV, 3),
                           heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, T, T }),
                           heed_zeros(cx, HEED_F32, 2, (int64_t[]){ BUCKETS, 1 }),
                           heed_zeros(cx, HEED_F32, 2, (int64_t[]){ T, D }) };
    heed_attention_more more;
    float dy[T * DV];
    uint64_t seed = 9;
    heed_ctx_set_step(cx, 0);
    for (int i = 0; i < T * DV; i++) dy[i] = (float)problem_random(&seed);
    for (int64_t i = 0; i < T * T; i++)
        HEED_F32_DATA(in[3])[i] = sees(w, i / T, i % T) ? (float)problem_random(&seed) : with;
    for (int64_t i = 0; i < BUCKETS; i++) /* 0..15 are those distances, causal */
        HEED_F32_DATA(in[4])[i] = sees(w, i, 0) ? (float)problem_random(&seed) : with;
    for (int64_t i = 0; i < T * D; i++)
        HEED_F32_DATA(in[5])[i] = sees(w, i / D, 0) ? (float)problem_random(&seed) : with;
    for (int i = 3; i < 6; i++) heed_want_grad(cx, in[i]);
    heed_attention_cfg c = cfg_of(w, &more);
    c.bias = in[3];
    if (w->relative)
        c.relative = in[5];
    else
        c.t5 = in[4], c.t5_one_way = true;
    heed_tensor *y = heed_attention(cx, in[0], in[1], in[2], &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    assert_int_equal(heed_backward_from(cx, y, dy), 0);
    memcpy(to, y->data, sizeof(float) * T * DV), to += T * DV;
    for (int i = 0; i < 6; to += in[i++]->len) {
        if (in[i]->grad)
            memcpy(to, in[i]->grad, sizeof(float) * (size_t)in[i]->len);
        else
            memset(to, 0, sizeof(float) * (size_t)in[i]->len);
    }
    heed_ctx_reset(cx);
}

static void check_beside(heed_ctx *cx, const way *w, size_t n) {
    static const float with[] = { NAN, INFINITY, -INFINITY, 3e38f };
    static float plain[BESIDE], other[BESIDE];
    run_beside(cx, w, 0, plain);
    for (size_t x = 0; x < sizeof with / sizeof *with; x++) {
        run_beside(cx, w, with[x], other);
        for (int64_t i = 0; i < BESIDE; i++)
            if (memcmp(plain + i, other + i, sizeof *plain) != 0)
                fail_msg("way %zu by %s: %g beside hidden keys makes number %lld %g from %g", n,
                         heed_ctx_isa(cx), (double)with[x], (long long)i, (double)other[i],
                         (double)plain[i]);
    }
}

static void test_unseen(void **state) {
    (void)state;
    for (size_t n = 0; n < 2 * sizeof ways / sizeof *ways; n++) {
        heed_error err;
        heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1,
                                                     .train = true,
                                                     .isa = n % 2 ? "scalar" : NULL,
                                                     .precision = ways[n / 2].precision },
                                    &err);
        assert_non_null(cx);
        check(cx, &ways[n / 2], n / 2);
        check_seen(cx, &ways[n / 2], n / 2);
        if (!ways[n / 2].linear) check_beside(cx, &ways[n / 2], n / 2);
        heed_ctx_free(cx);
    }
}

/* Of a query that sees one key alone, which is NaN, the temperature's gradient is NaN too. */
static void test_temperature(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = true }, &err);
    assert_non_null(cx);
    for (int n = 0; n < 3; n++) { /* fused, general, general by another kind of weights */
        static const float one[] = { 1, 1 };
        heed_tensor *in[3], *tau = heed_from_f32(cx, 1, (int64_t[]){ 1 }, &(float){ 2 });
        for (int i = 0; i < 3; i++)
            in[i] = heed_want_grad(cx, heed_from_f32(cx, 3, (int64_t[]){ 1, 1, 2 }, one));
        heed_want_grad(cx, tau);
        HEED_F32_DATA(in[1])[1] = NAN;
        heed_tensor *y = heed_attention(
            cx, in[0], in[1], in[2],
            &(heed_attention_cfg){ .temperature = tau,
                                   .dilation = n ? 2 : 0,
                                   .weights = n > 1 ? HEED_WEIGHTS_SIGMOID
                                                    : HEED_WEIGHTS_SOFTMAX });
        if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
        assert_int_equal(heed_backward_from(cx, y, one), 0);
        if (!isnan(tau->grad[0]) || !isnan(in[0]->grad[0]))
            fail_msg("way %d: NaN gives the temperature the gradient %g", n, (double)tau->grad[0]);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_unseen),
                                        cmocka_unit_test(test_temperature) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
