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

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(starts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
