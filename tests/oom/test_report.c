/* Memory runs out while a day's report is counted and while it is told as JSON, Markdown, HTML. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/report.h"

enum { DAY_MS = 86400000 };
static const int64_t day_ms = (int64_t)20778 * DAY_MS;

static heed_store *store;
static json_t *told;

/* Called by the store for what it keeps as JSON (oom.h says why reading is spared). */
json_t *json_loads(const char *text, size_t flags, json_error_t *error) {
    oom_spare_json(true);
    json_t *tree = json_loadb(text, strlen(text), flags, error);
    oom_spare_json(false);
    return tree;
}

/* Two days of events with labels, entities, a story told three times and an alert. */
static void tell(int64_t i, heed_error *err) {
    static const char *const labels[] = { "fee", "refund" }, *const sources[] = { "mail", "feed" };
    heed_entry e = { .source = sources[i % 2],
                     .text = i % 2 ? "Acme <b>takes</b> a fee. It was paid | twice."
                                   : "Zürich wants a refund: “soon”. 他说：好。",
                     .title = i % 3 ? NULL : "A title & nothing else" };
    const int64_t at = day_ms - DAY_MS / 2 + i * DAY_MS / 8;
    assert_int_equal(heed_store_append(store, &e, 1, at, err), 0);
    const heed_finding f[] = {
        { .name = "intent",
          .label = labels[i % 2],
          .confidence = 0.9,
          .detail = "{\"labels\":[]}" },
        { .name = "mood", .label = "bad", .confidence = 0.8, .detail = "{\"labels\":[]}" },
        { .name = "who",
          .label = "ORG",
          .confidence = 1,
          .detail = "{\"entities\":[{\"begin\":0,\"end\":4,\"text\":\"Acme\",\"type\":\"ORG\"}]}" },
    };
    const heed_decided d = { .seq = e.seq,
                             .finding = f,
                             .findings = 3,
                             .rank = (double)i,
                             .story = i % 4 == 1 ? 2 : e.seq };
    const heed_alert alert = { .id = e.seq * 100,
                               .seq = e.seq,
                               .time_ms = e.time_ms,
                               .rule = "surge",
                               .grade = "warning",
                               .state = "open",
                               .key = "{}",
                               .title = "7 | `x`",
                               .why = "{\"gates\":[{\"gate\":\"count\",\"says\":\"7 of 5\"}],"
                                      "\"events\":7}" };
    const heed_commit c = {
        .upto = e.seq, .decided = &d, .decided_len = 1, .alert = &alert, .alerts = i == 6
    };
    assert_int_equal(heed_store_commit(store, &c, err), 0);
}

static json_t *count(heed_error *err) {
    const heed_report_cfg cfg = { .store = store,
                                  .name = "test",
                                  .zone = "UTC",
                                  .from_ms = day_ms,
                                  .to_ms = day_ms + DAY_MS,
                                  .most = 5 };
    return heed__report(&cfg, err);
}

/* What is told when memory ran out on the way is either all of it or nothing. */
static int count_all(heed_error *err) {
    json_t *report = count(err);
    if (!report) return err->code;
    const bool whole = !told || json_equal(report, told);
    if (!whole) print_error("a report that lacks something\n");
    json_decref(report);
    assert_true(whole);
    return 0;
}

static int markdown(heed_error *err) {
    size_t size;
    char *text = heed__report_markdown(told, &size, err);
    heed__free(NULL, text);
    return text ? 0 : err->code;
}

static int html(heed_error *err) {
    size_t size;
    char *text = heed__report_html(told, &size, err);
    heed__free(NULL, text);
    return text ? 0 : err->code;
}

static void counting(void **state) {
    (void)state;
    assert_true(oom_each(count_all) > 100);
}

static void telling(void **state) {
    (void)state;
    assert_true(oom_each(markdown) > 2);
    assert_true(oom_each(html) > 2);
}

static int set_up(void **state) {
    (void)state;
    heed_error err = { 0 };
    store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    if (!store) return -1;
    for (int64_t i = 0; i < 12; i++) tell(i, &err);
    told = count(&err);
    return told ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    json_decref(told);
    heed_store_close(store);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(counting), cmocka_unit_test(telling) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
