/* Measures of a classifier's answers against scikit-learn's and SciPy's (make/metrics.py), and
 * their intervals. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/metrics.h"

enum { MOST = 128, CASES = 8, WIDEST = 32 };

typedef struct given {
    char name[16];
    int n, classes;
    int32_t right[MOST];
    float probs[MOST * WIDEST], score[MOST];
    heed_outcome o[MOST];
    heed_metrics m;
} given;

static given all[CASES];
static int len;

static double measure(const heed_metrics *m, const char *key) {
    if (strcmp(key, "accuracy") == 0) return m->accuracy;
    if (strcmp(key, "macro_f1") == 0) return m->macro_f1;
    if (strcmp(key, "loss") == 0) return m->loss;
    if (strcmp(key, "ece") == 0) return m->ece;
    assert_string_equal(key, "auc");
    return m->auc;
}

static void read_case(FILE *in, const char *line) {
    assert_true(len < CASES);
    given *g = &all[len++];
    assert_int_equal(sscanf(line, "case %15s %d %d", g->name, &g->n, &g->classes), 3);
    assert_true(g->n <= MOST && g->classes <= WIDEST);
    for (int i = 0; i < g->n; i++) {
        assert_int_equal(fscanf(in, "%d", &g->right[i]), 1);
        for (int k = 0; k < g->classes; k++)
            assert_int_equal(fscanf(in, "%f", &g->probs[i * g->classes + k]), 1);
        g->score[i] = g->probs[i * g->classes + 1];
    }
    assert_int_equal(fgetc(in), '\n');
    heed__outcomes(g->o, g->probs, g->right, g->n, g->classes);
    assert_int_equal(
        heed__metrics(&g->m, g->o, g->classes == 2 ? g->score : NULL, g->n, g->classes, NULL), 0);
}

static const given *find(const char *name) {
    for (int i = 0; i < len; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    fail_msg("no case %s", name);
    return NULL;
}

static void check_pair(const char *line) {
    char a[16], b[16];
    int only_a, only_b;
    double p;
    heed_comparison c;
    assert_int_equal(sscanf(line, "pair %15s %15s %d %d %lf", a, b, &only_a, &only_b, &p), 5);
    assert_int_equal(heed__compare(&c, find(a)->o, find(b)->o, find(a)->n, NULL), 0);
    assert_int_equal(c.only_first, only_a);
    assert_int_equal(c.only_second, only_b);
    assert_true(fabs(c.p - p) < 1e-9);
    assert_true(c.difference_95.low < c.difference && c.difference < c.difference_95.high);
}

static void test_golden(void **state) {
    (void)state;
    char line[512], key[16];
    double want;
    int checked = 0;
    FILE *in = fopen("tests/golden/metrics.txt", "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        if (strncmp(line, "case", 4) == 0) {
            read_case(in, line);
        } else if (strncmp(line, "pair", 4) == 0) {
            check_pair(line);
        } else {
            assert_int_equal(sscanf(line, "want %15s %lf", key, &want), 2);
            const double got = measure(&all[len - 1].m, key);
            if (!(fabs(got - want) < 1e-6))
                fail_msg("%s: %s is %.9g, not %.9g", all[len - 1].name, key, got, want);
            checked++;
        }
    }
    fclose(in);
    assert_int_equal(checked, 22);
}

/* The bootstrap's interval of an accuracy lies where the normal approximation has it. */
static void test_intervals(void **state) {
    (void)state;
    const given *g = find("two");
    const double p = g->m.accuracy, half = 1.96 * sqrt(p * (1 - p) / g->n);
    assert_true(fabs(g->m.accuracy_95.low - (p - half)) < 0.03);
    assert_true(fabs(g->m.accuracy_95.high - (p + half)) < 0.03);
    assert_true(g->m.auc_95.low < g->m.auc && g->m.auc < g->m.auc_95.high);
    assert_true(g->m.loss_95.low < g->m.loss && g->m.loss < g->m.loss_95.high);
    assert_true(isnan(find("five")->m.auc));
    for (int i = 0; i < len; i++)
        assert_true(all[i].m.ece_95.low <= all[i].m.ece && all[i].m.ece <= all[i].m.ece_95.high);
    heed_metrics again;
    assert_int_equal(heed__metrics(&again, g->o, g->score, g->n, 2, NULL), 0);
    assert_memory_equal(&again, &g->m, sizeof again);
}

/* Answers that are as often right as they say: resamples seem worse, and the interval does not. */
static void test_well_calibrated(void **state) {
    (void)state;
    enum { N = 480 };
    heed_outcome *o = calloc(N, sizeof *o);
    for (int i = 0; i < N; i++)
        o[i] = (heed_outcome){ .confidence = 0.75F, .loss = 1, .right = i % 4 == 0 };
    heed_metrics m;
    assert_int_equal(heed__metrics(&m, o, NULL, N, 2, NULL), 0);
    assert_true(m.ece < 1e-6 && m.ece_95.low <= m.ece && m.ece <= m.ece_95.high);
    assert_true(m.ece_95.high < 0.05);
    free(o);
}

/* All right: no resample differs, and the interval still is not a point. */
static void test_all_right(void **state) {
    (void)state;
    const int32_t right[3] = { 0, 1, 0 };
    const float probs[6] = { 0.9F, 0.1F, 0.2F, 0.8F, 1, 0 };
    heed_outcome o[3];
    heed_metrics m;
    heed__outcomes(o, probs, right, 3, 2);
    assert_int_equal(heed__metrics(&m, o, NULL, 3, 2, NULL), 0);
    assert_true(m.accuracy >= 1 && m.accuracy_95.low < 0.5 && m.accuracy_95.high >= 1);
    assert_true(isnan(m.auc));
}

/* Labels that are answers and never right (a model that knows more than the set asks for): the
 * interval of macro-F1 holds macro-F1, though a resample draws few of them. */
static void test_other_labels(void **state) {
    (void)state;
    enum { N = 200, K = 42 };
    heed_outcome o[N];
    for (int i = 0; i < N; i++)
        o[i] = (heed_outcome){ .right = i % 2,
                               .said = i % 5 ? i % 2 : 2 + i / 5,
                               .confidence = 0.5F };
    heed_metrics m;
    assert_int_equal(heed__metrics(&m, o, NULL, N, K, NULL), 0);
    assert_true(m.macro_f1 < 0.05);
    assert_true(m.macro_f1_95.low < m.macro_f1 && m.macro_f1 < m.macro_f1_95.high);
}

/* A label that the model does not have is wrong, and in no loss. */
static void test_unknown(void **state) {
    (void)state;
    const int32_t right[2] = { 0, -1 };
    const float probs[4] = { 0.5F, 0.5F, 0.1F, 0.9F };
    heed_outcome o[2];
    heed_metrics m;
    heed__outcomes(o, probs, right, 2, 2);
    assert_int_equal(heed__metrics(&m, o, NULL, 2, 2, NULL), 0);
    assert_int_equal(m.unknown_labels, 1);
    assert_true(fabs(m.accuracy - 0.5) < 1e-12 && fabs(m.loss - log(2)) < 1e-6);
    assert_true(fabs(m.macro_f1 - 1.0 / 3) < 1e-12);
    o[0].right = -2; /* another such label: 0, 1, -1 and -2, none ever right */
    assert_int_equal(heed__metrics(&m, o, NULL, 2, 2, NULL), 0);
    assert_true(m.unknown_labels == 2 && m.macro_f1 <= 0);
    o[0].right = 0, o[0].said = 0, o[1].right = -2;
    assert_int_equal(heed__metrics(&m, o, NULL, 2, 2, NULL), 0);
    assert_true(fabs(m.macro_f1 - 1.0 / 4) < 1e-12 && m.macro_f1_95.high <= 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),          cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_well_calibrated), cmocka_unit_test(test_all_right),
        cmocka_unit_test(test_other_labels),    cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
