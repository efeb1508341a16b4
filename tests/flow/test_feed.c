/* Feeds of every form against what feedparser makes of them (tests/golden/make/feeds.py), and the
 * sentences for what is no feed. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/feed.h"

#define GOLDEN HEED_SOURCE_DIR "/tests/golden/feeds/"

/* Without white space, as the golden file has it. */
static const char *squeezed(const char *text) {
    static char room[4096];
    size_t n = 0;
    for (; text && *text && n < sizeof room - 1; text++)
        if (!strchr(" \t\r\n", *text)) room[n++] = *text;
    room[n] = 0;
    return text ? room : NULL;
}

typedef struct check {
    const char *file;
    const json_t *items;
    int64_t n;
} check;

static void same(const check *c, const char *what, const json_t *item, const char *is) {
    const char *should = json_string_value(json_object_get(item, what));
    if (is && should ? strcmp(is, should) != 0 : (is && *is) != (should && *should))
        fail_msg("%s, item %lld: %s is '%s', not '%s'", c->file, (long long)c->n, what,
                 is ? is : "(none)", should ? should : "(none)");
}

static int on_item(void *user, const heed_feed_item *item) {
    check *c = user;
    const json_t *golden = json_array_get(c->items, (size_t)c->n);
    if (!golden) fail_msg("%s: more than %lld items", c->file, (long long)c->n);
    same(c, "id", golden, item->id);
    same(c, "link", golden, item->url);
    same(c, "title", golden, squeezed(item->title));
    same(c, "text", golden, squeezed(item->text));
    const int64_t time = json_integer_value(json_object_get(golden, "time"));
    if (item->time_ms / 1000 != time)
        fail_msg("%s, item %lld: time %lld", c->file, (long long)c->n, (long long)item->time_ms);
    c->n++;
    return 0;
}

static void test_golden(void **state) {
    (void)state;
    json_t *all = json_load_file(GOLDEN "expected.json", 0, NULL);
    assert_non_null(all);
    const char *file;
    json_t *items;
    json_object_foreach(all, file, items) {
        char path[512], *bytes;
        size_t size;
        heed_error err = { 0 };
        snprintf(path, sizeof path, GOLDEN "%s", file);
        assert_int_equal(heed__file_read(NULL, path, 1 << 20, &bytes, &size, &err), 0);
        check c = { .file = file, .items = items };
        const heed_feed_cfg cfg = { .name = file };
        const int64_t n = heed__feed_read(bytes, size, &cfg, on_item, &c, &err);
        if (n < 0) fail_msg("%s", err.msg);
        assert_int_equal(n, (int64_t)json_array_size(items));
        heed__free(NULL, bytes);
    }
    assert_true(json_object_size(all) >= 13);
    json_decref(all);
}

static int count_item(void *user, const heed_feed_item *item) {
    char *last = user;
    snprintf(last, 200, "%s|%s|%s|%s", item->id, item->title ? item->title : "-",
             item->text ? item->text : "-", item->url ? item->url : "-");
    return 0;
}

static int64_t read_text(const char *text, const char *charset, char last[200], heed_error *err) {
    const heed_feed_cfg cfg = { .name = "feed", .charset = charset };
    *err = (heed_error){ 0 };
    last[0] = 0;
    return heed__feed_read(text, strlen(text), &cfg, count_item, last, err);
}

static void test_json(void **state) {
    (void)state;
    heed_error err;
    char last[200];
    assert_int_equal(read_text("{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":["
                               "{\"id\":\"a\",\"content_text\":\"one\"},"
                               "{\"id\":5,\"url\":\"http://x/5\",\"title\":\"T &amp;\","
                               "\"content_html\":\"<p>h</p>\",\"authors\":[{\"name\":\"A\"}],"
                               "\"date_published\":\"2024-05-01T10:00:00Z\"}]}",
                               NULL, last, &err),
                     2);
    assert_string_equal(last, "5|T &amp;|h|http://x/5");
    assert_int_equal(read_text("{\"items\":[]}", NULL, last, &err), 0);
    assert_int_equal(read_text("{\"a\":1}", NULL, last, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "feed: is JSON without a list of items");
    assert_int_equal(read_text("{\"items\":[1,null,{}]}", NULL, last, &err), 0);
    assert_int_equal(read_text("{\"items\":[", NULL, last, &err), HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "feed:1:"));
}

static const struct {
    const char *text;
    int64_t n;
    const char *says, *last;
} feeds[] = {
    { "", HEED_EFORMAT, "feed: is empty, not a feed", "" },
    { "   \n", HEED_EFORMAT, "feed: is empty, not a feed", "" },
    { "no feed at all", HEED_EFORMAT, "feed:1:1: no element found", "" },
    { "<html><body>404</body></html>", HEED_EFORMAT,
      "feed:1:1: is no feed: its first element is <html>", "" },
    { "<!DOCTYPE html><html></html>", HEED_EFORMAT,
      "feed:1:1: is no feed: its first element is <html>", "" },
    { "<rss><channel></channel></rss>", 0, "", "" },
    { "<rss><channel><item></item></channel></rss>", 0, "", "" },
    { "<rss><channel><item><title>a</title></item>\n<item><title>b</item></channel></rss>",
      HEED_EFORMAT, "feed:2:17: mismatched tag", "" },
    { "<!DOCTYPE r [<!ENTITY a \"b\">]><rss>&a;</rss>", HEED_EFORMAT,
      "feed: declares entities of its own, which no feed needs", "" },
    { "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss><item><title>&x;</title></item>"
      "</rss>",
      HEED_EFORMAT, "feed: declares entities of its own, which no feed needs", "" },
    { "<!DOCTYPE r SYSTEM \"http://127.0.0.1/x.dtd\"><rss><channel><item><guid>g</guid><title>&x;"
      "</title></item></channel></rss>",
      1, "", "g|&x;|-|-" },
    { "<rss><channel><item><guid> g </guid><title>a\x01z</title></item></channel></rss>", 1, "",
      "g|a z|-|-" },
    { "<rss><channel><item><guid>g</guid><title>a&#1;&#xFFFF;z</title></item></channel></rss>", 1,
      "", "g|a\xef\xbf\xbd\xef\xbf\xbdz|-|-" },
    { "<rss><channel><item><link>javascript:x</link><title>t</title></item></channel></rss>", 1, "",
      "javascript:x|t|-|javascript:x" },
    { "<feed><entry><id>i</id><content "
      "type=\"image/png\">iVBORw0KGgo=</content><summary>s</summary>"
      "</entry></feed>",
      1, "", "i|-|s|-" },
    { "<feed><entry><id>i</id><title mode=\"base64\">aGVsbG8=</title></entry></feed>", 1, "",
      "i|hello|-|-" },
    { "<feed><entry><id>i</id><content src=\"http://x/\">no</content><summary>s</summary></entry>"
      "</feed>",
      1, "", "i|-|s|-" },
    { "<rss><channel><item><guid>g</guid><description>short</description><title>t</title>"
      "<media:title xmlns:media=\"http://search.yahoo.com/mrss/\">other</media:title></item>"
      "</channel></rss>",
      1, "", "g|t|short|-" },
};

static void test_forms(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
        heed_error err;
        char last[200];
        const int64_t n = read_text(feeds[i].text, NULL, last, &err);
        if (n != feeds[i].n || strcmp(err.msg, feeds[i].says) != 0)
            fail_msg("%s: %lld, %s", feeds[i].text, (long long)n, err.msg);
        if (n >= 0) assert_string_equal(last, feeds[i].last);
    }
}

static void test_limits(void **state) {
    (void)state;
    heed_error err;
    char last[200], *text = malloc(8 << 20);
    size_t len = (size_t)sprintf(text, "<rss>");
    for (int i = 0; i < 200; i++) len += (size_t)sprintf(text + len, "<a>");
    assert_int_equal(read_text(text, NULL, last, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "feed:1:303: elements within elements more than 100 deep");
    len = (size_t)sprintf(text, "<rss><channel>");
    for (int i = 0; i < HEED_FEED_ITEMS + 1; i++)
        len += (size_t)sprintf(text + len, "<item><title>%d</title></item>", i);
    assert_int_equal(read_text(text, NULL, last, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "feed: more than 10000 items");
    /* the charset that the server says, over UTF-8 */
    assert_int_equal(read_text("<rss><channel><item><guid>g</guid><title>\xcf\xf0</title></item>"
                               "</channel></rss>",
                               "windows-1251", last, &err),
                     1);
    assert_string_equal(last, "g|\xd0\x9f\xd1\x80|-|-");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
