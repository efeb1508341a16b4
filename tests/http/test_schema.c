/* Schemas: what holds, what does not and how it is told; what is no schema. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "http/schema.h"

static json_t *parse(const char *text) {
    json_t *tree = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!tree) fail_msg("%s", text);
    return tree;
}

static void values(void **state) {
    (void)state;
    static const struct {
        const char *schema, *value, *says; /* NULL: it holds */
    } cases[] = {
        { "{}", "null", NULL },
        { "{\"type\":\"integer\"}", "1", NULL },
        { "{\"type\":\"integer\"}", "1.5", "v is no integer" },
        { "{\"properties\":{\"n\":{\"type\":\"integer\"}}}", "{\"n\":3.0}", NULL },
        { "{\"properties\":{\"n\":{\"type\":\"integer\"}}}", "{\"n\":3.5}", "v.n is no integer" },
        { "{\"items\":{\"type\":\"integer\"}}", "[1, -2.0]", NULL },
        { "{\"items\":{\"type\":\"integer\"}}", "[1, 1e300]", "v[1] is no integer" },
        { "{\"type\":\"number\"}", "1", NULL },
        { "{\"type\":\"number\"}", "true", "v is no number" },
        { "{\"type\":[\"string\",\"null\"]}", "null", NULL },
        { "{\"type\":[\"string\",\"null\"]}", "1", "v is of a type that it cannot have" },
        { "{\"type\":\"boolean\"}", "false", NULL },
        { "{\"type\":\"object\"}", "[]", "v is no object" },
        { "{\"enum\":[\"a\",\"b\"]}", "\"b\"", NULL },
        { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "v is none of a, b" },
        { "{\"const\":\"a\"}", "\"b\"", "v is not a" },
        { "{\"minimum\":1,\"maximum\":3}", "3", NULL },
        { "{\"minimum\":1,\"maximum\":3}", "0", "v is less than 1" },
        { "{\"minimum\":1,\"maximum\":3}", "3.5", "v is more than 3" },
        { "{\"minLength\":2,\"maxLength\":3}", "\"\\u00e9\\u00e9\\u00e9\"", NULL },
        { "{\"minLength\":2,\"maxLength\":3}", "\"\\u00e9\"", "v has fewer than 2 characters" },
        { "{\"minLength\":2,\"maxLength\":3}", "\"abcd\"", "v has more than 3 characters" },
        { "{\"required\":[\"a\"]}", "{\"b\":1}", "v has no 'a'" },
        { "{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"null\"}}}}}",
          "{\"a\":{\"b\":1}}", "v.a.b is no null" },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}", NULL },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b\":1}",
          "v.b is not known" },
        { "{\"items\":{\"type\":\"string\"}}", "[\"a\",2]", "v[1] is no string" },
        { "{\"minItems\":1,\"maxItems\":2}", "[]", "v has fewer than 1 items" },
        { "{\"minItems\":1,\"maxItems\":2}", "[1,2,3]", "v has more than 2 items" },
        { "{\"contains\":{\"const\":1}}", "[2,1]", NULL },
        { "{\"contains\":{\"const\":1}}", "[2]", "v has not the item that it must have" },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"items\":{\"type\":\"string\"},\"type\":\"array\"}]"
          "}",
          "[1]", "v[0] is no string" },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\"}]}", "[1]", NULL },
        { "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1}", NULL },
        { "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1,\"b\":2}",
          "v is more than one of the things that it could be" },
        { "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}", "v has no 'a'" },
        { "{\"not\":{\"required\":[\"a\"]}}", "{\"a\":1}", "v is what it must not be" },
        { "{\"not\":{\"required\":[\"a\"]}}", "{}", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heed_fault fault;
        char text[400];
        json_t *schema = parse(cases[i].schema), *value = parse(cases[i].value);
        assert_int_equal(heed__schema_valid(schema, NULL), 0);
        const bool holds = heed__schema_holds(schema, value, "v", &fault);
        if (holds != !cases[i].says) fail_msg("%s %s", cases[i].schema, cases[i].value);
        if (!holds) {
            snprintf(text, sizeof text, "%s %s", fault.where, fault.what);
            assert_string_equal(text, cases[i].says);
        }
        json_decref(schema);
        json_decref(value);
    }
}

static void wrong_schemas(void **state) {
    (void)state;
    static const char *const bad[] = { "[]",
                                       "{\"type\":\"int\"}",
                                       "{\"type\":[\"string\",3]}",
                                       "{\"pattern\":\"a\"}",
                                       "{\"items\":[]}",
                                       "{\"anyOf\":[]}",
                                       "{\"anyOf\":[3]}",
                                       "{\"properties\":{\"a\":{\"x\":1}}}",
                                       "{\"properties\":3}",
                                       "{\"required\":\"a\"}",
                                       "{\"minimum\":\"a\"}",
                                       "{\"additionalProperties\":true}",
                                       "{\"not\":{\"not\":{\"not\":3}}}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heed_error err = { 0 };
        json_t *schema = parse(bad[i]);
        if (heed__schema_valid(schema, &err) != HEED_EINVALID || !err.msg[0])
            fail_msg("%s: %s", bad[i], err.msg);
        json_decref(schema);
    }
}

static void texts_of_queries(void **state) {
    (void)state;
    static const struct {
        const char *type, *text;
        json_type want;
    } cases[] = {
        { "integer", "7", JSON_INTEGER }, { "integer", "7.0", JSON_STRING },
        { "number", "7", JSON_REAL },     { "number", "x", JSON_STRING },
        { "boolean", "true", JSON_TRUE }, { "boolean", "0", JSON_FALSE },
        { "boolean", "no", JSON_STRING }, { "string", "7", JSON_STRING },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *schema = json_pack("{s:s}", "type", cases[i].type);
        json_t *value = heed__schema_value(schema, cases[i].text);
        assert_int_equal(json_typeof(value), cases[i].want);
        json_decref(value);
        json_decref(schema);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(wrong_schemas),
        cmocka_unit_test(texts_of_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
