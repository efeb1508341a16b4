/* Requests as they should be and as they should not: dispatch, parts, queries, bodies, refusals. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static heed_http *http;
static int port;

static int start(void **state) {
    (void)state;
    client_hub = heed_hub_new(0, NULL, NULL);
    http = client_server(&(heed_http_cfg){ .request_seconds = 5 });
    port = heed_http_port(http);
    return 0;
}

static int stop(void **state) {
    (void)state;
    heed_http_stop(http, 5);
    heed_hub_free(client_hub);
    return 0;
}

static void expect(int status, const char *head, const char *body) {
    const int got = client_status(port, head, body);
    if (got != status) fail_msg("%s: %d, not %d", head, got, status);
}

static void expect_text(const char *text, const char *head, const char *body) {
    char *answer = client_ask(port, head, body);
    if (!strstr(answer, text)) fail_msg("%s: %s\nhas no %s", head, answer, text);
    free(answer);
}

static void dispatch(void **state) {
    (void)state;
    expect_text("{\"status\":\"ok\"}", "GET /health HTTP/1.1", NULL);
    expect_text("{\"status\":\"ok\"}", "GET /parts/fixed HTTP/1.1", NULL); /* literal first */
    expect_text("\"name\":\"a b\"", "GET /parts/a%20b HTTP/1.1", NULL);
    expect_text("\"name\":\"a/b\"", "GET /parts/a%2Fb HTTP/1.1", NULL);
    expect_text("\"name\":\"a+b\"", "GET /parts/a+b HTTP/1.1", NULL);
    expect_text("\"rest\":\"x/y.js\"", "GET /files/x/y.js HTTP/1.1", NULL);
    expect_text("\"q\":\"a b&=\xc3\xa9\"", "GET /parts/x?z=1&q=a+b%26%3D%c3%a9&q=2 HTTP/1.1", NULL);
    expect_text("\"q\":\"\"", "GET /parts/x?q HTTP/1.1", NULL);
    expect_text("\"q\":null", "GET /parts/x HTTP/1.1", NULL);
    expect_text("\"method\":\"DELETE\"", "DELETE /echo HTTP/1.1", NULL);
    expect_text("\"path\":\"/parts/x\"", "GET http://127.0.0.1/parts/x?q=1 HTTP/1.1", NULL);
    expect(404, "GET /nothing HTTP/1.1", NULL);
    expect(404, "GET /health/ HTTP/1.1", NULL);
    expect(404, "GET //health HTTP/1.1", NULL);
    expect(404, "GET /parts/ HTTP/1.1", NULL);
    expect(404, "GET /parts/a/b HTTP/1.1", NULL);
    expect(404, "GET /files/ HTTP/1.1", NULL);
    expect(404, "GET / HTTP/1.1", NULL);
    expect(404, "GET * HTTP/1.1", NULL);
}

static void paths_that_are_none(void **state) {
    (void)state;
    static const char *const nowhere[] = {
        "/files/../x",  "/files/%2e%2e/x", "/files/a/..",       "/files/%2E%2E%2Fx", "/./health",
        "/parts/a%0ab", "/parts/%7f",      "/files/a%5c..%5cb", "/parts/%c2%85x",
    };
    static const char *const bad[] = {
        "/files/a%00b",   "/files/%",      "/files/%4",    "/files/%zz",
        "/parts/%ff",     "/parts/%c0%af", "/parts/x?q=%", "/parts/x?q=%ff",
        "/parts/x?%00=1", "health",        "http:/health",
    };
    char head[200];
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        snprintf(head, sizeof head, "GET %s HTTP/1.1", nowhere[i]);
        expect(404, head, NULL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(head, sizeof head, "GET %s HTTP/1.1", bad[i]);
        expect(400, head, NULL);
    }
    char many[400] = "GET /parts/x?";
    for (int i = 0; i < 40; i++) strcat(many, "a=1&");
    strcat(many, " HTTP/1.1");
    expect(400, many, NULL);
}

static void methods(void **state) {
    (void)state;
    expect(405, "POST /health HTTP/1.1", "x");
    expect(405, "GET /echo HTTP/1.1", NULL);
    expect(405, "BREW /echo HTTP/1.1", NULL);
    expect(405, "TRACE /health HTTP/1.1", NULL);
    expect(405, "PATCH /health HTTP/1.1", "{\"a\":1}");
    expect(404, "GET /nothing HTTP/1.1", "a body");
    expect(200, "GET /health HTTP/1.1", "a body");
    expect_text("Allow: GET, HEAD, OPTIONS\r\n", "DELETE /health HTTP/1.1", NULL);
    expect_text("Allow: POST, PUT, DELETE, OPTIONS\r\n", "GET /echo HTTP/1.1", NULL);
    expect_text("Allow: POST, PUT, DELETE, OPTIONS\r\n", "OPTIONS /echo HTTP/1.1", NULL);
    expect(204, "OPTIONS /echo HTTP/1.1", NULL);
    expect(204, "OPTIONS * HTTP/1.1", NULL);
    expect(404, "OPTIONS /nothing HTTP/1.1", NULL);
    char *answer = client_ask(port, "HEAD /health HTTP/1.1", NULL);
    assert_non_null(strstr(answer, " 200 "));
    assert_non_null(strstr(answer, "Content-Length: 15\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
    answer = client_ask(port, "HEAD /events HTTP/1.1", NULL);
    assert_non_null(strstr(answer, "text/event-stream"));
    free(answer);
    answer = client_ask(port, "HEAD /talk HTTP/1.1", NULL);
    assert_non_null(strstr(answer, "text/event-stream"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
}

static void bodies(void **state) {
    (void)state;
    const char *json = "POST /json HTTP/1.1\r\nContent-Type: application/json";
    expect(202, json, "{\"a\": 1}");
    expect(202, "POST /json HTTP/1.1\r\nContent-Type: Application/JSON; charset=\"UTF-8\"", "{}");
    expect(202, "POST /json HTTP/1.1\r\nContent-Type: application/cloudevents+json", "{}");
    expect(415, "POST /json HTTP/1.1\r\nContent-Type: application/json; charset=latin1", "{}");
    expect(415, "POST /json HTTP/1.1\r\nContent-Type: text/plain", "{}");
    expect(415, "POST /json HTTP/1.1\r\nContent-Type: application/jsonx", "{}");
    expect(415, "POST /json HTTP/1.1", "{}");
    expect(400, json, "");
    expect(400, json, "{\"a\": 1} x");
    expect(400, json, "{\"a\": \"\xff\"}");
    expect(400, json, "{\"a\": 1, \"a\": 2}");
    expect(411, "POST /json HTTP/1.1\r\nContent-Type: application/json", NULL);
    expect(200, "POST /do/x HTTP/1.1", NULL);
    expect_text("body:1:2: ", json, "{x}");
    expect_text("\"body\":\"hello\"", "POST /echo HTTP/1.1", "hello");
    char *much = calloc(1, 5000);
    memset(much, ' ', 4998);
    expect(413, json, much);
    much[4000] = 0;
    memcpy(much, "{}", 2);
    expect(202, json, much);
    free(much);
}

static int raw(const char *request) {
    const int fd = client_open(port);
    client_send(fd, request);
    char *answer = client_read(fd, 3000);
    int status = 0;
    if (sscanf(answer, "HTTP/1.1 %d", &status) != 1) status = 0;
    free(answer);
    close(fd);
    return status;
}

static void chunked(void **state) {
    (void)state;
    const int fd = client_open(port);
    client_answer a;
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n5\r\n, you\r\n0\r\n\r\n");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_non_null(strstr(a.body, "\"body\":\"hello, you\""));
    client_answer_free(&a);
    close(fd);
}

/* What two readers might read in two ways is read in none. */
static void ambiguous(void **state) {
    (void)state;
    assert_int_equal(raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                     400);
    assert_int_equal(raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
                         "Content-Length: 2\r\nConnection: close\r\n\r\nab"),
                     400);
    assert_int_equal(raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
                     400);
    assert_int_equal(raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\na"),
                     400);
    assert_int_equal(raw("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Length: 99999999999999999999999\r\n\r\na"),
                     413);
    assert_int_equal(
        raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n"
            "Connection: close\r\n\r\n0\r\n\r\n"),
        501);
    assert_int_equal(raw("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n"
                         "Connection: close\r\n\r\n"),
                     400);
    assert_int_equal(raw("GET http://evil/health HTTP/1.1\r\nHost: localhost\r\n"
                         "Connection: close\r\n\r\n"),
                     400);
    assert_int_equal(raw("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"), 400);
    assert_int_equal(raw("GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x01z\r\n"
                         "Connection: close\r\n\r\n"),
                     400);
    assert_int_equal(raw("\x16\x03\x01\x02\r\n\r\n"), 0);
}

static void pipelined(void **state) {
    (void)state;
    const int fd = client_open(port);
    client_answer a;
    client_send(fd, "GET /parts/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "POST /do/2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
                    "GET /number?n=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /parts/5 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    static const char *const want[] = { "\"name\":\"1\"", "\"body\":\"abc\"", "{\"n\":3}",
                                        "nothing at this path", "\"name\":\"5\"" };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
        if (!strstr(a.body, want[i])) fail_msg("%s has no %s", a.body, want[i]);
        client_answer_free(&a);
    }
    close(fd);
}

static void numbers(void **state) {
    (void)state;
    expect_text("{\"n\":7}", "GET /number HTTP/1.1", NULL);
    expect_text("{\"n\":-5}", "GET /number?n=-5 HTTP/1.1", NULL);
    static const char *const bad[] = { "-6", "11", "", "x", "1.5", "+1", "99999999999999999999" };
    char head[100];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(head, sizeof head, "GET /number?n=%s HTTP/1.1", bad[i]);
        expect(400, head, NULL);
    }
    expect_text("n is no whole number from -5 to 10", "GET /number?n=11 HTTP/1.1", NULL);
}

/* Parameters, parts and bodies are held against the table. */
static void schemas(void **state) {
    (void)state;
    expect(200, "GET /must/1?n=2&b=true&e=y HTTP/1.1", NULL);
    expect_text("the query has no n", "GET /must/1 HTTP/1.1", NULL);
    expect_text("n is no integer", "GET /must/1?n=x HTTP/1.1", NULL);
    expect_text("id is no integer", "GET /must/x?n=1 HTTP/1.1", NULL);
    expect_text("id is less than 1", "GET /must/0?n=1 HTTP/1.1", NULL);
    expect_text("b is no boolean", "GET /must/1?n=1&b=yes HTTP/1.1", NULL);
    expect_text("e is none of x, y", "GET /must/1?n=1&e=z HTTP/1.1", NULL);
    const char *json = "POST /json HTTP/1.1\r\nContent-Type: application/json";
    expect_text("body is no object", json, "[]");
    expect_text("body.most is no integer", json, "{\"most\": null}");
    expect(202, json, "{\"most\": 3, \"other\": null}");
    static const struct {
        const char *query, *body, *says;
    } bad[] = { { "{", NULL, "route GET /x: query:1:" },
                { "{\"a\":{\"tipe\":\"string\"}}", NULL, "'tipe' is no keyword" },
                { "{\"a\":3}", NULL, "a schema that is none" },
                { NULL, "{\"type\":\"text\"}", "'type' is not what it must be" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heed_error err;
        const heed_route r = { .method = "GET",
                               .path = "/x",
                               .fn = client_routes[0].fn,
                               .query = bad[i].query,
                               .body = bad[i].body };
        assert_null(heed_http_start(
            &(heed_http_cfg){ .routes = &r, .routes_len = 1, .listen = "127.0.0.1:0" }, &err));
        if (!strstr(err.msg, bad[i].says)) fail_msg("%s", err.msg);
    }
}

static void problems(void **state) {
    (void)state;
    expect_text("Content-Type: application/problem+json\r\n", "GET /nothing HTTP/1.1", NULL);
    expect_text("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"",
                "GET /nothing HTTP/1.1", NULL);
    expect(400, "GET /fails?code=-3 HTTP/1.1", NULL);
    expect(400, "GET /fails?code=-6 HTTP/1.1", NULL);
    expect(404, "GET /fails?code=-7 HTTP/1.1", NULL);
    expect(501, "GET /fails?code=-4 HTTP/1.1", NULL);
    expect(503, "GET /fails?code=-1 HTTP/1.1", NULL);
    expect(503, "GET /fails?code=-5 HTTP/1.1", NULL);
    expect(500, "GET /fails?code=-9 HTTP/1.1", NULL);
    expect_text("\"detail\":\"it \"", "GET /fails HTTP/1.1", NULL); /* not what is no UTF-8 */
}

static void every_answer_is_guarded(void **state) {
    (void)state;
    static const char *const heads[] = { "GET /health HTTP/1.1", "GET /nothing HTTP/1.1",
                                         "GET /number HTTP/1.1", "OPTIONS /echo HTTP/1.1",
                                         "GET /docs HTTP/1.1",   "GET /talk HTTP/1.1" };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        expect_text("\r\nContent-Security-Policy: default-src 'self'; ", heads[i], NULL);
        expect_text("frame-ancestors 'none'", heads[i], NULL);
        expect_text("\r\nX-Content-Type-Options: nosniff\r\n", heads[i], NULL);
        expect_text("\r\nReferrer-Policy: no-referrer\r\n", heads[i], NULL);
        expect_text("\r\nCache-Control: no-store\r\n", heads[i], NULL);
    }
}

static void no_header_is_injected(void **state) {
    (void)state;
    char *answer = client_ask(port, "GET /headers?v=a%0d%0aX-Evil:%201 HTTP/1.1", NULL);
    assert_null(strstr(answer, "X-Evil"));
    assert_non_null(strstr(answer, "X-Good: yes\r\n"));
    assert_null(strstr(answer, "Bad"));
    free(answer);
    answer = client_ask(port, "GET /headers?v=a%0aX-Evil:%201 HTTP/1.1", NULL);
    assert_null(strstr(answer, "\nX-Evil\r\n"));
    free(answer);
    expect_text("X-Told: plain\r\n", "GET /headers?v=plain HTTP/1.1", NULL);
}

/* A name of somebody else's that points to 127.0.0.1 does not reach us. */
static void foreign_hosts(void **state) {
    (void)state;
    static const struct {
        const char *host;
        int status;
    } cases[] = {
        { "localhost", 200 },      { "LOCALHOST:8080", 200 },   { "127.0.0.1:1", 200 },
        { "127.9.9.9", 200 },      { "[::1]:8080", 200 },       { "app.localhost", 200 },
        { "evil.example", 421 },   { "127.0.0.1.evil.x", 421 }, { "localhost.evil", 421 },
        { "evil-localhost", 421 }, { "10.0.0.1", 421 },         { "localhost:8080@e", 421 },
        { "1270.0.0.1", 421 },     { "127.0.0.1000", 421 },     { "[::2]", 421 }
    };
    char request[300];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(request, sizeof request,
                 "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", cases[i].host);
        const int status = raw(request);
        if (status != cases[i].status) fail_msg("%s: %d", cases[i].host, status);
    }
}

static void foreign_origins(void **state) {
    (void)state;
    char own[100];
    snprintf(own, sizeof own, "POST /do/x HTTP/1.1\r\nOrigin: http://127.0.0.1");
    expect(200, own, "");
    expect(200, "POST /do/x HTTP/1.1\r\nSec-Fetch-Site: same-origin", "");
    expect(200, "POST /do/x HTTP/1.1\r\nSec-Fetch-Site: none", "");
    expect(403, "POST /do/x HTTP/1.1\r\nOrigin: http://evil.example", "");
    expect(403, "POST /do/x HTTP/1.1\r\nOrigin: http://127.0.0.1:81", "");
    expect(403, "POST /do/x HTTP/1.1\r\nOrigin: null", "");
    expect(403, "POST /do/x HTTP/1.1\r\nSec-Fetch-Site: cross-site", "");
    expect(403, "POST /do/x HTTP/1.1\r\nSec-Fetch-Site: same-site", "");
    expect(403, "DELETE /echo HTTP/1.1\r\nOrigin: http://evil.example", NULL);
    expect(200, "GET /health HTTP/1.1\r\nOrigin: http://evil.example", NULL);
    expect(200, "GET /costly HTTP/1.1\r\nSec-Fetch-Site: none", NULL);
    expect(403, "GET /costly HTTP/1.1\r\nSec-Fetch-Site: cross-site", NULL);
    char *answer = client_ask(port, "GET /health HTTP/1.1\r\nOrigin: http://evil.example", NULL);
    assert_null(strstr(answer, "Access-Control-Allow-Origin"));
    free(answer);
}

static void too_large(void **state) {
    (void)state;
    char *request = malloc(1 << 17);
    snprintf(request, 1 << 17, "GET /parts/x?q=");
    memset(request + 15, 'a', 60000);
    snprintf(request + 60015, 100, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(raw(request), 414);
    for (size_t size = 17000; size < 100000; size += 41000) {
        snprintf(request, 1 << 17, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ");
        const size_t at = strlen(request);
        memset(request + at, 'a', size);
        snprintf(request + at + size, 100, "\r\nConnection: close\r\n\r\n");
        assert_int_equal(raw(request), 431);
    }
    free(request);
}

/* A body that is too large is refused before it comes, or taken to its end where its length was not
 * told; one without end is cut off. */
static void large_bodies(void **state) {
    (void)state;
    int fd = client_open(port);
    client_answer a;
    client_send(fd,
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nabc");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 413);
    client_answer_free(&a);
    assert_true(client_closed(fd, CLIENT_WAITS));
    close(fd);

    char chunk[1100] = "400\r\n";
    memset(chunk + 5, 'a', 1024);
    memcpy(chunk + 5 + 1024, "\r\n", 2);
    const size_t size = 5 + 1024 + 2;
    fd = client_open(port);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1100; i++) assert_int_equal(client_send_all(fd, chunk, size), size);
    client_send(fd, "0\r\n\r\n");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 413);
    client_answer_free(&a);
    close(fd);

    fd = client_open(port);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    int sent = 0;
    while (sent < 1000000 && client_send_all(fd, chunk, size) == size) sent++;
    assert_true(sent < 100000);
    close(fd);
}

static void expect_continue(void **state) {
    (void)state;
    const int fd = client_open(port);
    client_answer a;
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                    "Expect: 100-continue\r\n\r\n");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 100);
    client_answer_free(&a);
    client_send(fd, "ok");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 200);
    client_answer_free(&a);
    close(fd);
}

static void large_answer(void **state) {
    (void)state;
    const int fd = client_open(port);
    client_answer a;
    client_send(fd, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.size, 8 << 20);
    client_answer_free(&a);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch),
        cmocka_unit_test(paths_that_are_none),
        cmocka_unit_test(methods),
        cmocka_unit_test(bodies),
        cmocka_unit_test(chunked),
        cmocka_unit_test(ambiguous),
        cmocka_unit_test(pipelined),
        cmocka_unit_test(numbers),
        cmocka_unit_test(schemas),
        cmocka_unit_test(problems),
        cmocka_unit_test(every_answer_is_guarded),
        cmocka_unit_test(no_header_is_injected),
        cmocka_unit_test(foreign_hosts),
        cmocka_unit_test(foreign_origins),
        cmocka_unit_test(too_large),
        cmocka_unit_test(large_bodies),
        cmocka_unit_test(expect_continue),
        cmocka_unit_test(large_answer),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
