/* The .npy reader: what numpy.save writes of every kind that is read, every kind of bad header,
 * every cut, and thousands of changed bytes. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heed/base.h"
#include "io/npy.h"

/* A file of version 1 or 2 from its header and numbers. */
static size_t file_of(unsigned char *to, int version, const char *header, const void *numbers,
                      size_t size) {
    const size_t len = strlen(header), begin = version == 1 ? 10 : 12;
    memset(to, 0, begin);
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version;
    to[8] = (unsigned char)len;
    to[9] = (unsigned char)(len >> 8);
    memcpy(to + begin, header, len);
    memcpy(to + begin + len, numbers, size);
    return begin + len + size;
}

static const float floats[] = { 1, -2, 0.5f, 4, 5, 6 };

/* The sentence with which the header is refused before six floats, or "read". */
static const char *refusal(const char *header) {
    static heed_error err;
    unsigned char bytes[512];
    heed_npy n;
    const size_t size = file_of(bytes, 1, header, floats, sizeof floats);
    err = (heed_error){ 0 };
    const int rc = heed__npy_parse(&n, bytes, size, "x.npy", NULL, &err);
    assert_true(rc == 0 || (rc == err.code && !n.data));
    heed__npy_free(&n);
    return rc ? err.msg : "read";
}

static void kinds(void **state) {
    (void)state;
    const double doubles[] = { 1, -2, 0.5, 4, 5, 6 };
    const uint16_t halves[] = { 0x3c00, 0xc000, 0x3800, 0x4400, 0x4500, 0x4600 };
    const struct {
        const char *header;
        const void *numbers;
        size_t size;
    } cases[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", floats,
          sizeof floats },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n", doubles,
          sizeof doubles },
        { "{'shape':(2,3),'fortran_order':False,'descr':'<f2'}", halves, sizeof halves },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1)}\n", floats, sizeof floats },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int version = 1; version <= 2; version++) {
            unsigned char bytes[512];
            heed_npy n;
            heed_error err;
            const size_t size = file_of(bytes, version, cases[i].header, cases[i].numbers,
                                        cases[i].size);
            assert_int_equal(heed__npy_parse(&n, bytes, size, "x", NULL, &err), 0);
            assert_int_equal(n.len, 2);
            assert_int_equal(n.steps * n.dim, 3);
            assert_int_equal(n.sequence, i == 3);
            assert_memory_equal(n.data, floats, sizeof floats);
            heed__npy_free(&n);
        }
}

static void refusals(void **state) {
    (void)state;
#define ALL(descr, order, shape)                                                                   \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"
    static const struct {
        const char *header, *said;
    } cases[] = {
        { ALL("'<f4'", "False", "(2, 3)"), "read" },
        { ALL("'>f4'", "False", "(2, 3)"),
          "x.npy: its header: the numbers are none of '<f2', '<f4', '<f8' (numpy: "
          "x.astype('<f4'))" },
        { ALL("'<i4'", "False", "(2, 3)"),
          "x.npy: its header: the numbers are none of '<f2', '<f4', '<f8' (numpy: "
          "x.astype('<f4'))" },
        { ALL("'<f4'", "True", "(2, 3)"),
          "x.npy: its header: columns first (numpy: numpy.ascontiguousarray(x))" },
        { ALL("'<f4'", "0", "(2, 3)"),
          "x.npy: its header: fortran_order is neither True nor False" },
        { ALL("'<f4'", "False", "(6,)"), "x.npy: its header: fewer than two dimensions" },
        { ALL("'<f4'", "False", "()"), "x.npy: its header: fewer than two dimensions" },
        { ALL("'<f4'", "False", "(1, 1, 2, 3)"), "x.npy: its header: more than three dimensions" },
        { ALL("'<f4'", "False", "(0, 3)"), "x.npy: its header: a dimension is 0" },
        { ALL("'<f4'", "False", "(-2, 3)"), "x.npy: its header: shape is no list of sizes" },
        { ALL("'<f4'", "False", "(2 3)"), "x.npy: its header: shape is no list of sizes" },
        { ALL("'<f4'", "False", "(99999999999999999999, 3)"),
          "x.npy: its header: a dimension is too large" },
        { ALL("'<f4'", "False", "(4611686018427387904, 4611686018427387904)"),
          "x.npy: its header: a dimension is too large" },
        { ALL("'<f4'", "False", "(2, 2)"), "x.npy: 24 bytes of numbers where its shape takes 16" },
        { ALL("'<f4'", "False", "(2, 4)"), "x.npy: 24 bytes of numbers where its shape takes 32" },
        { "{'descr': '<f4', 'shape': (2, 3)}",
          "x.npy: its header: descr, fortran_order or shape is missing" },
        { "{'descr': '<f4', 'descr': '<f4'}", "x.npy: its header: a key stands there twice" },
        { "{'descr': '<f4', 'order': 1}",
          "x.npy: its header: a key that is none of descr, fortran_order, shape" },
        { "{'descr'}", "x.npy: its header: a key without a value" },
        { "{'descr': '<f4'", "x.npy: its header: it does not end" },
        { ALL("'<f4'", "False", "(2, 3)") "x", "x.npy: its header: more stands after its end" },
        { "[]", "x.npy: its header: it is no dictionary" },
        { "", "x.npy: its header: it is no dictionary" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(refusal(cases[i].header), cases[i].said);
}

static void numbers(void **state) {
    (void)state;
    const double wide[] = { 1, 2, 3, 1e300 };
    float some[] = { 1, 2, 3, 4 };
    unsigned char bytes[256];
    heed_npy n;
    heed_error err;
    size_t size = file_of(bytes, 1, ALL("'<f8'", "False", "(2, 2)"), wide, sizeof wide);
    assert_int_equal(heed__npy_parse(&n, bytes, size, "x.npy", NULL, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "x.npy: row 2, number 2: is not finite as a float");
    some[2] = NAN;
    size = file_of(bytes, 1, ALL("'<f4'", "False", "(2, 2)"), some, sizeof some);
    assert_int_equal(heed__npy_parse(&n, bytes, size, "x.npy", NULL, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "x.npy: row 2, number 1: is not finite as a float");
    bytes[6] = 3;
    assert_int_equal(heed__npy_parse(&n, bytes, size, "x.npy", NULL, &err), HEED_EUNSUPPORTED);
    assert_string_equal(err.msg, "x.npy: is of .npy version 3; 1 and 2 are read");
    assert_int_equal(heed__npy_read(&n, "/nonexistent/x.npy", NULL, &err), HEED_ENOTFOUND);
}

/* In a block of its own size, so that a sanitizer sees a byte read too far. */
static int parse_copy(const unsigned char *bytes, size_t size) {
    unsigned char *own = malloc(size + (size == 0));
    heed_npy n;
    heed_error err = { 0 };
    memcpy(own, bytes, size);
    const int rc = heed__npy_parse(&n, own, size, "x.npy", NULL, &err);
    assert_true(rc == 0 || (err.msg[0] && !n.data));
    heed__npy_free(&n);
    free(own);
    return rc;
}

static void damage(void **state) {
    (void)state;
    for (int version = 1; version <= 2; version++) {
        unsigned char bytes[256];
        const size_t size = file_of(bytes, version, ALL("'<f4'", "False", "(2, 3)"), floats,
                                    sizeof floats);
        for (size_t cut = 0; cut < size; cut++) assert_int_not_equal(parse_copy(bytes, cut), 0);
        for (size_t at = 0; at < size; at++)
            for (int bit = 0; bit < 8; bit++) {
                bytes[at] ^= (unsigned char)(1 << bit);
                parse_copy(bytes, size);
                bytes[at] ^= (unsigned char)(1 << bit);
            }
        assert_int_equal(parse_copy(bytes, size), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(refusals),
        cmocka_unit_test(numbers),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
