/* test_evidence.c: features that tell labels apart weigh more than those as rare that do not. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tasks/evidence.h"

/* Four texts: feature 0 in both of label 0, feature 1 in one of each, feature 2 in none. */
static int64_t start[] = { 0, 1, 2, 3, 4 }, bag[] = { 0, 3, 4, 5, 5 };
static int32_t feature[] = { 0, 1, 0, 0, 1 }, label[] = { 0, 0, 1, 1 };

static void weigh(float idf[3], const heed_body_goal *goal) {
    heed_feature_index x = { .len = 3, .idf = idf };
    const heed_rows rows = { .len = 4, .start = start, .bag = bag, .feature = feature };
    assert_int_equal(heed__evidence_weights(&x, &rows, goal), 0);
}

static void telling_features_weigh_more(void **state) {
    (void)state;
    float w[3] = { 7, 7, 7 };
    weigh(w, &(heed_body_goal){ .classes = 2, .label = label });
    const double expected = (log(2) + 1) * sqrt(log(5)); /* (2/2 + 1/4) / (0/2 + 1/4) = 5 */
    assert_true(fabs((double)w[0] - expected) < 1e-6);
    assert_true(w[1] > 0 && w[1] < 0.01f); /* as often with one as with the other */
    assert_true(w[2] == 7);                /* nothing is known of it */
    float again[3] = { w[0], w[1], w[2] };
    weigh(again, &(heed_body_goal){ .classes = 2, .label = label });
    assert_memory_equal(again, w, sizeof w); /* a second time changes nothing */
}

static void texts_with_several_labels_count_for_each(void **state) {
    (void)state;
    static const int32_t several[] = { 0, 0, 1, 1, 1 };
    static const int64_t first[] = { 0, 1, 3, 4, 5 }; /* text 1 has both */
    float one[3] = { 0 }, both[3] = { 0 };
    weigh(one, &(heed_body_goal){ .classes = 2, .label = label });
    weigh(both, &(heed_body_goal){ .classes = 2, .label = several, .label_start = first });
    assert_true(both[0] < one[0] && both[0] > 0.5f);
}

static void one_label_alone_tells_nothing(void **state) {
    (void)state;
    static const int32_t same[] = { 0, 0, 0, 0 };
    float w[3] = { 1, 1, 1 };
    weigh(w, &(heed_body_goal){ .classes = 1, .label = same });
    assert_true(isfinite(w[0]) && w[0] > 0 && w[1] > 0);
}

/* Freedom s is as good as vectors that are √s as long, column by column. */
static void freedom_is_length(void **state) {
    (void)state;
    static int64_t at[] = { 0, 2, 4, 5, 6, 8 };
    static int32_t id[] = { 0, 1, 1, 2, 2, 0, 0, 2 };
    static const int32_t labels[] = { 0, 1, 2, 0, 1 };
    static const float freedom[] = { 4, 1, 0.25f, 0, 2.25f, 1, 1, 9, 0.0625f }; /* [3,3] */
    float value[] = { 1, 0.5f, 0.75f, 1, 0.5f, 1, 0.25f, 1 }, scaled[8];
    const heed_sparse_rows x = { .len = 5, .start = at, .id = id, .value = value };
    const heed_sparse_rows y = { .len = 5, .start = at, .id = id, .value = scaled };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    heed_margin m = { .rows = 3, .cols = 3 };
    heed_margin_cfg cfg = { .passes = 20, .gap = 1e-9, .seed = 3, .freedom = freedom };
    assert_int_equal(heed__margin_fit(cx, &m, &x, labels, NULL, &cfg), 0);
    cfg.freedom = NULL;
    for (int c = 0; c < 3; c++) {
        heed_margin plain = { .rows = 3, .cols = 3 };
        for (int k = 0; k < 8; k++) scaled[k] = value[k] * sqrtf(freedom[id[k] * 3 + c]);
        assert_int_equal(heed__margin_fit(cx, &plain, &y, labels, NULL, &cfg), 0);
        for (int f = 0; f < 3; f++) {
            const float same = sqrtf(freedom[f * 3 + c]) * plain.weight[f * 3 + c];
            assert_true(fabsf(m.weight[f * 3 + c] - same) < 1e-5f);
        }
        assert_true(fabsf(m.bias[c] - plain.bias[c]) < 1e-5f);
        heed__margin_free(&plain);
    }
    assert_true(m.weight[3] == 0); /* no freedom at all */
    heed__margin_free(&m);
    heed_ctx_free(cx);
}

/* Three labels: what only one has is free for that one, and for the others as far as it tells. */
static void what_tells_a_label_is_free_for_it(void **state) {
    (void)state;
    static const int32_t three[] = { 0, 0, 1, 2 };
    float idf[3] = { 1, 1, 1 };
    const heed_feature_index x = { .len = 3, .idf = idf };
    const heed_rows rows = { .len = 4, .start = start, .bag = bag, .feature = feature };
    float *s = heed__evidence_freedom(&x, &rows, &(heed_body_goal){ .classes = 3, .label = three });
    assert_non_null(s);
    for (int f = 0; f < 2; f++) { /* the mean over the texts' labels is 1 */
        const float mean = 0.5f * s[3 * f] + 0.25f * s[3 * f + 1] + 0.25f * s[3 * f + 2];
        assert_true(fabsf(mean - 1) < 1e-5f);
    }
    assert_true(s[0] > s[1] && fabsf(s[1] - s[2]) < 1e-6f); /* feature 0: both of label 0 */
    heed__free(NULL, s);
}

/* The rarer of two labels gets half of ln (N_0 / N_1) on its side, no more than half of 1.5. */
static float bias_of(const int32_t *labels) {
    float idf[2] = { 1, 1 };
    heed_feature_index x = { .len = 2, .idf = idf, .kinds = { 0, 2, 2, 2 } };
    int64_t row[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, none[9] = { 0 };
    int32_t no[1] = { 0 };
    const heed_rows rows = { .len = 8, .start = row, .bag = none, .feature = no };
    const heed_body_goal goal = { .classes = 2, .label = labels };
    heed_sparse_rows s = { .len = 8, .start = none, .id = no };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    heed_evidence e = { .gain = 0 };
    heed_margin plain = { .rows = 2, .cols = 1 };
    assert_non_null(cx);
    assert_int_equal(heed__evidence_fit(cx, &e, &x, &rows, &goal, NULL), 0);
    assert_int_equal(heed__margin_fit(cx, &plain, &s, labels, NULL, &(heed_margin_cfg){ 0 }), 0);
    const float more = (e.margin.bias[0] - plain.bias[0]) * e.gain;
    heed__evidence_free(&e);
    heed__margin_free(&plain);
    heed_ctx_free(cx);
    return more;
}

static void labels_are_not_counted_twice(void **state) {
    (void)state;
    static const int32_t even[] = { 0, 1, 0, 1, 0, 1, 0, 1 }, rare[] = { 0, 1, 0, 0, 0, 1, 0, 0 },
                         rarer[] = { 0, 0, 0, 0, 0, 1, 0, 0 };
    assert_true(fabsf(bias_of(even)) < 1e-6f);
    assert_true(fabsf(bias_of(rare) - (float)log(3) / 2) < 1e-5f);
    assert_true(fabsf(bias_of(rarer) - 1.5f / 2) < 1e-5f);
}

/* Σ (1 + ln c) w W over words and runs at length 1, over pieces at length 1, and the bias; what a
 * word's pieces say is rounded to a 254th of its largest number. */
static void answers_are_the_plain_sum(void **state) {
    (void)state;
    enum { F = 6, K = 3 };
    static const float idf[F] = { 1.5f, 0.7f, 2, 0.3f, 1.1f, 0.9f };
    static float bias[K] = { 0.1f, -0.2f, 0.3f }, scale[F] = { 1, 0.5f, 0.25f, 2, 1, 0.1f };
    static int8_t number[F * K + 15] = {
        1, -2, 3, 4, 5, -6, 7, 8, 9, -10, 11, 12, 1, 2, -3, 4, 5, 6
    };
    /* word 0 with pieces 2, 3; word 1 with 2, 4 and run 5; word 0 again */
    static int64_t first[] = { 0, 3 }, of[] = { 0, 3, 7, 10 };
    static int32_t id[] = { 0, 2, 3, 1, 2, 4, 5, 0, 2, 3 };
    static const int times[F] = { 2, 1, 3, 2, 1, 1 };
    float mark[2 * F];
    for (int i = 0; i < F; i++) mark[2 * i] = idf[i], mark[2 * i + 1] = scale[i];
    const heed_feature_index x = { .len = F, .kinds = { 0, 2, 5, 6 } };
    const heed_rows rows = { .len = 1, .start = first, .bag = of, .feature = id };
    heed_evidence e = { .margin = { .rows = F, .cols = K, .bias = bias },
                        .scale = scale,
                        .number = number,
                        .mark = mark,
                        .gain = 4 };
    for (int c = 1; c < HEED_EVIDENCE_LOGS; c++) e.ln[c] = (float)(1 + log(c));
    double want[2][K] = { { 0 } }, square[2] = { 0 }, rounded = 0;
    for (int i = 0; i < F; i++) {
        const int piece = i >= 2 && i < 5;
        const double w = (1 + log(times[i])) * (double)idf[i];
        square[piece] += w * w;
        for (int k = 0; k < K; k++) want[piece][k] += w * (double)scale[i] * number[i * K + k];
    }
    static const int pieces[3][2] = { { 2, 3 }, { 2, 4 }, { 2, 3 } };
    for (int w = 0; w < 3; w++) {
        double most = 0;
        for (int k = 0; k < K; k++) {
            double sum = 0;
            for (int i = 0; i < 2; i++) {
                const int f = pieces[w][i];
                sum += (double)idf[f] * (double)scale[f] * number[f * K + k];
            }
            most = fmax(most, fabs(sum));
        }
        rounded += most / 254 / sqrt(square[1]);
    }
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    assert_non_null(cx);
    const heed_span span = heed__row(&rows, 0);
    const heed_tensor *y = heed__evidence_apply(cx, &e, &x, &rows, &(heed_spans){ &span, 1 }, NULL);
    assert_non_null(y);
    for (int k = 0; k < K; k++) {
        const double sum = (double)bias[k] + want[0][k] / sqrt(square[0]) +
                           want[1][k] / sqrt(square[1]);
        assert_true(fabs((double)HEED_F32_DATA(y)[k] - 4 * sum) < 4 * rounded + 1e-5);
    }
    heed_ctx_free(cx);
}

/* Blocks of so many bytes are not to be had. */
static void *all_but(void *user, size_t size) {
    const size_t *none = user;
    return size == *none ? NULL : malloc(size);
}

static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

/* Where the weights have no room, it is said of how many features and labels. */
static void what_is_too_large_is_told(void **state) {
    (void)state;
    static const int32_t labels[2][4] = { { 0, 0, 1, 1 }, { 0, 0, 1, 2 } };
    static const char *const want[2] = {
        "evidence: out of memory for what 3 features tell of 2 labels; a training without evidence "
        "does without it",
        "evidence: out of memory for what 3 features tell of 3 labels; a training without evidence "
        "does without it",
    };
    const heed_rows rows = { .len = 4, .start = start, .bag = bag, .feature = feature };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    assert_non_null(cx);
    for (int i = 0; i < 2; i++) {
        float idf[3] = { 1, 1, 1 };
        size_t weights = sizeof(float) * 3 * (i ? 3 : 1); /* of two labels one has them */
        heed_feature_index x = { .len = 3, .idf = idf };
        heed_error err = { 0 };
        heed_evidence e = {
            .margin.hooks = { .user = &weights, .alloc = all_but, .release = release }
        };
        const heed_body_goal goal = { .classes = 2 + i, .label = labels[i] };
        assert_int_equal(heed__evidence_fit(cx, &e, &x, &rows, &goal, &err), HEED_ENOMEM);
        assert_string_equal(err.msg, want[i]);
    }
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_large_is_told),
        cmocka_unit_test(freedom_is_length),
        cmocka_unit_test(what_tells_a_label_is_free_for_it),
        cmocka_unit_test(telling_features_weigh_more),
        cmocka_unit_test(texts_with_several_labels_count_for_each),
        cmocka_unit_test(one_label_alone_tells_nothing),
        cmocka_unit_test(answers_are_the_plain_sum),
        cmocka_unit_test(labels_are_not_counted_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
