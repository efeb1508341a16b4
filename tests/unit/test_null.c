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
    heed_decoder_cfg cfg = { .layers = 1, .block = { .dim = 8, .heads = 2, .ff = 8 } };
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_context),
        cmocka_unit_test(without_loader),
        cmocka_unit_test(without_cache),
    };
    return cmocka_run_group_tests_name("null", tests, NULL, NULL);
}
