/* Memory runs out while whole models, and so all layers, are made, trained for a step, and decode
 * over a cache. */
#include "oom.h"

#include "any_model.h"
#include "heed/train.h"

enum { B = 2, T = 4, VOCAB = 9, CLASSES = 3 };

static const heed_model_cfg cfgs[] = {
    { .kind = HEED_MODEL_CLASSIC,
      .vocab = VOCAB,
      .dim = 4,
      .heads = 2,
      .layers = 2,
      .classes = CLASSES,
      .dense = 3,
      .bidirectional = true,
      .dropout = 0.2 },
    { .kind = HEED_MODEL_CLASSIC,
      .vocab = VOCAB,
      .dim = 4,
      .heads = 1,
      .classes = CLASSES,
      .rnn = HEED_RNN_GRU,
      .pooling = HEED_POOLING_MAX,
      .sparse = true },
    { .kind = HEED_MODEL_ENCODER,
      .vocab = VOCAB,
      .dim = 4,
      .heads = 2,
      .layers = 1,
      .max_len = 8,
      .classes = CLASSES,
      .dropout = 0.1 },
    { .kind = HEED_MODEL_LM,
      .vocab = VOCAB,
      .dim = 8,
      .heads = 4,
      .kv_heads = 2,
      .layers = 1,
      .position = HEED_POSITION_ROTARY,
      .gated = true,
      .rms = true,
      .tied = true },
    { .kind = HEED_MODEL_LM, .vocab = VOCAB, .dim = 4, .heads = 1, .layers = 2, .max_len = 8 },
    { .kind = HEED_MODEL_SEQ2SEQ,
      .vocab = VOCAB,
      .dim = 4,
      .heads = 2,
      .layers = 1,
      .max_len = 8,
      .pre_norm = true },
};

static const heed_model_cfg *now;

static heed_tensor *ids(heed_ctx *cx, int64_t len) {
    heed_tensor *t = heed_new(cx, HEED_I32, len ? 2 : 1, (int64_t[]){ B, len });
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_I32_DATA(t)[i] = (int32_t)(i * 5 % CLASSES + !len);
    return t;
}

static int learn(heed_ctx *cx, heed_params *ps, heed_error *err) {
    any_model p;
    const bool classes = any_model_classifies(now);
    const int made = any_model_init(&p, ps, now);
    if (made) return *err = *heed_params_error(ps), made;
    heed_optim *opt = heed_optim_new(cx, ps, NULL, err);
    if (!opt) return err->code;
    heed_tensor *x = ids(cx, T), *lengths = ids(cx, 0);
    heed_tensor *z = any_model_apply(cx, &p, now, x, x, lengths), *right = ids(cx, classes ? 0 : T);
    for (int64_t i = 0; right && i < right->len; i++) HEED_I32_DATA(right)[i] %= CLASSES;
    int status = heed_backward(cx, heed_cross_entropy(cx, z, right, NULL));
    if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
    if (!status) status = heed_optim_step(opt);
    if (heed_optim_error(opt)) *err = *heed_optim_error(opt);
    heed_optim_free(opt);
    return status;
}

static int train(heed_error *err) {
    return oom_train(learn, err);
}

static void train_all(void) {
    for (size_t i = 0; i < sizeof cfgs / sizeof *cfgs; i++) {
        now = &cfgs[i];
        oom_each(train);
    }
}

static void test_train(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    train_all();
}

static void test_train_with_two_threads(void **state) {
    (void)state;
    oom_use(2, HEED_PRECISION_F32);
    train_all();
}

static void test_train_in_bf16(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_BF16);
    train_all();
}

static int steps(heed_ctx *cx, const any_model *p, heed_error *err) {
    const bool lm = now->kind == HEED_MODEL_LM;
    heed_decoder_cache *cache = heed_decoder_cache_new(lm ? &p->lm.decoder : &p->seq2seq.decoder, B,
                                                       NULL, err);
    if (!cache) return err->code;
    heed_block_call call = { 0 };
    if (!lm) call.memory = heed_seq2seq_encode(cx, &p->seq2seq, ids(cx, T), NULL);
    heed_tensor *y = NULL;
    for (int i = 0; i < 3 && !heed_ctx_error(cx); i++)
        y = lm ? heed_lm_step(cx, &p->lm, cache, ids(cx, 1))
               : heed_seq2seq_step(cx, &p->seq2seq, cache, ids(cx, 1), &call);
    heed_decoder_cache_free(cache);
    if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
    return err->code ? err->code : y ? 0 : HEED_EINVALID;
}

static int decode(heed_error *err) {
    heed_ctx *cx = oom_context(false, err);
    if (!cx) return err->code;
    heed_params *ps = heed_params_new(NULL, err);
    any_model p;
    int status = ps ? any_model_init(&p, ps, now) : err->code;
    if (ps && status) *err = *heed_params_error(ps);
    if (!status) status = steps(cx, &p, err);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return status;
}

static void decode_all(void) {
    for (size_t i = 3; i < sizeof cfgs / sizeof *cfgs; i++) {
        now = &cfgs[i];
        oom_each(decode);
    }
}

static void test_decode(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    decode_all();
    oom_use(2, HEED_PRECISION_BF16);
    decode_all();
}

static int config(heed_error *err) {
    char *text = heed_model_cfg_to_json(now, err);
    if (!text) return err->code;
    heed_text_free(text);
    return 0;
}

static void test_config(void **state) {
    (void)state;
    now = &cfgs[0];
    oom_each(config);
}

/* A layer of attention with all that it declares for its kind, in calls of its full reach and less.
 */
static int declared_steps(heed_ctx *cx, heed_params *ps, heed_error *err) {
    heed_mha m;
    const heed_mha_cfg cfg = { .dim = 4,
                               .heads = 2,
                               .kind = { .causal = true, .local_width = 2 },
                               .relative = 5,
                               .local_p = true,
                               .bias_queries = 5,
                               .bias_keys = 6,
                               .learn_temperature = true,
                               .learn_sinks = true };
    if (heed_mha_init(&m, ps, "a", &cfg)) *err = *heed_params_error(ps);
    for (int64_t len = 5; len > 3 && !err->code; len--) {
        heed_tensor *x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, len, 4 });
        heed_tensor *y = heed_mha_apply(cx, &m, x, x, x, NULL);
        if (!y || heed_backward(cx, heed_sum(cx, y))) *err = *heed_ctx_error(cx);
        heed_ctx_reset(cx);
    }
    return err->code;
}

static int declared(heed_error *err) {
    return oom_train(declared_steps, err);
}

static void test_declared(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    oom_each(declared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),         cmocka_unit_test(test_train_with_two_threads),
        cmocka_unit_test(test_train_in_bf16), cmocka_unit_test(test_decode),
        cmocka_unit_test(test_declared),      cmocka_unit_test(test_config)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
