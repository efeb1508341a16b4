/* Clients that drip, stall, crowd or flood, and where the server listens. Limits are set to a
 * second so that the tests are short; nothing here asserts that something is quick. */
#include "client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

static heed_metrics_set *metrics;
static heed_http *http;
static int port;

static void start(heed_http_cfg cfg) {
    metrics = heed__metrics_new(NULL, NULL);
    cfg.metrics = metrics;
    client_hold = false;
    http = client_server(&cfg);
    port = heed_http_port(http);
}

static int stop(void **state) {
    (void)state;
    client_hold = false;
    heed_http_stop(http, 5);
    heed__metrics_free(metrics);
    http = NULL;
    return 0;
}

static double open_now(void) {
    return heed__metric_value(
        heed__gauge(metrics, "heed_http_connections", "Connections now open", NULL));
}

static void wait_open(double n) {
    for (int i = 0; i < 3000 && open_now() != n; i++) heed__sleep_ms(5);
    assert_float_equal(open_now(), n, 0);
}

enum { DRIPPING = 4, BYTES = 400 };

/* Each sends a byte now and then: of a request line, a header, a body, chunks; all are closed. */
static void dripping(void **state) {
    (void)state;
    start((heed_http_cfg){ .request_seconds = 1, .idle_seconds = 1 });
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
    static const struct {
        const char *before, *more, *bytes;
    } cases[DRIPPING] = {
        { "", "", "GET / HTTP/1.1\r\nHost: x\r\n" },
        { "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", "", "a" },
        { post, "Content-Length: 9999\r\n\r\n", "b" },
        { post, "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n" },
    };
    int fd[DRIPPING], open = DRIPPING;
    for (int i = 0; i < DRIPPING; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], cases[i].before);
        client_send(fd[i], cases[i].more);
    }
    for (size_t sent = 0; sent < BYTES && open > 0; sent++) {
        for (int i = 0; i < DRIPPING; i++) {
            if (fd[i] < 0) continue;
            const char *bytes = cases[i].bytes;
            if (client_send_all(fd[i], bytes + sent % strlen(bytes), 1) == 1 &&
                !client_closed(fd[i], 10))
                continue;
            close(fd[i]);
            fd[i] = -1;
            open--;
        }
    }
    assert_int_equal(open, 0);
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200);
}

static void silent(void **state) {
    (void)state;
    start((heed_http_cfg){ .request_seconds = 1, .idle_seconds = 1 });
    const int nothing = client_open(port), half = client_open(port), idle = client_open(port);
    const int unread = client_open(port);
    client_send(unread, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"); /* and reads nothing */
    client_answer a;
    client_send(half, "GET /hea");
    client_send(idle, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(client_answer_read(idle, &a, CLIENT_WAITS));
    client_answer_free(&a);
    assert_true(client_closed(nothing, CLIENT_WAITS));
    assert_true(client_closed(half, CLIENT_WAITS));
    assert_true(client_closed(idle, CLIENT_WAITS));
    close(nothing), close(half), close(idle);
    wait_open(0); /* the answer of 8 MB that nobody reads too */
    close(unread);
}

/* One in the worker, two wait, the others are told to come again; those who waited are served. */
static void full_queue(void **state) {
    (void)state;
    start((heed_http_cfg){ .workers = 1, .queue = 2 });
    enum { CLIENTS = 8 };
    int fd[CLIENTS], good = 0, busy = 0;
    client_hold = true;
    fd[0] = client_open(port);
    client_send(fd[0], "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (client_held < 1) heed__sleep_ms(1);
    for (int i = 1; i < CLIENTS; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200); /* inline still */
    client_answer a;
    for (int i = CLIENTS - 1; i > 0; i--) {
        if (!client_answer_read(fd[i], &a, i > 2 ? CLIENT_WAITS : 200)) continue;
        if (a.status == 429) {
            busy++;
            assert_non_null(strstr(a.head, "\r\nRetry-After: 1\r\n"));
        }
        client_answer_free(&a);
        close(fd[i]);
        fd[i] = -1;
    }
    client_hold = false;
    for (int i = 0; i < CLIENTS; i++) {
        if (fd[i] < 0) continue;
        assert_true(client_answer_read(fd[i], &a, CLIENT_WAITS));
        good += a.status == 200;
        client_answer_free(&a);
        close(fd[i]);
    }
    assert_int_equal(busy, CLIENTS - 3);
    assert_int_equal(good, 3);
}

/* More connections than agreed wait until one ends; more from one address are closed. */
static void crowds(void **state) {
    (void)state;
    start((heed_http_cfg){ .connections = 4 });
    int fd[6];
    client_answer a;
    for (int i = 0; i < 6; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (int i = 0; i < 4; i++) {
        assert_true(client_answer_read(fd[i], &a, CLIENT_WAITS));
        client_answer_free(&a);
    }
    assert_true(open_now() <= 4);
    assert_false(client_answer_read(fd[5], &a, 200));
    client_answer_free(&a);
    for (int i = 0; i < 4; i++) close(fd[i]);
    assert_true(client_answer_read(fd[4], &a, CLIENT_WAITS));
    client_answer_free(&a);
    close(fd[4]), close(fd[5]);
    stop(NULL);

    start((heed_http_cfg){ .per_address = 3 });
    for (int i = 0; i < 3; i++) {
        fd[i] = client_open(port);
        client_send(fd[i], "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_true(client_answer_read(fd[i], &a, CLIENT_WAITS));
        client_answer_free(&a);
    }
    fd[3] = client_open(port);
    if (fd[3] >= 0) {
        assert_true(client_closed(fd[3], CLIENT_WAITS));
        close(fd[3]);
    }
    for (int i = 0; i < 3; i++) close(fd[i]);
}

/* -- ten thousand ----------------------------------------------------------------------------- */

enum { MANY = 10000 };

/* In a process of its own, since both ends together need more files than one may have: connects,
 * asks on each, and asks again on each while all are open. The exit status: 0, well. */
static int ask_many(int server_port, int n) {
    int *fd = calloc((size_t)n, sizeof *fd);
    const char *ask = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[2048];
    for (int i = 0; i < n; i++)
        if ((fd[i] = client_open(server_port)) < 0) return 2;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < n; i++)
            if (client_send_all(fd[i], ask, strlen(ask)) != strlen(ask)) return 3;
        for (int i = 0; i < n; i++) {
            const ssize_t got = read(fd[i], answer, sizeof answer);
            if (got < 12 || memcmp(answer, "HTTP/1.1 200", 12) != 0) return 4;
        }
    }
    return 0;
}

static void ten_thousand(void **state) {
    (void)state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    int n = MANY;
    if (limit.rlim_max < MANY + 300) {
        n = (int)limit.rlim_max - 300;
        print_message("this system gives a process %d files: %d connections instead of %d\n",
                      (int)limit.rlim_max, n, MANY);
        if (n < 100) skip();
    }
    int to_child[2];
    assert_int_equal(pipe(to_child), 0);
    const pid_t child = fork(); /* before the server's threads */
    if (child == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        int server_port = 0;
        if (read(to_child[0], &server_port, sizeof server_port) != sizeof server_port) _exit(1);
        _exit(ask_many(server_port, n));
    }
    start((heed_http_cfg){ .request_seconds = 60 });
    assert_int_equal(write(to_child[1], &port, sizeof port), sizeof port);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(to_child[0]), close(to_child[1]);
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200);
    wait_open(0);
}

/* -- where it listens ------------------------------------------------------------------------- */

/* The addresses that listen on the port, as the system's table has them, one a line. */
static void listeners(char *text, size_t size) {
    static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
    size_t len = 0;
    text[0] = 0;
    for (int t = 0; t < 2; t++) {
        FILE *f = fopen(tables[t], "r");
        char line[512], address[64];
        unsigned at, state;
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, " %*d: %63[0-9A-F]:%x %*s %x", address, &at, &state) == 3 &&
                (int)at == port && state == 10)
                len += (size_t)snprintf(text + len, size - len, "%s\n", address);
        if (f) fclose(f);
    }
}

static void loopback_alone(void **state) {
    (void)state;
    char text[1000];
    heed_error err;
    start((heed_http_cfg){ .listen = "127.0.0.1:0" });
    listeners(text, sizeof text);
    assert_string_equal(text, "0100007F\n");
    static const struct {
        const char *listen, *says;
    } bad[] = { { "0.0.0.0:0", "keys are asked for" },
                { "[::]:0", "keys are asked for" },
                { "example.com:80", "no address to listen on" },
                { "127.0.0.1", "no address to listen on" },
                { "127.0.0.1:70000", "no address to listen on" },
                { "127.0.0.1:", "no address to listen on" },
                { ":8080", "no address to listen on" },
                { "", "no address to listen on" },
                { "[::1:80", "no address to listen on" },
                { "192.0.2.1:0", "cannot listen" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const heed_http_cfg cfg = { .routes = client_routes,
                                    .routes_len = client_routes_len,
                                    .listen = bad[i].listen };
        assert_null(heed_http_start(&cfg, &err));
        if (!strstr(err.msg, bad[i].says)) fail_msg("%s: %s", bad[i].listen, err.msg);
    }
    char taken[64];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", port);
    assert_null(heed_http_start(&(heed_http_cfg){ .listen = taken }, &err));
    assert_int_equal(err.code, HEED_EIO);
    assert_non_null(strstr(err.msg, "ddress already in use"));
}

static void metrics_of_requests(void **state) {
    (void)state;
    start((heed_http_cfg){ .threads = 2 });
    for (int i = 0; i < 3; i++) client_status(port, "GET /health HTTP/1.1", NULL);
    client_status(port, "GET /number?n=x HTTP/1.1", NULL);
    client_status(port, "GET /parts/a HTTP/1.1", NULL);
    client_status(port, "GET /no/such HTTP/1.1", NULL);
    size_t size;
    char *text = heed__metrics_text(metrics, &size);
    static const char *const want[] = {
        "heed_http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 3\n",
        "heed_http_requests_total{method=\"GET\",route=\"/number\",status=\"400\"} 1\n",
        "heed_http_requests_total{method=\"GET\",route=\"/parts/{name}\",status=\"200\"} 1\n",
        "heed_http_requests_total{method=\"\",route=\"none\",status=\"404\"} 1\n",
        "heed_http_request_seconds_count{method=\"GET\",route=\"/health\"} 3\n",
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (!strstr(text, want[i])) fail_msg("%s has no %s", text, want[i]);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ten_thousand, stop),
        cmocka_unit_test_teardown(dripping, stop),
        cmocka_unit_test_teardown(silent, stop),
        cmocka_unit_test_teardown(full_queue, stop),
        cmocka_unit_test_teardown(crowds, stop),
        cmocka_unit_test_teardown(loopback_alone, stop),
        cmocka_unit_test_teardown(metrics_of_requests, stop),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
