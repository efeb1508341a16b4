/* test_edges.c: what no one should ask and someone will: limits beyond every distance, sizes whose
 * products overflow, views that overlap, caches used against their rules, operations from outside
 * that misbehave. Each gives the right numbers or one clear sentence. */
#include "heed/attention.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                     \
        __VA_ARGS__                                                                                \
    }

static heed_tensor *drawn(heed_ctx *cx, uint64_t stream, int ndim, const int64_t *shape) {
    heed_rng rng = { .seed = 5, .stream = stream };
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(&rng);
    return t;
}

static void refused(heed_ctx *cx, const void *result, const char *sentence) {
    assert_null(result);
    assert_non_null(heed_ctx_error(cx));
    if (!strstr(heed_ctx_error(cx)->msg, sentence))
        fail_msg("'%s' is not in: %s", sentence, heed_ctx_error(cx)->msg);
}

/* -- attention */

static heed_tensor *attend(heed_ctx *cx, const heed_attention_cfg *cfg) {
    heed_tensor *q = drawn(cx, 1, DIMS(2, 7, 6)), *k = drawn(cx, 2, DIMS(2, 9, 6));
    return heed_attention(cx, q, k, drawn(cx, 3, DIMS(2, 9, 6)), cfg);
}

static void same_as(const heed_attention_cfg *cfg, const heed_attention_cfg *plain) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *y = attend(cx, cfg), *z = attend(cx, plain);
    if (!y || !z) fail_msg("%s", heed_ctx_error(cx)->msg);
    assert_memory_equal(y->data, z->data, (size_t)z->len * sizeof(float));
    heed_ctx_free(cx);
}

static void limits_beyond_all(void **state) {
    (void)state;
    const heed_attention_cfg plain = { .heads = 2 }, causal = { .heads = 2, .causal = true };
    const int64_t far = INT64_MAX;
    same_as(&(heed_attention_cfg){ .heads = 2, .window = true, .left = far, .right = far }, &plain);
    same_as(&(heed_attention_cfg){ .heads = 2, .window = true, .left = -far - 1, .right = -1 },
            &plain);
    same_as(&(heed_attention_cfg){ .heads = 2, .causal = true, .truncate = far }, &causal);
    const heed_attention_cfg sparse = { .heads = 2, .weights = HEED_WEIGHTS_SPARSEMAX };
    heed_attention_cfg c = sparse;
    c.block = c.globals = c.truncate = c.left = c.right = far, c.window = true;
    same_as(&c, &sparse);
    c = sparse;
    c.window = true; /* each query its own position alone */
    heed_attention_cfg alone = sparse;
    alone.dilation = alone.stride = far;
    same_as(&alone, &c);
    same_as(&(heed_attention_cfg){ .heads = 2, .weights = HEED_WEIGHTS_TOPK, .topk = far }, &plain);
}

static void refused_by_attention(const heed_attention_cfg *cfg, const char *sentence) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    refused(cx, attend(cx, cfg), sentence);
    heed_ctx_free(cx);
}

static void numbers_that_are_none(void **state) {
    (void)state;
    static const float bad[] = { NAN, INFINITY, 0, -1 };
    refused_by_attention(&(heed_attention_cfg){ .query_start = INT64_MAX }, "query_start");
    refused_by_attention(
        &(heed_attention_cfg){ .weights = HEED_WEIGHTS_GUMBEL, .gumbel_tau = INFINITY },
        "gumbel_tau");
    refused_by_attention(
        &(heed_attention_cfg){ .weights = HEED_WEIGHTS_GUMBEL, .gumbel_tau = 1e-42f },
        "gumbel_tau");
    refused_by_attention(&(heed_attention_cfg){ .span_ramp = INFINITY }, "span_ramp");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heed_ctx *cx = harness_ctx(NULL, NULL);
        heed_tensor *tau = heed_from_f32(cx, DIMS(1), &bad[i]);
        refused(cx, attend(cx, &(heed_attention_cfg){ .temperature = tau }), "temperature");
        heed_ctx_free(cx);
    }
}

static void lengths_of_no_batch(void **state) {
    (void)state;
    const int64_t far = INT64_C(1) << 50;
    for (int general = 0; general < 2; general++) {
        heed_ctx *cx = harness_ctx(NULL, NULL);
        heed_tensor *q = heed_new(cx, HEED_F32, DIMS(0, far, 8));
        heed_tensor *k = heed_new(cx, HEED_F32, DIMS(0, far, 8));
        heed_attention_cfg c = { .weights = general ? HEED_WEIGHTS_ENTMAX15
                                                    : HEED_WEIGHTS_SOFTMAX };
        refused(cx, heed_attention(cx, q, k, k, &c), "2^30");
        heed_ctx_free(cx);
    }
}

/* The last n keys are counted before segments hide any, on both paths. */
static void truncate_with_segments(void **state) {
    (void)state;
    static const int32_t segment[] = { 0, 0, 0, 1, 1, 1, 1, 2, 2 };
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *q = drawn(cx, 1, DIMS(1, 9, 4)), *k = drawn(cx, 2, DIMS(1, 9, 4));
    heed_tensor *v = drawn(cx, 3, DIMS(1, 9, 4));
    heed_tensor *seg = heed_from_i32(cx, DIMS(1, 9), segment);
    heed_tensor *mask = heed_zeros(cx, HEED_U8, DIMS(9, 9));
    for (int t = 0; t < 9; t++)
        for (int s = 9 - 4; s < 9; s++) HEED_U8_DATA(mask)[t * 9 + s] = segment[t] == segment[s];
    heed_tensor *y = heed_attention(cx, q, k, v,
                                    &(heed_attention_cfg){ .q_segments = seg, .truncate = 4 });
    heed_tensor *z = heed_attention(cx, q, k, v, &(heed_attention_cfg){ .mask = mask });
    assert_non_null(y);
    assert_non_null(z);
    for (int64_t i = 0; i < y->len; i++)
        assert_float_equal(HEED_F32_DATA(y)[i], HEED_F32_DATA(z)[i], 1e-6);
    heed_ctx_free(cx);
}

/* A span may let a later head see farther than the first. */
static void relative_too_short_for_a_head(void **state) {
    (void)state;
    static const float span[] = { 0, 30 };
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = drawn(cx, 1, DIMS(1, 9, 4));
    heed_attention_cfg c = { .heads = 2, .causal = true, .span_ramp = 2 };
    c.span = heed_from_f32(cx, DIMS(2), span);
    c.relative = drawn(cx, 2, DIMS(3, 4));
    refused(cx, heed_attention(cx, x, x, x, &c), "9 are seen");
    heed_ctx_free(cx);
}

/* One tensor as queries, keys and values: its gradient is the sum of the three. */
static void one_tensor_thrice(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        heed_ctx *cx = harness_ctx(NULL, NULL);
        const heed_attention_cfg c = {
            .heads = 2,
            .score = kind == 1 ? HEED_SCORE_COSINE : HEED_SCORE_SCALED_DOT,
            .weights = kind == 2 ? HEED_WEIGHTS_ENTMAX15 : HEED_WEIGHTS_SOFTMAX
        };
        heed_tensor *in[3], *x = heed_want_grad(cx, drawn(cx, 7, DIMS(3, 11, 10)));
        for (int i = 0; i < 3; i++) in[i] = heed_want_grad(cx, drawn(cx, 7, DIMS(3, 11, 10)));
        heed_tensor *w = drawn(cx, 8, DIMS(3, 11, 10));
        heed_tensor *y = heed_add(cx, heed_attention(cx, x, x, x, &c),
                                  heed_attention(cx, in[0], in[1], in[2], &c));
        assert_int_equal(heed_backward(cx, heed_sum(cx, heed_mul(cx, y, w))), 0);
        for (int64_t i = 0; i < x->len; i++)
            assert_float_equal(x->grad[i], in[0]->grad[i] + in[1]->grad[i] + in[2]->grad[i], 2e-5);
        heed_ctx_free(cx);
    }
}

/* -- caches */

static heed_kv_cache *cache_of(heed_ctx *cx, int64_t keep, int64_t steps) {
    heed_error err;
    heed_kv_cache *c = heed_kv_cache_new(
        &(heed_kv_cache_cfg){ .dim = 4, .keep = keep, .capacity = 16 }, &err);
    assert_non_null(c);
    for (int64_t i = 0; i < steps; i += 100) {
        const int64_t n = steps - i < 100 ? steps - i : 100;
        heed_tensor *k = drawn(cx, (uint64_t)i, DIMS(1, n, 4));
        assert_int_equal(heed_kv_cache_append(cx, c, k, k), 0);
    }
    return c;
}

static void cache_that_is_none(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *k = drawn(cx, 1, DIMS(1, 1, 4));
    heed_kv_cache_reset(NULL);
    assert_int_equal(heed_kv_cache_len(NULL), 0);
    assert_int_equal(heed_kv_cache_truncate(NULL, 0), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_reorder(NULL, (int32_t[]){ 0 }), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_append(cx, NULL, k, k), HEED_EINVALID);
    assert_null(heed_attention_cached(cx, k, NULL, NULL));
    heed_kv_cache *c = cache_of(cx, 0, 3);
    assert_int_equal(heed_kv_cache_reorder(c, NULL), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_reorder(c, (int32_t[]){ 1 }), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_truncate(c, 4), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_truncate(c, -1), HEED_EINVALID);
    heed_kv_cache_free(c);
    heed_ctx_free(cx);
}

static void forgotten_steps(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_kv_cache *c = cache_of(cx, 20, 1500);
    heed_tensor *q = drawn(cx, 1, DIMS(1, 1, 4));
    const heed_attention_cfg inside = { .causal = true, .window = true, .left = 19 };
    const heed_attention_cfg last = { .causal = true, .truncate = 20 };
    assert_non_null(heed_attention_cached(cx, q, c, &inside));
    assert_non_null(heed_attention_cached(cx, q, c, &last));
    refused(cx, heed_attention_cached(cx, q, c, &(heed_attention_cfg){ .causal = true }),
            "are forgotten");
    assert_int_equal(heed_kv_cache_truncate(c, 3), HEED_EINVALID);
    heed_kv_cache_free(c);
    heed_ctx_free(cx);
}

/* What a reset or a truncation left behind does not reach what comes after. */
static void leftovers(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *k = drawn(cx, 1, DIMS(1, 20, 4)), *bad = drawn(cx, 2, DIMS(1, 20, 4));
    for (int64_t i = 0; i < bad->len; i++) HEED_F32_DATA(bad)[i] = NAN;
    heed_kv_cache *clean = cache_of(cx, 0, 0), *used = cache_of(cx, 0, 0);
    assert_int_equal(heed_kv_cache_append(cx, used, bad, bad), 0);
    heed_kv_cache_reset(used);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(heed_kv_cache_append(cx, clean, k, k), 0);
        assert_int_equal(heed_kv_cache_append(cx, used, k, k), 0);
        if (!round) assert_int_equal(heed_kv_cache_append(cx, used, bad, bad), 0);
        if (!round) assert_int_equal(heed_kv_cache_truncate(used, 20), 0);
        heed_tensor *y = heed_attention_cached(cx, k, clean, NULL);
        heed_tensor *z = heed_attention_cached(cx, k, used, NULL);
        assert_non_null(y);
        assert_non_null(z);
        assert_memory_equal(y->data, z->data, (size_t)y->len * sizeof(float));
    }
    heed_kv_cache_free(clean);
    heed_kv_cache_free(used);
    heed_ctx_free(cx);
}

/* -- single operations */

static void positions_beyond_counting(void **state) {
    (void)state;
    static const heed_rotary_cfg bad[] = { { .heads = 1, .start = INT64_MAX },
                                           { .heads = 1, .start = INT64_MIN },
                                           { .heads = 1, .base = NAN },
                                           { .heads = 1, .base = -1 },
                                           { .heads = 1, .scale = INFINITY } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heed_ctx *cx = harness_ctx(NULL, NULL);
        refused(cx, heed_rotary(cx, drawn(cx, 1, DIMS(1, 2, 4)), NULL, &bad[i]), "rotary: start");
        heed_ctx_free(cx);
    }
}

static void sizes_that_overflow(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = heed_new(cx, HEED_F32, DIMS(0, INT64_C(1) << 44, 1));
    heed_tensor *w = heed_new(cx, HEED_F32, DIMS(0, INT64_C(1) << 44, 1));
    refused(cx, heed_conv1d(cx, x, w, NULL, &(heed_conv_cfg){ .groups = 1 << 30 }), "conv1d");
    heed_ctx_reset(cx);
    x = heed_new(cx, HEED_F32, DIMS(0, 1, 1 << 29, 1 << 29));
    assert_non_null(heed_max_pool2d(cx, x, 1 << 28, 1));
    heed_ctx_free(cx);
}

static void lengths_without_steps(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *lengths = heed_zeros(cx, HEED_I32, DIMS(2));
    heed_tensor *xw = heed_new(cx, HEED_F32, DIMS(5, 0, 8)), *wh = drawn(cx, 1, DIMS(8, 2));
    refused(cx, heed_lstm(cx, xw, wh, NULL, lengths, false), "lstm: lengths");
    heed_ctx_reset(cx);
    lengths = heed_zeros(cx, HEED_I32, DIMS(2));
    xw = heed_new(cx, HEED_F32, DIMS(5, 0, 6)), wh = drawn(cx, 1, DIMS(6, 2));
    refused(cx, heed_gru(cx, xw, wh, drawn(cx, 2, DIMS(6)), NULL, lengths, false), "gru: lengths");
    heed_ctx_free(cx);
}

/* Points that lie close together far from the origin: gradients are unit vectors all the same. */
static void triplet_of_neighbours(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    const float a[] = { 3000, 4000 }, p[] = { 3000.0009765625f, 4000 }, n[] = { 5000, 4000 };
    heed_tensor *anchor = heed_want_grad(cx, heed_from_f32(cx, DIMS(1, 2), a));
    heed_tensor *positive = heed_want_grad(cx, heed_from_f32(cx, DIMS(1, 2), p));
    heed_tensor *y = heed_triplet(cx, anchor, positive, heed_from_f32(cx, DIMS(1, 2), n), 4000);
    assert_int_equal(heed_backward(cx, y), 0);
    assert_float_equal(positive->grad[0], 1, 1e-6);
    assert_float_equal(positive->grad[1], 0, 1e-6);
    assert_float_equal(anchor->grad[0], 0, 1e-6); /* -1 from the positive, +1 from the negative */
    heed_ctx_free(cx);
}

/* Both inputs of a cell are views of one tensor, shifted by a row. */
static void shifted_views(void **state) {
    (void)state;
    enum { B = 700, H = 24 };
    float *grad[2] = { NULL, NULL };
    heed_ctx *cx[2];
    for (int i = 0; i < 2; i++) {
        heed_error err;
        cx[i] = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = i ? 4 : 1 }, &err);
        assert_non_null(cx[i]);
        heed_tensor *z = heed_want_grad(cx[i], drawn(cx[i], 1, DIMS(B + 1, 3 * H)));
        heed_tensor *y = heed_gru_cell(cx[i], heed_slice(cx[i], z, 0, 0, B),
                                       heed_slice(cx[i], z, 0, 1, B + 1),
                                       drawn(cx[i], 2, DIMS(B, H)));
        assert_int_equal(heed_backward(cx[i], heed_sum(cx[i], y)), 0);
        grad[i] = z->grad;
    }
    assert_memory_equal(grad[0], grad[1], sizeof(float) * (B + 1) * 3 * H);
    heed_ctx_free(cx[0]);
    heed_ctx_free(cx[1]);
}

/* Gradients that change owner instead of being copied: each still gets its own. */
static void passed_gradients(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *a = heed_want_grad(cx, drawn(cx, 1, DIMS(3, 4)));
    heed_tensor *b = heed_want_grad(cx, drawn(cx, 2, DIMS(3, 4)));
    heed_tensor *flat = heed_reshape(cx, a, 1, (int64_t[]){ 12 });
    heed_tensor *sum = heed_want_grad(cx, heed_add(cx, a, b)); /* kept: not to be given away */
    heed_tensor *twice = heed_add(cx, sum, sum);
    heed_tensor *more = heed_sub(cx, heed_add(cx, flat, heed_reshape(cx, twice, 1, flat->shape)),
                                 heed_reshape(cx, b, 1, flat->shape));
    assert_int_equal(heed_backward(cx, heed_sum(cx, heed_scale(cx, more, 5, 0))), 0);
    for (int i = 0; i < 12; i++) {
        assert_float_equal(sum->grad[i], 10, 0);
        assert_float_equal(a->grad[i], 15, 0);
        assert_float_equal(b->grad[i], 5, 0);
    }
    heed_ctx_free(cx);
}

/* -- operations from outside */

static void calls_backward(heed_ctx *cx, const heed_node *n) {
    heed_backward(cx, heed_node_out(n));
}
static void calls_reset(heed_ctx *cx, const heed_node *n) {
    (void)n;
    heed_ctx_reset(cx);
}
static void gives_up(heed_ctx *cx, const heed_node *n) {
    (void)n;
    heed_fail(cx, HEED_EINVALID, "mine: gives up");
}
/* Records in its backward so much that the tape must move. */
static void records(heed_ctx *cx, const heed_node *n) {
    heed_ctx_set_record(cx, true);
    heed_tensor *x = heed_want_grad(cx, heed_scalar(cx, 1));
    for (int i = 0; i < 5000; i++) x = heed_scale(cx, x, 1, 0);
    float *dx = heed_grad(cx, heed_node_src(n, 0));
    for (int64_t i = 0; dx && i < heed_node_out(n)->len; i++) dx[i] += heed_node_out(n)->grad[i];
}

static heed_tensor *run_own(heed_ctx *cx, const heed_op *op, heed_tensor **x) {
    *x = heed_want_grad(cx, drawn(cx, 1, DIMS(1)));
    return heed_record(cx, op, heed_zeros(cx, HEED_F32, DIMS(1)), 1, x, NULL);
}

static void own_operations(void **state) {
    (void)state;
    static const heed_op recursive = { "mine", calls_backward }, resets = { "mine", calls_reset },
                         quits = { "mine", gives_up }, recorder = { "mine", records },
                         none = { "mine", NULL };
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x;
    assert_int_not_equal(heed_backward(cx, run_own(cx, &recursive, &x)), 0);
    refused(cx, NULL, "by the backward of an operation");
    heed_ctx_reset(cx);
    assert_int_not_equal(heed_backward(cx, run_own(cx, &resets, &x)), 0);
    refused(cx, NULL, "reset was called");
    heed_ctx_reset(cx);
    assert_int_not_equal(heed_backward(cx, run_own(cx, &quits, &x)), 0);
    refused(cx, NULL, "mine: gives up");
    heed_ctx_reset(cx);
    assert_int_equal(heed_backward(cx, run_own(cx, &recorder, &x)), 0);
    assert_float_equal(x->grad[0], 1, 0);
    heed_ctx_reset(cx);
    refused(cx, run_own(cx, &none, &x), "mine: recorded without");
    heed_ctx_reset(cx);
    refused(cx, run_own(cx, NULL, &x), "an operation: recorded without");
    heed_ctx_reset(cx);
    heed_tensor *y = run_own(cx, &quits, &x);
    refused(cx, heed_record(cx, &quits, y, 1, &x, NULL), "made by another operation already");
    heed_ctx_reset(cx);
    x = heed_want_grad(cx, drawn(cx, 1, DIMS(1)));
    refused(cx, heed_record(cx, &quits, heed_zeros(cx, HEED_I32, DIMS(1)), 1, &x, NULL), "i32");
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_beyond_all),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(lengths_of_no_batch),
        cmocka_unit_test(truncate_with_segments),
        cmocka_unit_test(relative_too_short_for_a_head),
        cmocka_unit_test(one_tensor_thrice),
        cmocka_unit_test(cache_that_is_none),
        cmocka_unit_test(forgotten_steps),
        cmocka_unit_test(leftovers),
        cmocka_unit_test(positions_beyond_counting),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(lengths_without_steps),
        cmocka_unit_test(triplet_of_neighbours),
        cmocka_unit_test(shifted_views),
        cmocka_unit_test(passed_gradients),
        cmocka_unit_test(own_operations),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
