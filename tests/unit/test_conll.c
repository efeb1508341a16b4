/* test_conll.c: tagged sentences in columns, right and wrong. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "io/conll.h"

/* "token/tag token/tag; token/tag;" or the error. */
static const char *shown(const char *text, const heed_conll_cfg *cfg) {
    static char room[1024];
    static const heed_conll_cfg plain = { 0 };
    heed_conll c;
    heed_error err;
    size_t n = 0;
    if (heed__conll_parse(&c, text, strlen(text), "x", cfg ? cfg : &plain, &err)) {
        snprintf(room, sizeof room, "%s", err.msg);
        return room;
    }
    for (int64_t i = 0; i < c.len; i++) {
        for (int64_t t = c.first[i]; t < c.first[i + 1]; t++)
            n += (size_t)snprintf(room + n, sizeof room - n, "%s%s/%s", t > c.first[i] ? " " : "",
                                  c.token[t], c.tag ? c.tag[t] : "");
        n += (size_t)snprintf(room + n, sizeof room - n, ";");
    }
    heed__conll_free(&c);
    return room;
}

static void columns(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "a\tO\nb\tB-x\n\nc\tO\n", "a/O b/B-x;c/O;" },
        { "\n\n-DOCSTART-\tO\n\na\tO\r\n\r\n\r\nb\tO", "a/O;b/O;" },
        { "EU NNP B-ORG\nis  VB O\n \nx N O\n", "EU/B-ORG is/O;x/O;" },
        { "a b\tO\n \tO\n", "a b/O  /O;" },
        { "a\tO\n# a comment\n#\tO\n", "a/O #/O;" },
        { "# id = 1\n# text\na\tO\n#\tO\n\n# b\nc\tO\n", "a/O #/O;c/O;" },
        { "# id = 1\n\na O\n# O\n\n# O\n\n# text = c\nc O\n", "a/O #/O;#/O;c/O;" },
        { "# O\nb O\n", "#/O b/O;" },
        { "# O\n", "#/O;" },
        { "a O\n# in a sentence\n", "x:2: 4 columns where there should be 2" },
        { "a\tO\nb\n", "x:2: 1 column where there should be 2" },
        { "a\tO\n\tO\nb\t\nc\tx\x1b\n", "x:2: the token is empty (and 2 more lines are wrong)" },
        { "a\tO\n\xff\tO\n", "x:2: not UTF-8 (byte 1 is 0xff)" },
        { "a\n", "x:1: no column is left for the tag" },
        { "\n\n", "x: no line of data" },
        { " \n  \na O\n", "a/O;" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown(cases[i].text, NULL), cases[i].shown);
    const heed_conll_cfg second = { .token = 2, .tag = 1 };
    assert_string_equal(shown("O\ta\tz\n", &second), "a/O;");
    assert_string_equal(shown("O\n", &second), "x:1: no column 2, there are 1");
    const heed_conll_cfg tokens = { .token_only = true };
    assert_string_equal(shown("a\nb\n\nc\n", &tokens), "a/ b/;c/;");
}

/* A first line that is wrong decides nothing about the columns. */
static void a_wrong_first_line(void **state) {
    (void)state;
    char text[200];
    memset(text, '\t', 100);
    strcpy(text + 100, "\n \na O\n\nb O\n");
    assert_string_equal(shown(text, NULL), "x:1: more than 64 columns");
}

static void places_are_kept(void **state) {
    (void)state;
    heed_conll c;
    heed_error err;
    const heed_conll_cfg cfg = { 0 };
    const char *text = "-DOCSTART- -X- O\n\na P O\nb P B\n\nc P O\n";
    assert_int_equal(heed__conll_parse(&c, text, strlen(text), "x", &cfg, &err), 0);
    assert_int_equal(c.len, 2);
    assert_int_equal(c.tokens, 3);
    assert_int_equal(c.line[2], 6);
    assert_string_equal(c.how, "columns; token from column 1, tag from column 3");
    heed__conll_free(&c);
    text = "# a comment\r\na\tP\r\n";
    assert_int_equal(heed__conll_parse(&c, text, strlen(text), "x", &cfg, &err), 0);
    assert_string_equal(c.how, "columns; token from column 1, tag from column 2; 1 comment");
    heed__conll_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(columns),
                                        cmocka_unit_test(a_wrong_first_line),
                                        cmocka_unit_test(places_are_kept) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
