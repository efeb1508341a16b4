/* test_steps.c: once a model's largest step has been seen, steps of every smaller shape ask for no
 * memory: not the context, not a table's gradient, not the optimizer; on every ISA, with one thread
 * and several. */
#include "any_model.h"
#include "cmocka_all.h"
#include "counting.h"

#include <string.h>

#include "heed/nn.h"
#include "heed/train.h"

enum { MOST_ROWS = 18, MOST_STEPS = 25, VOCAB = 300 };

/* A table of which each word is a bag of three rows; so large that those of a step are a dozen
 * pieces to the optimizer, where those of few words are one. */
enum { BAG_ROWS = 2000, BAG_DIM = 256 };
typedef struct bags {
    heed_tensor *table;
    heed_linear out;
} bags;

typedef struct sample {
    const char *name;
    heed_model_cfg cfg;
    bool bags;
    heed_precision precision;
} sample;

#define SMALL .vocab = VOCAB, .dim = 32, .heads = 2, .classes = 3
static const sample samples[] = {
    { .name = "classic",
      .cfg = { .kind = HEED_MODEL_CLASSIC, SMALL, .bidirectional = true, .dropout = 0.1f } },
    { .name = "classic, sparse", .cfg = { .kind = HEED_MODEL_CLASSIC, SMALL, .sparse = true } },
    { .name = "encoder",
      .cfg = { .kind = HEED_MODEL_ENCODER, SMALL, .layers = 2, .dropout = 0.1f } },
    { .name = "additive encoder",
      .cfg = { .kind = HEED_MODEL_ENCODER,
               SMALL,
               .layers = 1,
               .attention = { .score = HEED_SCORE_ADDITIVE, .weights = HEED_WEIGHTS_SPARSEMAX } } },
    { .name = "decoder",
      .cfg = { .kind = HEED_MODEL_LM,
               SMALL,
               .layers = 2,
               .position = HEED_POSITION_ROTARY,
               .gated = true,
               .rms = true,
               .tied = true } },
    { .name = "encoder and decoder",
      .cfg = { .kind = HEED_MODEL_SEQ2SEQ, SMALL, .layers = 1, .dropout = 0.1f } },
    { .name = "bags of a sparse table",
      .cfg = { .kind = HEED_MODEL_ENCODER, SMALL },
      .bags = true },
    { .name = "encoder in bf16",
      .cfg = { .kind = HEED_MODEL_ENCODER, SMALL, .layers = 2 },
      .precision = HEED_PRECISION_BF16 },
};

typedef struct rig {
    const sample *s;
    heed_ctx *cx;
    heed_params *ps;
    heed_optim *opt;
    any_model model;
    bags b;
    heed_rng rng;
} rig;

static heed_tensor *draw(rig *r, int64_t rows, int64_t cols, int64_t below) {
    heed_tensor *t = heed_new(r->cx, HEED_I32, 2, (int64_t[]){ rows, cols });
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++)
        HEED_I32_DATA(t)[i] = (int32_t)heed_rng_below(&r->rng, (uint64_t)below);
    return t;
}

/* Words [B,T], each the sum of three rows, averaged. */
static heed_tensor *bags_apply(rig *r, int64_t B, int64_t T, int64_t below) {
    heed_tensor *ids = heed_reshape(r->cx, draw(r, B * T, 3, below), 1, (int64_t[]){ B * T * 3 });
    heed_tensor *offsets = heed_new(r->cx, HEED_I32, 1, (int64_t[]){ B * T + 1 });
    assert_non_null(offsets);
    for (int64_t i = 0; i <= B * T; i++) HEED_I32_DATA(offsets)[i] = (int32_t)(3 * i);
    heed_tensor *x = heed_embedding_bag(r->cx, r->b.table, ids, offsets, false);
    x = heed_mean_pool(r->cx, heed_reshape(r->cx, x, 3, (int64_t[]){ B, T, BAG_DIM }), NULL);
    return heed_linear_apply(r->cx, &r->b.out, x);
}

/* A step of texts [B,T] of words below `below`. */
static void step(rig *r, int64_t B, int64_t T, int64_t below) {
    const heed_model_cfg *cfg = &r->s->cfg;
    heed_tensor *logits, *label = draw(r, B, 1, 3);
    label = heed_reshape(r->cx, label, 1, &B);
    if (r->s->bags) {
        logits = bags_apply(r, B, T, below);
    } else {
        heed_tensor *ids = draw(r, B, T, below), *source = draw(r, B, T, below);
        heed_tensor *lengths = heed_new(r->cx, HEED_I32, 1, &B);
        assert_non_null(lengths);
        for (int64_t i = 0; i < B; i++) HEED_I32_DATA(lengths)[i] = (int32_t)T;
        logits = any_model_apply(r->cx, &r->model, cfg, ids, source, lengths);
        if (!any_model_classifies(cfg)) label = ids;
    }
    if (heed_backward(r->cx, heed_cross_entropy(r->cx, logits, label, NULL)))
        fail_msg("%s: %s", r->s->name, heed_ctx_error(r->cx)->msg);
    assert_int_equal(heed_optim_step(r->opt), 0);
    heed_ctx_reset(r->cx);
}

static void begin(rig *r, const sample *s, const char *isa, int threads) {
    *r = (rig){ .s = s, .rng = { .seed = 7 } };
    heed_error err = { 0 };
    r->cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true,
                                          .threads = threads,
                                          .isa = isa,
                                          .hooks = &counting,
                                          .precision = s->precision },
                         &err);
    assert_string_equal(err.msg, "");
    r->ps = heed_params_new(&(heed_params_cfg){ .seed = 1, .hooks = &counting }, &err);
    if (s->bags) {
        r->b.table = heed_param(r->ps, "table", (heed_init){ HEED_INIT_NORMAL, 1 }, 2,
                                (int64_t[]){ BAG_ROWS, BAG_DIM });
        assert_int_equal(heed_param_set_sparse(r->ps, r->b.table), 0);
        assert_int_equal(heed_linear_init(&r->b.out, r->ps, "out", BAG_DIM, 3), 0);
    } else {
        assert_int_equal(any_model_init(&r->model, r->ps, &s->cfg), 0);
    }
    r->opt = heed_optim_new(r->cx, r->ps, &(heed_optim_cfg){ .lr = 0.001f, .clip = 1 }, &err);
    assert_string_equal(err.msg, "");
}

/* The largest shape first, of few words, then others below it of many. */
static void smaller_steps_ask_for_nothing(const sample *s, const char *isa, int threads,
                                          const int64_t largest[2]) {
    const int64_t B = largest[0], T = largest[1];
    const int64_t some[][2] = { { B, T * 23 / 40 }, { B, T * 36 / 40 },  { B - 1, T - 1 },
                                { B, T - 2 },       { B - 2, T },        { B, 1 },
                                { 1, T },           { B * 3 / 4, T - 4 } };
    enum { SOME = sizeof some / sizeof some[0], DRAWN = 4 };
    rig r;
    begin(&r, s, isa, threads);
    step(&r, B, T, 9);
    const int64_t before = allocations;
    for (int i = 0; i < SOME + DRAWN; i++) {
        const int64_t b = i < SOME ? some[i][0] : 1 + (int64_t)heed_rng_below(&r.rng, (uint64_t)B);
        const int64_t t = i < SOME ? some[i][1] : 1 + (int64_t)heed_rng_below(&r.rng, (uint64_t)T);
        step(&r, b, t, s->bags ? BAG_ROWS : VOCAB);
        if (allocations != before)
            fail_msg("%s, %s, %d threads: step [%lld,%lld] after [%lld,%lld] made %lld allocations",
                     s->name, isa, threads, (long long)b, (long long)t, (long long)B, (long long)T,
                     (long long)(allocations - before));
    }
    heed_optim_free(r.opt);
    heed_params_free(r.ps);
    heed_ctx_free(r.cx);
}

static void all_models(const char *isa) {
    static const int64_t largest[][2] = { { 8, 40 }, { MOST_ROWS, MOST_STEPS } };
    heed_ctx *probe = heed_ctx_new(&(heed_ctx_cfg){ .isa = isa, .threads = 1 }, NULL);
    if (!probe) skip();
    heed_ctx_free(probe);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (samples[i].precision == HEED_PRECISION_BF16 && strcmp(isa, "scalar") == 0) continue;
        for (int threads = 1; threads <= 3; threads++)
            smaller_steps_ask_for_nothing(&samples[i], isa, threads, largest[threads != 2]);
    }
    assert_int_equal(held, 0);
}

static void test_scalar(void **state) {
    (void)state;
    all_models("scalar");
}

static void test_avx2(void **state) {
    (void)state;
    all_models("avx2");
}

static void test_avx512(void **state) {
    (void)state;
    all_models("avx512");
}

static void test_amx(void **state) {
    (void)state;
    all_models("amx");
}

static void test_neon(void **state) {
    (void)state;
    all_models("neon");
}

/* Steps of two kinds in turn keep a plan each. */
static void test_kinds_of_steps_in_turn(void **state) {
    (void)state;
    rig r;
    begin(&r, &samples[0], NULL, 2);
    for (int i = 0; i < 2; i++) step(&r, MOST_ROWS, MOST_STEPS, VOCAB);
    const int64_t before = allocations;
    for (int i = 0; i < 6; i++) {
        step(&r, 3, MOST_STEPS, VOCAB); /* few rows: another tape */
        step(&r, MOST_ROWS, MOST_STEPS - i, VOCAB);
    }
    assert_int_equal(allocations, before);
    heed_optim_free(r.opt);
    heed_params_free(r.ps);
    heed_ctx_free(r.cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar), cmocka_unit_test(test_avx2),
        cmocka_unit_test(test_avx512), cmocka_unit_test(test_amx),
        cmocka_unit_test(test_neon),   cmocka_unit_test(test_kinds_of_steps_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
