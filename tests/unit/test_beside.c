/* test_beside.c: features beside texts: learnt and kept, the same bits alone and among others and
 * on every machine, steps read in their order, and refused where they are not as the model reads
 * them. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heed/tasks.h"

enum { N = 80, T = 6, F = 3 };

static char words[N][16];
static const char *text[N], *label[N];
static float steps[N * T * F];
static const heed_array array = { steps, T, F, true };

/* Of two steps with a mark the one that comes first tells the label. */
static int make(void **state) {
    (void)state;
    heed_rng rng = { .seed = 11 };
    for (int i = 0; i < N; i++) {
        const int side = i % 2, a = (int)heed_rng_below(&rng, 3),
                  b = 3 + (int)heed_rng_below(&rng, 3);
        for (int k = 0; k < T * F; k++) steps[i * T * F + k] = 0.1f * heed_rng_normal(&rng);
        steps[(i * T + a) * F + side] += 2;
        steps[(i * T + b) * F + 1 - side] += 2;
        snprintf(words[i], sizeof words[i], "word %d", i % 5);
        text[i] = words[i];
        label[i] = side ? "late" : "early";
    }
    return 0;
}

static heed_classifier *train(const heed_array *x, const char *isa) {
    const heed_classify_cfg cfg = { .threads = 1, .isa = isa, .embed = 16, .epochs = 8, .seed = 3 };
    const heed_examples data = { .len = N, .text = text, .label = label, .array = x };
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static void test_order(void **state) {
    (void)state;
    heed_classifier *c = train(&array, NULL);
    const heed_examples data = { .len = N, .text = text, .label = label, .array = &array };
    heed_metrics m;
    heed_error err = { 0 };
    bool sequence = false;
    assert_int_equal(heed_classifier_array(c, &sequence), F);
    assert_true(sequence);
    assert_int_equal(heed_classifier_test(c, &data, &m, &err), 0);
    print_message("accuracy %.3f\n", m.accuracy);
    assert_true(m.accuracy > 0.9);
    heed_classifier_close(c);
}

/* One by one, all together, explained and on another machine: the same bits. */
static void test_bits(void **state) {
    (void)state;
    heed_classifier *c = train(&array, NULL), *other = train(&array, "scalar");
    static float all[N * 2], same[N * 2], one[2];
    heed_error err = { 0 };
    const heed_examples data = { .len = N, .text = text, .array = &array };
    assert_int_equal(heed_classify_examples(c, &data, all, &err), 0);
    assert_int_equal(heed_classify_examples(other, &data, same, &err), 0);
    assert_memory_equal(all, same, sizeof all);
    for (int i = 0; i < N; i += 13) {
        heed_array row = array;
        row.data += i * T * F;
        const heed_examples x = { .len = 1, .text = text + i, .array = &row };
        assert_int_equal(heed_classify_examples(c, &x, one, &err), 0);
        assert_memory_equal(one, all + 2 * i, sizeof one);
        heed_label top;
        heed_explanation e = { .top = &top, .top_cap = 1, .array = row };
        assert_int_equal(heed_classify_explain(c, text[i], &e, &err), 0);
        assert_true(top.score == one[0] || top.score == one[1]);
    }
    heed_classifier_close(c);
    heed_classifier_close(other);
}

static void refused(heed_classifier *c, const heed_array *x, const char *said) {
    float out[2];
    heed_error err = { 0 };
    const heed_examples data = { .len = 1, .text = text, .array = x };
    assert_int_equal(heed_classify_examples(c, &data, out, &err), HEED_EINVALID);
    assert_string_equal(err.msg, said);
}

static void test_refused(void **state) {
    (void)state;
    const heed_array flat = { steps, 1, F, false }, wide = { steps, T, F + 1, true };
    heed_classifier *c = train(&array, NULL), *plain = train(NULL, NULL), *one = train(&flat, NULL);
    refused(c, NULL,
            "classifier: this model reads 3 features beside each text, and none are given");
    refused(c, &wide, "classifier: 4 features are given for a model that reads 3");
    refused(c, &flat, "classifier: this model reads features in steps");
    refused(one, &array, "classifier: this model reads features without steps");
    refused(plain, &flat, "classifier: this model reads texts alone, no features beside them");
    heed_label top;
    heed_error err = { 0 };
    assert_int_equal(heed_classify(c, text[0], &top, 1, &err), HEED_EINVALID);
    heed_explanation two[2] = { { .array = array }, { .array = flat } };
    assert_int_equal(heed_classify_explain_many(c, 2, text, two, &err), HEED_EINVALID);
    const heed_array none = { steps, 1, 0, false };
    const heed_examples data = { .len = N, .text = text, .label = label, .array = &none };
    assert_null(heed_classifier_train(&data, &(heed_classify_cfg){ .threads = 1 }, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    heed_classifier_close(c);
    heed_classifier_close(plain);
    heed_classifier_close(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
