/* Memory runs out within attention of every kind, by either path, with a tap, and over a cache. */
#include "oom.h"

#include "heed/attention.h"
#include "heed/ops.h"

enum { B = 2, T = 5, H = 2, D = 3 };

typedef struct kind {
    const char *name;
    heed_attention_cfg cfg; /* tensors are put in by the flags below */
    bool lengths, segments, mask, center, bias, alibi, t5, relative, span, sinks, temperature, tap;
} kind;

/* Every score with every way to weights comes before these. */
static const kind others[] = {
    { .name = "plain" },
    { .name = "causal, lengths, tap", .cfg = { .causal = true }, .lengths = true, .tap = true },
    { .name = "general tap", .cfg = { .weights = HEED_WEIGHTS_SPARSEMAX }, .tap = true },
    { .name = "window", .cfg = { .window = true, .left = 1, .right = 1 }, .segments = true },
    { .name = "truncated", .cfg = { .causal = true, .truncate = 2 }, .mask = true },
    { .name = "blocks and globals", .cfg = { .block = 2, .globals = 1 } },
    { .name = "strided", .cfg = { .stride = 2, .block = 2 } },
    { .name = "dilated", .cfg = { .dilation = 2 } },
    { .name = "local-p", .cfg = { .local_width = 2 }, .center = true },
    { .name = "positions", .bias = true, .alibi = true, .t5 = true },
    { .name = "relative", .cfg = { .causal = true }, .relative = true },
    { .name = "span", .cfg = { .span_ramp = 2 }, .span = true },
    { .name = "sinks, softcap, dropout", .cfg = { .softcap = 5, .dropout = 0.3f }, .sinks = true },
    { .name = "temperature", .cfg = { .score = HEED_SCORE_COSINE }, .temperature = true },
    { .name = "deviation", .cfg = { .score_std = true } },
    { .name = "entropy", .cfg = { .penalty = HEED_PENALTY_ENTROPY } },
    { .name = "diversity", .cfg = { .penalty = HEED_PENALTY_DIVERSITY } },
    { .name = "coverage", .cfg = { .penalty = HEED_PENALTY_COVERAGE } },
    { .name = "hard Gumbel", .cfg = { .weights = HEED_WEIGHTS_GUMBEL, .gumbel_hard = true } },
};

static const kind *now;

static heed_tensor *numbers(heed_ctx *cx, int ndim, const int64_t *shape) {
    heed_rng rng = { .seed = 1, .stream = (uint64_t)ndim };
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_uniform(&rng) + 0.1f;
    return heed_want_grad(cx, t);
}
#define NUMBERS(...)                                                                               \
    numbers(cx, (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)),                       \
            (int64_t[]){ __VA_ARGS__ })

static heed_tensor *ones(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape) {
    heed_tensor *t = heed_zeros(cx, dtype, ndim, shape);
    for (int64_t i = 0; t && i < t->len; i++)
        if (dtype == HEED_I32)
            HEED_I32_DATA(t)[i] = i % T < 3;
        else
            ((uint8_t *)t->data)[i] = i % 3 != 0;
    return t;
}

static void fill(heed_ctx *cx, heed_attention_cfg *c) {
    c->heads = H;
    if (c->score == HEED_SCORE_BILINEAR) c->score_w = NUMBERS(H, D, D);
    if (c->score == HEED_SCORE_ADDITIVE) {
        c->score_wq = NUMBERS(H, 4, D);
        c->score_wk = NUMBERS(H, 4, D);
        c->score_v = NUMBERS(H, 4);
    }
    if (now->lengths) c->key_lengths = ones(cx, HEED_I32, 1, (int64_t[]){ B });
    if (now->segments) c->q_segments = ones(cx, HEED_I32, 2, (int64_t[]){ B, T });
    if (now->mask) c->mask = ones(cx, HEED_U8, 2, (int64_t[]){ T, T });
    if (now->center) c->local_center = NUMBERS(B, T);
    if (now->bias) c->bias = NUMBERS(H, T, T);
    if (now->alibi) c->alibi = heed_detach(cx, NUMBERS(H));
    if (now->t5) c->t5 = NUMBERS(4, H);
    if (now->relative) {
        c->relative = NUMBERS(T, H * D);
        c->relative_u = NUMBERS(H, D);
        c->relative_v = NUMBERS(H, D);
    }
    if (now->span) c->span = NUMBERS(H);
    if (now->sinks) c->sinks = NUMBERS(H);
    if (now->temperature) c->temperature = NUMBERS(H);
}

static int finish(heed_ctx *cx, heed_tensor *y, heed_error *err) {
    heed_tensor *loss = y ? heed_sum(cx, heed_mul(cx, y, y)) : NULL;
    if (loss && loss->needs_grad) heed_backward(cx, loss);
    if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
    const int status = err->code ? err->code : loss ? 0 : HEED_EINVALID;
    heed_ctx_free(cx);
    return status;
}

static heed_ctx *context(heed_error *err) {
    return oom_context(true, err);
}

static int attend(heed_error *err) {
    heed_ctx *cx = context(err);
    if (!cx) return err->code;
    const int64_t row = 1;
    heed_attention_tap tap = {
        .rows = &row, .rows_len = 1, .top_k = 2, .column_mass = true, .entropy = true
    };
    heed_attention_more more;
    heed_attention_cfg c = now->cfg;
    fill(cx, &c);
    if (now->tap) c.tap = &tap;
    if (c.penalty || c.weights == HEED_WEIGHTS_REINFORCE) c.more = &more;
    heed_tensor *y = NULL;
    if (!heed_ctx_error(cx))
        y = heed_attention(cx, NUMBERS(B, T, H * D), NUMBERS(B, T, H * D), NUMBERS(B, T, H * D),
                           &c);
    if (y && c.penalty) y = more.penalty;
    if (y && c.weights == HEED_WEIGHTS_REINFORCE)
        y = heed_reinforce(cx, more.log_prob, NUMBERS(B), NULL);
    return finish(cx, y, err);
}

static void every_kind(void) {
    int64_t n = 0;
    for (int score = 0; score <= HEED_SCORE_ADDITIVE; score++)
        for (int weights = 0; weights <= HEED_WEIGHTS_SIGMOID; weights++) {
            const kind k = { .cfg = { .score = (heed_score_kind)score,
                                      .weights = (heed_weights_kind)weights,
                                      .topk = 2 } };
            now = &k;
            n += oom_each(attend);
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        now = &others[i];
        n += oom_each(attend);
    }
    print_message("%lld allocations\n", (long long)n);
}

static void test_every_kind(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    every_kind();
}

static void test_every_kind_in_bf16(void **state) {
    (void)state;
    oom_use(2, HEED_PRECISION_BF16);
    every_kind();
}

static int decode(heed_error *err) {
    heed_ctx *cx = context(err);
    if (!cx) return err->code;
    heed_ctx_set_train(cx, false);
    heed_kv_cache *c = heed_kv_cache_new(
        &(heed_kv_cache_cfg){ .batch = B, .kv_heads = H, .dim = D, .capacity = 16 }, err);
    heed_tensor *y = NULL;
    for (int step = 0; c && step < 5 && !heed_ctx_error(cx); step++) {
        if (heed_kv_cache_append(cx, c, NUMBERS(B, T, H * D), NUMBERS(B, T, H * D))) break;
        y = heed_attention_cached(cx, NUMBERS(B, T, H * D), c,
                                  &(heed_attention_cfg){ .heads = H, .causal = true });
    }
    if (c && y && !heed_ctx_error(cx)) {
        const int status = heed_kv_cache_reorder(c, (int32_t[]){ 1, 1 });
        if (status) heed_fail(cx, status, "reorder");
    }
    const int status = finish(cx, y, err);
    heed_kv_cache_free(c);
    return status;
}

static void test_cache(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    oom_each(decode);
}

static int linear(heed_error *err) {
    heed_ctx *cx = context(err);
    if (!cx) return err->code;
    const heed_linear_attention_cfg cfg = { .heads = H, .causal = true };
    return finish(cx,
                  heed_linear_attention(cx, NUMBERS(B, T, H * D), NUMBERS(B, T, H * D),
                                        NUMBERS(B, T, H * D), &cfg),
                  err);
}

static void test_linear(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    oom_each(linear);
}

static int mean(heed_error *err) {
    heed_ctx *cx = context(err);
    if (!cx) return err->code;
    heed_attention_tap tap = { .column_mass = true };
    const heed_attention_cfg cfg = { .heads = H, .tap = &tap };
    return finish(
        cx, heed_attention_mean(cx, NUMBERS(B, T, H * D), NUMBERS(B, T, H * D), NULL, &cfg), err);
}

static void test_mean(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    oom_each(mean);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_kind),
                                        cmocka_unit_test(test_every_kind_in_bf16),
                                        cmocka_unit_test(test_cache), cmocka_unit_test(test_linear),
                                        cmocka_unit_test(test_mean) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
