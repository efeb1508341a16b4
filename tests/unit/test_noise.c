/* Texts changed a little: what each change may do, that there is one, that UTF-8 stays whole. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/noise.h"

static const char *const texts[] = { "my new card has not arrived yet, where is it?",
                                     "我的卡还没有到",
                                     "Größe und Übermut tun selten gut",
                                     "word",
                                     "a b",
                                     "\xf0\x9f\x98\x80 ok ok ok" };
enum { TEXTS = sizeof texts / sizeof *texts, TIMES = 200 };

static size_t count(const char *text, char c) {
    size_t n = 0;
    for (; *text; text++) n += *text == c;
    return n;
}

static int by_byte(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static void same_letters(const char *a, const char *b) {
    char x[256], y[256];
    assert_int_equal(strlen(a), strlen(b));
    strcpy(x, a);
    strcpy(y, b);
    qsort(x, strlen(x), 1, by_byte);
    qsort(y, strlen(y), 1, by_byte);
    assert_string_equal(x, y);
}

static void test_changes(void **state) {
    (void)state;
    for (int kind = 0; kind <= HEED_NOISE_DROP; kind++)
        for (int i = 0; i < TEXTS; i++) {
            heed_rng rng = { .seed = 4 };
            int changed = 0;
            for (int t = 0; t < TIMES; t++) {
                char *got = heed__noise((heed_noise)kind, texts[i], &rng, NULL);
                assert_non_null(got);
                assert_int_equal(heed__utf8_check(got, strlen(got)), strlen(got));
                assert_true(strlen(got) > 0);
                if (kind == HEED_NOISE_SWAP) same_letters(got, texts[i]);
                if (kind == HEED_NOISE_DROP) assert_true(strlen(got) <= strlen(texts[i]));
                if (kind == HEED_NOISE_TYPO)
                    assert_int_equal(count(got, ','), count(texts[i], ','));
                changed += strcmp(got, texts[i]) != 0;
                heed__free(NULL, got);
            }
            if (i == 0) assert_true(changed > TIMES * 9 / 10);
            if (i == 1 && kind != HEED_NOISE_TYPO) assert_true(changed > TIMES / 2);
        }
}

static void test_edges(void **state) {
    (void)state;
    heed_rng rng = { .seed = 1 }, again = { .seed = 1 };
    for (int kind = 0; kind <= HEED_NOISE_DROP; kind++) {
        char *empty = heed__noise((heed_noise)kind, "", &rng, NULL);
        char *space = heed__noise((heed_noise)kind, "  \n", &rng, NULL);
        assert_string_equal(empty, "");
        assert_string_equal(space, "  \n");
        heed__free(NULL, empty);
        heed__free(NULL, space);
    }
    rng = again;
    char *a = heed__noise(HEED_NOISE_TYPO, texts[0], &rng, NULL);
    char *b = heed__noise(HEED_NOISE_TYPO, texts[0], &again, NULL);
    assert_string_equal(a, b);
    heed__free(NULL, a);
    heed__free(NULL, b);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes),
                                        cmocka_unit_test(test_edges) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
