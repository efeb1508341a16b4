/* Strict JSON: what is accepted, the place and words of each refusal, text that comes back. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "io/config.h"

static void refuse(const char *text, size_t len, const char *place) {
    heed_error err = { 0 };
    assert_null(heed__json_parse(text, len, "a.json", &err));
    assert_int_equal(err.code, HEED_EFORMAT);
    if (strncmp(err.msg, place, strlen(place)) != 0) fail_msg("%s\n%s: %s", text, place, err.msg);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        { "", "a.json:1:" },
        { "{", "a.json:1:1: " },
        { "{\"a\": 1,\n \"a\": 2}", "a.json:2:4: at '\"a\"': a key stands there twice" },
        { "{} x", "a.json:1:4: at 'x': more stands after its end" },
        { "3", "a.json:1:1: " },
        { "{\"a\": tru}", "a.json:1:9: " },
        { "[1,]", "a.json:1:4: " },
        { "[01]", "a.json:1:2: " },
        { "[1e999]", "a.json:1:6: at '1e999': a number too large" },
        { "[99999999999999999999]", "a.json:1:21: at '99999999999999999999': a whole" },
        { "[NaN]", "a.json:1:4: " },
        { "['a']", "a.json:1:2: " },
        { "[\"\\u0000\"]", "a.json:1:9: " },
        { "[\"\\ud800\"]", "a.json:1:9: " },
        { "[\"tab\there\"]", "a.json:1:5: " },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i][0], strlen(bad[i][0]), bad[i][1]);
    refuse("[\"\xC0\x80\"]", 6, "a.json:1:");
    refuse("[1]\0", 4, "a.json:1:");
    refuse("\xEF\xBB\xBF[1]", 6, "a.json:1:");
    char *deep = malloc(100000);
    assert_non_null(deep);
    memset(deep, '[', 100000);
    refuse(deep, 100000, "a.json:1:");
    free(deep);
}

static void test_comes_back(void **state) {
    (void)state;
    static const char text[] =
        "{\"z\":1,\"a\":[true,null,-0.5,1e+300,0.1],\"\xC3\xA4\":\"\\\"\\n\xE2\x82\xAC\"}";
    json_t *tree = heed__json_parse(text, sizeof text - 1, "x", NULL);
    assert_non_null(tree);
    size_t len;
    char *back = heed__json_text(NULL, tree, false, &len, NULL);
    assert_non_null(back);
    assert_int_equal(len, strlen(back));
    json_t *again = heed__json_parse(back, len, "x", NULL);
    assert_true(json_equal(tree, again));
    char *second = heed__json_text(NULL, again, false, NULL, NULL);
    assert_string_equal(back, second);
    assert_memory_equal(back, "{\"z\":1,\"a\":", 11); /* keys stay in their order */
    char *pretty = heed__json_text(NULL, tree, true, &len, NULL);
    assert_int_equal(pretty[len - 1], '\n');
    heed__free(NULL, back);
    heed__free(NULL, second);
    heed__free(NULL, pretty);
    json_decref(tree);
    json_decref(again);
}

static void check_fields(const char *text, const char *message) {
    heed_error err = { 0 };
    json_t *tree = heed__json_parse(text, strlen(text), "c.json", &err);
    assert_non_null(tree);
    heed_fields f = { .object = tree, .name = "c.json", .err = &err };
    const int64_t dim = heed__field_int(&f, "dim", 1, 100);
    const double rate = heed__field_number(&f, "rate");
    const bool tied = heed__field_bool(&f, "tied");
    const char *kind = heed__field_text(&f, "kind");
    heed__fields_only(&f, (const char *const[]){ "dim", "rate", "tied", "kind", NULL });
    if (message) {
        assert_int_equal(f.status, HEED_EFORMAT);
        assert_string_equal(err.msg, message);
        assert_in_range(dim, 1, 100);
    } else {
        assert_int_equal(f.status, 0);
        assert_int_equal(dim, 64);
        assert_true(rate == 0.5);
        assert_true(tied);
        assert_string_equal(kind, "lstm");
    }
    json_decref(tree);
}

static void test_fields(void **state) {
    (void)state;
    check_fields("{\"dim\":64,\"rate\":0.5,\"tied\":true,\"kind\":\"lstm\"}", NULL);
    check_fields("{\"rate\":0.5,\"tied\":true,\"kind\":\"lstm\"}", "c.json: dim is missing");
    check_fields("{\"dim\":0,\"rate\":0.5,\"tied\":true,\"kind\":\"lstm\"}",
                 "c.json: dim is 0, not 1 to 100");
    check_fields("{\"dim\":6.5,\"tied\":3}", "c.json: dim is not a whole number");
    check_fields("{\"dim\":64,\"rate\":\"x\"}", "c.json: rate is not a number");
    check_fields("{\"dim\":64,\"rate\":1,\"tied\":1}", "c.json: tied is not true or false");
    check_fields("{\"dim\":64,\"rate\":1,\"tied\":false,\"kind\":[]}",
                 "c.json: kind is not a text");
    check_fields("{\"dim\":64,\"rate\":1,\"tied\":false,\"kind\":\"\",\"dmi\":3}",
                 "c.json: unknown field dmi");
    check_fields("[1]", "c.json: is not an object");
}

static void test_file(void **state) {
    (void)state;
    heed_error err = { 0 };
    assert_null(heed__json_read(NULL, "/nonexistent/a.json", 1000, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
    assert_string_equal(err.msg,
                        "/nonexistent/a.json: cannot be opened: No such file or directory");
}

/* What a layer says of its settings gets the file's name, once. */
static void test_blame(void **state) {
    (void)state;
    static const char *const said[][3] = {
        { "m", "mha: 3 heads", "m/config.json: mha: 3 heads" },
        { "m/", "mha: 3 heads", "m/config.json: mha: 3 heads" },
        { "m", "m/config.json: dim is 0", "m/config.json: dim is 0" },
        { "m/", "m/config.json: dim is 0", "m/config.json: dim is 0" },
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        heed_error err;
        heed__error(&err, HEED_EINVALID, "%s", said[i][1]);
        assert_int_equal(heed__config_blame(said[i][0], &err), HEED_EFORMAT);
        assert_int_equal(err.code, HEED_EFORMAT);
        assert_string_equal(err.msg, said[i][2]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_file),
        cmocka_unit_test(test_blame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
