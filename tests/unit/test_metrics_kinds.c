/* test_metrics_kinds.c: measures of several labels and of scores against scikit-learn's, and their
 * intervals against NumPy's bootstrap (tests/golden/make/metrics_kinds.py prints the numbers). */
#include "cmocka_all.h"

#include <math.h>

#include "tasks/metrics_kinds.h"

enum { N = 200, K = 5 };

typedef struct wanted {
    double value, low, high;
} wanted;

/* Ends of an interval vary with what is drawn by a few hundredths of its width, and by a text. */
static void expect(const wanted *w, double value, heed_interval i, int which) {
    const double slack = 0.12 * (w->high - w->low) + 1.0 / N;
    if (fabs(value - w->value) > 1e-6 * (1 + fabs(w->value)))
        fail_msg("measure %d is %.9g instead of %.9g", which, value, w->value);
    if (fabs(i.low - w->low) > slack || fabs(i.high - w->high) > slack)
        fail_msg("measure %d: %.5f to %.5f instead of %.5f to %.5f", which, i.low, i.high, w->low,
                 w->high);
}

static float prob[N * K];
static int32_t label[N * K];
static int64_t start[N + 1];

static void fill(void) {
    int64_t at = 0;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < K; k++) {
            const int p = (i * 37 + k * 61) % 101;
            prob[i * K + k] = (float)(p / 100.0);
            if ((i * 13 + k * 7 + (p > 35) * 40) % 53 > 30) label[at++] = k;
        }
        start[i + 1] = at;
    }
}

static void several_labels(void **state) {
    (void)state;
    static const wanted want[] = {
        { 1.727559899, 1.33443, 2.15526 }, { 0.015000000, 0.00000, 0.03500 },
        { 0.407114625, 0.37196, 0.44182 }, { 0.496385542, 0.45970, 0.53453 },
        { 0.447339848, 0.41341, 0.48021 }, { 0.447357147, 0.41266, 0.47990 },
        { 0.254650000, 0.23123, 0.28050 },
    };
    heed_labels_metrics m;
    const heed_label_rows right = { .start = start, .label = label };
    fill();
    assert_int_equal(heed__labels_metrics(&m, prob, &right, N, K, NULL), 0);
    const double value[] = { m.loss, m.exact, m.precision, m.recall, m.f1, m.macro_f1, m.ece };
    const heed_interval i95[] = { m.loss_95, m.exact_95,    m.precision_95, m.recall_95,
                                  m.f1_95,   m.macro_f1_95, m.ece_95 };
    for (int k = 0; k < 7; k++) expect(&want[k], value[k], i95[k], k);
    assert_int_equal(m.unknown_labels, 0);
}

/* A label that the model does not have is missed, its text is not right, and macro-F1 has its 0. */
static void unknown_labels(void **state) {
    (void)state;
    const float p[] = { 0.9f, 0.1f, 0.2f, 0.8f };
    const int32_t right[] = { 0, 1, -1 };
    const int64_t first[] = { 0, 1, 3 };
    const heed_label_rows rows = { .start = first, .label = right, .unknown = 1 };
    heed_labels_metrics m;
    assert_int_equal(heed__labels_metrics(&m, p, &rows, 2, 2, NULL), 0);
    assert_int_equal(m.unknown_labels, 1);
    assert_float_equal(m.exact, 0.5, 1e-12);
    assert_float_equal(m.precision, 1, 1e-12);
    assert_float_equal(m.recall, 2.0 / 3, 1e-12);
    assert_float_equal(m.macro_f1, 2.0 / 3, 1e-12);
    assert_true(m.exact_95.low <= 0.5 && m.exact_95.high >= 0.5);
}

static void scores(void **state) {
    (void)state;
    static const wanted want[] = {
        { 1.258671886, 1.10593, 1.40220 },
        { 0.970625007, 0.89250, 1.04375 },
        { 0.701727685, 0.64635, 0.74946 },
        { 0.865847584, 0.84211, 0.88836 },
    };
    double right[N];
    float said[N];
    for (int i = 0; i < N; i++) {
        right[i] = (i * 29 % 71) / 10.0;
        said[i] = (float)(right[i] + (i * 17 % 31 - 15) / 8.0);
    }
    heed_score_metrics m;
    assert_int_equal(heed__score_metrics(&m, right, said, N, NULL), 0);
    const double value[] = { m.mse, m.mae, m.r2, m.pearson };
    const heed_interval i95[] = { m.mse_95, m.mae_95, m.r2_95, m.pearson_95 };
    for (int k = 0; k < 4; k++) expect(&want[k], value[k], i95[k], k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_labels),
        cmocka_unit_test(unknown_labels),
        cmocka_unit_test(scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
