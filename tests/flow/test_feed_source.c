/* The feed source against a server of its own: what has not changed is not read again, what is new
 * comes once, and everything that a server can do wrong has its sentence and its end. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "collect.h"
#include "feed_source/server.h"

static server *web;
static int wrong_conditions; /* requests whose conditions were not the last answer's */

#define ITEM(id, text) "<item><guid>" id "</guid><title>" text "</title><link>/" id "</link></item>"

static void rss(int fd, const char *headers, const char *items) {
    char body[4096], head[1024];
    snprintf(body, sizeof body, "<rss version=\"2.0\"><channel>%s</channel></rss>", items);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml%s%s",
             *headers ? "\r\n" : "", headers);
    server_answer(fd, head, body, strlen(body));
}

/* Changes at the third look; its ETag is asked for. */
static void changing(int fd, const char *request, int nth) {
    char etag[64] = "", modified[64] = "";
    server_header(request, "If-None-Match", etag, sizeof etag);
    server_header(request, "If-Modified-Since", modified, sizeof modified);
    const char *should = nth == 0 ? "" : nth < 3 ? "\"one\"" : "\"two\"";
    if (strcmp(etag, should) != 0 || !*modified != !*should) wrong_conditions++;
    if (nth == 0)
        rss(fd, "ETag: \"one\"\r\nLast-Modified: Wed, 01 May 2024 10:00:00 GMT",
            ITEM("b", "second") ITEM("a", "first"));
    else if (nth == 2)
        rss(fd, "ETag: \"two\"\r\nLast-Modified: Wed, 01 May 2024 11:00:00 GMT",
            ITEM("c", "third") ITEM("b", "second") ITEM("a", "first"));
    else
        server_answer(fd, "HTTP/1.1 304 Not Modified", "", 0);
}

/* size zero bytes, packed: a thousand times smaller. */
static void bomb(int fd, size_t size) {
    uLongf packed_size = compressBound(size) + 64;
    Bytef *plain = calloc(1, size), *packed = malloc(packed_size);
    z_stream z = { 0 };
    deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = plain;
    z.avail_in = (uInt)size;
    z.next_out = packed;
    z.avail_out = (uInt)packed_size;
    deflate(&z, Z_FINISH);
    server_answer(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip", packed, z.total_out);
    deflateEnd(&z);
    free(plain);
    free(packed);
}

static void gzipped(int fd) {
    const char *text = "<rss><channel>" ITEM("z", "was packed") "</channel></rss>";
    Bytef packed[1024];
    z_stream z = { 0 };
    deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    deflate(&z, Z_FINISH);
    server_answer(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip", packed, z.total_out);
    deflateEnd(&z);
}

static void drip(int fd) {
    const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    if (send(fd, head, strlen(head), MSG_NOSIGNAL) < 0) return;
    for (int i = 0; i < 600 && send(fd, " ", 1, MSG_NOSIGNAL) == 1; i++) heed__sleep_ms(100);
}

/* Ends before it should. */
static void cut(int fd) {
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss><channel>" ITEM("h",
                                                                                            "half");
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) return;
}

static void redirect(int fd, const char *to) {
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: %s", to);
    server_answer(fd, head, "", 0);
}

static void answer(int fd, const char *path, const char *request, int nth) {
    if (strcmp(path, "/changing") == 0)
        changing(fd, request, nth);
    else if (strcmp(path, "/circle") == 0)
        redirect(fd, "/circle");
    else if (strcmp(path, "/moved") == 0)
        redirect(fd, "/deep/er/feed");
    else if (strcmp(path, "/deep/er/feed") == 0)
        rss(fd, "", "<item><guid>m</guid><title>t</title><link>../x?a=1</link></item>");
    else if (strcmp(path, "/file") == 0)
        redirect(fd, "file:///etc/passwd");
    else if (strcmp(path, "/large") == 0)
        bomb(fd, 100000);
    else if (strcmp(path, "/bomb") == 0)
        bomb(fd, 16 << 20);
    else if (strcmp(path, "/gzip") == 0)
        gzipped(fd);
    else if (strcmp(path, "/broken") == 0 && nth == 0)
        rss(fd, "ETag: \"b\"", ITEM("k", "kept") "<item><title>lost</item>");
    else if (strcmp(path, "/broken") == 0)
        rss(fd, "", ITEM("k", "kept") ITEM("l", "found"));
    else if (strcmp(path, "/retry") == 0 && nth == 0)
        server_answer(fd, "HTTP/1.1 503 Busy\r\nRetry-After: 1", "", 0);
    else if (strcmp(path, "/retry") == 0)
        rss(fd, "", ITEM("r", "after a while"));
    else if (strcmp(path, "/html") == 0)
        server_answer(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/html", "<html></html>", 13);
    else if (strcmp(path, "/cut") == 0)
        cut(fd);
    else if (strcmp(path, "/koi8") == 0)
        server_answer(
            fd, "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=koi8-r",
            "<rss><channel><item><guid>q</guid><title>\xf0</title></item></channel></rss>", 72);
    else if (strcmp(path, "/scripts") == 0)
        rss(fd, "",
            "<item><guid>j</guid><title>&lt;script&gt;x&lt;/script&gt;safe</title>"
            "<link>javascript:alert(1)</link></item>");
    else if (strcmp(path, "/slow") == 0)
        drip(fd);
    else if (strcmp(path, "/noise") == 0)
        server_answer(fd, "SSH-2.0-OpenSSH", "", 0);
    else
        server_answer(fd, "HTTP/1.1 404 Not Found", "", 0);
}

static void start(collect *c, const char *path) {
    char settings[256];
    snprintf(
        settings, sizeof settings,
        "kind: feed, url: \"http://127.0.0.1:%d%s\", allow_private: true, every: 5s, most: 1MB",
        server_port(web), path);
    collect_start(c, settings);
}

static void test_changes(void **state) {
    (void)state;
    collect c = { 0 };
    start(&c, "/changing");
    collect_wait(&c, 3);
    while (server_count(web, "/changing") < 5) heed__sleep_ms(10);
    assert_int_equal(c.len, 3);
    assert_int_equal(c.again, 0); /* what was seen is not even asked of the store */
    assert_int_equal(wrong_conditions, 0);
    assert_string_equal(c.event[0].title, "first"); /* the oldest first */
    assert_string_equal(c.event[1].title, "second");
    assert_string_equal(c.event[2].title, "third");
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/c", server_port(web));
    assert_string_equal(c.event[2].url, url);
    collect_stop(&c);
    const int before = server_count(web, "/changing");
    start(&c, "/changing"); /* another process: it still knows */
    while (server_count(web, "/changing") < before + 2) heed__sleep_ms(10);
    assert_int_equal(wrong_conditions, 0);
    assert_int_equal(c.len, 3);
    collect_free(&c);
}

static void test_good(void **state) {
    (void)state;
    collect c = { 0 };
    start(&c, "/moved");
    collect_wait(&c, 1);
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/deep/x?a=1", server_port(web));
    assert_string_equal(c.event[0].url, url); /* beside what it was redirected to */
    collect_free(&c);
    start(&c, "/gzip");
    collect_wait(&c, 1);
    assert_string_equal(c.event[0].title, "was packed");
    collect_free(&c);
    start(&c, "/koi8");
    collect_wait(&c, 1);
    assert_string_equal(c.event[0].title, "\xd0\x9f");
    collect_free(&c);
    start(&c, "/scripts");
    collect_wait(&c, 1);
    assert_string_equal(c.event[0].title, "safe");
    assert_null(c.event[0].url);
    collect_free(&c);
    const int64_t asked = heed__ticks_ns();
    start(&c, "/retry"); /* 30 ms between two looks, and it asks for one second */
    collect_wait(&c, 1);
    assert_true(heed__ticks_ns() - asked >= 900000000);
    collect_free(&c);
    start(&c, "/broken"); /* what stands before the fault is taken, and the feed is read again */
    collect_wait(&c, 2);
    assert_string_equal(c.event[0].title, "kept");
    assert_string_equal(c.event[1].title, "found");
    collect_free(&c);
}

static const struct {
    const char *path, *says;
} bad[] = {
    { "/none", "/none: the server says 404" },
    { "/circle", "/circle: more than 5 redirects" },
    { "/file", "/file: leads to what is neither http nor https" },
    { "/bomb", "/bomb: larger than the 1000000 bytes that are read of it" },
    { "/large", "/large: is empty, not a feed" },
    { "/html", "/html:1:1: is no feed: its first element is <html>" },
    { "/cut", "/cut: transfer closed with " },
    { "/noise", "/noise: leads to what is neither http nor https, or answers so" },
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        collect c = { 0 };
        char error[512];
        start(&c, bad[i].path);
        collect_until(&c, "failing");
        collect_state(&c, "error", error, sizeof error);
        if (!strstr(error, bad[i].says)) fail_msg("%s: %s", bad[i].path, error);
        assert_int_equal(c.len, 0);
        collect_free(&c);
    }
}

/* Pauses double: a server that fails is not asked a hundred times. */
static void test_patience(void **state) {
    (void)state;
    collect c = { 0 };
    const int64_t begun = heed__ticks_ns();
    start(&c, "/gone");
    while (server_count(web, "/gone") < 5) heed__sleep_ms(5);
    assert_true(heed__ticks_ns() - begun >= 430000000); /* 30 + 60 + 120 + 240 ms */
    collect_free(&c);
}

static void test_private(void **state) {
    (void)state;
    collect c = { 0 };
    char settings[256], error[512];
    snprintf(settings, sizeof settings, "kind: feed, url: \"http://localhost:%d/private\"",
             server_port(web));
    collect_start(&c, settings);
    collect_until(&c, "failing");
    collect_state(&c, "error", error, sizeof error);
    if (!strstr(error, "/private: leads to ") || !strstr(error, "is not of the public internet"))
        fail_msg("%s", error);
    assert_int_equal(server_count(web, "/private"), 0); /* no byte was sent */
    collect_free(&c);
}

/* A server of 10 bytes a second, which is given up after 20 s, does not hold up the end. */
static void test_slow(void **state) {
    (void)state;
    collect c = { 0 };
    start(&c, "/slow");
    while (server_count(web, "/slow") == 0) heed__sleep_ms(10);
    const int64_t begun = heed__ticks_ns();
    collect_stop(&c);
    assert_true(heed__ticks_ns() - begun < 15000000000);
    collect_free(&c);
}

static int open_web(void **state) {
    (void)state;
    web = server_start(answer);
    return 0;
}

static int close_web(void **state) {
    (void)state;
    server_stop(web);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes), cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),     cmocka_unit_test(test_patience),
        cmocka_unit_test(test_private), cmocka_unit_test(test_slow),
    };
    return cmocka_run_group_tests(tests, open_web, close_web);
}
