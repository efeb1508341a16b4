/* test_counts.c: how many parameters positions cost: learned ones are a table; sinusoids and
 * rotations add none, however long. What a model says it has is the sum over its tensors. And how
 * many floating-point operations layers and models make, beside counts by hand. */
#include "cmocka_all.h"

#include <string.h>

#include <heed/models.h>

static int64_t numbers_with(heed_position_kind kind, int64_t max_len) {
    heed_error err = { 0 };
    heed_params *ps = heed_params_new(NULL, &err);
    heed_encoder_classifier m;
    const heed_model_cfg cfg = { .kind = HEED_MODEL_ENCODER,
                                 .vocab = 10,
                                 .dim = 16,
                                 .heads = 2,
                                 .layers = 2,
                                 .classes = 3,
                                 .position = kind,
                                 .max_len = max_len };
    assert_int_equal(heed_encoder_classifier_init(&m, ps, &cfg), 0);
    int64_t sum = 0;
    for (int64_t i = 0; i < heed_params_count(ps); i++) sum += heed_params_at(ps, i)->len;
    assert_int_equal(sum, heed_params_len(ps));
    heed_params_free(ps);
    return sum;
}

static void test_position_counts(void **state) {
    (void)state;
    const int64_t block = 4 * (256 + 16) + 16 * 64 + 64 + 64 * 16 + 16 + 4 * 16;
    const int64_t rest = 10 * 16 + 2 * block + 16 * 3 + 3;
    assert_int_equal(numbers_with(HEED_POSITION_SINUSOIDAL, 100), rest);
    assert_int_equal(numbers_with(HEED_POSITION_SINUSOIDAL, 5000), rest);
    assert_int_equal(numbers_with(HEED_POSITION_ROTARY, 5000), rest);
    assert_int_equal(numbers_with(HEED_POSITION_LEARNED, 100), rest + 100 * 16);
}

typedef struct tally {
    double sum, attention; /* of all; of products without a weight */
} tally;

static void add(void *user, const char *name, double flops) {
    tally *t = user;
    t->sum += flops;
    if (strcmp(name, "attention") == 0) t->attention += flops;
}

enum { B = 3, T = 20, C = 16, V = 10, K = 5 };

static heed_tensor *ids_of(heed_ctx *cx) {
    return heed_zeros(cx, HEED_I32, 2, (int64_t[]){ B, T });
}

static void test_attention_flops(void **state) {
    (void)state;
    enum { H = 4, HK = 2, D = 8, DV = 6, S = 30 };
    heed_error err;
    tally t = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    heed_tensor *q = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, T, H * D });
    heed_tensor *k = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, S, HK * D });
    heed_tensor *v = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, S, HK * DV });
    heed_tensor *lengths = heed_from_i32(cx, 1, (int64_t[]){ B }, (int32_t[]){ 30, 0, 7 });
    heed_want_grad(cx, q);
    const double pair = 2.0 * H * (D + DV);
    const struct {
        heed_attention_cfg cfg;
        double pairs;
    } cases[] = {
        { { 0 }, B * T * S },
        { { .key_lengths = lengths }, T * (30 + 0 + 7) },
        { { .causal = true }, B * T * (T + 1) / 2.0 },
        { { .causal = true, .query_start = 10 }, B * (10 * T + T * (T + 1) / 2.0) },
        { { .causal = true, .window = true, .left = 3 }, B * (1 + 2 + 3 + 17 * 4) },
        { { .truncate = 5 }, B * T * 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heed_attention_cfg cfg = cases[i].cfg;
        cfg.heads = H, cfg.kv_heads = HK;
        t = (tally){ 0 };
        heed_ctx_set_flops(cx, add, &t);
        heed_tensor *y = heed_attention(cx, q, k, v, &cfg);
        if (!y || heed_backward(cx, heed_sum(cx, y))) fail_msg("%s", heed_ctx_error(cx)->msg);
        assert_true(t.sum == pair * cases[i].pairs && t.attention == t.sum);
        heed_ctx_set_flops(cx, NULL, NULL);
        if (!heed_attention(cx, q, k, v, &cfg)) fail_msg("%s", heed_ctx_error(cx)->msg);
        assert_true(t.sum == pair * cases[i].pairs);
    }
    heed_ctx_free(cx);
}

static void test_classic_flops(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_classic m;
    const heed_model_cfg cfg = { .vocab = V, .dim = C, .hidden = 24, .heads = 4, .classes = K };
    assert_int_equal(heed_classic_init(&m, ps, &cfg), 0);
    for (int frozen = 0; frozen < 2; frozen++) {
        tally t = { 0 };
        if (frozen) heed_params_freeze(cx, ps);
        heed_tensor *lengths = heed_from_i32(cx, 1, (int64_t[]){ B }, (int32_t[]){ 20, 8, 12 });
        heed_ctx_set_flops(cx, add, &t);
        if (!heed_classic_apply(cx, &m, ids_of(cx), lengths, NULL))
            fail_msg("%s", heed_ctx_error(cx)->msg);
        const double words = 20 + 8 + 12, attention = 2.0 * T * words * 24;
        const double lstm = 2.0 * 4 * 24 * (C * B * T + 24 * words);
        /* queries and keys of all steps; of 4 heads' mean weights the sources, values, biases */
        const double means = 2.0 * B * (4 * T * 24 + 24 * 24 + 24 + 24 * 24);
        const double linears = 2.0 * B * T * 24 * 24 * 2 + means + 2.0 * B * 24 * K;
        assert_true(t.attention == attention);
        assert_true(t.sum == attention + lstm + linears);
        heed_ctx_reset(cx);
    }
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_encoder_flops(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_encoder_classifier m;
    const heed_model_cfg cfg = { .kind = HEED_MODEL_ENCODER,
                                 .vocab = V,
                                 .dim = C,
                                 .heads = 2,
                                 .layers = 3,
                                 .ff = 40,
                                 .classes = K };
    assert_int_equal(heed_encoder_classifier_init(&m, ps, &cfg), 0);
    tally t = { 0 };
    heed_ctx_set_flops(cx, add, &t);
    if (!heed_encoder_classifier_apply(cx, &m, ids_of(cx), NULL, NULL))
        fail_msg("%s", heed_ctx_error(cx)->msg);
    const double layer = 2.0 * B * T * (4 * C * C + 2 * C * 40), attention = 4.0 * B * T * T * C;
    assert_true(t.attention == 3 * attention);
    assert_true(t.sum == 3 * (layer + attention) + 2.0 * B * C * K);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_position_counts),
        cmocka_unit_test(test_attention_flops),
        cmocka_unit_test(test_classic_flops),
        cmocka_unit_test(test_encoder_flops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
