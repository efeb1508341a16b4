/* test_tags.c: schemes of tags, and the laws of the inner one. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "tasks/tag_decode.h"
#include "tasks/tag_score.h"
#include "tasks/tags.h"

enum { MOST = 16 };

typedef struct sequence {
    heed_tag tag[MOST];
    heed_place place[MOST];
    int64_t n;
} sequence;

static heed_types types;

static int make_types(void **state) {
    (void)state;
    return heed__types_add(&types, "PER") || heed__types_add(&types, "LOC") ? -1 : 0;
}

static int free_types(void **state) {
    (void)state;
    heed__types_free(&types);
    return 0;
}

/* Tags parted by single spaces. */
static sequence read(const char *text) {
    sequence s = { .n = 0 };
    static char copy[256]; /* types point into it */
    snprintf(copy, sizeof copy, "%s", text);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        assert_true(s.n < MOST);
        assert_true(heed__tag_parse(word, &s.tag[s.n]));
        const char *type = s.tag[s.n].type;
        s.place[s.n] = (heed_place){ s.tag[s.n].place,
                                     *type ? heed__types_find(&types, type) : -1 };
        s.n++;
    }
    return s;
}

static void check_written(const char *text, heed_tag_scheme to, const char *want) {
    const sequence s = read(text);
    heed_chunk chunk[MOST];
    heed_place place[MOST];
    char line[256] = "", one[32];
    const int64_t count = heed__chunks(s.place, s.n, chunk);
    heed__chunk_tags(chunk, count, s.n, to, place);
    for (int64_t i = 0; i < s.n; i++) {
        if (i) strcat(line, " ");
        strcat(line, heed__tag_text(place[i], to, &types, one, sizeof one));
    }
    assert_string_equal(line, want);
}

static const char *const written[HEED_TAG_SCHEMES] = {
    "B-PER I-PER O B-LOC B-LOC I-LOC I-LOC B-PER", "I-PER I-PER O I-LOC B-LOC I-LOC I-LOC I-PER",
    "B-PER E-PER O S-LOC B-LOC I-LOC E-LOC S-PER", "B-PER E-PER O S-LOC B-LOC M-LOC E-LOC S-PER",
    "B-PER L-PER O U-LOC B-LOC I-LOC L-LOC U-PER",
};

static void every_scheme_becomes_every_other(void **state) {
    (void)state;
    for (int from = 0; from < HEED_TAG_SCHEMES; from++)
        for (int to = 0; to < HEED_TAG_SCHEMES; to++)
            check_written(written[from], (heed_tag_scheme)to, written[to]);
}

static void schemes_are_recognised(void **state) {
    (void)state;
    for (int i = 0; i < HEED_TAG_SCHEMES; i++) {
        const sequence s = read(written[i]);
        heed_scheme_guess g = { 0 };
        heed_tag_scheme found;
        heed__scheme_see(&g, s.tag, s.n);
        assert_int_equal(heed__scheme_of(&g), i);
        assert_true(heed__scheme_find(heed__scheme_name((heed_tag_scheme)i), &found));
        assert_int_equal(found, i);
    }
    heed_tag_scheme none;
    assert_false(heed__scheme_find("bio", &none));
}

static void what_follows_no_scheme_is_mended(void **state) {
    (void)state;
    check_written("I-PER I-LOC O I-PER", HEED_TAGS_BIO, "B-PER B-LOC O B-PER");
    check_written("B-PER I-LOC I-LOC", HEED_TAGS_BIO, "B-PER B-LOC I-LOC");
    check_written("O E-PER I-PER I-PER", HEED_TAGS_BIOES, "O S-PER B-PER E-PER");
    check_written("B-PER B-PER S-PER I-PER", HEED_TAGS_BIOES, "S-PER S-PER S-PER S-PER");
    check_written("B-PER O E-LOC", HEED_TAGS_BIOES, "S-PER O S-LOC");
}

static void what_is_no_tag_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = { "", "o", "X-PER", "BPER", "PER", "-", "OO", "b-PER" };
    heed_tag t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (heed__tag_parse(bad[i], &t)) fail_msg("'%s' is taken for a tag", bad[i]);
    assert_true(heed__tag_parse("B-a-b", &t));
    assert_string_equal(t.type, "a-b");
    assert_true(heed__tag_parse("I", &t));
    assert_string_equal(t.type, "");
}

static void inner_numbers_go_and_come(void **state) {
    (void)state;
    for (int32_t k = 0; k < heed__inner_tags(2); k++)
        assert_int_equal(heed__inner_tag(heed__inner_place(k)), k);
    assert_true(heed__inner_follows(0, 1) && heed__inner_follows(0, 4));
    assert_false(heed__inner_follows(0, 2) || heed__inner_follows(0, 3));
    assert_true(heed__inner_follows(1, 2) && heed__inner_follows(1, 3));
    assert_false(heed__inner_follows(1, 0) || heed__inner_follows(1, 1));
    assert_false(heed__inner_follows(1, 6) || heed__inner_follows(1, 7));
    assert_true(heed__inner_follows(3, 0) && heed__inner_follows(3, 5) &&
                heed__inner_follows(4, 1));
    assert_true(heed__inner_follows(-1, 0) && heed__inner_follows(-1, 4));
    assert_false(heed__inner_follows(-1, 2) || heed__inner_follows(1, -1));
    assert_true(heed__inner_follows(3, -1) && heed__inner_follows(0, -1));
}

/* Emissions that ask for I and E at once get the best sequence that there may be. */
static void the_laws_hold(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_lattice l;
    const int64_t K = heed__inner_tags(2);
    assert_int_equal(heed__lattice_init(&l, cx, K, NULL, NULL, true), 0);
    float x[4 * 9] = { 0 };
    x[0 * 9 + 2] = 9; /* I-0 at the beginning */
    x[1 * 9 + 7] = 5; /* E-1 */
    x[1 * 9 + 3] = 4; /* E-0 */
    x[2 * 9 + 1] = 3; /* B-0 */
    x[3 * 9 + 6] = 8; /* I-1 at the end */
    int32_t y[4];
    assert_int_equal(heed__lattice_best(&l, x, 4, y), 0);
    for (int t = 0; t <= 4; t++)
        assert_true(heed__inner_follows(t ? y[t - 1] : -1, t < 4 ? y[t] : -1));
    assert_int_equal(heed__lattice_sum(&l, x, 4), 0);
    double sum = 0;
    for (int32_t k = 0; k < K; k++) sum += (double)heed__lattice_marginal(&l, 2, k);
    assert_true(sum > 0.99999 && sum < 1.00001);
    assert_true(heed__lattice_marginal(&l, 0, 2) == 0 && heed__lattice_marginal(&l, 3, 6) == 0);
    assert_true(heed__lattice_part(&l, x, y, 0, 4) > 0);
    assert_true(heed__lattice_part(&l, x, (int32_t[]){ 2, 3, 0, 0 }, 0, 2) == 0);
    heed__lattice_free(&l);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_becomes_every_other),
        cmocka_unit_test(schemes_are_recognised),
        cmocka_unit_test(what_follows_no_scheme_is_mended),
        cmocka_unit_test(what_is_no_tag_is_refused),
        cmocka_unit_test(inner_numbers_go_and_come),
        cmocka_unit_test(the_laws_hold),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
