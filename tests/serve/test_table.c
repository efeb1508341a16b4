/* The table of routes is one that the server starts with: paths, parameters, schemas. */
#include "cmocka_all.h"

#include <string.h>

#include "http/http.h"
#include "serve/route.h"

static void starts(void **state) {
    (void)state;
    heed_error err;
    heed_http *http = heed_http_start(&(heed_http_cfg){ .routes = heed__routes,
                                                        .routes_len = heed__routes_len,
                                                        .listen = "127.0.0.1:0" },
                                      &err);
    if (!http) fail_msg("%s", err.msg);
    heed_http_stop(http, 0);
}

/* Whether every object of a body's schema that names its members takes no others. */
static bool closed(const json_t *schema) {
    const char *key;
    json_t *one;
    size_t i;
    if (json_object_get(schema, "properties") &&
        !json_is_false(json_object_get(schema, "additionalProperties")))
        return false;
    json_array_foreach(schema, i, one) if (!closed(one)) return false;
    json_object_foreach((json_t *)(uintptr_t)schema, key, one) if (!closed(one)) return false;
    return true;
}

/* A key that is not known is refused, but where the shape is another server's. */
static void bodies_are_closed(void **state) {
    (void)state;
    static const char *const others[] = { "/v1/embeddings", "/v1/chat/completions", "/embed",
                                          "/predict" };
    for (int i = 0; i < heed__routes_len; i++) {
        const heed_route *r = &heed__routes[i];
        bool own = true;
        if (!r->body) continue;
        for (size_t o = 0; o < sizeof others / sizeof *others; o++)
            own = own && strcmp(r->path, others[o]) != 0;
        json_t *schema = json_loads(r->body, 0, NULL);
        assert_non_null(schema);
        if (closed(schema) != own) fail_msg("%s: keys that are not known", r->path);
        json_decref(schema);
    }
}

/* What a handler reads is named. */
static void analyses_can_be_chosen(void **state) {
    (void)state;
    static const char *const routes[] = { "/v1/classify", "/v1/tag", "/v1/explain",
                                          "/v1/feedback" };
    for (size_t n = 0; n < sizeof routes / sizeof *routes; n++)
        for (int i = 0; i < heed__routes_len; i++)
            if (strcmp(heed__routes[i].path, routes[n]) == 0)
                assert_non_null(strstr(heed__routes[i].body, "\"analysis\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),
        cmocka_unit_test(bodies_are_closed),
        cmocka_unit_test(analyses_can_be_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
