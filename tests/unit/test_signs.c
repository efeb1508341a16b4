/* test_signs.c: numbers tell how they stand to the number before; pairs of words far apart. */
#include "cmocka_all.h"

#include <string.h>

#include "text/features.h"

/* The signs of a text into hash[0..most), how many. */
static int64_t signs_of(const char *text, uint64_t *hash, int64_t most) {
    heed_signs s = { .len = 0 };
    heed_word word;
    const size_t size = strlen(text);
    heed__signs_begin(&s);
    for (size_t at = 0; heed__word_next(text, size, &at, &word);)
        assert_int_equal(heed__signs_add(&s, text, size, &word, (uint64_t)word.form[0], NULL), 0);
    const int64_t n = s.len;
    assert_true(n <= most);
    for (int64_t i = 0; i < n; i++) hash[i] = s.sign[i].hash;
    heed__signs_free(&s, NULL);
    return n;
}

static void a_number_is_one_sign(void **state) {
    (void)state;
    uint64_t h[8];
    assert_int_equal(signs_of("up 5.1 mn", h, 8), 3);
    assert_int_equal(signs_of("up 1,259.7 mn .", h, 8), 4);
    assert_int_equal(signs_of("5 . 1", h, 8), 3); /* apart */
    assert_int_equal(signs_of("10,", h, 8), 2);
}

static void numbers_are_compared(void **state) {
    (void)state;
    uint64_t a[8], b[8];
    /* first, less, more */
    assert_int_equal(signs_of("5.1 4.2 1,000", a, 8), 3);
    assert_int_equal(signs_of("36 17 20", b, 8), 3);
    assert_memory_equal(a, b, 3 * sizeof *a);
    assert_true(a[0] != a[1] && a[1] != a[2] && a[0] != a[2]);
    /* a year and a date stand beside; 4 is compared with 5 */
    assert_int_equal(signs_of("5 2009 1.2.2010 4", b, 8), 4);
    assert_true(b[0] == a[0] && b[3] == a[1] && b[1] != a[2] && b[2] != b[1]);
    /* a comma before three digits parts thousands, another the fraction */
    signs_of("2 1,500", a, 8);
    signs_of("2 1,5", b, 8);
    assert_true(a[1] != b[1]);
    signs_of("7 7.0", a, 8);
    assert_true(a[1] != b[1]); /* the same, not less */
}

static int64_t pairs(const char *text, int far) {
    const heed_feature_cfg cfg = { .run = 1, .ideograms = 1, .far = far };
    heed_features f = { .key = NULL };
    int64_t n = 0;
    assert_int_equal(heed__features_add(&f, &cfg, text, strlen(text)), 0);
    for (int64_t u = 0; u < f.units; u++) {
        bool last = false; /* pairs end a bag */
        for (int64_t k = f.bag[u]; k < f.bag[u + 1]; k++) {
            const bool pair = heed__feature_kind_of(f.key[k]) == HEED_FEATURE_PAIR;
            assert_true(pair || !last);
            last = pair;
            n += pair;
        }
    }
    heed__features_free(&f);
    return n;
}

static void pairs_are_of_words_far_apart(void **state) {
    (void)state;
    assert_int_equal(pairs("a b c d e", 0), 0);
    assert_int_equal(pairs("a b c d e", 3), 2);       /* a-d, b-e */
    assert_int_equal(pairs("a b c d e", 9), 3);       /* and a-e */
    assert_int_equal(pairs("a 5.1 b", 3), 2);         /* those with a number may be near */
    assert_int_equal(pairs("a b 5.1", 1), 1);         /* b-5.1 */
    assert_int_equal(pairs("a b c d 1,259.7", 4), 5); /* a-d, and each with the number */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_one_sign),
        cmocka_unit_test(numbers_are_compared),
        cmocka_unit_test(pairs_are_of_words_far_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
