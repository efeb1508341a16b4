/* test_attention_unseen.c: a query or a key that holds what is no number is nothing to those that
 * do not see it or that it does not see: not a bit of their outputs or gradients is another, on the
 * fused kernel in both precisions, by every kind of weights on the general path, and in linear
 * attention. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "attention_problem.h"

enum { T = 75, AT = 41, D = 5, DV = 3, ROOM = 2 * T * (D + DV) };

/* One way to attend, causal. */
typedef struct way {
    heed_weights_kind weights;
    heed_precision precision;
    bool linear, general, sinks, relative, hard;
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
    { .linear = true },
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

/* The output and the gradients of q, k and v, where row AT of one of them holds `with`; which 3:
 * none does. */
static void run(heed_ctx *cx, const way *w, int which, float with, float *to) {
    static const int64_t width[] = { D, D, DV };
    heed_tensor *in[3];
    heed_attention_more more;
    float dy[T * DV];
    uint64_t seed = 9;
    heed_ctx_set_step(cx, 0); /* the same noise */
    for (int i = 0; i < T * DV; i++) dy[i] = (float)problem_random(&seed);
    for (int i = 0; i < 3; i++) in[i] = numbers(cx, width[i], (uint64_t)i + 1);
    if (which < 3) HEED_F32_DATA(in[which])[AT * width[which] + 1] = with;
    heed_attention_cfg c = {
        .causal = true,
        .window = true,
        .left = 12,
        .right = -1,
        .topk = 3,
        .weights = w->weights,
        .softcap = w->softcap,
        .more = &more,
        .gumbel_hard = w->hard,
        .dilation = w->general ? 2 : 0,
        .sinks = w->sinks ? heed_zeros(cx, HEED_F32, 1, (int64_t[]){ 1 }) : NULL,
    };
    if (w->relative) {
        c.relative = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ T, D });
        for (int64_t i = 0; i < T * D; i++)
            HEED_F32_DATA(c.relative)[i] = (float)problem_random(&seed);
    }
    heed_tensor *y = w->linear
                         ? heed_linear_attention(cx, in[0], in[1], in[2],
                                                 &(heed_linear_attention_cfg){ .causal = true })
                         : heed_attention(cx, in[0], in[1], in[2], &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    assert_int_equal(heed_backward_from(cx, y, dy), 0);
    memcpy(to, y->data, sizeof(float) * T * DV), to += T * DV;
    for (int i = 0; i < 3; i++) {
        memcpy(to, in[i]->grad, sizeof(float) * (size_t)in[i]->len);
        to += in[i]->len;
    }
    heed_ctx_reset(cx);
}

/* Whether row i, of queries or of keys, may be touched by row AT of `which`. */
static bool touched(const way *w, int which, bool query, int64_t i) {
    if (which == 0) return query ? i == AT : sees(w, AT, i);
    if (query) return sees(w, i, AT);
    for (int64_t t = 0; t < T; t++)
        if (sees(w, t, AT) && sees(w, t, i)) return true;
    return false;
}

static void check(heed_ctx *cx, const way *w, size_t n) {
    static const float with[] = { NAN, INFINITY, -INFINITY, 3e38f };
    static const char *const names[] = { "y", "dq", "dk", "dv" };
    static const int64_t width[] = { DV, D, D, DV };
    static float plain[ROOM], other[ROOM];
    run(cx, w, 3, 0, plain);
    for (int which = 0; which < 3; which++)
        for (size_t x = 0; x < sizeof with / sizeof *with; x++) {
            run(cx, w, which, with[x], other);
            const float *a = plain, *b = other;
            for (int part = 0; part < 4; part++, a += T * width[part - 1], b += T * width[part - 1])
                for (int64_t i = 0; i < T; i++)
                    if (!touched(w, which, part < 2, i) &&
                        memcmp(a + i * width[part], b + i * width[part],
                               sizeof *a * (size_t)width[part]) != 0)
                        fail_msg("way %zu by %s: %g in %s touches row %lld of %s", n,
                                 heed_ctx_isa(cx), (double)with[x],
                                 (const char *[]){ "q", "k", "v" }[which], (long long)i,
                                 names[part]);
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
        heed_ctx_free(cx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_unseen) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
