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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telling_features_weigh_more),
        cmocka_unit_test(texts_with_several_labels_count_for_each),
        cmocka_unit_test(one_label_alone_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
