/* test_range.c: settings that are no whole numbers, at both ends of what they lie between, and the
 * sentence about the first that does not. */
#include "cmocka_all.h"

#include <math.h>

#include "tasks/range.h"

static void lies(const heed_range *r) {
    const heed_range list[] = { *r, { 0 } };
    heed_error err = { 0 };
    if (heed__ranges_check(list, &err)) fail_msg("%s", err.msg);
    assert_int_equal(heed__ranges_check(list, NULL), 0);
}

static void refused(const heed_range *r, const char *sentence) {
    const heed_range list[] = {
        { "fine", 0, HEED_BELOW, .most = 1 }, *r, { "later", 2, HEED_BELOW, .most = 1 }, { 0 }
    };
    heed_error err = { 0 };
    assert_int_equal(heed__ranges_check(list, &err), HEED_EINVALID);
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, sentence);
    assert_int_equal(heed__ranges_check(list, NULL), HEED_EINVALID);
}

static void test_below(void **state) {
    (void)state;
    heed_range r = { "x", -INFINITY, HEED_BELOW, .least = 9, .most = 1 };
    lies(&r);
    r.value = nextafter(1, 0), lies(&r);
    r.value = 1, refused(&r, "train: x is 1, not below 1");
    r.value = INFINITY, refused(&r, "train: x is inf, not below 1");
    r.value = (double)NAN, refused(&r, "train: x is nan, not below 1");
    r.value = 1.1, refused(&r, "train: x is 1.1, not below 1");
    r.value = (double)1.1f, refused(&r, "train: x is 1.100000023841858, not below 1");
    r.most = HEED_NEARLY_ONE, r.value = 0.99999998;
    assert_true((float)r.value == 1);
    refused(&r, "train: x is 0.99999998, not below 0.99999997");
    r.value = nextafter(HEED_NEARLY_ONE, 0);
    assert_true((float)r.value < 1);
    lies(&r);
}

static void test_from_to(void **state) {
    (void)state;
    heed_range r = { "x", 0.5, HEED_FROM_TO, .least = 0.5, .most = 2 };
    lies(&r);
    r.value = 2, lies(&r);
    r.value = nextafter(0.5, 0), refused(&r, "train: x is 0.49999999999999994, not 0.5 to 2");
    r.value = nextafter(2, 3), refused(&r, "train: x is 2.0000000000000004, not 0.5 to 2");
    r.value = -0.1, refused(&r, "train: x is -0.1, not 0.5 to 2");
    r.value = (double)NAN, refused(&r, "train: x is nan, not 0.5 to 2");
    r.value = -INFINITY, refused(&r, "train: x is -inf, not 0.5 to 2");
}

static void test_from_below(void **state) {
    (void)state;
    heed_range r = { "x", 0, HEED_FROM_BELOW, .least = 0, .most = 1 };
    lies(&r);
    r.value = nextafter(1, 0), lies(&r);
    r.value = 1, refused(&r, "train: x is 1, not 0 to below 1");
    r.value = -0.1, refused(&r, "train: x is -0.1, not 0 to below 1");
    r.value = (double)NAN, refused(&r, "train: x is nan, not 0 to below 1");
    r.value = INFINITY, refused(&r, "train: x is inf, not 0 to below 1");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_below),
                                        cmocka_unit_test(test_from_to),
                                        cmocka_unit_test(test_from_below) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
