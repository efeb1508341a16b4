/* test_freeze.c: weights frozen into panels give the same bits, and no panel outlives the values
 * that it was made from. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/io.h"
#include "heed/models.h"
#include "heed/train.h"
#include "tensor/ctx.h"

static heed_ctx *context(int threads) {
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .seed = 3, .threads = threads }, NULL);
    assert_non_null(cx);
    return cx;
}

static heed_params *params(uint64_t seed) {
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = seed }, NULL);
    assert_non_null(ps);
    return ps;
}

static heed_tensor *input(heed_ctx *cx, int64_t rows, int64_t cols) {
    heed_tensor *x = heed_new(cx, HEED_F32, 2, (int64_t[]){ rows, cols });
    assert_non_null(x);
    for (int64_t i = 0; i < x->len; i++)
        HEED_F32_DATA(x)[i] = (float)(i * 7919 % 1013 - 506) / 311.0f;
    return x;
}

static float *copy(const heed_tensor *t) {
    assert_non_null(t);
    float *c = malloc((size_t)t->len * sizeof *c);
    assert_non_null(c);
    return memcpy(c, t->data, (size_t)t->len * sizeof *c);
}

static void assert_same(const heed_tensor *t, const float *want) {
    assert_non_null(t);
    assert_memory_equal(t->data, want, (size_t)t->len * sizeof *want);
}

/* Every shape of a linear layer, any number of rows and threads. */
static void same_bits(void **unused) {
    (void)unused;
    static const int64_t sizes[][2] = {
        { 1, 1 }, { 16, 16 }, { 17, 33 }, { 100, 64 }, { 65, 601 }
    };
    static const int64_t rows[] = { 1, 2, 7, 31, 300 };
    for (int threads = 1; threads <= 3; threads++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            heed_ctx *cx = context(threads);
            heed_params *ps = params(s);
            heed_linear l;
            assert_int_equal(heed_linear_init(&l, ps, "l", sizes[s][1], sizes[s][0]), 0);
            float *want[5];
            for (int r = 0; r < 5; r++)
                want[r] = copy(heed_linear_apply(cx, &l, input(cx, rows[r], sizes[s][1])));
            assert_null(l.w->packed);
            assert_int_equal(heed_params_freeze(cx, ps), 0);
            assert_non_null(l.w->packed);
            assert_null(l.b->packed);
            for (int r = 0; r < 5; r++) {
                heed_tensor *x = input(cx, rows[r], sizes[s][1]);
                assert_same(heed_linear_apply(cx, &l, x), want[r]);
                free(want[r]);
            }
            heed_params_free(ps);
            heed_ctx_free(cx);
        }
}

static heed_tensor *ids(heed_ctx *cx) {
    int32_t id[2 * 9];
    for (int i = 0; i < 18; i++) id[i] = i * 5 % 19 + 1;
    return heed_from_i32(cx, 2, (int64_t[]){ 2, 9 }, id);
}

/* A whole model of each recurrent kind; its table stays as it is. */
static void whole_model(void **unused) {
    (void)unused;
    for (int kind = 0; kind < 2; kind++) {
        heed_ctx *cx = context(2);
        heed_params *ps = params(8);
        heed_classic m;
        const heed_model_cfg cfg = { .kind = HEED_MODEL_CLASSIC,
                                     .vocab = 20,
                                     .dim = 24,
                                     .heads = 4,
                                     .classes = 5,
                                     .layers = 2,
                                     .rnn = kind ? HEED_RNN_GRU : HEED_RNN_LSTM };
        assert_int_equal(heed_classic_init(&m, ps, &cfg), 0);
        float *want = copy(heed_classic_apply(cx, &m, ids(cx), NULL, NULL));
        assert_int_equal(heed_params_freeze(cx, ps), 0);
        assert_null(m.embed.w->packed);
        assert_non_null(m.head.w->packed);
        assert_non_null(m.rnn.cell[0].wh->packed);
        assert_same(heed_classic_apply(cx, &m, ids(cx), NULL, NULL), want);
        heed_ctx_set_precision(cx, HEED_PRECISION_BF16); /* does not read f32 panels */
        float *low = copy(heed_classic_apply(cx, &m, ids(cx), NULL, NULL));
        assert_true(heed_params_set_trainable(ps, "*", true) > 0);
        assert_same(heed_classic_apply(cx, &m, ids(cx), NULL, NULL), low);
        free(want), free(low);
        heed_params_free(ps);
        heed_ctx_free(cx);
    }
}

/* A table that is the output layer too is packed; so is one that a linear layer shares by name. */
static void tied_weights(void **unused) {
    (void)unused;
    heed_ctx *cx = context(1);
    for (int tied = 0; tied < 2; tied++) {
        heed_params *ps = params(2);
        heed_lm m;
        const heed_model_cfg cfg = { .kind = HEED_MODEL_LM,
                                     .vocab = 20,
                                     .dim = 16,
                                     .heads = 2,
                                     .layers = 1,
                                     .max_len = 16,
                                     .tied = tied };
        assert_int_equal(heed_lm_init(&m, ps, &cfg), 0);
        float *want = copy(heed_lm_apply(cx, &m, ids(cx)));
        assert_int_equal(heed_params_freeze(cx, ps), 0);
        assert_int_equal(m.embed.w->packed != NULL, tied);
        assert_non_null(m.head.w->packed);
        assert_same(heed_lm_apply(cx, &m, ids(cx)), want);
        free(want);
        heed_params_free(ps);
    }
    heed_params *ps = params(2);
    heed_embed e;
    heed_linear l;
    assert_int_equal(heed_embed_init(&e, ps, "x", &(heed_embed_cfg){ .vocab = 9, .dim = 6 }), 0);
    assert_int_equal(heed_linear_init(&l, ps, "x", 6, 9), 0);
    assert_ptr_equal(e.w, l.w);
    assert_int_equal(heed_params_freeze(cx, ps), 0);
    assert_non_null(l.w->packed);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

/* Loading other values ends the panels; freezing again makes new ones. */
static void loaded_values(void **unused) {
    (void)unused;
    char path[] = "/tmp/heed-freeze-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    heed_ctx *cx = context(1);
    heed_params *a = params(1), *b = params(2);
    heed_linear l, other;
    heed_error err;
    assert_int_equal(heed_linear_init(&l, a, "l", 40, 30), 0);
    assert_int_equal(heed_linear_init(&other, b, "l", 40, 30), 0);
    float *want = copy(heed_linear_apply(cx, &other, input(cx, 1, 40)));
    assert_int_equal(heed_params_save(b, path, NULL, &err), 0);
    assert_int_equal(heed_params_freeze(cx, a), 0);
    float *old = copy(heed_linear_apply(cx, &l, input(cx, 1, 40)));
    assert_memory_not_equal(old, want, 30 * sizeof *old);
    assert_int_equal(heed_params_load(a, path, &err), 0);
    assert_null(l.w->packed);
    assert_same(heed_linear_apply(cx, &l, input(cx, 1, 40)), want);
    assert_int_equal(heed_params_freeze(cx, a), 0);
    assert_int_equal(heed_params_freeze(cx, a), 0); /* twice is fine */
    assert_same(heed_linear_apply(cx, &l, input(cx, 1, 40)), want);
    free(want), free(old);
    heed_params_free(a);
    heed_params_free(b);
    heed_ctx_free(cx);
    unlink(path);
}

/* Frozen parameters have no gradient and no optimizer; thawed ones learn, without stale panels. */
static void training_after(void **unused) {
    (void)unused;
    heed_ctx *cx = context(1);
    heed_ctx_set_train(cx, true);
    heed_params *ps = params(4);
    heed_linear l;
    heed_error err;
    assert_int_equal(heed_linear_init(&l, ps, "l", 20, 18), 0);
    assert_int_equal(heed_params_freeze(cx, ps), 0);
    assert_false(heed_linear_apply(cx, &l, input(cx, 3, 20))->needs_grad);
    assert_null(heed_optim_new(cx, ps, NULL, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, "optimizer: the parameters are frozen for inference; "
                                 "heed_params_set_trainable makes them trainable again");
    assert_int_equal(heed_params_set_trainable(ps, "l.w*", true), 1);
    assert_null(l.w->packed);
    heed_optim_cfg cfg = { .kind = HEED_SGD, .lr = 0.5f, .ema = 0.5f };
    heed_optim *opt = heed_optim_new(cx, ps, &cfg, &err);
    assert_non_null(opt);
    float *before = copy(heed_linear_apply(cx, &l, input(cx, 3, 20)));
    for (int step = 0; step < 2; step++) {
        heed_backward(cx, heed_sum(cx, heed_linear_apply(cx, &l, input(cx, 3, 20))));
        assert_int_equal(heed_optim_step(opt), 0);
        heed_ctx_reset(cx);
    }
    float *after = copy(heed_linear_apply(cx, &l, input(cx, 3, 20)));
    assert_memory_not_equal(before, after, 3 * 18 * sizeof *after);
    assert_int_equal(heed_params_freeze(cx, ps), 0);
    assert_same(heed_linear_apply(cx, &l, input(cx, 3, 20)), after);
    heed_optim_swap_ema(opt); /* other values: no panels */
    assert_null(l.w->packed);
    heed_tensor *y = heed_linear_apply(cx, &l, input(cx, 3, 20));
    assert_memory_not_equal(y->data, after, 3 * 18 * sizeof *after);
    free(before), free(after);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static bool deny;
static void *take(void *user, size_t size) {
    (void)user;
    return deny ? NULL : malloc(size);
}
static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

/* Without memory nothing has changed: weights are trainable still. */
static void short_of_memory(void **unused) {
    (void)unused;
    assert_int_equal(heed_params_freeze(NULL, NULL), HEED_EINVALID);
    heed_ctx *cx = context(1);
    const heed_hooks hooks = { .alloc = take, .release = release };
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1, .hooks = &hooks }, NULL);
    assert_int_equal(heed_params_freeze(cx, ps), 0); /* nothing to do */
    heed_linear l;
    assert_int_equal(heed_linear_init(&l, ps, "l", 20, 18), 0);
    deny = true;
    assert_int_equal(heed_params_freeze(cx, ps), HEED_ENOMEM);
    deny = false;
    assert_string_equal(heed_params_error(ps)->msg, "out of memory for weights in panels");
    assert_true(l.w->needs_grad);
    assert_null(l.w->packed);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),      cmocka_unit_test(whole_model),
        cmocka_unit_test(tied_weights),   cmocka_unit_test(loaded_values),
        cmocka_unit_test(training_after), cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
