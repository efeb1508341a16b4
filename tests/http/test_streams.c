/* Event streams: topics, replay, listeners that do not follow or leave, streams of one request, and
 * a server that stops while they are open. */
#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

static heed_http *http;
static int port;

static int start(void **state) {
    (void)state;
    client_hub = heed_hub_new(16 << 10, NULL, NULL);
    http = client_server(&(heed_http_cfg){ .idle_seconds = 2 });
    port = heed_http_port(http);
    client_hold = false;
    return 0;
}

static int stop(void **state) {
    (void)state;
    client_hold = false;
    heed_http_stop(http, 5);
    heed_hub_free(client_hub);
    return 0;
}

static void publish(int topic, int64_t id, const char *data) {
    heed_hub_publish(client_hub, topic, topic == 0 ? "event" : "other", id, data, strlen(data));
}

static void wait_listeners(int64_t n) {
    for (int i = 0; i < 2000 && heed_hub_listeners(client_hub) != n; i++) heed__sleep_ms(5);
    assert_int_equal(heed_hub_listeners(client_hub), n);
}

/* A listener that has its first bytes. */
static int listen_from(const char *more) {
    char request[300], peek[2000] = "";
    const int fd = client_open(port);
    snprintf(request, sizeof request, "GET /events%s\r\n\r\n", more);
    client_send(fd, request);
    while (!strstr(peek, ": here")) {
        const ssize_t n = recv(fd, peek, sizeof peek - 1, MSG_PEEK);
        assert_true(n > 0);
        peek[n] = 0;
    }
    return fd;
}

#define PLAIN " HTTP/1.1\r\nHost: localhost"

/* What the chunks of an answer say so far. */
static void decode(const char *text, char *to) {
    const char *at = strstr(text, "\r\n\r\n");
    for (at = at ? at + 4 : ""; *at;) {
        char *end;
        const size_t size = strtoul(at, &end, 16);
        if (size == 0 || strlen(end) < size + 4) break;
        memcpy(to, end + 2, size);
        to += size;
        at = end + 2 + size + 2;
    }
    *to = 0;
}

enum { MOST_BODY = 1 << 17 };

/* The body of a chunked answer once it ends with `last`; a text to be freed. */
static char *body_until(int fd, const char *last) {
    char *text = calloc(2, MOST_BODY), *body = text + MOST_BODY;
    for (size_t len = 0; len < MOST_BODY - 1;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, CLIENT_WAITS) <= 0) break;
        const ssize_t n = recv(fd, text + len, MOST_BODY - 1 - len, 0);
        if (n <= 0) break;
        len += (size_t)n;
        decode(text, body);
        const size_t size = strlen(body);
        if (size >= strlen(last) && strcmp(body + size - strlen(last), last) == 0) break;
    }
    decode(text, body);
    memmove(text, body, strlen(body) + 1);
    return text;
}

static void expect_body(int fd, const char *want) {
    char *body = body_until(fd, want);
    assert_string_equal(body, want);
    free(body);
    close(fd);
}

#define HELLO "retry: 1000\n: here\n\n"

static void topics(void **state) {
    (void)state;
    publish(0, 1, "{\"n\":1}"); /* before anybody listens */
    const int fd = listen_from(PLAIN);
    publish(0, 2, "{\"n\":2}");
    publish(1, 3, "{\"n\":3}"); /* of no interest */
    publish(2, 4, "{\"n\":4}");
    publish(0, -1, "{\"n\":5}");
    expect_body(fd,
                HELLO "id: 2\nevent: event\ndata: {\"n\":2}\n\n"
                      "id: 4\nevent: other\ndata: {\"n\":4}\n\nevent: event\ndata: {\"n\":5}\n\n");
    for (int i = 6; i < 2000 && heed_hub_listeners(client_hub) > 0; i++) {
        publish(0, i, "{}"); /* a write finds the client gone, and the one after it fails */
        heed__sleep_ms(5);
    }
    wait_listeners(0);
}

static void replay(void **state) {
    (void)state;
    for (int i = 1; i <= 5; i++) publish(i == 3 ? 1 : 0, i * 10, "x");
    publish(0, -1, "old and without a number");
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: 20"),
                HELLO "id: 40\nevent: event\ndata: x\n\nid: 50\nevent: event\ndata: x\n\n");
    expect_body(listen_from("?after=45" PLAIN), HELLO "id: 50\nevent: event\ndata: x\n\n");
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: 50"), HELLO);
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: 5"),
                HELLO "event: missed\ndata: {}\n\nid: 10\nevent: event\ndata: x\n\n"
                      "id: 20\nevent: event\ndata: x\n\nid: 40\nevent: event\ndata: x\n\n"
                      "id: 50\nevent: event\ndata: x\n\n");
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: nonsense"), HELLO);
    /* numbers out of order: what was published after the last one seen comes */
    publish(0, 70, "a");
    publish(0, 60, "b");
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: 70"),
                HELLO "id: 60\nevent: event\ndata: b\n\n");
}

static void the_ring_turns(void **state) {
    (void)state;
    char data[1000];
    memset(data, 'd', sizeof data - 1);
    data[sizeof data - 1] = 0;
    for (int i = 1; i <= 100; i++) publish(0, i, data);
    const int fd = listen_from(PLAIN "\r\nLast-Event-ID: 95");
    publish(0, -1, "end");
    char *body = body_until(fd, "data: end\n\n");
    for (int i = 96; i <= 100; i++) {
        char id[32];
        snprintf(id, sizeof id, "id: %d\n", i);
        assert_non_null(strstr(body, id));
    }
    assert_null(strstr(body, "missed"));
    free(body);
    close(fd);
    const int late = listen_from(PLAIN "\r\nLast-Event-ID: 3");
    publish(0, -1, "end");
    body = body_until(late, "data: end\n\n");
    assert_non_null(strstr(body, "event: missed"));
    assert_null(strstr(body, "id: 4\n"));
    free(body);
    close(late);
    publish(0, 101, ""); /* empty data is an event too */
    char *huge = calloc(1, 1 << 20);
    memset(huge, 'h', (1 << 20) - 1);
    publish(0, 102, huge); /* larger than the ring: left out */
    free(huge);
    expect_body(listen_from(PLAIN "\r\nLast-Event-ID: 100"),
                HELLO "id: 101\nevent: event\ndata: \n\n");
}

/* One who does not read is dropped and keeps nobody else waiting; one who reads gets everything. */
static void slow_listener(void **state) {
    (void)state;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    client_send(fd, "GET /events" PLAIN "\r\n\r\n");
    wait_listeners(1);
    char data[4000];
    memset(data, 'd', sizeof data - 1);
    data[sizeof data - 1] = 0;
    for (int i = 0; i < 8000; i++) { /* 32 MB into a ring of 16 KB */
        publish(0, i, data);
        if (i % 4 == 0) heed__sleep_ms(0);
    }
    char *text = client_read(fd, 1000); /* ends: the stream was closed, not kept for ever */
    assert_true(strlen(text) < 32000000);
    free(text);
    close(fd);
    wait_listeners(0);
}

enum { LISTENERS = 300, EVENTS = 20 };

static void many_listeners(void **state) {
    (void)state;
    int fd[LISTENERS];
    char data[32];
    for (int i = 0; i < LISTENERS; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /events" PLAIN "\r\n\r\n");
    }
    wait_listeners(LISTENERS);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(data, sizeof data, "<%d>", i);
        publish(0, i, data);
        heed__sleep_ms(5);
    }
    for (int i = 0; i < LISTENERS; i++) {
        char *body = NULL;
        for (size_t len = 0; !body || !strstr(body, "<19>");) {
            free(body);
            char peek[16384];
            const ssize_t n = recv(fd[i], peek, sizeof peek - 1, MSG_PEEK);
            assert_true(n > 0 && (size_t)n >= len);
            len = (size_t)n;
            peek[n] = 0;
            body = strdup(peek);
        }
        for (int k = 0; k < EVENTS; k++) {
            snprintf(data, sizeof data, "<%d>", k);
            assert_non_null(strstr(body, data));
        }
        free(body);
        close(fd[i]);
    }
}

static void own_stream(void **state) {
    (void)state;
    char *answer = client_ask(port, "GET /talk?n=3 HTTP/1.1", NULL);
    assert_non_null(strstr(answer, "text/event-stream"));
    for (int i = 0; i < 3; i++) {
        char word[32];
        snprintf(word, sizeof word, "data: word %d\n\n", i);
        assert_non_null(strstr(answer, word));
    }
    free(answer);
    answer = client_ask(port, "GET /talk?n=0 HTTP/1.1", NULL);
    assert_non_null(strstr(answer, " 200 "));
    free(answer);
    for (int i = 0; i < 4; i++) { /* more than there are workers: the gone must free theirs */
        const int fd = client_open(port);
        client_answer a = { 0 };
        client_send(fd, "GET /talk?n=1000000" PLAIN "\r\n\r\n");
        assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
        client_answer_free(&a);
        close(fd);
    }
    assert_int_equal(client_status(port, "GET /talk?n=1 HTTP/1.1", NULL), 200);
}

/* -- the end ---------------------------------------------------------------------------------- */

static int start_alone(void **state) {
    start(state);
    return 0;
}

static int free_hub(void **state) {
    (void)state;
    client_hold = false;
    heed_hub_free(client_hub);
    return 0;
}

static void stop_with_streams(void **state) {
    (void)state;
    int fd[20];
    for (int i = 0; i < 20; i++) fd[i] = listen_from(PLAIN);
    const int talking = client_open(port), idle = client_open(port), silent = client_open(port);
    client_answer a;
    client_send(idle, "GET /health" PLAIN "\r\n\r\n");
    assert_true(client_answer_read(idle, &a, CLIENT_WAITS));
    client_answer_free(&a);
    client_send(talking, "GET /talk?n=1000000" PLAIN "\r\n\r\n");
    assert_true(client_answer_read(talking, &a, CLIENT_WAITS));
    client_answer_free(&a);
    publish(0, 1, "last");
    const int64_t begun = heed__ticks_ns();
    heed_http_stop(http, 1);
    assert_true(heed__ticks_ns() - begun < 10000000000);
    for (int i = 0; i < 20; i++) {
        char *text = client_read(fd[i], CLIENT_WAITS);
        assert_non_null(strstr(text, "data: last"));
        assert_non_null(strstr(text, "\r\n0\r\n\r\n")); /* a whole end */
        free(text);
        close(fd[i]);
    }
    assert_true(client_closed(idle, CLIENT_WAITS));
    assert_true(client_closed(silent, CLIENT_WAITS));
    assert_true(client_closed(talking, CLIENT_WAITS));
    close(idle), close(silent), close(talking);
    assert_int_equal(client_open(port), -1);
}

static void let_go(void *arg) {
    (void)arg;
    heed__sleep_ms(300);
    client_hold = false;
}

/* Two in workers, three in the queue, one half sent: all are answered. */
static void stop_drains(void **state) {
    (void)state;
    int fd[6];
    client_hold = true;
    for (int i = 0; i < 5; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /hold" PLAIN "\r\n\r\n");
    }
    fd[5] = client_open(port);
    client_send(fd[5], "POST /do/x" PLAIN "\r\nContent-Length: 6\r\n\r\nab");
    while (client_held < 2) heed__sleep_ms(1);
    /* one that connects after them is answered: they are all there */
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200);
    heed_thread *t = heed__thread_start(NULL, "lets-go", let_go, NULL, NULL);
    client_send(fd[5], "cdef");
    heed_http_stop(http, 5);
    heed__thread_join(t);
    for (int i = 0; i < 6; i++) {
        client_answer a;
        assert_true(client_answer_read(fd[i], &a, CLIENT_WAITS));
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.head, "Connection: close"));
        client_answer_free(&a);
        close(fd[i]);
    }
}

/* No time to drain: who has a worker is waited for, who waits for one is told so. */
static void stop_at_once(void **state) {
    (void)state;
    int fd[4];
    client_hold = true;
    for (int i = 0; i < 4; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /hold" PLAIN "\r\n\r\n");
    }
    while (client_held < 2) heed__sleep_ms(1);
    heed_thread *t = heed__thread_start(NULL, "lets-go", let_go, NULL, NULL);
    heed_http_stop(http, 0);
    assert_int_equal(client_held, 0);
    heed__thread_join(t);
    for (int i = 0; i < 4; i++) {
        assert_true(client_closed(fd[i], CLIENT_WAITS));
        close(fd[i]);
    }
}

/* Requests without pause while the server stops: each is answered well or not taken at all. */
static void ask_on(void *arg) {
    int *wrong = arg;
    for (;;) {
        const int fd = client_open(port);
        if (fd < 0) return;
        client_answer a = { 0 };
        while (client_send_all(fd, "GET /number" PLAIN "\r\n\r\n", 41) == 41 &&
               client_answer_read(fd, &a, 5000)) {
            if (a.status != 200) ++*wrong;
            client_answer_free(&a);
        }
        client_answer_free(&a);
        close(fd);
    }
}

static void stop_under_load(void **state) {
    (void)state;
    assert_int_equal(strlen("GET /number" PLAIN "\r\n\r\n"), 41);
    int wrong[4] = { 0 };
    heed_thread *t[4];
    for (int i = 0; i < 4; i++) t[i] = heed__thread_start(NULL, "asks", ask_on, &wrong[i], NULL);
    heed__sleep_ms(200);
    heed_http_stop(http, 5);
    for (int i = 0; i < 4; i++) {
        heed__thread_join(t[i]);
        assert_int_equal(wrong[i], 0);
    }
}

int main(void) {
#define WITH_SERVER(test)  cmocka_unit_test_setup_teardown(test, start, stop)
#define STOPS_ITSELF(test) cmocka_unit_test_setup_teardown(test, start_alone, free_hub)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(topics),
        WITH_SERVER(replay),
        WITH_SERVER(the_ring_turns),
        WITH_SERVER(slow_listener),
        WITH_SERVER(many_listeners),
        WITH_SERVER(own_stream),
        STOPS_ITSELF(stop_with_streams),
        STOPS_ITSELF(stop_drains),
        STOPS_ITSELF(stop_at_once),
        STOPS_ITSELF(stop_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
