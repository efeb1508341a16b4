/* Memory runs out while the HTTP server starts, keys are written and read, hubs are made. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/metrics.h"
#include "http/http.h"
#include "http/keys.h"

static char path[] = "/tmp/heed-oom-http-XXXXXX";

static void health(void *user, heed_request *rq) {
    (void)user;
    heed_reply_json(rq, 200, json_object());
}

static const heed_route routes[] = {
    { .method = "GET", .path = "/health", .fn = health, .flags = HEED_ROUTE_INLINE },
    { .method = "POST",
      .path = "/v1/{name}",
      .fn = health,
      .query = "{\"n\":{\"type\":\"integer\"}}",
      .body = "{\"type\":\"object\"}",
      .answer = "{}" },
};

static const char *const origins[] = { "https://a", "https://b" };

static int start_and_stop(heed_error *err) {
    heed_http *http = heed_http_start(&(heed_http_cfg){ .routes = routes,
                                                        .routes_len = 2,
                                                        .listen = "127.0.0.1:0",
                                                        .keys = path,
                                                        .cors = origins,
                                                        .cors_len = 2 },
                                      err);
    if (!http) return err->code;
    heed_http_stop(http, 1);
    return 0;
}

static int change_keys(heed_error *err) {
    char text[HEED_KEY_SIZE];
    heed_error ignored;
    heed_keys_remove(path, "b", &ignored); /* of a run that stopped in between */
    int status = heed_keys_add(path, "b", "read,write", 2, text, err);
    if (!status) status = heed_keys_remove(path, "b", err);
    return status;
}

static int make_hub(heed_error *err) {
    heed_hub *hub = heed_hub_new(1 << 16, NULL, err);
    if (!hub) return err->code;
    heed_hub_publish(hub, 0, "x", 1, "{}", 2);
    heed_hub_free(hub);
    return 0;
}

static int make_metrics(heed_error *err) {
    heed_metrics_set *set = heed__metrics_new(NULL, err);
    if (!set) return err->code;
    heed__metric_add(heed__counter(set, "a", "b", "c=\"d\""), 1);
    heed__metric_observe(heed__histogram(set, "h", "b", NULL), 1);
    size_t size;
    char *text = heed__metrics_text(set, &size);
    const int status = text ? 0 : heed__error(err, HEED_ENOMEM, "metrics");
    heed__free(NULL, text);
    heed__metrics_free(set);
    return status;
}

static void sweep(void **state) {
    (void)state;
    char text[HEED_KEY_SIZE];
    assert_int_equal(heed_keys_add(path, "a", "admin", 0, text, NULL), 0);
    oom_each(change_keys);
    oom_each(make_hub);
    oom_each(make_metrics);
    oom_spare_json(true);
    oom_each(start_and_stop);
    oom_spare_json(false);
}

int main(void) {
    const int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    const struct CMUnitTest tests[] = { cmocka_unit_test(sweep) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
