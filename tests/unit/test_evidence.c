/* test_evidence.c: features that tell labels apart weigh more than those as rare that do not. */
#include "cmocka_all.h"

#include <math.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telling_features_weigh_more),
        cmocka_unit_test(texts_with_several_labels_count_for_each),
        cmocka_unit_test(one_label_alone_tells_nothing),
        cmocka_unit_test(labels_are_not_counted_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
