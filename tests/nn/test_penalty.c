/* test_penalty.c: penalties on the distribution of attention do to it what their names say, when
 * queries and keys follow their gradient alone. */
#include "cmocka_all.h"

#include <math.h>
#include <heed/attention.h>
#include <heed/train.h>

enum { T = 6, S = 12, H = 3, D = 8 };

/* What a penalty speaks of, from the weights [H,T,S] themselves. */
typedef struct shape {
    double entropy;  /* mean over rows, nats */
    double overlap;  /* mean over pairs of heads and rows: Σ_s a_gs a_hs */
    double repeated; /* mean over rows: Σ_s min(a_ts, Σ_{u<t} a_us) */
} shape;

static shape of(const float *a) {
    shape r = { 0 };
    for (int h = 0; h < H; h++)
        for (int t = 0; t < T; t++)
            for (int s = 0; s < S; s++) {
                const double w = (double)a[(h * T + t) * S + s];
                double before = 0;
                for (int u = 0; u < t; u++) before += (double)a[(h * T + u) * S + s];
                r.entropy -= w > 0 ? w * log(w) / (H * T) : 0;
                r.repeated += fmin(w, before) / (H * T);
                for (int g = 0; g < h; g++)
                    r.overlap += w * (double)a[(g * T + t) * S + s] / (T * H * (H - 1) / 2);
            }
    return r;
}

/* Before and after 300 steps. */
static void follow(heed_penalty_kind kind, shape at[2]) {
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 3 }, &err);
    const heed_init normal = { HEED_INIT_NORMAL, 1 };
    heed_tensor *q = heed_param(ps, "q", normal, 3, (int64_t[]){ 1, T, H * D });
    heed_tensor *k = heed_param(ps, "k", normal, 3, (int64_t[]){ 1, S, H * D });
    heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ .kind = HEED_ADAM, .lr = 0.03f },
                                     &err);
    if (!opt) fail_msg("%s", err.msg);
    int64_t rows[T];
    for (int t = 0; t < T; t++) rows[t] = t;
    for (int step = 0; step <= 300; step++) {
        heed_attention_tap tap = { .rows = rows, .rows_len = T };
        heed_attention_more more = { 0 };
        const heed_attention_cfg cfg = { .heads = H, .penalty = kind, .tap = &tap, .more = &more };
        assert_non_null(heed_attention(cx, q, k, k, &cfg));
        if (step == 0) at[0] = of(tap.row_weights->data);
        if (step == 300) at[1] = of(tap.row_weights->data);
        assert_int_equal(heed_backward(cx, more.penalty), 0);
        assert_int_equal(heed_optim_step(opt), 0);
        heed_ctx_reset(cx);
    }
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_entropy(void **state) {
    (void)state;
    shape at[2];
    follow(HEED_PENALTY_ENTROPY, at);
    print_message("entropy %.3f -> %.3f\n", at[0].entropy, at[1].entropy);
    assert_true(at[0].entropy > 1.5 && at[1].entropy < 0.1);
}

static void test_diversity(void **state) {
    (void)state;
    shape at[2];
    follow(HEED_PENALTY_DIVERSITY, at);
    print_message("overlap of heads %.3f -> %.3f, entropy %.3f -> %.3f\n", at[0].overlap,
                  at[1].overlap, at[0].entropy, at[1].entropy);
    assert_true(at[0].overlap > 0.05 && at[1].overlap < 0.005);
    assert_true(at[1].entropy < 0.2); /* |A Aᵀ - I|² wants each head on one key */
}

static void test_coverage(void **state) {
    (void)state;
    shape at[2];
    follow(HEED_PENALTY_COVERAGE, at);
    print_message("weight on what was seen before %.3f -> %.3f\n", at[0].repeated, at[1].repeated);
    assert_true(at[0].repeated > 0.4 && at[1].repeated < 0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_entropy),
                                        cmocka_unit_test(test_diversity),
                                        cmocka_unit_test(test_coverage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
