/* Calibration on answers whose truth is known: the temperature that was put in is found, sets of
 * labels hold the right one as often as the theory says, what is kept with a model comes back. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "tasks/calibration.h"
#include "tasks/metrics.h"

enum { N = 6000, K = 7 };

typedef struct world {
    float *logits; /* [N,K]: `hot` times those whose softmax the labels were drawn from */
    int32_t *right;
} world;

static world make(uint64_t seed, double hot) {
    world w = { malloc(sizeof(float) * N * K), malloc(sizeof(int32_t) * N) };
    heed_rng rng = { .seed = seed };
    for (int i = 0; i < N; i++) {
        double z[K], sum = 0;
        for (int k = 0; k < K; k++) {
            z[k] = 2 * (double)heed_rng_normal(&rng);
            sum += exp(z[k]);
            w.logits[i * K + k] = (float)(hot * z[k]);
        }
        double u = (double)heed_rng_uniform(&rng) * sum;
        int k = 0;
        while (k < K - 1 && (u -= exp(z[k])) > 0) k++;
        w.right[i] = k;
    }
    return w;
}

static void drop(world *w) {
    free(w->logits);
    free(w->right);
}

static void test_temperature(void **state) {
    (void)state;
    for (double hot = 0.25; hot <= 4; hot *= 4) {
        world w = make(3, hot);
        heed_calibration c = { 0 };
        assert_int_equal(heed__calibrate(&c, w.logits, w.right, N, K, NULL), 0);
        assert_true(fabs(c.temperature / hot - 1) < 0.05);
        assert_true(c.ece_after < 0.02);
        assert_true(fabs(hot - 1) < 1e-9 || c.ece_before > 5 * c.ece_after);
        heed__calibration_free(&c);
        drop(&w);
    }
}

/* What is believed beforehand: ln T about 1, more or less 0.7. */
static double loss(const world *w, int n, double temperature) {
    const double away = (log(temperature) - 1) / 0.7;
    double sum = away * away / 2;
    for (int i = 0; i < n; i++) {
        const float *z = w->logits + i * K;
        double all = 0;
        for (int k = 0; k < K; k++) all += exp((double)(z[k] - z[w->right[i]]) / temperature);
        sum += log(all);
    }
    return sum;
}

/* Whatever side the steps come from. */
static void test_no_other_temperature_is_better(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        const int n = 200;
        world w = make(seed, 0.5 + 0.1 * (double)seed);
        heed_calibration c = { 0 };
        assert_int_equal(heed__calibrate(&c, w.logits, w.right, n, K, NULL), 0);
        const double least = loss(&w, n, c.temperature);
        assert_true(least <= loss(&w, n, c.temperature * 1.001));
        assert_true(least <= loss(&w, n, c.temperature * 0.999));
        heed__calibration_free(&c);
        drop(&w);
    }
}

/* The slope of what is minimised, with what is believed beforehand, at 1/T = b: two logits 1 apart
 * either way, the right one in p of n. */
static double slope_at(double b, double p, double n) {
    return n * (1 - p - 1 / (1 + exp(b))) + (log(b) + 1) / (0.49 * b);
}

/* The search ends where that slope is 0, to its last step, whatever p; near ln (p / (1 - p)). */
static void test_inverse_temperature(void **state) {
    (void)state;
    enum { TEXTS = 1000 };
    static float z[2 * TEXTS];
    static int32_t right[TEXTS];
    for (int wrong = 20; wrong < 500; wrong++) {
        for (int i = 0; i < TEXTS; i++) {
            z[2 * i] = (float)(i % 2);
            z[2 * i + 1] = (float)(1 - i % 2);
            right[i] = (i % 2 == 0) != (i < wrong);
        }
        const double p = 1 - wrong / (double)TEXTS;
        double low = 0.05, high = 20;
        for (int i = 0; i < 100; i++) {
            const double middle = (low + high) / 2;
            *(slope_at(middle, p, TEXTS) > 0 ? &high : &low) = middle;
        }
        double loss = 0;
        const double b = heed__inverse_temperature(z, right, TEXTS, 2, &loss, NULL);
        assert_true(fabs(b - low) < 1e-6);
        assert_true(fabs(b - log(p / (1 - p))) < 0.1);
        const double least = -p * log(p) - (1 - p) * log(1 - p);
        assert_true(loss < least + 0.01 && loss > least - 1e-9);
    }
}

/* Coverage on fresh texts follows a beta-binomial law; 99.9 % of it lies within 4.5 deviations. */
static void test_coverage(void **state) {
    (void)state;
    world w = make(5, 1.7), fresh = make(6, 1.7);
    heed_calibration c = { 0 };
    assert_int_equal(heed__calibrate(&c, w.logits, w.right, N, K, NULL), 0);
    assert_int_equal(c.len, HEED_CALIBRATION_MOST);
    const double wanted[] = { 0.8, 0.9, 0.95, 0.99 };
    for (size_t j = 0; j < 4; j++) {
        const double limit = heed__coverage_limit(&c, wanted[j]), p = wanted[j];
        int held = 0, kept = 0;
        for (int i = 0; i < N; i++) {
            float probs[K];
            heed__calibrated(&c, fresh.logits + i * K, probs, K);
            held += heed__covered(probs[fresh.right[i]], limit);
            for (int k = 0; k < K; k++) kept += heed__covered(probs[k], limit);
        }
        const double off = fabs((double)held / N - p);
        assert_true(off < 4.5 * sqrt(p * (1 - p) * (1.0 / N + 1.0 / (double)c.len)));
        assert_true(kept < N * K * 9 / 10);
    }
    assert_true(isinf(heed__coverage_limit(&c, 0.9999)));
    heed__calibration_free(&c);
    drop(&w);
    drop(&fresh);
}

/* Nineteen examples promise 95 %: the limit is the worst of them; eighteen promise nothing. */
static void test_few(void **state) {
    (void)state;
    world w = make(8, 1);
    heed_calibration c = { 0 };
    assert_int_equal(heed__calibrate(&c, w.logits, w.right, 19, K, NULL), 0);
    assert_true(heed__coverage_limit(&c, 0.95) >= c.score[18] &&
                heed__coverage_limit(&c, 0.95) <= c.score[18]);
    assert_int_equal(heed__calibrate(&c, w.logits, w.right, 18, K, NULL), 0);
    assert_true(isinf(heed__coverage_limit(&c, 0.95)));
    assert_true(heed__covered(0, (double)INFINITY));
    heed__calibration_free(&c);
    drop(&w);
}

/* How many examples a promise needs and what so many promise, as the limit says: the largest
 * score where there are just enough, and every label where one more is missing. */
static void test_needed(void **state) {
    (void)state;
    static const double wanted[] = { 0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999 };
    static double score[10000];
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        heed_calibration c = { .len = heed__coverage_needs(wanted[i]), .score = score };
        assert_true(c.len >= 1 && c.len < 10000);
        assert_true(isfinite(heed__coverage_limit(&c, wanted[i])));
        assert_true(heed__coverage_most(c.len) >= wanted[i] - 1e-12);
        c.len--;
        assert_true(isinf(heed__coverage_limit(&c, wanted[i])));
        assert_true(heed__coverage_most(c.len) < wanted[i]);
    }
    for (int64_t n = 1; n < 10000; n++) {
        const heed_calibration c = { .len = n, .score = score };
        assert_true(isfinite(heed__coverage_limit(&c, heed__coverage_most(n))));
        assert_true(heed__coverage_needs(heed__coverage_most(n)) == n);
    }
    assert_true(heed__coverage_needs(1) == INT64_MAX);
    assert_true(heed__coverage_most(0) >= 0 && heed__coverage_most(0) <= 0);
}

static void test_scope(void **state) {
    (void)state;
    world w = make(9, 1);
    heed_calibration c = { 0 };
    assert_int_equal(heed__calibrate(&c, w.logits, w.right, 1000, K, NULL), 0);
    const double limit = heed__scope_limit(&c, 0.95);
    int in = 0;
    for (int i = 0; i < 1000; i++) in += heed__scope_score(w.logits + i * K, K) >= limit;
    assert_int_equal(in, 950);
    const float flat[K] = { -3, -3, -3, -3, -3, -3, -3 };
    assert_true(heed__scope_score(flat, K) < limit);
    assert_true(fabs(heed__scope_score(flat, K) - (log(7) - 3)) < 1e-12);
    heed__calibration_free(&c);
    drop(&w);
}

/* Of a model that was always right and sure the coldest temperature has the least loss; but two
 * examples are too few to believe it, and thousands are not. */
static void test_edges(void **state) {
    (void)state;
    const float z[4] = { 5, 0, 0, 5 }, bad[2] = { 1, NAN };
    const int32_t right[2] = { 0, 1 }, none[2] = { -1, -1 };
    heed_calibration c = { 0 };
    heed_error err;
    assert_int_equal(heed__calibrate(&c, z, right, 2, 2, &err), 0);
    assert_true(c.temperature > 1.5 && c.temperature < 2.72);
    enum { MANY = 4000 };
    float *sure = calloc(MANY, 2 * sizeof *sure);
    int32_t *first = calloc(MANY, sizeof *first);
    for (int i = 0; i < MANY; i++) sure[2 * i] = 1;
    heed_calibration d = { 0 };
    assert_int_equal(heed__calibrate(&d, sure, first, MANY, 2, &err), 0);
    assert_true(d.temperature >= 0.05 && d.temperature < 0.3);
    heed__calibration_free(&d);
    free(sure);
    free(first);
    assert_int_equal(heed__calibrate(&c, z, none, 2, 2, &err), HEED_EINVALID);
    assert_string_equal(err.msg, "calibrate: there is no example");
    assert_int_equal(heed__calibrate(&c, bad, right, 1, 2, &err), HEED_EINVALID);
    assert_string_equal(err.msg, "calibrate: the logit of label 1 of example 0 is not finite");
    heed__calibration_free(&c);
}

static void test_kept(void **state) {
    (void)state;
    world w = make(10, 2);
    heed_calibration c = { 0 }, back = { 0 };
    heed_error err;
    assert_int_equal(heed__calibrate(&c, w.logits, w.right, 300, K, NULL), 0);
    json_t *o = heed__calibration_to_json(&c);
    size_t len;
    char *text = heed__json_text(NULL, o, false, &len, NULL);
    json_decref(o);
    o = heed__json_parse(text, len, "m", &err);
    assert_int_equal(heed__calibration_from_json(&back, o, "m", &err), 0);
    assert_memory_equal(&back.temperature, &c.temperature, sizeof c.temperature);
    assert_int_equal(back.len, 300);
    assert_memory_equal(back.score, c.score, 300 * sizeof *c.score);
    assert_memory_equal(back.scope, c.scope, 300 * sizeof *c.scope);
    json_t *scores = json_incref(json_object_get(o, "scores"));
    json_object_set_new(o, "scores", json_array()); /* none, beside 300 of scope */
    assert_int_equal(heed__calibration_from_json(&back, o, "m", &err), HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "m: scope is not a list of"));
    assert_int_equal(back.len, 0);
    json_object_set_new(o, "scores", scores);
    json_array_set_new(scores, 7, json_string("x"));
    assert_int_equal(heed__calibration_from_json(&back, o, "m", &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "m: number 7 of scores is none, or smaller than the one before");
    json_object_set_new(o, "temperature", json_real(0));
    assert_int_equal(heed__calibration_from_json(&back, o, "m", &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "m: temperature is not 0.05 to 20");
    json_object_del(o, "scope");
    assert_int_equal(heed__calibration_from_json(&back, o, "m", &err), HEED_EFORMAT);
    json_decref(o);
    heed__free(NULL, text);
    heed__calibration_free(&back);
    heed__calibration_free(&c);
    drop(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_no_other_temperature_is_better),
        cmocka_unit_test(test_inverse_temperature),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_needed),
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
