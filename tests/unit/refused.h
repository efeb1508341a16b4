/* refused.h: calls that end in HEED_EINVALID and a sentence; `err` is what they are given. Included
 * after cmocka_all.h, by one test program each. */
#ifndef HEED_TESTS_REFUSED_H
#define HEED_TESTS_REFUSED_H

#include "heed/base.h"

static heed_error err;

/* The call failed as it ought to; what it said. */
static void said(int64_t status, const char *want) {
    assert_int_equal(status, HEED_EINVALID);
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, want);
    err = (heed_error){ 0 };
}

/* A maker gave nothing. */
static void none(const void *made, const char *want) {
    assert_null(made);
    said(err.code, want);
}

#endif
