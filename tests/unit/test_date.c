/* Dates of feeds, mails and tables; those that are none; and every day written and read again. */
#include "cmocka_all.h"

#include <string.h>

#include "base/date.h"

static const struct {
    const char *text;
    const char *is; /* NULL: no date */
} cases[] = {
    { "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000Z" },
    { "2024-05-01T10:00:00.5+08:00", "2024-05-01T02:00:00.500Z" },
    { "2024-05-01t10:00:00.123456z", "2024-05-01T10:00:00.123Z" },
    { "2024-05-01 10:00:00", "2024-05-01T10:00:00.000Z" },
    { "2024-05-01T10:00-0330", "2024-05-01T13:30:00.000Z" },
    { "2024-05-01", "2024-05-01T00:00:00.000Z" },
    { "2024-05", "2024-05-01T00:00:00.000Z" },
    { "2024/05/01 10:00", "2024-05-01T10:00:00.000Z" },
    { "20240501", "2024-05-01T00:00:00.000Z" },
    { "20240501T100203Z", "2024-05-01T10:02:03.000Z" },
    { "2024-02-29T24:00:00Z", "2024-03-01T00:00:00.000Z" },
    { "1998-12-31T23:59:60Z", "1998-12-31T23:59:59.000Z" },
    { "Wed, 01 May 2024 10:00:00 +0800", "2024-05-01T02:00:00.000Z" },
    { "Wed, 1 May 2024 10:00 GMT", "2024-05-01T10:00:00.000Z" },
    { "1 May 24 10:00:00 EST", "2024-05-01T15:00:00.000Z" },
    { "01 May 99 10:00:00 PDT", "1999-05-01T17:00:00.000Z" },
    { "Wed, 1 May 2024 10:00:00 -0000 (a comment)", "2024-05-01T10:00:00.000Z" },
    { "Wednesday, 01-May-24 10:00:00 GMT", "2024-05-01T10:00:00.000Z" },
    { "Wed May  1 10:00:00 2024", "2024-05-01T10:00:00.000Z" },
    { "Wed, 1 September 2024 10:00:00 UT", "2024-09-01T10:00:00.000Z" },
    { "May 1, 2024", "2024-05-01T00:00:00.000Z" },
    { "  1714557600\n", "2024-05-01T10:00:00.000Z" },
    { "1714557600.25", "2024-05-01T10:00:00.250Z" },
    { "1714557600250", "2024-05-01T10:00:00.250Z" },
    { "", NULL },
    { "yesterday", NULL },
    { "2024", NULL },
    { "12", NULL },
    { "2024-13-01", NULL },
    { "2023-02-29", NULL },
    { "2024-05-01T25:00:00Z", NULL },
    { "2024-05-01T24:00:01Z", NULL },
    { "2024-05-01T10:61:00Z", NULL },
    { "2024-05-01T10:00:00Q5", NULL },
    { "32 May 2024 10:00:00 GMT", NULL },
    { "1 Foo 2024 10:00:00 GMT", NULL },
    { "1 May 2024 10:00:00 10:00:00", NULL },
    { "999999999999999999", NULL },
};

static void test_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 0;
        char text[HEED_DATE_SIZE];
        const bool is = heed__date_read(cases[i].text, strlen(cases[i].text), &ms);
        if (is != (cases[i].is != NULL)) fail_msg("'%s': %d", cases[i].text, is);
        if (is && strcmp(heed__date_text(ms, text), cases[i].is) != 0)
            fail_msg("'%s' is %s, not %s", cases[i].text, text, cases[i].is);
    }
}

static void test_days(void **state) {
    (void)state;
    int64_t year, before = 0, ms;
    int month, day;
    for (int64_t d = -719162; d < 2932897; d++) { /* 0001-01-01 to 9999-12-31 */
        heed__date_of(d, &year, &month, &day);
        if (heed__date_days(year, month, day) != d || year * 372 + month * 31 + day <= before)
            fail_msg("day %lld", (long long)d);
        before = year * 372 + month * 31 + day;
    }
    for (int64_t t = -62135596800000; t < 253402300800000; t += 86400000LL * 97 + 7919) {
        char text[HEED_DATE_SIZE];
        heed__date_text(t, text);
        assert_true(heed__date_read(text, strlen(text), &ms));
        assert_int_equal(ms, t);
    }
    char text[HEED_DATE_SIZE];
    assert_string_equal(heed__date_text(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(heed__date_text(INT64_MIN, text), "0001-01-01T00:00:00.000Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
