/* client.c: raw sockets, and a server with a route of every kind. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

int client_open(int port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

size_t client_send_all(int fd, const char *data, size_t size) {
    size_t sent = 0;
    while (sent < size) {
        const ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        sent += (size_t)n;
    }
    return sent;
}

void client_send(int fd, const char *text) {
    assert_int_equal(client_send_all(fd, text, strlen(text)), strlen(text));
}

/* Bytes, 0 at the end, -1 where nothing comes for ms. */
static ssize_t read_some(int fd, char *to, size_t most, int ms) {
    struct pollfd p = { .fd = fd, .events = POLLIN };
    if (poll(&p, 1, ms) <= 0) return -1;
    const ssize_t n = recv(fd, to, most, 0);
    return n < 0 ? 0 : n;
}

char *client_read(int fd, int ms) {
    size_t cap = 1 << 16, len = 0;
    char *text = malloc(cap + 1);
    for (ssize_t n; (n = read_some(fd, text + len, cap - len, ms)) > 0;) {
        len += (size_t)n;
        if (len == cap) text = realloc(text, (cap *= 2) + 1);
    }
    text[len] = 0;
    return text;
}

static size_t length_of(const char *head) {
    for (const char *at = head; (at = strchr(at, '\n')) != NULL; at++)
        if (strncasecmp(at + 1, "Content-Length:", 15) == 0) return strtoul(at + 16, NULL, 10);
    return 0;
}

bool client_answer_read(int fd, client_answer *a, int ms) {
    memset(a, 0, sizeof *a);
    size_t len = 0;
    while (len + 1 < sizeof a->head && !strstr(a->head, "\r\n\r\n")) {
        if (read_some(fd, a->head + len, 1, ms) <= 0) return false;
        len++;
    }
    if (sscanf(a->head, "HTTP/1.%*d %d", &a->status) != 1) return false;
    a->size = length_of(a->head);
    a->body = calloc(1, a->size + 1);
    for (size_t at = 0; at < a->size;) {
        const ssize_t n = read_some(fd, a->body + at, a->size - at, ms);
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

void client_answer_free(client_answer *a) {
    free(a->body);
    a->body = NULL;
}

bool client_closed(int fd, int ms) {
    char c[256];
    ssize_t n;
    while ((n = read_some(fd, c, sizeof c, ms)) > 0)
        ;
    return n == 0;
}

char *client_ask(int port, const char *head, const char *body) {
    char request[8192];
    const int fd = client_open(port);
    assert_true(fd >= 0);
    int n = snprintf(request, sizeof request, "%s\r\nHost: 127.0.0.1\r\nConnection: close\r\n",
                     head);
    if (body)
        n += snprintf(request + n, sizeof request - (size_t)n, "Content-Length: %zu\r\n",
                      strlen(body));
    snprintf(request + n, sizeof request - (size_t)n, "\r\n%s", body ? body : "");
    client_send(fd, request);
    char *answer = client_read(fd, CLIENT_WAITS);
    close(fd);
    return answer;
}

int client_status(int port, const char *head, const char *body) {
    char *answer = client_ask(port, head, body);
    int status = 0;
    if (sscanf(answer, "HTTP/1.1 %d", &status) != 1) status = 0;
    free(answer);
    return status;
}

/* -- the server ------------------------------------------------------------------------------- */

heed_hub *client_hub;
_Atomic bool client_hold;
_Atomic int client_held;

static void health(void *user, heed_request *rq) {
    (void)user;
    heed_reply_json(rq, 200, json_pack("{s:s}", "status", "ok"));
}

/* Tells all it was asked. */
static void echo(void *user, heed_request *rq) {
    (void)user;
    size_t size;
    const char *body = heed_request_body(rq, &size);
    json_t *tree = json_pack("{s:s, s:s, s:s%, s:s?, s:s?, s:s?, s:s?}", "method",
                             heed_request_method(rq), "path", heed_request_path(rq), "body", body,
                             size, "name", heed_request_part(rq, "name"), "rest",
                             heed_request_part(rq, "rest"), "q", heed_request_query(rq, "q"), "key",
                             heed_request_key(rq));
    heed_reply_json(rq, 200, tree);
}

static void take_json(void *user, heed_request *rq) {
    (void)user;
    json_t *tree = heed_request_json(rq);
    if (!tree) return;
    heed_reply_json(rq, 202, json_pack("{s:i}", "size", (int)json_object_size(tree)));
    json_decref(tree);
}

static void number(void *user, heed_request *rq) {
    (void)user;
    int64_t n;
    if (heed_request_int(rq, "n", -5, 10, 7, &n))
        heed_reply_json(rq, 200, json_pack("{s:I}", "n", (json_int_t)n));
}

static void hold(void *user, heed_request *rq) {
    (void)user;
    client_held++;
    while (client_hold) heed__sleep_ms(2);
    client_held--;
    heed_reply_json(rq, 200, json_pack("{s:b}", "held", 1));
}

static void listen_hub(void *user, heed_request *rq) {
    (void)user;
    heed_reply_hub(rq, client_hub, 1u << 0 | 1u << 2);
}

static void talk(void *user, heed_request *rq) {
    (void)user;
    int64_t n;
    if (!heed_request_int(rq, "n", 0, 1000000, 3, &n)) return;
    heed_reply_stream(rq, "text/event-stream");
    char text[64];
    for (int64_t i = 0; i < n; i++) {
        const int len = snprintf(text, sizeof text, "data: word %d\n\n", (int)i);
        if (!heed_stream_write(rq, text, (size_t)len)) break;
        if (n > 1000) heed__sleep_ms(1);
    }
    heed_stream_end(rq);
}

static void with_headers(void *user, heed_request *rq) {
    (void)user;
    const char *told = heed_request_query(rq, "v");
    const char *const headers[] = { "X-Told", told ? told : "", "X-Good", "yes", "X Bad",
                                    "no",     "X:Bad",          "no",     "",    "no",
                                    NULL };
    heed_reply_data(rq, 200, "text/plain", "abc", 3, headers);
}

static void large(void *user, heed_request *rq) {
    (void)user;
    const size_t size = 8 << 20;
    char *data = calloc(1, size);
    heed_reply_data(rq, 200, "application/octet-stream", data, size, NULL);
    free(data);
}

static void fails(void *user, heed_request *rq) {
    (void)user;
    int64_t code;
    if (!heed_request_int(rq, "code", -9, -1, -1, &code)) return;
    const heed_error err = { .code = (int)code, .msg = "it \xff failed" };
    heed_reply_error(rq, &err);
}

enum { INLINE = HEED_ROUTE_INLINE };

const heed_route client_routes[] = {
    { "GET", "/health", health, .flags = INLINE | HEED_ROUTE_OPEN, .summary = "how it is" },
    { "GET", "/parts/{name}", echo, .flags = INLINE, .query = "{\"q\":{\"type\":\"string\"}}" },
    { "GET", "/parts/fixed", health, .flags = INLINE },
    { "GET", "/files/{rest...}", echo, .flags = INLINE | HEED_ROUTE_HIDDEN },
    { "POST", "/echo", echo, .flags = INLINE, .scope = "write", .body = "{}" },
    { "PUT", "/echo", echo, .scope = "admin" },
    { "GET", "/costly", echo, .scope = "admin" },
    { "POST", "/do/{name}", echo, .scope = "write" },
    { "DELETE", "/echo", echo, .scope = "write" },
    { "POST", "/json", take_json, .scope = "write", .most_body = 4000, .status = 202,
      .body = "{\"type\":\"object\",\"properties\":{\"most\":{\"type\":\"integer\"}}}" },
    { "GET", "/number", number, .query = "{\"n\":{\"type\":\"integer\"}}" },
    { "GET", "/must/{id}", number,
      .query = "{\"n\":{\"type\":\"integer\",\"required\":true},"
               "\"id\":{\"type\":\"integer\",\"minimum\":1},\"b\":{\"type\":\"boolean\"},"
               "\"e\":{\"enum\":[\"x\",\"y\"]}}" },
    { "GET", "/hold", hold, .flags = 0 },
    { "GET", "/events", listen_hub, .flags = INLINE | HEED_ROUTE_STREAM },
    { "GET", "/talk", talk, .flags = HEED_ROUTE_STREAM },
    { "GET", "/headers", with_headers, .flags = INLINE },
    { "GET", "/large", large, .flags = 0 },
    { "GET", "/fails", fails, .flags = 0 },
};
const int client_routes_len = sizeof client_routes / sizeof *client_routes;

heed_http *client_server(const heed_http_cfg *cfg) {
    heed_http_cfg own = *cfg;
    heed_error err = { 0 };
    if (!own.routes) {
        own.routes = client_routes;
        own.routes_len = client_routes_len;
    }
    if (!own.listen) own.listen = "127.0.0.1:0";
    heed_http *http = heed_http_start(&own, &err);
    if (!http) fail_msg("%s", err.msg);
    return http;
}
