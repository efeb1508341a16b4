/* Numbers as text and back under any locale, messages cut between characters, UTF-8, names of
 * errors, the log hook. */
#include "cmocka_all.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

static void check_numbers(void) {
    char text[HEED_NUMBER_SIZE];
    assert_string_equal(heed__float_text(0.1f, text), "0.1");
    assert_string_equal(heed__float_text(-1234.5f, text), "-1234.5");
    assert_string_equal(heed__float_text(16777216.f, text), "16777216");
    assert_string_equal(heed__double_text(1e-300, text), "1e-300");
    assert_string_equal(heed__double_text(-0.0, text), "-0");
    assert_string_equal(heed__double_text(NAN, text), "nan");
    assert_string_equal(heed__double_text(-INFINITY, text), "-inf");
    assert_string_equal(heed__float_text(INFINITY, text), "inf");
    heed__format(text, sizeof text, "%.3f", 3.25);
    assert_string_equal(text, "3.250");
    double v = 0;
    assert_true(heed__parse_double("2.5", 3, &v));
    assert_true(v == 2.5);
    heed_error err;
    heed__error(&err, HEED_EINVALID, "lr is %g", 0.5);
    assert_string_equal(err.msg, "lr is 0.5");
}

static void test_numbers_in_c(void **state) {
    (void)state;
    check_numbers();
}

/* With a comma as the process's decimal point everything reads and writes as before. */
static void test_numbers_elsewhere(void **state) {
    (void)state;
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                         "ru_RU.UTF-8" };
    const char *set = NULL;
    for (int i = 0; i < 4 && !set; i++) set = setlocale(LC_ALL, names[i]);
    if (!set) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    check_numbers();
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5"); /* and the caller's locale is as it was */
    setlocale(LC_ALL, "C");
}

static void test_every_number_reads_back(void **state) {
    (void)state;
    heed_rng rng = { .seed = 9 };
    for (int i = 0; i < 50000; i++) {
        const uint32_t a = heed_rng_u32(&rng), b = heed_rng_u32(&rng);
        const uint64_t ab = (uint64_t)a << 32 | b;
        char text[HEED_NUMBER_SIZE];
        float f;
        double d, back;
        memcpy(&f, &a, sizeof f);
        memcpy(&d, &ab, sizeof d);
        if (isfinite(f)) {
            heed__float_text(f, text);
            assert_true(heed__parse_double(text, strlen(text), &back));
            assert_true((float)back == f);
        }
        if (isfinite(d)) {
            heed__double_text(d, text);
            assert_true(heed__parse_double(text, strlen(text), &back));
            assert_true(back == d);
        }
    }
}

static void test_parse_double(void **state) {
    (void)state;
    static const char *const good[] = { "0", "-0", "1.", ".5", "-2.5e-3", "1E+9", "007" };
    static const char *const bad[] = { "",    " 1", "1 ", "+1",  "0x10",  "inf", "nan",  "1e",
                                       "1e+", ".",  "-",  "1,5", "1e999", "--1", "1..2", "e5" };
    double v;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(heed__parse_double(good[i], strlen(good[i]), &v));
        assert_true(v == strtod(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(heed__parse_double(bad[i], strlen(bad[i]), &v));
    assert_true(heed__parse_double("12345", 2, &v));
    assert_true(v == 12);
    char zeros[500];
    memset(zeros, '0', sizeof zeros);
    assert_false(heed__parse_double(zeros, sizeof zeros, &v));
}

static void test_parse_int(void **state) {
    (void)state;
    int64_t v;
    assert_true(heed__parse_int("9223372036854775807", 19, &v));
    assert_true(v == INT64_MAX);
    assert_true(heed__parse_int("-9223372036854775808", 20, &v));
    assert_true(v == INT64_MIN);
    assert_true(heed__parse_int("-0", 2, &v));
    assert_true(v == 0);
    assert_true(heed__parse_int("-42x", 3, &v));
    assert_true(v == -42);
    static const char *const bad[] = { "",
                                       "-",
                                       "+1",
                                       "1.0",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "99999999999999999999999",
                                       "1 ",
                                       "0x1" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(heed__parse_int(bad[i], strlen(bad[i]), &v));
}

/* Every code point survives; every other sequence of up to three bytes is refused as the standard
 * says. */
static void test_utf8(void **state) {
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char b[4];
        size_t n = 1;
        if (c < 0x80) {
            b[0] = (char)c;
        } else if (c < 0x800) {
            n = 2;
            b[0] = (char)(0xC0 | c >> 6);
        } else if (c < 0x10000) {
            n = 3;
            b[0] = (char)(0xE0 | c >> 12);
        } else {
            n = 4;
            b[0] = (char)(0xF0 | c >> 18);
        }
        for (size_t i = 1; i < n; i++) b[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3F));
        uint32_t back = 0;
        const bool surrogate = c >= 0xD800 && c < 0xE000;
        assert_int_equal(heed__utf8_next(b, n, &back), surrogate ? 0 : n);
        if (!surrogate) assert_int_equal(back, c);
        assert_int_equal(heed__utf8_next(b, n - 1, NULL), 0);
    }
    static const char *const bad[] = { "\x80",
                                       "\xC0\x80",
                                       "\xC1\xBF",
                                       "\xE0\x9F\xBF",
                                       "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80",
                                       "\xF8\x88\x80\x80\x80",
                                       "\xFF",
                                       "\xE2\x28\xA1" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(heed__utf8_next(bad[i], strlen(bad[i]), NULL), 0);
        char text[16];
        snprintf(text, sizeof text, "ok\xC3\xA4%s", bad[i]);
        assert_int_equal(heed__utf8_check(text, strlen(text)), 4);
    }
    assert_int_equal(heed__utf8_check("", 0), 0);
}

static void test_control_characters(void **state) {
    (void)state;
    assert_int_equal(heed__control_at("caf\xc3\xa9", 5), 5);
    assert_int_equal(heed__control_at("a\tb", 3), 1);
    assert_int_equal(heed__control_at("ab\x7f", 3), 2);
    assert_int_equal(heed__control_at("\xc2\x85", 2), 0); /* U+0085 */
    assert_int_equal(heed__control_at("a\xff", 2), 1);
    assert_int_equal(heed__control_at("", 0), 0);
}

static void check_tidy(const char *text, const char *expected) {
    char own[64];
    strcpy(own, text);
    heed__text_tidy(own);
    assert_string_equal(own, expected);
}

static void test_tidy(void **state) {
    (void)state;
    check_tidy("", "");
    check_tidy("caf\xc3\xa9: \xe4\xb8\xad", "caf\xc3\xa9: \xe4\xb8\xad");
    check_tidy("\x1b[31mred\n", "?[31mred?");
    check_tidy("a\r\n\tb\xff\xfe"
               "c",
               "a?b?c");
    check_tidy("'\xe4\xb8' \xe4\xb8\xad", "'?' \xe4\xb8\xad"); /* cut within a character */
    check_tidy("\xff", "?");
    heed_error err;
    heed__error(&err, HEED_EINVALID, "no file '%.2s'", "\xe4\xb8\xad");
    assert_string_equal(err.msg, "no file '?'");
}

static void test_cut_between_characters(void **state) {
    (void)state;
    char text[8];
    assert_int_equal(heed__format(text, 8, "abcde%s", "\xE2\x82\xAC"),
                     5); /* would split the euro */
    assert_string_equal(text, "abcde");
    assert_int_equal(heed__format(text, 8, "abcd%sx", "\xE2\x82\xAC"), 7); /* fits exactly */
    assert_string_equal(text, "abcd\xE2\x82\xAC");
    assert_int_equal(heed__format(text, 8, "abcdefghij"), 7);
    assert_string_equal(text, "abcdefg");
    assert_int_equal(heed__format(text, 1, "\xC3\xA4"), 0);
    assert_string_equal(text, "");
    text[0] = 'x';
    assert_int_equal(heed__format(text, 0, "y"), 0);
    assert_int_equal(text[0], 'x');
}

static void test_status_names(void **state) {
    (void)state;
    assert_string_equal(heed_status_name(0), "OK");
    assert_string_equal(heed_status_name(HEED_ENOMEM), "NOMEM");
    assert_string_equal(heed_status_name(HEED_ENONFINITE), "NONFINITE");
    assert_string_equal(heed_status_name(1), "UNKNOWN");
    assert_string_equal(heed_status_name(-1000), "UNKNOWN");
    assert_string_equal(heed_version(), HEED_VERSION);
}

static void test_error(void **state) {
    (void)state;
    assert_int_equal(heed__error(NULL, HEED_ESHAPE, "no %s", "matter"), HEED_ESHAPE);
    heed_error err;
    char longer[2000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(heed__error(&err, HEED_EIO, "%s", longer), HEED_EIO);
    assert_int_equal(err.code, HEED_EIO);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static void keep_line(void *user, heed_log_level level, const char *line) {
    heed__format(user, 64, "%d:%s", (int)level, line);
}

static void test_log(void **state) {
    (void)state;
    char seen[64] = "";
    const heed_hooks hooks = { .user = seen, .log = keep_line };
    heed__log(&hooks, HEED_LOG_WARN, "step %d of %d", 3, 7);
    assert_string_equal(seen, "0:step 3 of 7");
    heed__log(NULL, HEED_LOG_INFO, "nobody listens");
    heed__log(&(heed_hooks){ 0 }, HEED_LOG_INFO, "nobody listens");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_in_c),
        cmocka_unit_test(test_numbers_elsewhere),
        cmocka_unit_test(test_every_number_reads_back),
        cmocka_unit_test(test_parse_double),
        cmocka_unit_test(test_parse_int),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_tidy),
        cmocka_unit_test(test_cut_between_characters),
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
