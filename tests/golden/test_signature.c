/* test_signature.c: tiny models of every kind answer, take gradients and learn for three steps, and
 * the bits of all of it go into one hash for each. It is the same on every ISA and for any number
 * of threads, and it changes only where a result does; the commit that changes one says so
 * (docs/ARCHITECTURE.md). A comparison with a tolerance would not notice what this one notices. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "any_model.h"
#include "heed/train.h"
#include "isas.h"

enum { B = 5, T = 19, S = 13, VOCAB = 37, CLASSES = 6, STEPS = 3 };

typedef struct model {
    const char *name;
    uint64_t signature;
    heed_model_cfg cfg;
    heed_precision precision;
    heed_optim_kind optim;
} model;

static const model models[] = {
    { "classic LSTM",
      0xd383cd575386b661,
      { .kind = HEED_MODEL_CLASSIC,
        .vocab = VOCAB,
        .dim = 12,
        .hidden = 10,
        .heads = 2,
        .classes = CLASSES,
        .dense = 7,
        .bidirectional = true,
        .dropout = 0.2 },
      HEED_PRECISION_F32,
      HEED_ADAM },
    { "classic GRU",
      0x24a2cf12bd6760a1,
      { .kind = HEED_MODEL_CLASSIC,
        .vocab = VOCAB,
        .dim = 9,
        .heads = 3,
        .classes = CLASSES,
        .rnn = HEED_RNN_GRU,
        .pooling = HEED_POOLING_MAX,
        .sparse = true },
      HEED_PRECISION_F32,
      HEED_ADAGRAD },
    { "encoder",
      0x146a92507f57335c,
      { .kind = HEED_MODEL_ENCODER,
        .vocab = VOCAB,
        .dim = 24,
        .heads = 3,
        .layers = 2,
        .classes = CLASSES,
        .act = HEED_ACT_GELU,
        .dropout = 0.1 },
      HEED_PRECISION_F32,
      HEED_ADAMW },
    { "language model",
      0xbe8f0aaae5092357,
      { .kind = HEED_MODEL_LM,
        .vocab = VOCAB,
        .dim = 32,
        .heads = 4,
        .kv_heads = 2,
        .layers = 2,
        .position = HEED_POSITION_ROTARY,
        .gated = true,
        .rms = true,
        .tied = true },
      HEED_PRECISION_F32,
      HEED_ADAFACTOR },
    { "language model, bf16",
      0x255466eefa446d04,
      { .kind = HEED_MODEL_LM, .vocab = VOCAB, .dim = 32, .heads = 2, .layers = 1, .max_len = 40 },
      HEED_PRECISION_BF16,
      HEED_SGD },
    { "encoder and decoder",
      0x7eb168d98ac0f037,
      { .kind = HEED_MODEL_SEQ2SEQ,
        .vocab = VOCAB,
        .dim = 20,
        .heads = 2,
        .layers = 2,
        .encoder_layers = 1,
        .pre_norm = true,
        .dropout = 0.1 },
      HEED_PRECISION_F32,
      HEED_ADAM },
};

static uint64_t hash; /* FNV-1a */

static void add(const float *x, int64_t len) {
    const unsigned char *byte = (const unsigned char *)x;
    for (int64_t i = 0; i < len * 4; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
}

static heed_tensor *draw(heed_ctx *cx, heed_rng *rng, int64_t len, uint64_t below, int32_t least) {
    const int64_t shape[] = { B, len };
    heed_tensor *t = heed_new(cx, HEED_I32, len > 1 ? 2 : 1, shape);
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_I32_DATA(t)[i] = least + (int32_t)heed_rng_below(rng, below);
    return t;
}

/* Logits of one random batch, and its loss. */
static heed_tensor *forward(heed_ctx *cx, const model *m, const any_model *p, heed_rng *rng,
                            heed_tensor **loss) {
    heed_tensor *ids = draw(cx, rng, T, VOCAB, 0), *source = NULL;
    heed_tensor *lengths = draw(cx, rng, 1, S, 1);
    const bool classes = any_model_classifies(&m->cfg);
    heed_tensor *right = draw(cx, rng, classes ? 1 : T, classes ? CLASSES : VOCAB, 0);
    if (m->cfg.kind == HEED_MODEL_SEQ2SEQ) source = draw(cx, rng, S, VOCAB, 0);
    heed_tensor *z = any_model_apply(cx, p, &m->cfg, ids, source, lengths);
    *loss = heed_cross_entropy(cx, z, right, NULL);
    return z;
}

static void learn(heed_ctx *cx, const model *m, const any_model *p, heed_params *ps) {
    heed_error err = { 0 };
    heed_rng rng = { .seed = 11 };
    heed_optim *opt = heed_optim_new(
        cx, ps, &(heed_optim_cfg){ .kind = m->optim, .lr = 0.01f, .clip = 1 }, &err);
    if (!opt) fail_msg("%s: %s", m->name, err.msg);
    for (int step = 0; step < STEPS; step++, heed_ctx_reset(cx)) {
        heed_tensor *loss, *z = forward(cx, m, p, &rng, &loss);
        if (heed_backward(cx, loss)) fail_msg("%s: %s", m->name, heed_ctx_error(cx)->msg);
        add(HEED_F32_DATA(z), z->len);
        add(HEED_F32_DATA(loss), 1);
        for (int64_t i = 0; i < heed_params_count(ps); i++)
            if (heed_params_at(ps, i)->grad)
                add(heed_params_at(ps, i)->grad, heed_params_at(ps, i)->len);
        assert_int_equal(heed_optim_step(opt), 0);
    }
    for (int64_t i = 0; i < heed_params_count(ps); i++)
        add(HEED_F32_DATA(heed_params_at(ps, i)), heed_params_at(ps, i)->len);
    heed_optim_free(opt);
}

/* each[] gets the hash of each model. */
static void sign(const char *isa, int threads, uint64_t *each) {
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const model *m = &models[i];
        heed_error err = { 0 };
        heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true,
                                                     .seed = 3,
                                                     .threads = threads,
                                                     .isa = isa,
                                                     .precision = m->precision },
                                    &err);
        heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err);
        any_model p;
        hash = 0xcbf29ce484222325u;
        if (!cx || !ps) fail_msg("%s", err.msg);
        if (any_model_init(&p, ps, &m->cfg))
            fail_msg("%s: %s", m->name, heed_params_error(ps)->msg);
        learn(cx, m, &p, ps);
        heed_params_free(ps);
        heed_ctx_free(cx);
        each[i] = hash;
    }
}

static void test_signature(void **state) {
    (void)state;
    enum { MODELS = sizeof models / sizeof *models };
    uint64_t first[MODELS], each[MODELS];
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    sign("scalar", 1, first);
    for (int i = 0; i < isas; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            sign(k[i]->name, threads, each);
            for (int m = 0; m < MODELS; m++)
                if (each[m] != first[m])
                    fail_msg("%s: other bits on %s with %d threads than on scalar with one",
                             models[m].name, k[i]->name, threads);
        }
        print_message("here: %s\n", k[i]->name);
    }
    int changed = 0;
    for (int m = 0; m < MODELS; m++) {
        if (first[m] == models[m].signature) continue;
        print_error("%s: 0x%016llx\n", models[m].name, (unsigned long long)first[m]);
        changed++;
    }
    if (changed)
        fail_msg(
            "results have changed; if that is meant, put the above here and say so in the commit");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_signature) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
