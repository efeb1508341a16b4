/* test_counts.c: how many parameters positions cost: learned ones are a table; sinusoids and
 * rotations add none, however long. What a model says it has is the sum over its tensors. */
#include "cmocka_all.h"

#include <heed/models.h>

static int64_t numbers_with(heed_position_kind kind, int64_t max_len) {
    heed_error err = { 0 };
    heed_params *ps = heed_params_new(NULL, &err);
    heed_encoder_classifier m;
    const heed_model_cfg cfg = { .kind = HEED_MODEL_ENCODER,
                                 .vocab = 10,
                                 .dim = 16,
                                 .heads = 2,
                                 .layers = 2,
                                 .classes = 3,
                                 .position = kind,
                                 .max_len = max_len };
    assert_int_equal(heed_encoder_classifier_init(&m, ps, &cfg), 0);
    int64_t sum = 0;
    for (int64_t i = 0; i < heed_params_count(ps); i++) sum += heed_params_at(ps, i)->len;
    assert_int_equal(sum, heed_params_len(ps));
    heed_params_free(ps);
    return sum;
}

static void test_position_counts(void **state) {
    (void)state;
    const int64_t block = 4 * (256 + 16) + 16 * 64 + 64 + 64 * 16 + 16 + 4 * 16;
    const int64_t rest = 10 * 16 + 2 * block + 16 * 3 + 3;
    assert_int_equal(numbers_with(HEED_POSITION_SINUSOIDAL, 100), rest);
    assert_int_equal(numbers_with(HEED_POSITION_SINUSOIDAL, 5000), rest);
    assert_int_equal(numbers_with(HEED_POSITION_ROTARY, 5000), rest);
    assert_int_equal(numbers_with(HEED_POSITION_LEARNED, 100), rest + 100 * 16);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_position_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
