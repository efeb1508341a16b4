/* test_null.c: what could not be made is NULL, and a program that goes on with it ends with a
 * sentence and not with a crash: contexts, optimizers, loaders, caches. */
#include <heed/models.h>
#include <heed/train.h>

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

static void without_context(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .isa = "abacus" }, &err);
    assert_null(cx);
    assert_non_null(strstr(err.msg, "abacus"));
    heed_params *ps = heed_params_new(NULL, &err);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ 0 }, 2, (int64_t[]){ 3, 4 });
    assert_non_null(w);
    /* a step */
    heed_tensor *x = heed_from_f32(cx, 1, (int64_t[]){ 4 }, (float[]){ 1, 2, 3, 4 });
    assert_null(x);
    assert_null(heed_zeros(cx, HEED_F32, 0, NULL));
    assert_null(heed_scalar(cx, 1));
    assert_null(heed_scratch(cx, 8));
    heed_tensor *y = heed_affine(cx, x, w, NULL);
    heed_tensor *(*const each[])(heed_ctx *, heed_tensor *) = {
        heed_exp,  heed_log, heed_tanh,    heed_sigmoid,     heed_relu, heed_gelu, heed_gelu_tanh,
        heed_silu, heed_sum, heed_softmax, heed_log_softmax, heed_mean, heed_max,
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) assert_null(each[i](cx, y));
    heed_tensor *(*const two[])(heed_ctx *, heed_tensor *, heed_tensor *) = { heed_add, heed_sub,
                                                                              heed_mul, heed_div };
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) assert_null(two[i](cx, y, w));
    assert_true(isnan(heed_item(y)));
    assert_int_equal(heed_backward(cx, y), HEED_EINVALID);
    assert_int_equal(heed_backward_from(cx, y, NULL), HEED_EINVALID);
    assert_string_equal(heed_ctx_error(cx)->msg, "there is no context: making it failed");
    heed_ctx_reset(cx);
    /* what is asked of it and told it */
    heed_ctx_set_train(cx, true);
    heed_ctx_set_step(cx, 5);
    heed_ctx_set_precision(cx, HEED_PRECISION_BF16);
    heed_ctx_set_flops(cx, NULL, NULL);
    assert_false(heed_ctx_set_record(cx, true) || heed_ctx_train(cx));
    assert_true(heed_ctx_step(cx) == 0 && heed_ctx_memory(cx) == 0 && heed_ctx_used(cx) == 0);
    assert_string_equal(heed_ctx_isa(cx), "none");
    assert_int_equal(heed_ctx_precision(cx), HEED_PRECISION_F32);
    assert_null(heed_ctx_pool(cx));
    /* what stands on it */
    heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ 0 }, &err);
    assert_null(opt);
    assert_int_not_equal(err.code, 0);
    assert_int_equal(heed_optim_step(opt), HEED_EINVALID);
    assert_non_null(strstr(heed_optim_error(opt)->msg, "no optimizer"));
    heed_optim_set_lr(opt, 1);
    heed_optim_report(opt, 1);
    heed_optim_swap_ema(opt);
    assert_true(heed_optim_steps(opt) == 0 && heed_optim_lr(opt) == 0 && heed_optim_norm(opt) == 0);
    heed_params_free(ps);
}

/* A loop over the epochs of no loader comes to its end. */
static void without_loader(void **state) {
    (void)state;
    heed_error err;
    heed_loader *ld = heed_loader_new(NULL, &err);
    assert_null(ld);
    assert_int_equal(err.code, HEED_EINVALID);
    const int64_t *items;
    while (heed_loader_epoch(ld) < 10)
        while (heed_loader_next(ld, &items) > 0) fail();
    assert_int_equal(heed_loader_position(ld), 0);
    assert_int_equal(heed_loader_seek(ld, 0, 0), HEED_EINVALID);
}

/* No cache, and the cache of another decoder. */
static void without_cache(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(NULL, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_decoder one, two, cross;
    heed_decoder_cfg cfg = { .layers = 1, .block = { .dim = 8, .self.heads = 2, .ff = 8 } };
    assert_int_equal(heed_decoder_init(&one, ps, "one", &cfg), 0);
    cfg.block.cross = true;
    assert_int_equal(heed_decoder_init(&cross, ps, "cross", &cfg), 0);
    cfg.block.cross = false;
    cfg.layers = 2;
    assert_int_equal(heed_decoder_init(&two, ps, "two", &cfg), 0);
    heed_tensor *x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 1, 8 });
    assert_null(heed_decoder_step(NULL, &one, NULL, x, NULL));
    assert_null(heed_decoder_step(cx, &one, NULL, x, NULL));
    assert_string_equal(heed_ctx_error(cx)->msg, "decoder: there is no cache");
    heed_decoder_cache *cache = heed_decoder_cache_new(&one, 1, NULL, &err);
    assert_non_null(cache);
    const heed_decoder *others[] = { &two, &cross };
    for (int i = 0; i < 2; i++) {
        heed_ctx_reset(cx);
        x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 1, 8 });
        assert_null(heed_decoder_step(cx, others[i], cache, x, NULL));
        assert_string_equal(heed_ctx_error(cx)->msg, "decoder: the cache is another decoder's");
    }
    heed_ctx_reset(cx);
    x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 1, 8 });
    assert_non_null(heed_decoder_step(cx, &one, cache, x, NULL));
    assert_null(heed_decoder_step(NULL, &one, cache, x, NULL));
    heed_decoder_cache_free(cache);
    heed_kv_cache *kv = heed_kv_cache_new(&(heed_kv_cache_cfg){ .dim = 8 }, &err);
    assert_int_equal(heed_kv_cache_append(cx, kv, x, x), 0);
    assert_int_equal(heed_kv_cache_append(NULL, kv, x, x), HEED_EINVALID);
    assert_null(heed_attention_cached(NULL, x, kv, NULL));
    heed_kv_cache_free(kv);
    assert_null(heed_decoder_cache_new(&(heed_decoder){ 0 }, 1, NULL, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    heed_decoder_cache_reset(NULL);
    assert_int_equal(heed_decoder_cache_len(NULL), 0);
    assert_int_equal(heed_decoder_cache_reorder(NULL, NULL), HEED_EINVALID);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

/* All operations, of no tensors in a context, or of one in none. */
static void operations(heed_ctx *cx, heed_tensor *x) {
    heed_tensor *const two[2] = { x, x }, *const three[3] = { x, x, x };
    const int64_t shape[] = { 12 };
    heed_tensor *const made[] = {
        heed_add(cx, x, x),
        heed_sub(cx, x, x),
        heed_mul(cx, x, x),
        heed_div(cx, x, x),
        heed_exp(cx, x),
        heed_log(cx, x),
        heed_tanh(cx, x),
        heed_sigmoid(cx, x),
        heed_relu(cx, x),
        heed_gelu(cx, x),
        heed_gelu_tanh(cx, x),
        heed_silu(cx, x),
        heed_softmax(cx, x),
        heed_log_softmax(cx, x),
        heed_attention(cx, x, x, x, NULL),
        heed_attention_mean(cx, x, x, x, NULL),
        heed_linear_attention(cx, x, x, x, NULL),
        heed_attention_cached(cx, x, NULL, NULL),
        heed_reinforce(cx, x, x, x),
        heed_scale(cx, x, 2, 1),
        heed_swiglu(cx, x, x),
        heed_dropout(cx, x, 0.5F),
        heed_affine_act(cx, x, x, NULL, HEED_ACT_RELU, NULL),
        heed_affine_drop(cx, x, x, NULL, 0.5F, NULL),
        heed_feed_forward(cx, x, NULL),
        heed_matmul(cx, x, x, false, true),
        heed_reshape(cx, x, 1, shape),
        heed_transpose(cx, x, 0, 1),
        heed_concat(cx, two, 2, 0),
        heed_concat(cx, NULL, 0, 0),
        heed_slice(cx, x, 0, 0, 1),
        heed_sum_axis(cx, x, 0),
        heed_mean_pool(cx, x, NULL),
        heed_max_pool(cx, x, NULL),
        heed_layer_norm(cx, x, NULL, NULL, 1e-5F),
        heed_rms_norm(cx, x, NULL, 1e-5F),
        heed_l2_norm(cx, x, 0),
        heed_embedding(cx, x, x, -1),
        heed_embedding_bag(cx, x, x, x, false),
        heed_rotary(cx, x, NULL, NULL),
        heed_lstm(cx, x, x, two, NULL, false),
        heed_lstm(cx, x, x, NULL, NULL, false),
        heed_lstm_layer(cx, x, three, NULL, NULL, false),
        heed_lstm_layer(cx, x, NULL, NULL, NULL, false),
        heed_lstm_cell(cx, x, x),
        heed_gru(cx, x, x, NULL, NULL, NULL, false),
        heed_gru_cell(cx, x, x, x),
        heed_conv1d(cx, x, x, NULL, NULL),
        heed_conv2d(cx, x, x, NULL, NULL),
        heed_max_pool2d(cx, x, 2, 2),
        heed_cross_entropy(cx, x, x, NULL),
        heed_affine_cross_entropy(cx, x, x, NULL, x, NULL),
        heed_bce_logits(cx, x, x, NULL),
        heed_mse(cx, x, x),
        heed_kl_div(cx, x, x),
        heed_crf(cx, x, x, x, x, NULL),
        heed_info_nce(cx, x, x, 1),
        heed_triplet(cx, x, x, x, 1),
        heed_want_grad(cx, x),
        heed_detach(cx, x),
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (made[i]) fail_msg("operation %zu has a result", i);
    if (!x) assert_null(heed_grad(cx, x));
    assert_int_equal(heed_kv_cache_append(cx, NULL, x, x), HEED_EINVALID);
}

static void without_tensors(void **state) {
    (void)state;
    heed_error err;
    heed_params *ps = heed_params_new(NULL, &err);
    static const int64_t shape[] = { 4, 4, 4, 4 };
    operations(NULL, NULL);
    for (int n = 1; n <= 4; n++)
        operations(
            NULL, heed_param(ps, (const char[]){ (char)('a' + n), 0 }, (heed_init){ 0 }, n, shape));
    heed_ctx *cx = heed_ctx_new(NULL, &err);
    operations(cx, NULL);
    assert_null(heed_new(NULL, HEED_F32, 1, (int64_t[]){ 2 }));
    assert_null(heed_from_i32(NULL, 1, (int64_t[]){ 2 }, (int32_t[]){ 1, 2 }));
    heed_ctx_free(cx);
    heed_params_free(ps);
}

static void part_of_none(void *arg, const char *part, int64_t len) {
    (void)arg, (void)part, (void)len;
    fail();
}

/* Parameters, pools, caches of keys and values that could not be made. */
static void without_objects(void **state) {
    (void)state;
    heed_error err;
    assert_int_equal(heed_params_parts(NULL, part_of_none, NULL), 0);
    assert_null(heed_params_alloc(NULL, 1, 8));
    assert_null(heed_params_error(NULL));
    assert_null(heed_params_find(NULL, "w"));
    assert_null(heed_params_at(NULL, 0));
    assert_true(heed_params_count(NULL) == 0 && heed_params_len(NULL) == 0);
    heed_params_zero_grad(NULL);
    assert_int_equal(heed_params_set_trainable(NULL, "w", false), 0);
    assert_true(heed_params_freeze(NULL, NULL) < 0);
    assert_int_equal(heed_param_set_sparse(NULL, NULL), HEED_EINVALID);
    assert_int_equal(heed_pool_threads(NULL), 1);
    assert_null(heed_kv_cache_new(NULL, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_int_equal(heed_kv_cache_len(NULL), 0);
    assert_true(heed_kv_cache_reorder(NULL, NULL) < 0 && heed_kv_cache_truncate(NULL, 0) < 0);
    heed_kv_cache_reset(NULL);
    heed_kv_cache_free(NULL);
    heed_pool *pool = heed_pool_new(1, NULL, &err);
    assert_non_null(pool);
    heed_pool_free(pool);
    heed_pool_free(NULL);
    heed_optim_free(NULL);
    heed_loader_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_context), cmocka_unit_test(without_tensors),
        cmocka_unit_test(without_objects), cmocka_unit_test(without_loader),
        cmocka_unit_test(without_cache),
    };
    return cmocka_run_group_tests_name("null", tests, NULL, NULL);
}
