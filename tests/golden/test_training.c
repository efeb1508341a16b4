/* test_training.c: three small trainings as PyTorch runs them in float64 (make/training.py), with
 * Adam and AdamW: all gradients of the first step within 1e-4 of each tensor's largest, ten losses
 * within 1e-5, and the weights after the last step. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "heed/nn.h"
#include "heed/train.h"

typedef struct model {
    heed_embed embed;
    heed_position position;
    heed_encoder stack;
    heed_rnn rnn;
    heed_mha mha;
    heed_linear dense, head;
} model;

typedef struct kind {
    const char *name;
    void (*init)(model *m, heed_params *ps);
    heed_tensor *(*apply)(heed_ctx *cx, const model *m, heed_tensor *ids, heed_tensor *lengths);
    heed_optim_cfg optim;
} kind;

static void encoder_init(model *m, heed_params *ps) {
    heed_embed_init(&m->embed, ps, "embed", &(heed_embed_cfg){ .vocab = 50, .dim = 16 });
    heed_position_init(&m->position, ps, "position",
                       &(heed_position_cfg){ .kind = HEED_POSITION_SINUSOIDAL, .dim = 16 });
    const heed_block_cfg block = { .dim = 16, .self.heads = 4, .ff = 32 };
    heed_encoder_init(&m->stack, ps, "enc", &(heed_encoder_cfg){ .layers = 2, .block = block });
    heed_linear_init(&m->head, ps, "head", 16, 5);
}

static heed_tensor *encoder_apply(heed_ctx *cx, const model *m, heed_tensor *ids,
                                  heed_tensor *lengths) {
    heed_tensor *h = heed_position_apply(cx, &m->position, heed_embed_apply(cx, &m->embed, ids), 0);
    h = heed_encoder_apply(cx, &m->stack, h, lengths);
    return heed_linear_apply(cx, &m->head, heed_mean_pool(cx, h, lengths));
}

static void lstm_init(model *m, heed_params *ps) {
    heed_embed_init(&m->embed, ps, "embed", &(heed_embed_cfg){ .vocab = 60, .dim = 12 });
    heed_rnn_init(&m->rnn, ps, "rnn", &(heed_rnn_cfg){ .in = 12, .hidden = 12 });
    heed_mha_init(&m->mha, ps, "mha", &(heed_mha_cfg){ .dim = 12, .heads = 3 });
    heed_linear_init(&m->dense, ps, "dense", 12, 12);
    heed_linear_init(&m->head, ps, "head", 12, 4);
}

static heed_tensor *lstm_apply(heed_ctx *cx, const model *m, heed_tensor *ids,
                               heed_tensor *lengths) {
    heed_tensor *h = heed_embed_apply(cx, &m->embed, ids);
    h = heed_rnn_apply(cx, &m->rnn, h, lengths, NULL);
    h = heed_add(cx, h, heed_mha_apply(cx, &m->mha, h, h, h, NULL));
    h = heed_linear_apply(cx, &m->dense, heed_mean_pool(cx, h, lengths));
    return heed_linear_apply(cx, &m->head, heed_relu(cx, h));
}

static void decoder_init(model *m, heed_params *ps) {
    heed_embed_init(&m->embed, ps, "embed", &(heed_embed_cfg){ .vocab = 40, .dim = 16 });
    heed_position_init(
        &m->position, ps, "position",
        &(heed_position_cfg){ .kind = HEED_POSITION_LEARNED, .dim = 16, .max_len = 12 });
    const heed_block_cfg block = {
        .dim = 16, .self.heads = 2, .ff = 64, .act = HEED_ACT_GELU_TANH, .pre_norm = true
    };
    heed_decoder_init(&m->stack, ps, "dec",
                      &(heed_decoder_cfg){ .layers = 2, .final_norm = true, .block = block });
    heed_linear_init_cfg(&m->head, ps, "head",
                         &(heed_linear_cfg){ .in = 16, .out = 40, .no_bias = true });
}

static heed_tensor *decoder_apply(heed_ctx *cx, const model *m, heed_tensor *ids,
                                  heed_tensor *lengths) {
    assert_null(lengths);
    heed_tensor *h = heed_position_apply(cx, &m->position, heed_embed_apply(cx, &m->embed, ids), 0);
    return heed_linear_apply(cx, &m->head, heed_decoder_apply(cx, &m->stack, h, NULL));
}

/* Before the first step: weights by the formula, those of tables at scale 1/2. */
static void fill(const char *run, heed_params *ps) {
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        heed_tensor *p = heed_params_at(ps, i);
        char name[128];
        snprintf(name, sizeof name, "%s/%s", run, p->name);
        if (!strcmp(p->name, "embed.weight") || !strcmp(p->name, "position.weight"))
            golden_fill(name, p, 0.5f);
        else
            golden_fill_param(name, p);
    }
}

static void check_gradients(const heed_safetensors *file, const char *run, heed_params *ps) {
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s/d.", run);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *p = heed_params_at(ps, i);
        golden_compare_grad(file, prefix, p->name, p->grad, p->len, 1e-4);
    }
}

/* A key's bias goes wherever rounding sends it, since Adam divides by a gradient's size; no loss
 * depends on it. From its first value (by the formula) it goes no further than the steps do. */
static void check_key_bias(const char *run, const heed_tensor *p, double far) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s", run, p->name);
    for (int64_t i = 0; i < p->len; i++) {
        const double first = (double)golden_formula(name, i, 0.0625f);
        const double at = (double)HEED_F32_DATA(p)[i];
        if (!(fabs(at - first) <= far)) fail_msg("%s: from %g to %g", name, first, at);
    }
}

static void check_last(const heed_safetensors *file, const char *run, heed_params *ps, double far) {
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *p = heed_params_at(ps, i);
        char name[128];
        snprintf(name, sizeof name, "%s/last.%s", run, p->name);
        if (golden_is_key_bias(p->name))
            check_key_bias(run, p, far);
        else
            golden_compare_summary(file, name, p->data, p->len, 1e-4);
    }
}

static void run(const kind *k, int threads) {
    char prefix[64];
    heed_error err;
    heed_safetensors *file = golden_open("training");
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    if (!cx || !ps) fail_msg("%s", err.msg);
    model m;
    k->init(&m, ps);
    if (heed_params_error(ps)) fail_msg("%s", heed_params_error(ps)->msg);
    fill(k->name, ps);
    heed_optim_cfg cfg = k->optim;
    cfg.decay_all = true; /* PyTorch decays vectors too */
    heed_optim *opt = heed_optim_new(cx, ps, &cfg, &err);
    if (!opt) fail_msg("%s", err.msg);
    snprintf(prefix, sizeof prefix, "%s/", k->name);
    const heed_entry *want = golden_find(file, prefix, "losses");
    assert_int_equal(want->len, 10);
    const heed_entry *lengths = golden_has(file, prefix, "lengths");
    for (int step = 0; step < 10; step++) {
        heed_tensor *z = k->apply(cx, &m, golden_tensor(cx, golden_find(file, prefix, "ids")),
                                  lengths ? golden_tensor(cx, lengths) : NULL);
        heed_tensor *labels = golden_tensor(cx, golden_find(file, prefix, "labels"));
        heed_tensor *loss = heed_cross_entropy(cx, z, labels, NULL);
        if (!loss || heed_backward(cx, loss)) fail_msg("%s", heed_ctx_error(cx)->msg);
        if (step == 0) check_gradients(file, k->name, ps);
        const double got = (double)heed_item(loss), due = (double)((const float *)want->data)[step];
        if (!(fabs(got - due) <= 1e-5 * due))
            fail_msg("%s: loss %d is %.9g, not %.9g", k->name, step, got, due);
        if (heed_optim_step(opt)) fail_msg("%s", heed_optim_error(opt)->msg);
        heed_ctx_reset(cx);
    }
    check_last(file, k->name, ps, 10 * 1.2 * (double)cfg.lr);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    heed_safetensors_close(file);
}

static void test_run(void **state) {
    run(*state, 1);
    run(*state, 2);
}

static kind kinds[] = {
    { "encoder",
      encoder_init,
      encoder_apply,
      { .kind = HEED_ADAMW, .lr = 1e-2f, .weight_decay = 0.01f } },
    { "lstm", lstm_init, lstm_apply, { .kind = HEED_ADAM, .lr = 1e-2f } },
    { "decoder",
      decoder_init,
      decoder_apply,
      { .kind = HEED_ADAMW, .lr = 1e-2f, .weight_decay = 0.1f } },
};

int main(void) {
    const struct CMUnitTest tests[] = {
        { kinds[0].name, test_run, NULL, NULL, &kinds[0] },
        { kinds[1].name, test_run, NULL, NULL, &kinds[1] },
        { kinds[2].name, test_run, NULL, NULL, &kinds[2] },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
