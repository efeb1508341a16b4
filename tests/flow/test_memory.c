/* Memory runs out at every place in turn while a flow, a feed, a mail and HTML are read: each gives
 * back what it took and says so. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/charset.h"
#include "flow/feed.h"
#include "flow/flow_print.h"
#include "flow/html.h"
#include "flow/mail.h"
#include "flow/table.h"

static int64_t calls, fail_at, live;

static void *take(void *user, size_t size) {
    (void)user;
    if (++calls == fail_at) return NULL;
    live++;
    return malloc(size);
}

static void give_back(void *user, void *memory) {
    (void)user;
    live--;
    free(memory);
}

static const heed_hooks hooks = { .alloc = take, .release = give_back };

/* 0 or the status that err tells of. */
typedef int (*work_fn)(heed_error *err);

static void sweep(const char *what, work_fn work) {
    int64_t n = 0;
    for (fail_at = 1;; fail_at++) {
        heed_error err = { 0 };
        calls = 0;
        const int status = work(&err);
        assert_int_equal(live, 0);
        if (calls < fail_at) { /* nothing was left to fail */
            if (status) fail_msg("%s fails by itself: %s", what, err.msg);
            break;
        }
        n++;
        if (status && (status != HEED_ENOMEM || !strstr(err.msg, "out of memory")))
            fail_msg("%s, allocation %lld: %d, %s", what, (long long)fail_at, status, err.msg);
    }
    assert_true(n > 2);
}

static int flow(heed_error *err) {
    static const char yaml[] =
        "name: x\nredact: [mail, card]\nsources:\n  a: {kind: push}\n"
        "  b: {kind: feed, url: \"http://x/\"}\nanalyses:\n  i: {kind: language}\n"
        "  c: {kind: classify, model: m, when: {i: en}}\n"
        "  r: {kind: risk, grades: {high: {words: [x], when: {i: [a, b]}}}}\n"
        "rules:\n  m: {kind: match, when: {i: {is: a, least: 0.5}}, to: p}\n"
        "sinks:\n  p: {kind: page}\ndesk: {intent: c}\n";
    heed_flow *f = heed_flow_parse(yaml, strlen(yaml), "d/flow.yaml", false, &hooks, err);
    if (!f) return err->code;
    char *text = heed_flow_text(f, &hooks, err);
    char *graph = text ? heed_flow_graph(f, &hooks, err) : NULL;
    const int status = graph ? 0 : err->code;
    if (text) give_back(NULL, text);
    if (graph) give_back(NULL, graph);
    heed_flow_close(f);
    return status;
}

static int wrong_flow(heed_error *err) {
    heed_flow *f = heed_flow_parse("nam: x\nkeep: y\nsinks: {a: 1}\n", 28, "f", false, &hooks, err);
    assert_null(f);
    return err->code == HEED_EFORMAT ? 0 : err->code;
}

static int on_item(void *user, const heed_feed_item *item) {
    (void)user, (void)item;
    return 0;
}

static int feed(heed_error *err) {
    static const char xml[] =
        "<?xml version='1.0' encoding='koi8-r'?><rss><channel><item><title>a &amp; \xf0</title>"
        "<link>x</link><description>&lt;p&gt;text</description></item><item><title>b</title>"
        "</item></channel></rss>";
    const heed_feed_cfg cfg = { .name = "feed", .hooks = &hooks };
    const int64_t n = heed__feed_read(xml, strlen(xml), &cfg, on_item, NULL, err);
    return n < 0 ? (int)n : 0;
}

static int mail(heed_error *err) {
    static const char text[] =
        "From: =?utf-8?Q?A?= <a@x>\nSubject: =?koi8-r?B?8A==?= s\nMessage-ID: <1>\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n"
        "Content-Transfer-Encoding: base64\n\nPHA+aGVsbG8=\n--b--\n";
    heed_mail m;
    const int status = heed__mail_read(&m, text, strlen(text), &hooks, err);
    if (status) return status;
    assert_string_equal(m.text, "hello");
    heed__mail_free(&m);
    return 0;
}

static int table(heed_error *err) {
    heed_table t;
    int got = heed__table_open(&t, HEED_SOURCE_DIR "/data/banking77/test.tsv", NULL, &hooks, err);
    for (int i = 0; i < 3 && got >= 0; i++) {
        got = heed__table_next(&t, err);
        if (got > 0) got = heed__table_cut(&t, t.record.bytes, err);
    }
    heed__table_close(&t);
    return got < 0 ? got : 0;
}

static void test_sweeps(void **state) {
    (void)state;
    sweep("a flow", flow);
    sweep("a wrong flow", wrong_flow);
    sweep("a feed", feed);
    sweep("a mail", mail);
    sweep("a table", table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
