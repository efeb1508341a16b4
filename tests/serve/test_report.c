/* Reports: every number against SQL on the same store, every quote against the stored bytes, who
 * told a story first, and shapes that hold whatever the texts hold. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/date.h"
#include "cli/schema.c"
#include "serve/report.h"
#include "store/look.h"

enum { DAY_MS = 86400000, EVENTS = 700 };
static const int64_t day_ms = (int64_t)20778 * DAY_MS; /* 2026-11-21 */

static char folder[64], path[96];
static heed_store *store;

static const char *const intents[] = { "card_lost", "refund", "fee", "limit" };
static const char *const moods[] = { "negative", "neutral", "positive" };
static const char *const sources[] = { "desk", "mail", "feed" };
static const char *const names[] = { "Acme", "Bank & Co", "Zürich" };

static void must(int status, const heed_error *err) {
    if (status) fail_msg("%s", err->msg);
}

/* One event, its findings and its story, at a time. */
static int64_t tell(const heed_entry *e, int64_t at, int64_t i, int64_t story) {
    heed_error err = { 0 };
    heed_entry own = *e;
    must(heed_store_append(store, &own, 1, at, &err), &err);
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "{\"entities\":[{\"begin\":0,\"end\":1,\"text\":\"%s\",\"type\":\"ORG\"},"
                   "{\"begin\":2,\"end\":3,\"text\":\"%s\",\"type\":\"ORG\"}]}",
                   names[i % 3], names[i % 3]);
    const heed_finding f[] = {
        { .name = "intent",
          .label = intents[i * i % 4],
          .confidence = 0.9,
          .abstained = i % 11 == 0,
          .detail = "{\"labels\":[]}" },
        { .name = "mood", .label = moods[i % 3], .confidence = 0.8, .detail = "{\"labels\":[]}" },
        { .name = "who", .label = "ORG", .confidence = 1, .detail = detail },
    };
    const heed_decided d = { .seq = own.seq,
                             .finding = f,
                             .findings = 3,
                             .rank = (double)(i % 97),
                             .story = story ? story : own.seq };
    const heed_alert alert = { .id = own.seq * 100,
                               .seq = own.seq,
                               .time_ms = own.time_ms,
                               .rule = "surge",
                               .grade = "warning",
                               .state = "open",
                               .key = "{}",
                               .title = "refund: <b>7</b> | `x`",
                               .why = "{\"gates\":[{\"gate\":\"count\",\"says\":\"7 of 5\"}],"
                                      "\"events\":7}" };
    const heed_commit c = {
        .upto = own.seq, .decided = &d, .decided_len = 1, .alert = &alert, .alerts = i % 50 == 7
    };
    must(heed_store_commit(store, &c, &err), &err);
    return own.seq;
}

static int set_up(void **state) {
    (void)state;
    heed_error err = { 0 };
    (void)snprintf(folder, sizeof folder, "/tmp/heed-report-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/heed.db", folder);
    store = heed_store_open(&(heed_store_cfg){ .path = path }, &err);
    if (!store) fail_msg("%s", err.msg);
    /* two days and a half, denser on the second */
    int64_t story = 0;
    for (int64_t i = 0; i < EVENTS; i++) {
        const int64_t at = day_ms - DAY_MS + (i < 200 ? i * 400000 : 80000000 + (i - 200) * 200000);
        char text[512];
        (void)snprintf(text, sizeof text,
                       "Message %lld: %s. <script>alert(1)</script> | 他说：“%s”。 %s",
                       (long long)i, intents[i % 4], names[i % 3],
                       i % 5 ? "short"
                             : "Long words follow, one after another, until nobody reads "
                               "them any more; then there are still some more of them, "
                               "and at last even those come to an end, as all things do, "
                               "sooner or later, in this text as in all others. So be it.");
        const heed_entry e = { .source = sources[i % 3],
                               .text = i % 9 ? text : NULL,
                               .title = i % 9 ? NULL : "A title & nothing else" };
        const bool again = i == 190 || i == 400 || i == 410 || i == 500 || i == 699;
        const int64_t seq = tell(&e, at, i, again ? story : 0);
        if (i == 190) story = seq;
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    heed_store_close(store);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static json_t *report(int64_t zone_ms) {
    heed_error err = { 0 };
    const heed_report_cfg cfg = { .store = store,
                                  .name = "test <&>",
                                  .zone = "UTC",
                                  .zone_ms = zone_ms,
                                  .from_ms = day_ms - zone_ms,
                                  .to_ms = day_ms - zone_ms + DAY_MS,
                                  .most = 20 };
    json_t *r = heed__report(&cfg, &err);
    if (!r) fail_msg("%s", err.msg);
    return r;
}

/* The first number that a query gives; @A: the day's begin, @B: its end, @P: of the day before. */
static int64_t number(int64_t zone_ms, const char *format, ...) {
    char query[1024], sql[1200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(query, sizeof query, format, args);
    va_end(args);
    char *to = sql;
    for (const char *q = query; *q; q++) {
        const int64_t add = *q != '@' ? -1 : q[1] == 'P' ? -DAY_MS : q[1] == 'B' ? DAY_MS : 0;
        if (*q == '@')
            to += sprintf(to, "%lld", (long long)(day_ms - zone_ms + add)), q++;
        else
            *to++ = *q;
    }
    *to = 0;
    heed_error err = { 0 };
    json_t *answer = heed_look_sql(store, sql, 10, &err);
    if (!answer) fail_msg("%s: %s", sql, err.msg);
    const int64_t n = json_integer_value(
        json_array_get(json_array_get(json_object_get(answer, "rows"), 0), 0));
    json_decref(answer);
    return n;
}

static int64_t value(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}
static const char *text(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

#define DAY    "kind = 0 AND time_ms >= @A AND time_ms < @B"
#define BEFORE "kind = 0 AND time_ms >= @P AND time_ms < @A"
#define FOUND  "SELECT count(*) FROM finding f JOIN entry e ON e.seq = f.seq WHERE "

static void check_numbers(int64_t zone_ms) {
    json_t *r = report(zone_ms), *one, *label;
    size_t i, j;
    int64_t sum = 0;
    assert_true(value(json_object_get(r, "events"), "count") > 300);
    assert_int_equal(value(json_object_get(r, "events"), "count"),
                     number(zone_ms, "SELECT count(*) FROM entry WHERE " DAY));
    assert_int_equal(value(json_object_get(r, "events"), "before"),
                     number(zone_ms, "SELECT count(*) FROM entry WHERE " BEFORE));
    json_array_foreach(json_object_get(r, "hours"), i, one) {
        assert_int_equal(json_integer_value(one),
                         number(zone_ms,
                                "SELECT count(*) FROM entry WHERE " DAY
                                " AND (time_ms + %lld) / 3600000 %% 24 = %d",
                                (long long)zone_ms, (int)i));
        sum += json_integer_value(one);
    }
    assert_int_equal(sum, value(json_object_get(r, "events"), "count"));
    assert_int_equal(json_array_size(json_object_get(r, "sources")), 3);
    json_array_foreach(json_object_get(r, "sources"), i, one) {
        assert_int_equal(value(one, "count"),
                         number(zone_ms,
                                "SELECT count(*) FROM entry WHERE " DAY " AND source = '%s'",
                                text(one, "source")));
        assert_int_equal(value(one, "before"),
                         number(zone_ms,
                                "SELECT count(*) FROM entry WHERE " BEFORE " AND source = '%s'",
                                text(one, "source")));
    }
    assert_int_equal(json_array_size(json_object_get(r, "analyses")), 3);
    json_array_foreach(json_object_get(r, "analyses"), i, one) {
        const char *name = text(one, "analysis");
        assert_int_equal(value(one, "said"),
                         number(zone_ms, FOUND DAY " AND name = '%s' AND abstained = 0", name));
        assert_int_equal(value(one, "unsaid"),
                         number(zone_ms, FOUND DAY " AND name = '%s' AND abstained = 1", name));
        int64_t last = INT64_MAX;
        json_array_foreach(json_object_get(one, "labels"), j, label) {
            const int64_t n = value(label, "count"), b = value(label, "before");
            assert_int_equal(n, number(zone_ms,
                                       FOUND DAY " AND name = '%s' AND abstained = 0"
                                                 " AND label = '%s'",
                                       name, text(label, "label")));
            assert_int_equal(b, number(zone_ms,
                                       FOUND BEFORE " AND name = '%s' AND abstained = 0"
                                                    " AND label = '%s'",
                                       name, text(label, "label")));
            assert_int_equal(json_is_true(json_object_get(label, "changed")),
                             (n - b) * (n - b) > 9 * (n + b));
            assert_true(n <= last);
            last = n;
        }
    }
    assert_int_equal(json_array_size(json_object_get(r, "entities")), 3);
    json_array_foreach(json_object_get(r, "entities"), i, one)
        assert_int_equal(value(one, "count"),
                         number(zone_ms, FOUND DAY " AND name = 'who' AND instr(detail, '%s') > 0",
                                text(one, "text")));
    const json_t *crossed = json_object_get(r, "crossed"), *rows = json_object_get(crossed, "row"),
                 *columns = json_object_get(crossed, "column");
    assert_string_equal(text(crossed, "rows"), "intent");
    assert_string_equal(text(crossed, "columns"), "mood");
    for (i = 0; i < json_array_size(rows); i++)
        for (j = 0; j < json_array_size(columns); j++)
            assert_int_equal(
                json_integer_value(
                    json_array_get(json_array_get(json_object_get(crossed, "count"), i), j)),
                number(zone_ms,
                       "SELECT count(*) FROM finding f JOIN finding g ON g.seq = f.seq JOIN entry e"
                       " ON e.seq = f.seq WHERE " DAY " AND f.name = 'intent' AND g.name = 'mood'"
                       " AND f.abstained = 0 AND g.abstained = 0 AND f.label = '%s' AND"
                       " g.label = '%s'",
                       json_string_value(json_array_get(rows, i)),
                       json_string_value(json_array_get(columns, j))));
    assert_int_equal(json_array_size(json_object_get(r, "alerts")),
                     number(zone_ms, "SELECT count(*) FROM alert WHERE opened_ms >= @A AND"
                                     " opened_ms < @B"));
    json_decref(r);
}

static void test_numbers(void **state) {
    (void)state;
    check_numbers(0);
    check_numbers(8 * 3600000);
    check_numbers(-(3 * 60 + 30) * 60000);
}

/* The moment of a text that must have this end. */
static int64_t moment_in(const char *time, const char *offset) {
    int64_t ms = 0;
    const size_t len = strlen(time), n = strlen(offset);
    assert_true(len > n && heed__date_read(time, len, &ms));
    assert_string_equal(time + len - n, offset);
    return ms;
}

/* What stands under a day in a zone is of that day there, and the moment is the event's. */
static void check_times(int64_t zone_ms, const char *offset) {
    json_t *r = report(zone_ms), *one;
    size_t i;
    assert_int_equal(moment_in(text(r, "from"), offset), day_ms - zone_ms);
    assert_int_equal(moment_in(text(r, "to"), offset), day_ms - zone_ms + DAY_MS);
    json_array_foreach(json_object_get(r, "quotes"), i, one) {
        heed_error err = { 0 };
        json_t *event = heed_look_event(store, value(one, "seq"), &err);
        assert_int_equal(moment_in(text(one, "time"), offset), moment_in(text(event, "time"), "Z"));
        assert_memory_equal(text(one, "time"), text(r, "day"), 10);
        json_decref(event);
    }
    assert_true(json_array_size(json_object_get(r, "alerts")) > 0);
    json_array_foreach(json_object_get(r, "alerts"), i, one) {
        moment_in(text(one, "opened"), offset);
        assert_memory_equal(text(one, "opened"), text(r, "day"), 10);
    }
    json_array_foreach(json_object_get(r, "stories"), i, one) {
        const json_t *first = json_object_get(one, "first");
        const json_t *again = json_array_get(json_object_get(one, "again"), 0);
        assert_int_equal(moment_in(text(again, "time"), offset) -
                             moment_in(text(first, "time"), offset),
                         value(again, "after_ms"));
    }
    json_decref(r);
}

static void test_times(void **state) {
    (void)state;
    check_times(0, "Z");
    check_times(8 * 3600000, "+08:00");
    check_times(-(3 * 60 + 30) * 60000, "-03:30");
}

/* Two analyses that speak of different events make no table. */
static void test_nothing_crossed(void **state) {
    (void)state;
    static const char *const analysis[] = { "en", "zh" };
    heed_error err = { 0 };
    heed_store *const all = store;
    char other[128];
    (void)snprintf(other, sizeof other, "%s/other.db", folder);
    store = heed_store_open(&(heed_store_cfg){ .path = other }, &err);
    if (!store) fail_msg("%s", err.msg);
    for (int64_t i = 0; i < 2; i++) {
        heed_entry e = { .source = "desk", .text = "one" };
        must(heed_store_append(store, &e, 1, day_ms + i, &err), &err);
        const heed_finding f = { .name = analysis[i],
                                 .label = "good",
                                 .detail = "{\"labels\":[]}" };
        const heed_decided d = { .seq = e.seq, .finding = &f, .findings = 1, .story = e.seq };
        const heed_commit c = { .upto = e.seq, .decided = &d, .decided_len = 1 };
        must(heed_store_commit(store, &c, &err), &err);
    }
    json_t *r = report(0);
    assert_int_equal(json_array_size(json_object_get(r, "analyses")), 2);
    assert_true(json_is_null(json_object_get(r, "crossed")));
    size_t size = 0;
    char *md = heed__report_markdown(r, &size, &err), *html = heed__report_html(r, &size, &err);
    assert_non_null(md);
    assert_non_null(html);
    assert_non_null(strstr(md, "## zh\n"));
    assert_null(strstr(md, "en by zh"));
    assert_null(strstr(md, "zh by en"));
    assert_null(strstr(html, "en by zh"));
    assert_null(strstr(html, "zh by en"));
    heed__free(NULL, md);
    heed__free(NULL, html);
    json_decref(r);
    heed_store_close(store);
    store = all;
}

/* Each is that range of bytes of that event; none twice. */
static void test_quotes(void **state) {
    (void)state;
    json_t *r = report(0), *q;
    const json_t *list = json_object_get(r, "quotes");
    size_t i;
    bool cut = false, title = false;
    double last = 1e9;
    assert_int_equal(json_array_size(list), 20);
    json_array_foreach(list, i, q) {
        heed_error err = { 0 };
        json_t *event = heed_look_event(store, value(q, "seq"), &err);
        assert_non_null(event);
        const char *all = text(event, text(q, "field")), *said = text(q, "text");
        const int64_t begin = value(q, "begin"), end = value(q, "end");
        assert_true(begin >= 0 && end > begin && end <= (int64_t)strlen(all));
        assert_int_equal(strlen(said), end - begin);
        assert_memory_equal(all + begin, said, (size_t)(end - begin));
        const double rank = json_number_value(json_object_get(q, "rank"));
        assert_true(rank <= last);
        last = rank;
        cut |= end < (int64_t)strlen(all);
        title |= strcmp(text(q, "field"), "title") == 0;
        json_decref(event);
    }
    assert_true(cut && title);
    json_decref(r);
}

/* Told first on the day before, by feed; events 400, 410 and 500 repeat it, 699 only later. */
static void test_stories(void **state) {
    (void)state;
    json_t *r = report(0);
    const json_t *list = json_object_get(r, "stories"), *s = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(value(s, "story"), 191);
    assert_int_equal(value(json_object_get(s, "first"), "seq"), 191);
    assert_string_equal(text(json_object_get(s, "first"), "source"), sources[190 % 3]);
    assert_int_equal(value(s, "told"), number(0, "SELECT count(*) FROM decided d JOIN entry e ON"
                                                 " e.seq = d.seq WHERE d.story = 191 AND"
                                                 " e.time_ms < @B"));
    const json_t *again = json_object_get(s, "again");
    int64_t times = 0;
    for (size_t i = 0; i < json_array_size(again); i++)
        times += value(json_array_get(again, i), "times");
    assert_int_equal(times, value(s, "told") - 1);
    assert_int_equal(value(json_array_get(again, 0), "seq"), 401);
    assert_int_equal(value(json_array_get(again, 0), "after_ms"),
                     80000000 + (400 - 200) * 200000 - 190 * 400000);
    json_decref(r);
}

/* HTML asks for nothing and runs nothing; Markdown has no markup of a text's; JSON obeys. */
static void test_shapes(void **state) {
    (void)state;
    heed_error err = { 0 };
    char why[512] = "";
    json_t *r = report(0);
    json_error_t e;
    json_t *schema = json_load_file(HEED_SOURCE_DIR "/docs/schemas/report.json", 0, &e);
    assert_non_null(schema);
    if (!schema_holds(schema, r, why, sizeof why)) fail_msg("%s", why);
    json_decref(schema);
    size_t size = 0;
    char *html = heed__report_html(r, &size, &err);
    assert_non_null(html);
    assert_int_equal(strlen(html), size);
    static const char *const never[] = { "<script", "http:",   "https:", "src=", "href=",
                                         "<link",   "@import", "url(",   "<b>7", "test <&>" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(html, never[i])) fail_msg("the HTML holds %s", never[i]);
    assert_non_null(strstr(html, "default-src 'none'"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_non_null(strstr(html, "<h1>test &lt;&amp;&gt;</h1>"));
    heed__free(NULL, html);
    char *md = heed__report_markdown(r, &size, &err);
    assert_non_null(md);
    assert_null(strstr(md, "<script"));
    assert_non_null(strstr(md, "&lt;script&gt;alert\\(1\\)&lt;/script&gt; \\|"));
    assert_non_null(
        strstr(md, "**refund: &lt;b&gt;7&lt;/b&gt; \\| \\`x\\`** (warning, open, rule surge"));
    assert_non_null(strstr(md, "  - 7 of 5\n"));
    heed__free(NULL, md);
    json_decref(r);
}

/* The program, beside the store that is open here. */
static int run(const char *arguments, char *out, size_t size) {
    char command[512];
    const char *heed = getenv("HEED");
    (void)snprintf(command, sizeof command, "%s report --store %s %s 2>&1",
                   heed ? heed : "build/heed", path, arguments);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    const size_t n = fread(out, 1, size - 1, p);
    out[n] = 0;
    const int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_command(void **state) {
    (void)state;
    static char out[1 << 20];
    char file[160];
    assert_int_equal(run("--day 2026-11-21", out, sizeof out), 0);
    assert_int_equal(strncmp(out, "# heed, 2026-11-21 (UTC)\n", 25), 0);
    assert_int_equal(run("", out, sizeof out), 0); /* of the last event */
    assert_int_equal(strncmp(out, "# heed, 2026-11-22 (UTC)\n", 25), 0);
    assert_int_equal(run("--day 1999-01-01", out, sizeof out), 0);
    assert_non_null(strstr(out, "\n0 events; 0 on the day before"));
    assert_int_equal(run("--day tomorrow", out, sizeof out), 64);
    assert_string_equal(out, "heed: --day tomorrow: is no date such as 2026-11-21\n");
    assert_int_equal(run("--format pdf", out, sizeof out), 64);
    (void)snprintf(file, sizeof file, "--day 2026-11-21 -o %s/r.html", folder);
    assert_int_equal(run(file, out, sizeof out), 0);
    assert_string_equal(out, "");
    (void)snprintf(file, sizeof file, "%s/r.html", folder);
    assert_int_equal(access(file, R_OK), 0);
    json_error_t e;
    assert_int_equal(run("--day 2026-11-21 --format json", out, sizeof out), 0);
    json_t *tree = json_loads(out, 0, &e);
    assert_non_null(tree);
    json_decref(tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),         cmocka_unit_test(test_times),
        cmocka_unit_test(test_nothing_crossed), cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_stories),         cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
