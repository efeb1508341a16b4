/* test_dataset.c: labelled texts in every form of file, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "io/dataset.h"

static int parse(heed_dataset *t, const char *text, const heed_dataset_cfg *cfg, heed_error *err) {
    const heed_dataset_cfg plain = { 0 };
    return heed__dataset_parse(t, text, strlen(text), "x.tsv", cfg ? cfg : &plain, err);
}

static void a_header_names_the_columns(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const char *text = "\xef\xbb\xbf"
                       "id\tintent\ttext\r\n1\tpay\tI paid\r\n\r\n2\tlost\tgone\r\n";
    assert_int_equal(parse(&t, text, NULL, &err), 0);
    assert_int_equal(t.len, 2);
    assert_string_equal(t.text[0], "I paid");
    assert_string_equal(t.label[1], "lost");
    assert_int_equal(t.line[1], 4);
    assert_string_equal(t.how,
                        "tab-separated; text from column 'text', label from column 'intent'");
    heed__dataset_free(&t);
}

static void lines_without_header(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    assert_int_equal(parse(&t, "pay\tI paid\nlost\tgone", NULL, &err), 0);
    assert_int_equal(t.len, 2);
    assert_string_equal(t.label[0], "pay");
    assert_string_equal(t.text[1], "gone");
    heed__dataset_free(&t);
    const heed_dataset_cfg only = { .text_only = true };
    assert_int_equal(parse(&t, "one\ntwo\n", &only, &err), 0);
    assert_string_equal(t.text[1], "two");
    assert_null(t.label[1]);
    heed__dataset_free(&t);
}

static void columns_can_be_named(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const heed_dataset_cfg cfg = { .text = "q", .label = "l" };
    assert_int_equal(parse(&t, "l\tq\na\tb\n", &cfg, &err), 0);
    assert_string_equal(t.text[0], "b");
    heed__dataset_free(&t);
    const heed_dataset_cfg none = { .text = "zz" };
    assert_int_equal(parse(&t, "label\ttext\na\tb\n", &none, &err), HEED_ENOTFOUND);
    assert_string_equal(err.msg,
                        "x.tsv:1: the header has no column 'zz' for the text; it has: label, "
                        "text");
}

static void wrong_lines_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *msg;
    } cases[] = {
        { "label\ttext\na\tb\nc\n", "x.tsv:3: 1 column where there should be 2" },
        { "label\ttext\na\tb\tc\nd\n",
          "x.tsv:2: 3 columns where there should be 2 (and 1 more line is wrong)" },
        { "label\ttext\n\tb\n", "x.tsv:2: the label is empty" },
        { "label\ttext\na\x1b[31m\tb\n", "x.tsv:2: the label holds a control character" },
        { "label\ttext\na\t\xff\n", "x.tsv:2: not UTF-8: byte 3 is 0xff" },
        { "label\ttext\n", "x.tsv: no line of data" },
        { "", "x.tsv: no line of data" },
        { "just text\n", "x.tsv:1: no label: one column only" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heed_dataset t;
        heed_error err = { 0 };
        assert_int_equal(parse(&t, cases[i].text, NULL, &err), HEED_EFORMAT);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void a_zero_byte_is_an_error(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const heed_dataset_cfg cfg = { 0 };
    assert_int_equal(heed__dataset_parse(&t, "a\tb\0c\n", 6, "x.tsv", &cfg, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "x.tsv:1: a zero byte");
}

static void every_truncation_is_read_or_refused(void **state) {
    (void)state;
    const char *text = "intent\ttext\npay\tI p\xc3\xa4id\nlost\tgone\n";
    const heed_dataset_cfg cfg = { 0 };
    for (size_t n = 0; n <= strlen(text); n++) {
        heed_dataset t;
        heed_error err = { 0 };
        const int rc = heed__dataset_parse(&t, text, n, "x.tsv", &cfg, &err);
        assert_true(rc == 0 ? t.len > 0 : err.msg[0] != 0);
        if (rc == 0) heed__dataset_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_names_the_columns),
        cmocka_unit_test(lines_without_header),
        cmocka_unit_test(columns_can_be_named),
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(a_zero_byte_is_an_error),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
