/* test_attention_choice.c: the kind of attention that a model's config names reaches its layers:
 * temperature as a number and learnt, penalties of every layer, and a cache that sees the same. */
#include <math.h>
#include <string.h>

#include "fixture.h"

static heed_mha made(fixture *f, const char *name, const heed_mha_cfg *cfg) {
    heed_mha m;
    assert_int_equal(heed_mha_init(&m, f->ps, name, cfg), 0);
    return m;
}

/* b has a's projections. */
static void share(const heed_mha *a, const heed_mha *b) {
    const heed_linear *from[] = { &a->q, &a->k, &a->v, &a->o };
    const heed_linear *to[] = { &b->q, &b->k, &b->v, &b->o };
    for (int i = 0; i < 4; i++)
        memcpy(to[i]->w->data, from[i]->w->data, (size_t)from[i]->w->len * 4);
}

static void close_to(const heed_tensor *a, const heed_tensor *b, float most) {
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->len, b->len);
    for (int64_t i = 0; i < a->len; i++)
        assert_true(fabsf(HEED_F32_DATA(a)[i] - HEED_F32_DATA(b)[i]) <= most);
}

static void test_temperature(void **state) {
    (void)state;
    fixture f = open_fixture();
    const heed_score_kind kinds[] = { HEED_SCORE_SCALED_DOT, HEED_SCORE_DOT, HEED_SCORE_COSINE };
    const char *names[][3] = { { "a", "b", "c" }, { "d", "e", "f" }, { "g", "h", "i" } };
    for (int i = 0; i < 3; i++) {
        const float scale = kinds[i] == HEED_SCORE_SCALED_DOT ? 0.25f : 0.5f;
        const heed_mha_cfg by_hand = { .dim = 16,
                                       .heads = 4,
                                       .kind = { .score = kinds[i], .scale = scale } };
        heed_mha_cfg said = { .dim = 16, .heads = 4, .temperature = 2, .kind.score = kinds[i] };
        const heed_mha a = made(&f, names[i][0], &by_hand), b = made(&f, names[i][1], &said);
        said.learn_temperature = true;
        const heed_mha c = made(&f, names[i][2], &said);
        share(&a, &b);
        share(&a, &c);
        heed_tensor *x = noise(f.cx, 3, (int64_t[]){ 2, 5, 16 });
        heed_tensor *want = heed_mha_apply(f.cx, &a, x, x, x, NULL);
        close_to(heed_mha_apply(f.cx, &b, x, x, x, NULL), want, 0);
        close_to(heed_mha_apply(f.cx, &c, x, x, x, NULL), want, 1e-6f);
        heed_ctx_reset(f.cx);
    }
    close_fixture(&f);
}

static double loss_of(fixture *f, const heed_mha *m, bool backward) {
    heed_tensor *x = noise(f->cx, 3, (int64_t[]){ 2, 5, 16 });
    heed_tensor *y = heed_mha_apply(f->cx, m, x, x, x, NULL);
    heed_tensor *l = heed_mean(f->cx, heed_mul(f->cx, y, y));
    assert_non_null(l);
    const double value = (double)HEED_F32_DATA(l)[0];
    if (backward) assert_int_equal(heed_backward(f->cx, l), 0);
    heed_ctx_reset(f->cx);
    return value;
}

static void test_learnt_temperature(void **state) {
    (void)state;
    fixture f = open_fixture();
    const heed_mha_cfg cfg = {
        .dim = 16, .heads = 4, .temperature = 0.5f, .learn_temperature = true
    };
    const heed_mha m = made(&f, "m", &cfg);
    heed_tensor *log_t = heed_params_find(f.ps, "m.log_temperature");
    assert_ptr_equal(log_t, m.log_temperature);
    assert_true(fabsf(HEED_F32_DATA(log_t)[3] + 0.6931472f) < 1e-6f);
    heed_ctx_set_train(f.cx, true);
    loss_of(&f, &m, true);
    for (int h = 0; h < 4; h++) {
        float *at = &HEED_F32_DATA(log_t)[h];
        const float was = *at, step = 0.02f;
        *at = was + step;
        const double up = loss_of(&f, &m, false);
        *at = was - step;
        const double down = loss_of(&f, &m, false);
        *at = was;
        const double slope = (up - down) / (2.0 * (double)step);
        const double got = (double)((const float *)log_t->grad)[h];
        assert_true(fabs(slope) > 1e-6);
        assert_true(fabs(slope - got) < 0.02 * fabs(slope) + 1e-6);
    }
    close_fixture(&f);
}

/* Every layer's penalty is handed over where it is asked for; the output does not know of it. */
static void test_penalty(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_encoder e;
    const heed_encoder_cfg cfg = {
        .layers = 3,
        .block = { .dim = 16, .self.heads = 4, .ff = 20, .self.kind.penalty = HEED_PENALTY_ENTROPY }
    };
    assert_int_equal(heed_encoder_init(&e, f.ps, "enc", &cfg), 0);
    heed_attention_more more[3] = { { .penalty = NULL } };
    heed_tensor *x = noise(f.cx, 3, (int64_t[]){ 2, 5, 16 });
    heed_tensor *with = heed_encoder_apply_call(f.cx, &e, x, &(heed_block_call){ .more = more });
    heed_tensor *without = heed_encoder_apply(f.cx, &e, x, NULL);
    close_to(with, without, 1e-5f);
    for (int i = 0; i < 3; i++) {
        assert_non_null(more[i].penalty);
        const float nats = HEED_F32_DATA(more[i].penalty)[0];
        assert_true(nats > 0 && nats <= 1.6095f); /* ln 5 */
    }
    close_fixture(&f);
}

/* What a config names is what the blocks get. */
static void test_config(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_encoder_classifier m;
    heed_model_cfg cfg = { .kind = HEED_MODEL_ENCODER,
                           .vocab = 9,
                           .dim = 16,
                           .heads = 4,
                           .layers = 2,
                           .classes = 3,
                           .dropout = 0.1,
                           .position = HEED_POSITION_T5,
                           .attention = { .score = HEED_SCORE_COSINE,
                                          .weights = HEED_WEIGHTS_HARD,
                                          .temperature = 0.1,
                                          .window = 2,
                                          .truncate = 4 } };
    assert_int_equal(heed_encoder_classifier_init(&m, f.ps, &cfg), 0);
    const heed_attention_cfg *k = &m.encoder.blocks[1].self.cfg.kind;
    assert_int_equal(k->score, HEED_SCORE_COSINE);
    assert_int_equal(k->weights, HEED_WEIGHTS_HARD);
    assert_true(k->window && k->left == 2 && k->right == 2 && k->truncate == 4);
    assert_true(fabsf(k->scale - 10) < 1e-5f && k->dropout == 0);
    assert_non_null(heed_params_find(f.ps, "encoder.layers.1.self.t5"));
    heed_tensor *ids = heed_zeros(f.cx, HEED_I32, 2, (int64_t[]){ 2, 6 });
    assert_non_null(heed_encoder_classifier_apply(f.cx, &m, ids, NULL, NULL));
    close_fixture(&f);
}

/* What would be 0 or infinite as a float, or chooses no key, is refused when a model is made. */
static void test_refused(void **state) {
    (void)state;
    static const struct {
        heed_attention_choice choice;
        const char *said;
    } wrong[] = {
        { { .temperature = -1 }, "temperature -1 is not 1e-6 to 1e6" },
        { { .temperature = 1e-320 }, "temperature 9.99989e-321 is not 1e-6 to 1e6" },
        { { .temperature = 1e300 }, "temperature 1e+300 is not 1e-6 to 1e6" },
        { { .weights = HEED_WEIGHTS_TOPK }, "topk 0 is not at least 1" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fixture f = open_fixture();
        heed_encoder_classifier m;
        const heed_model_cfg cfg = { .kind = HEED_MODEL_ENCODER,
                                     .vocab = 20,
                                     .dim = 16,
                                     .heads = 2,
                                     .layers = 1,
                                     .classes = 3,
                                     .attention = wrong[i].choice };
        assert_int_equal(heed_encoder_classifier_init(&m, f.ps, &cfg), HEED_EINVALID);
        assert_non_null(strstr(heed_params_error(f.ps)->msg, wrong[i].said));
        close_fixture(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_learnt_temperature),
        cmocka_unit_test(test_penalty),     cmocka_unit_test(test_config),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
