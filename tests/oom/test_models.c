/* Memory runs out while whole models, and so all layers, are made, trained for a step, and decode
 * over a cache. */
#include "oom.h"

#include "heed/models.h"
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

typedef union parts {
    heed_classic classic;
    heed_encoder_classifier encoder;
    heed_lm lm;
    heed_seq2seq seq2seq;
} parts;

static int init(parts *p, heed_params *ps) {
    switch (now->kind) {
    case HEED_MODEL_CLASSIC:
        return heed_classic_init(&p->classic, ps, now);
    case HEED_MODEL_ENCODER:
        return heed_encoder_classifier_init(&p->encoder, ps, now);
    case HEED_MODEL_LM:
        return heed_lm_init(&p->lm, ps, now);
    default:
        return heed_seq2seq_init(&p->seq2seq, ps, now);
    }
}

static heed_tensor *ids(heed_ctx *cx, int64_t len) {
    heed_tensor *t = heed_new(cx, HEED_I32, len ? 2 : 1, (int64_t[]){ B, len });
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_I32_DATA(t)[i] = (int32_t)(i * 5 % CLASSES + !len);
    return t;
}

static heed_tensor *forward(heed_ctx *cx, const parts *p, bool *classes) {
    *classes = now->kind == HEED_MODEL_CLASSIC || now->kind == HEED_MODEL_ENCODER;
    if (now->kind == HEED_MODEL_CLASSIC)
        return heed_classic_apply(cx, &p->classic, ids(cx, T), ids(cx, 0), NULL);
    if (now->kind == HEED_MODEL_ENCODER)
        return heed_encoder_classifier_apply(cx, &p->encoder, ids(cx, T), ids(cx, 0), NULL);
    if (now->kind == HEED_MODEL_LM) return heed_lm_apply(cx, &p->lm, ids(cx, T));
    const heed_block_call call = { .memory = heed_seq2seq_encode(cx, &p->seq2seq, ids(cx, T),
                                                                 NULL) };
    return heed_seq2seq_decode(cx, &p->seq2seq, ids(cx, T), &call);
}

static int learn(heed_ctx *cx, heed_params *ps, heed_error *err) {
    parts p;
    bool classes;
    const int made = init(&p, ps);
    if (made) return *err = *heed_params_error(ps), made;
    heed_optim *opt = heed_optim_new(cx, ps, NULL, err);
    if (!opt) return err->code;
    heed_tensor *z = forward(cx, &p, &classes), *right = ids(cx, classes ? 0 : T);
    for (int64_t i = 0; right && i < right->len; i++) HEED_I32_DATA(right)[i] %= CLASSES;
    int status = heed_backward(cx, heed_cross_entropy(cx, z, right, NULL));
    if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
    if (!status) status = heed_optim_step(opt);
    if (heed_optim_error(opt)) *err = *heed_optim_error(opt);
    heed_optim_free(opt);
    return status;
}

static int train(heed_error *err) {
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, err);
    if (!cx) return err->code;
    heed_params *ps = heed_params_new(NULL, err);
    const int status = ps ? learn(cx, ps, err) : err->code;
    heed_params_free(ps);
    heed_ctx_free(cx);
    return status;
}

static void test_train(void **state) {
    (void)state;
    int64_t n = 0;
    for (size_t i = 0; i < sizeof cfgs / sizeof *cfgs; i++) {
        now = &cfgs[i];
        n += oom_each(train);
    }
    print_message("%lld allocations\n", (long long)n);
}

static int steps(heed_ctx *cx, const parts *p, heed_error *err) {
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
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, err);
    if (!cx) return err->code;
    heed_params *ps = heed_params_new(NULL, err);
    parts p;
    int status = ps ? init(&p, ps) : err->code;
    if (ps && status) *err = *heed_params_error(ps);
    if (!status) status = steps(cx, &p, err);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return status;
}

static void test_decode(void **state) {
    (void)state;
    for (size_t i = 3; i < sizeof cfgs / sizeof *cfgs; i++) {
        now = &cfgs[i];
        oom_each(decode);
    }
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

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_train), cmocka_unit_test(test_decode),
                                        cmocka_unit_test(test_config) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
