/* test_nn.c: layers and whole models against PyTorch in float64 (make/nn.py): activations, every
 * gradient of one step within 1e-4 of its tensor's largest, ten losses within 1e-5. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "heed/models.h"

typedef union parts {
    heed_rnn rnn;
    heed_mha mha;
    heed_encoder stack;
    heed_classic classic;
    heed_encoder_classifier classifier;
    heed_lm lm;
    heed_seq2seq seq2seq;
} parts;

typedef struct run {
    heed_ctx *cx;
    heed_safetensors *file;
    parts m;
    heed_tensor *wanted[3]; /* inputs whose gradients are compared */
    const char *wanted_name[3];
    int wanted_count;
} run;

typedef struct model {
    const char *file;
    void (*init)(parts *m, heed_params *ps);
    heed_tensor *(*apply)(run *r, heed_tensor **loss); /* returns what is stored as out */
} model;

/* Input of that name; floats want a gradient where one is stored. NULL where there is none. */
static heed_tensor *input(run *r, const char *name) {
    const heed_entry *e = golden_has(r->file, "in/", name);
    if (!e) return NULL;
    heed_tensor *t = golden_tensor(r->cx, e);
    if (golden_has(r->file, "grad_in/", name)) {
        r->wanted[r->wanted_count] = heed_want_grad(r->cx, t);
        r->wanted_name[r->wanted_count++] = name;
    }
    return t;
}

/* sum(out·w)/len + mean(out²)/2, as the script has it */
static heed_tensor *weighted(run *r, heed_tensor *out) {
    heed_tensor *w = heed_mean(r->cx, heed_mul(r->cx, out, input(r, "w")));
    return heed_add(r->cx, w,
                    heed_scale(r->cx, heed_mean(r->cx, heed_mul(r->cx, out, out)), 0.5f, 0));
}

static heed_tensor *token_loss(run *r, heed_tensor *logits) {
    return heed_cross_entropy(r->cx, logits, input(r, "labels"), NULL);
}

static void lstm_init(parts *m, heed_params *ps) {
    heed_rnn_init(&m->rnn, ps, "rnn",
                  &(heed_rnn_cfg){ .in = 12, .hidden = 20, .layers = 2, .bidirectional = true });
}
static void gru_init(parts *m, heed_params *ps) {
    heed_rnn_init(
        &m->rnn, ps, "rnn",
        &(heed_rnn_cfg){
            .kind = HEED_RNN_GRU, .in = 12, .hidden = 20, .layers = 2, .bidirectional = true });
}
static heed_tensor *rnn_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_rnn_apply(r->cx, &r->m.rnn, input(r, "x"), input(r, "lengths"), NULL);
    *loss = weighted(r, y);
    return y;
}

static void self_init(parts *m, heed_params *ps) {
    heed_mha_init(&m->mha, ps, "mha", &(heed_mha_cfg){ .dim = 64, .heads = 8 });
}
static void cross_init(parts *m, heed_params *ps) {
    heed_mha_init(&m->mha, ps, "mha",
                  &(heed_mha_cfg){ .dim = 32, .heads = 4, .kdim = 20, .vdim = 28 });
}
static void widths_init(parts *m, heed_params *ps) {
    heed_mha_init(&m->mha, ps, "mha",
                  &(heed_mha_cfg){ .dim = 16, .heads = 4, .key = 6, .value = 10, .no_bias = true });
}
static heed_tensor *mha_apply(run *r, heed_tensor **loss) {
    heed_tensor *q = input(r, "q"), *k = input(r, "k"), *v = input(r, "v");
    heed_tensor *y = heed_mha_apply(r->cx, &r->m.mha, q, k ? k : q, v ? v : q, NULL);
    *loss = weighted(r, y);
    return y;
}

static const heed_block_cfg block = { .dim = 32, .self.heads = 4, .ff = 56 };

static void encoder_post_init(parts *m, heed_params *ps) {
    heed_encoder_init(&m->stack, ps, "enc", &(heed_encoder_cfg){ .layers = 3, .block = block });
}
static void encoder_pre_init(parts *m, heed_params *ps) {
    heed_encoder_cfg cfg = { .layers = 3, .final_norm = true, .block = block };
    cfg.block.pre_norm = true;
    cfg.block.act = HEED_ACT_GELU;
    heed_encoder_init(&m->stack, ps, "enc", &cfg);
}
static heed_tensor *encoder_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_encoder_apply(r->cx, &r->m.stack, input(r, "x"), input(r, "lengths"));
    y = heed_mul(r->cx, y, input(r, "keep"));
    *loss = weighted(r, y);
    return y;
}

static void decoder_post_init(parts *m, heed_params *ps) {
    heed_decoder_cfg cfg = { .layers = 2, .block = block };
    cfg.block.cross = true;
    heed_decoder_init(&m->stack, ps, "dec", &cfg);
}
static void decoder_pre_init(parts *m, heed_params *ps) {
    heed_decoder_cfg cfg = { .layers = 2, .final_norm = true, .block = block };
    cfg.block.cross = cfg.block.pre_norm = true;
    cfg.block.act = HEED_ACT_GELU;
    heed_decoder_init(&m->stack, ps, "dec", &cfg);
}
static heed_tensor *decoder_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_decoder_apply(
        r->cx, &r->m.stack, input(r, "x"),
        &(heed_block_call){ .memory = input(r, "memory"), .memory_lengths = input(r, "lengths") });
    *loss = weighted(r, y);
    return y;
}

static void classic_init(parts *m, heed_params *ps) {
    heed_classic_init(&m->classic, ps,
                      &(heed_model_cfg){ .vocab = 40, .dim = 16, .heads = 4, .classes = 5 });
}
static heed_tensor *classic_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_classic_apply(r->cx, &r->m.classic, input(r, "ids"), input(r, "lengths"),
                                        NULL);
    *loss = token_loss(r, y);
    return y;
}

static void classifier_init(parts *m, heed_params *ps) {
    heed_encoder_classifier_init(&m->classifier, ps,
                                 &(heed_model_cfg){ .kind = HEED_MODEL_ENCODER,
                                                    .vocab = 40,
                                                    .dim = 24,
                                                    .heads = 4,
                                                    .layers = 2,
                                                    .ff = 48,
                                                    .classes = 5 });
}
static heed_tensor *classifier_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_encoder_classifier_apply(r->cx, &r->m.classifier, input(r, "ids"),
                                                   input(r, "lengths"), NULL);
    *loss = token_loss(r, y);
    return y;
}

static void lm_init(parts *m, heed_params *ps) {
    heed_lm_init(
        &m->lm, ps,
        &(heed_model_cfg){
            .vocab = 40, .dim = 24, .heads = 4, .layers = 2, .max_len = 16, .tied = true });
}
static heed_tensor *lm_apply(run *r, heed_tensor **loss) {
    heed_tensor *y = heed_lm_apply(r->cx, &r->m.lm, input(r, "ids"));
    *loss = token_loss(r, y);
    return y;
}

static void seq2seq_init(parts *m, heed_params *ps) {
    heed_seq2seq_init(
        &m->seq2seq, ps,
        &(heed_model_cfg){
            .vocab = 40, .source_vocab = 30, .dim = 24, .heads = 4, .layers = 2, .ff = 48 });
}
static heed_tensor *seq2seq_apply(run *r, heed_tensor **loss) {
    heed_tensor *lengths = input(r, "lengths");
    heed_tensor *memory = heed_seq2seq_encode(r->cx, &r->m.seq2seq, input(r, "source"), lengths);
    heed_tensor *y = heed_seq2seq_decode(
        r->cx, &r->m.seq2seq, input(r, "ids"),
        &(heed_block_call){ .memory = memory, .memory_lengths = lengths });
    *loss = token_loss(r, y);
    return y;
}

/* First values of every parameter from the file; each that is stored must exist. */
static void load(const run *r, heed_params *ps) {
    int64_t stored = 0;
    for (int64_t i = 0; i < heed_safetensors_count(r->file); i++)
        stored += strncmp(heed_safetensors_at(r->file, i)->name, "param/", 6) == 0;
    assert_int_equal(stored, heed_params_count(ps));
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        heed_tensor *p = heed_params_at(ps, i);
        const heed_entry *e = golden_find(r->file, "param/", p->name);
        assert_int_equal(e->len, p->len);
        assert_int_equal(heed_entry_f32(e, p->data, NULL), 0);
    }
}

static void check_first(const run *r, heed_params *ps, const heed_tensor *out) {
    golden_compare(golden_find(r->file, "out", ""), out->data, 1e-5);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        heed_tensor *p = heed_params_at(ps, i);
        if (!p->grad) fail_msg("%s has no gradient", p->name);
        golden_compare_grad(r->file, "grad/", p->name, p->grad, p->len, 1e-4);
    }
    for (int i = 0; i < r->wanted_count; i++)
        golden_compare(golden_find(r->file, "grad_in/", r->wanted_name[i]), r->wanted[i]->grad,
                       1e-4);
}

static void check(const model *g, int threads) {
    heed_error err = { 0 };
    run r = { .cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err) };
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err);
    r.file = golden_open(g->file);
    if (!r.cx || !ps) fail_msg("%s", err.msg);
    g->init(&r.m, ps);
    if (heed_params_error(ps)) fail_msg("%s", heed_params_error(ps)->msg);
    load(&r, ps);
    const double *losses = heed_safetensors_find(r.file, "losses")->data;
    const float lr = (float)*(const double *)heed_safetensors_find(r.file, "lr")->data;
    for (int step = 0; step < 10; step++) {
        heed_tensor *loss = NULL;
        r.wanted_count = 0;
        heed_tensor *out = g->apply(&r, &loss);
        if (!loss || heed_backward(r.cx, loss)) fail_msg("%s", heed_ctx_error(r.cx)->msg);
        if (step == 0) check_first(&r, ps, out);
        const double got = (double)heed_item(loss);
        if (!(fabs(got - losses[step]) <= 1e-5 * fmax(fabs(losses[step]), 0.02)))
            fail_msg("%s: loss %d is %.9g, not %.9g", g->file, step, got, losses[step]);
        for (int64_t i = 0; i < heed_params_count(ps); i++) {
            heed_tensor *p = heed_params_at(ps, i);
            for (int64_t j = 0; j < p->len; j++) HEED_F32_DATA(p)[j] -= lr * p->grad[j];
        }
        heed_params_zero_grad(ps);
        heed_ctx_reset(r.cx);
    }
    heed_safetensors_close(r.file);
    heed_params_free(ps);
    heed_ctx_free(r.cx);
}

static void test_case(void **state) {
    check(*state, 1);
    check(*state, 2);
}

/* The parameters that the articles' listings count. */
static void test_counts(void **state) {
    (void)state;
    heed_error err;
    heed_mha m;
    heed_params *ps = heed_params_new(NULL, &err);
    heed_mha_init(&m, ps, "a", &(heed_mha_cfg){ .dim = 256, .heads = 8 });
    assert_int_equal(heed_params_len(ps), 263168);
    heed_params_free(ps);
    ps = heed_params_new(NULL, &err);
    heed_mha_init(&m, ps, "a", &(heed_mha_cfg){ .dim = 256, .heads = 8, .no_bias = true });
    assert_int_equal(heed_params_len(ps), 262400);
    heed_mha_init(&m, ps, "b",
                  &(heed_mha_cfg){ .dim = 256, .heads = 8, .key = 64, .square = true });
    assert_string_equal(heed_params_error(ps)->msg, "b: 8 heads x 64 is 512, not d_model 256");
    heed_params_free(ps);
}

static void test_json(void **state) {
    (void)state;
    heed_error err = { 0 };
    const heed_model_cfg cfg = { .kind = HEED_MODEL_LM,
                                 .vocab = 50257,
                                 .dim = 768,
                                 .tied = true,
                                 .dropout = 0.1,
                                 .position = HEED_POSITION_LEARNED };
    char *text = heed_model_cfg_to_json(&cfg, &err);
    assert_non_null(text);
    heed_model_cfg back;
    assert_int_equal(heed_model_cfg_from_json(&back, text, strlen(text), "c.json", &err), 0);
    assert_int_equal(back.vocab, 50257);
    assert_int_equal(back.kind, HEED_MODEL_LM);
    assert_int_equal(back.position, HEED_POSITION_LEARNED);
    assert_true(back.tied && !back.rms && back.dropout == 0.1);
    heed_text_free(text);
    const heed_model_cfg kind = { .kind = HEED_MODEL_ENCODER,
                                  .position = HEED_POSITION_OFF,
                                  .attention = { .score = HEED_SCORE_COSINE,
                                                 .weights = HEED_WEIGHTS_TOPK,
                                                 .topk = 3,
                                                 .temperature = 0.25,
                                                 .learn_temperature = true,
                                                 .window = 7,
                                                 .truncate = 9,
                                                 .penalty = HEED_PENALTY_COVERAGE,
                                                 .penalty_weight = 0.5 } };
    text = heed_model_cfg_to_json(&kind, &err);
    assert_non_null(text);
    assert_int_equal(heed_model_cfg_from_json(&back, text, strlen(text), "c.json", &err), 0);
    assert_memory_equal(&back.attention, &kind.attention, sizeof kind.attention);
    assert_int_equal(back.position, HEED_POSITION_OFF);
    heed_text_free(text);
    static const char old[] = "{\"kind\": \"classic\", \"additive\": true}";
    assert_int_equal(heed_model_cfg_from_json(&back, old, sizeof old - 1, "c.json", &err), 0);
    assert_int_equal(back.attention.score, HEED_SCORE_ADDITIVE);
    static const char odd[] = "{\"kind\": \"classic\", \"attention\": {\"score\": \"cosin\"}}";
    assert_int_equal(heed_model_cfg_from_json(&back, odd, sizeof odd - 1, "c.json", &err),
                     HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "score 'cosin' is none that there is"));
    static const char flat[] = "{\"kind\": \"classic\", \"attention\": \"cosine\"}";
    assert_int_equal(heed_model_cfg_from_json(&back, flat, sizeof flat - 1, "c.json", &err),
                     HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "attention is no object"));
    static const char wrong[] = "{\"kind\": \"lm\", \"vocabulary\": 3}";
    assert_int_equal(heed_model_cfg_from_json(&back, wrong, sizeof wrong - 1, "c.json", &err),
                     HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "vocabulary"));
}

static void test_sinusoids(void **state) {
    (void)state;
    for (int64_t dim = 255; dim <= 256; dim++) {
        float *table = malloc((size_t)(5000 * dim) * sizeof *table);
        heed_sinusoids(table, 5000, dim, 10000);
        double worst = 0;
        for (int64_t p = 0; p < 5000; p++)
            for (int64_t i = 0; i < dim; i++) {
                const double x = (double)p / pow(10000, (double)(i / 2 * 2) / (double)dim);
                worst = fmax(worst, fabs((double)table[p * dim + i] - (i % 2 ? cos(x) : sin(x))));
            }
        assert_true(worst <= 1e-6);
        free(table);
    }
}

/* A decoder with cross-attention, step by step over caches: the bits of the full forward. */
static void test_decode(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 3 }, &err);
    heed_seq2seq m;
    const heed_model_cfg cfg = { .vocab = 50, .dim = 24, .heads = 4, .layers = 2, .ff = 40 };
    if (heed_seq2seq_init(&m, ps, &cfg)) fail_msg("%s", heed_params_error(ps)->msg);
    static const int32_t source[10] = { 3, 1, 4, 1, 5, 9, 2, 6, 0, 0 }, lengths[2] = { 5, 3 };
    static const int32_t target[34] = { 2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5, 2,
                                        1, 6, 1, 8, 0, 3, 3, 9, 8, 8, 7, 4, 9, 8, 9, 4, 8 };
    enum { T = 17 };
    heed_tensor *ids = heed_from_i32(cx, 2, (int64_t[]){ 2, 5 }, source);
    heed_tensor *len = heed_from_i32(cx, 1, (int64_t[]){ 2 }, lengths);
    heed_tensor *memory = heed_seq2seq_encode(cx, &m, ids, len);
    const heed_block_call call = { .memory = memory, .memory_lengths = len };
    heed_tensor *full = heed_seq2seq_decode(
        cx, &m, heed_from_i32(cx, 2, (int64_t[]){ 2, T }, target), &call);
    if (!full) fail_msg("%s", heed_ctx_error(cx)->msg);
    heed_decoder_cache *cache = heed_decoder_cache_new(&m.decoder, 2, NULL, &err);
    assert_non_null(cache);
    for (int64_t t = 0, n; t < T; t += n) {
        n = t == 0 ? 3 : 1; /* a prompt, then one by one */
        int32_t now[6];
        for (int64_t i = 0; i < 2 * n; i++) now[i] = target[i / n * T + t + i % n];
        heed_tensor *z = heed_seq2seq_step(cx, &m, cache,
                                           heed_from_i32(cx, 2, (int64_t[]){ 2, n }, now), &call);
        if (!z) fail_msg("%s", heed_ctx_error(cx)->msg);
        for (int64_t b = 0; b < 2; b++)
            assert_memory_equal(HEED_F32_DATA(z) + b * n * 50,
                                HEED_F32_DATA(full) + (b * T + t) * 50, (size_t)(n * 50) * 4);
    }
    assert_int_equal(heed_decoder_cache_len(cache), T);
    heed_decoder_cache_free(cache);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

#define CASE(file, init, apply)                                                                    \
    { #file, init, apply }
static model cases[] = { CASE(lstm, lstm_init, rnn_apply),
                         CASE(gru, gru_init, rnn_apply),
                         CASE(mha_self, self_init, mha_apply),
                         CASE(mha_cross, cross_init, mha_apply),
                         CASE(mha_widths, widths_init, mha_apply),
                         CASE(encoder_post, encoder_post_init, encoder_apply),
                         CASE(encoder_pre, encoder_pre_init, encoder_apply),
                         CASE(decoder_post, decoder_post_init, decoder_apply),
                         CASE(decoder_pre, decoder_pre_init, decoder_apply),
                         CASE(classic, classic_init, classic_apply),
                         CASE(encoder_classifier, classifier_init, classifier_apply),
                         CASE(lm, lm_init, lm_apply),
                         CASE(seq2seq, seq2seq_init, seq2seq_apply) };
enum { CASES = sizeof cases / sizeof cases[0] };

int main(void) {
    struct CMUnitTest tests[CASES + 4];
    for (int i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){ cases[i].file, test_case, NULL, NULL, &cases[i] };
    tests[CASES] = (struct CMUnitTest)cmocka_unit_test(test_counts);
    tests[CASES + 1] = (struct CMUnitTest)cmocka_unit_test(test_json);
    tests[CASES + 2] = (struct CMUnitTest)cmocka_unit_test(test_sinusoids);
    tests[CASES + 3] = (struct CMUnitTest)cmocka_unit_test(test_decode);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
