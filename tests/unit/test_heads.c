/* Heads: their losses by the formulas, answers, pairs, and what config.json tells of them; units
 * hidden by chance; parents of labels that are paths. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/classifier.h"
#include "tasks/pretrain.h"

enum { B = 3, C = 4, K = 5 };

typedef struct bench {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *y, *y2;
} bench;

static bench begin(void) {
    heed_error err;
    bench b = { .cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err),
                .ps = heed_params_new(NULL, &err) };
    assert_true(b.cx && b.ps);
    float x[2 * B * C];
    heed_rng rng = { .seed = 3 };
    for (int i = 0; i < 2 * B * C; i++) x[i] = heed_rng_normal(&rng);
    b.y = heed_from_f32(b.cx, 2, (int64_t[]){ B, C }, x);
    b.y2 = heed_from_f32(b.cx, 2, (int64_t[]){ B, C }, x + B * C);
    return b;
}

static void end(bench *b) {
    heed_params_free(b->ps);
    heed_ctx_free(b->cx);
}

static void expect_near(double is, double want, double by) {
    if (!(fabs(is - want) <= by)) fail_msg("%.9g instead of %.9g", is, want);
}

static void test_labels(void **state) {
    (void)state;
    bench b = begin();
    heed_error err;
    heed_head h;
    const heed_head_cfg cfg = { .target = HEED_TARGET_LABELS, .classes = K, .dense = 3 };
    assert_int_equal(heed__head_init(&h, b.ps, &cfg, C, &err), 0);
    heed_tensor *z = heed__head_apply(b.cx, &h, b.y, NULL);
    const int32_t label[] = { 4, 0, 2, 1 };
    const int64_t start[] = { 0, 1, 1, 4 }, item[] = { 2, 0, 1 };
    const heed_goal goal = { .label = label, .label_start = start };
    double want = 0;
    for (int i = 0; i < B; i++)
        for (int k = 0; k < K; k++) {
            bool has = false;
            for (int64_t at = start[item[i]]; at < start[item[i] + 1]; at++)
                has = has || label[at] == k;
            const double p = 1 / (1 + exp(-(double)HEED_F32_DATA(z)[i * K + k]));
            want -= log(has ? p : 1 - p) / B;
        }
    expect_near((double)heed_item(heed__head_loss(b.cx, &h, z, &goal, item)), want, 1e-5);
    heed_tensor *p = heed__head_answer(b.cx, &h, z);
    expect_near((double)HEED_F32_DATA(p)[7], 1 / (1 + exp(-(double)HEED_F32_DATA(z)[7])), 1e-6);
    end(&b);
}

static void test_score(void **state) {
    (void)state;
    bench b = begin();
    heed_error err;
    heed_head h;
    const heed_head_cfg cfg = {
        .target = HEED_TARGET_SCORE, .classes = 1, .mean = 10, .spread = 4
    };
    assert_int_equal(heed__head_init(&h, b.ps, &cfg, C, &err), 0);
    heed_tensor *z = heed__head_apply(b.cx, &h, b.y, NULL), *a = heed__head_answer(b.cx, &h, z);
    const double score[] = { 8, 12, 30 };
    const int64_t item[] = { 0, 2, 1 };
    double want = 0;
    for (int i = 0; i < B; i++) {
        const double d = (score[item[i]] - (double)HEED_F32_DATA(a)[i]) / 4;
        want += d * d / B;
    }
    const heed_goal goal = { .score = score };
    expect_near((double)heed_item(heed__head_loss(b.cx, &h, z, &goal, item)), want, 1e-4);
    end(&b);
}

/* Huber's loss and its slope, which no error makes steeper than 2δ: on both sides of δ and of 0. */
static void test_huber(void **state) {
    (void)state;
    static const float said[] = { 0, 0.5F, -0.5F, 1, -2, 300, -7000 };
    enum { N = sizeof said / sizeof *said };
    const double score[N] = { 0 };
    const int64_t item[N] = { 0, 1, 2, 3, 4, 5, 6 };
    const double delta = 1.25;
    const heed_head h = { .cfg = { .target = HEED_TARGET_SCORE, .spread = 1, .huber = delta } };
    const heed_goal goal = { .score = score };
    bench b = begin();
    heed_ctx_set_train(b.cx, true);
    heed_tensor *z = heed_want_grad(b.cx, heed_from_f32(b.cx, 2, (int64_t[]){ N, 1 }, said));
    heed_tensor *loss = heed__head_loss(b.cx, &h, z, &goal, item);
    double want = 0;
    for (int i = 0; i < N; i++) {
        const double r = fabs((double)said[i]);
        want += (r <= delta ? r * r : 2 * delta * r - delta * delta) / N;
    }
    expect_near((double)heed_item(loss), want, 1e-6 * want);
    assert_int_equal(heed_backward(b.cx, loss), 0);
    for (int i = 0; i < N; i++) {
        const double d = (double)said[i], slope = fabs(d) < delta ? 2 * d : d > 0 ? 2.5 : -2.5;
        expect_near((double)z->grad[i], slope / N, 1e-6);
    }
    end(&b);
}

/* Exchanging the two texts exchanges u and v alone; a pair of one text has no difference. */
static void test_pairs(void **state) {
    (void)state;
    bench b = begin();
    heed_error err;
    heed_head h;
    const heed_head_cfg cfg = { .target = HEED_TARGET_LABEL, .classes = K, .pairs = true };
    assert_int_equal(heed__head_init(&h, b.ps, &cfg, C, &err), 0);
    assert_int_equal(h.out.w->shape[1], 4 * C);
    heed_tensor *z = heed__head_apply(b.cx, &h, b.y, b.y2);
    for (int i = 0; i < B; i++)
        for (int k = 0; k < K; k++) {
            double want = (double)HEED_F32_DATA(h.out.b)[k];
            const float *w = HEED_F32_DATA(h.out.w) + k * 4 * C;
            for (int c = 0; c < C; c++) {
                const double u = (double)HEED_F32_DATA(b.y)[i * C + c];
                const double v = (double)HEED_F32_DATA(b.y2)[i * C + c];
                want += (double)w[c] * u + (double)w[C + c] * v +
                        (double)w[2 * C + c] * fabs(u - v) + (double)w[3 * C + c] * u * v;
            }
            expect_near((double)HEED_F32_DATA(z)[i * K + k], want, 1e-5);
        }
    assert_null(heed__head_apply(b.cx, &h, b.y, NULL));
    end(&b);
}

static void test_config(void **state) {
    (void)state;
    heed_error err;
    heed_head_cfg back;
    const heed_head h = { .cfg = { .target = HEED_TARGET_SCORE,
                                   .classes = 1,
                                   .pairs = true,
                                   .dense = 7,
                                   .dropout = 0.25,
                                   .mean = -1.5,
                                   .spread = 0.1,
                                   .huber = 1.345 } };
    json_t *o = heed__head_config(&h);
    assert_int_equal(heed__head_read(&back, o, "x", &err), 0);
    back.classes = 1;
    assert_memory_equal(&back.dense, &h.cfg.dense, sizeof back.dense);
    assert_true(back.target == h.cfg.target && back.pairs && back.dropout == 0.25 &&
                back.mean == -1.5 && back.spread == 0.1 && back.huber == 1.345);
    json_decref(o);
    static const char *const bad[] = { "[]",
                                       "{}",
                                       "{\"target\": \"labe\"}",
                                       "{\"target\": 1}",
                                       "{\"target\": \"label\", \"dropout\": 1}",
                                       "{\"target\": \"label\", \"dense\": 0}",
                                       "{\"target\": \"score\"}",
                                       "{\"target\": \"label\", \"x\": 0}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = json_loads(bad[i], 0, NULL);
        if (heed__head_read(&back, o, "x", &err) != HEED_EFORMAT) fail_msg("%s", bad[i]);
        json_decref(o);
    }
}

static void test_hidden_units(void **state) {
    (void)state;
    enum { LEN = 40000, UNITS = 500 };
    static int32_t ids[LEN], before[LEN], again[LEN], at[LEN], was[LEN];
    for (int i = 0; i < LEN; i++) ids[i] = before[i] = again[i] = i % UNITS;
    const int64_t n = heed__hide_units(ids, LEN, UNITS, (uint64_t[]){ 3, 4 }, at, was);
    assert_int_equal(heed__hide_units(again, LEN, UNITS, (uint64_t[]){ 3, 4 }, at, was), n);
    assert_memory_equal(ids, again, sizeof ids);
    int64_t hidden = 0, other = 0, next = 0;
    for (int i = 0; i < LEN; i++) {
        const bool chosen = next < n && at[next] == i;
        if (!chosen) {
            assert_int_equal(ids[i], before[i]);
            continue;
        }
        assert_int_equal(was[next++], before[i]);
        hidden += ids[i] == UNITS;
        other += ids[i] != UNITS && ids[i] != before[i];
        assert_in_range(ids[i], 0, UNITS);
    }
    assert_int_equal(next, n);
    assert_true(labs(n - LEN * 15 / 100) < 300);
    assert_true(labs(hidden - n * 8 / 10) < 200);
    assert_true(labs(other - n / 10) < 120);
    int32_t one = 7;
    assert_int_equal(heed__hide_units(&one, 1, 9, (uint64_t[]){ 1, 1 }, at, was), 1);
    assert_int_equal(was[0], 7);
}

/* -- labels that are paths -------------------------------------------------------------------- */

static void test_parents(void **state) {
    (void)state;
    static const char *const text[] = { "a b", "a c", "d b", "d c", "e", "f" };
    static const char *const label[] = { "fruit/red/apple", "fruit/red/plum", "fruit/pear", "tea",
                                         "fruit",           "fruits/all" };
    heed_error err;
    const heed_classify_cfg cfg = { .recipe = "classic",
                                    .embed = 4,
                                    .hidden = 4,
                                    .heads = 1,
                                    .epochs = 2,
                                    .threads = 1,
                                    .hierarchy = true };
    const heed_examples data = { .len = 6, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classifier_levels(c), 2);
    /* in the order of their bytes: fruit, fruit/pear, fruit/red/apple, fruit/red/plum, fruits/all,
     * tea */
    const float probs[] = { 0.1f, 0.2f, 0.05f, 0.15f, 0.2f, 0.3f };
    size_t size;
    expect_near((double)heed_classifier_parent(c, probs, 3, 0, &size), 0.5, 1e-6);
    assert_int_equal(size, strlen("fruit"));
    expect_near((double)heed_classifier_parent(c, probs, 3, 1, &size), 0.2, 1e-6);
    assert_int_equal(size, strlen("fruit/red"));
    expect_near((double)heed_classifier_parent(c, probs, 5, 1, &size), 0.3, 1e-6);
    double accuracy[2] = { -1, -1 };
    assert_int_equal(heed_classifier_test_levels(c, &data, accuracy, 2, &err), 0);
    assert_in_range(accuracy[0] * 1000, 0, 1000);
    assert_in_range(accuracy[1] * 1000, 0, 1000);
    heed_labels_metrics m;
    heed_score_metrics s;
    assert_int_equal(heed_classifier_test_labels(c, &data, &m, &err), HEED_EINVALID);
    assert_string_equal(err.msg, "test: this model gives one label, not several labels");
    assert_int_equal(heed_classifier_test_score(c, &data, &s, &err), HEED_EINVALID);
    heed_classifier_close(c);
}

/* Recipes are found by name and number, and by no other. */
static void test_recipes(void **state) {
    (void)state;
    for (int i = 0; heed_recipe_name(i); i++)
        assert_string_equal(heed__body_kind_find(heed_recipe_name(i))->name, heed_recipe_name(i));
    assert_null(heed_recipe_name(-1));
    assert_null(heed_recipe_name(1000));
    assert_null(heed__body_kind_find("bert"));
    assert_non_null(heed__body_kind_find("classic"));
    assert_non_null(heed__body_kind_find("encoder"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),  cmocka_unit_test(test_score),
        cmocka_unit_test(test_huber),   cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_config),  cmocka_unit_test(test_hidden_units),
        cmocka_unit_test(test_parents), cmocka_unit_test(test_recipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
