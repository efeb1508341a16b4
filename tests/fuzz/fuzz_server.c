/* fuzz_server.c: any bytes over a real connection to a server with a route of every kind. The first
 * byte says in how many pieces they are sent. Whatever comes, the answers are HTTP, carry no header
 * of the sender's making, and the next one is served. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { QUIET_MS = 2, MOST_ANSWER = 1 << 20, LOOK_AFTER = 256 };

static heed_hub *hub;
static int port;

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void health(void *user, heed_request *rq) {
    (void)user;
    heed_reply_json(rq, 200, json_pack("{s:s}", "status", "ok"));
}

/* What was sent, in a header and as a body. */
static void echo(void *user, heed_request *rq) {
    (void)user;
    size_t size;
    const char *body = heed_request_body(rq, &size), *tag = heed_request_header(rq, "X-Tag");
    const char *const headers[] = { "X-Tag", tag ? tag : "none", NULL };
    heed_reply_data(rq, 200, "application/octet-stream", body, size, headers);
}

static void tree(void *user, heed_request *rq) {
    (void)user;
    json_t *body = heed_request_json(rq);
    if (body) heed_reply_json(rq, 200, body);
}

static void part(void *user, heed_request *rq) {
    (void)user;
    const char *name = heed_request_part(rq, "name"), *q = heed_request_query(rq, "q");
    int64_t n;
    if (!heed_request_int(rq, "n", 1, 100, 5, &n)) return;
    const char *const headers[] = { "Location", name, "X-Query", q ? q : "", NULL };
    heed_reply_data(rq, 201, "text/plain", name, strlen(name), headers);
}

static void events(void *user, heed_request *rq) {
    (void)user;
    heed_reply_hub(rq, hub, 1);
}

static void words(void *user, heed_request *rq) {
    (void)user;
    heed_reply_stream(rq, "text/event-stream");
    heed_stream_write(rq, "data: a\n\n", 9);
    heed_stream_end(rq);
}

static const heed_route routes[] = {
    { .method = "GET", .path = "/health", .fn = health, .flags = HEED_ROUTE_INLINE },
    { .method = "POST", .path = "/echo", .fn = echo, .body = "{}", .most_body = 4096 },
    { .method = "POST",
      .path = "/tree",
      .fn = tree,
      .body = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},"
              "\"n\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"maximum\":9}}},"
              "\"required\":[\"text\"]}" },
    { .method = "GET",
      .path = "/part/{name}",
      .fn = part,
      .query = "{\"n\":{\"type\":\"integer\",\"minimum\":1},\"q\":{\"type\":\"string\"}}" },
    { .method = "DELETE", .path = "/file/{name...}", .fn = part, .scope = "write" },
    { .method = "GET", .path = "/events", .fn = events, .flags = HEED_ROUTE_STREAM },
    { .method = "POST", .path = "/words", .fn = words, .body = "{}" },
};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    signal(SIGPIPE, SIG_IGN);
    heed_error err = { 0 };
    hub = heed_hub_new(4096, NULL, &err);
    heed_http *http = hub ? heed_http_start(&(heed_http_cfg){ .routes = routes,
                                                              .routes_len = 7,
                                                              .listen = "127.0.0.1:0",
                                                              .most_body = 8192,
                                                              .most_header = 4096,
                                                              .request_seconds = 1,
                                                              .idle_seconds = 1 },
                                            &err)
                          : NULL;
    check(http != NULL, err.msg);
    port = heed_http_port(http);
    heed_hub_publish(hub, 0, "event", 7, "{}", 2);
    return 0;
}

static int connect_here(void) {
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    check(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0, "nobody listens");
    return fd;
}

/* What comes until nothing does for ms; at the end without a trace in the system's tables. */
static size_t read_and_close(int fd, char *answer, int ms) {
    size_t len = 0;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    while (len < MOST_ANSWER && poll(&p, 1, ms) > 0) {
        const ssize_t n = recv(fd, answer + len, MOST_ANSWER - len, 0);
        if (n <= 0) break;
        len += (size_t)n;
    }
    answer[len] = 0;
    const struct linger now = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    return len;
}

static void is_served(char *answer) {
    static const char ask[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const int fd = connect_here();
    check(send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == sizeof ask - 1, "nobody reads");
    read_and_close(fd, answer, 20000);
    check(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "the next one is not served");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char answer[MOST_ANSWER + 1];
    static int count;
    if (size < 1) return 0;
    const size_t pieces = 1 + data[0] % 4, step = (size - 1) / pieces + 1;
    const int fd = connect_here();
    for (size_t at = 1; at < size; at += step) {
        const size_t n = size - at < step ? size - at : step;
        if (send(fd, data + at, n, MSG_NOSIGNAL) < 0) break;
    }
    if (data[0] & 128) shutdown(fd, SHUT_WR);
    if (read_and_close(fd, answer, QUIET_MS) > 0) {
        check(strncmp(answer, "HTTP/1.", 7) == 0, "an answer that is no HTTP");
        char *end = strstr(answer, "\r\n\r\n");
        if (end) *end = 0;
        check(!strcasestr(answer, "\nX-Evil"), "a header of the sender's making");
    }
    if (++count % LOOK_AFTER == 0) is_served(answer);
    return 0;
}
