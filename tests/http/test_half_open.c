/* Clients that are gone without a word: the cable is pulled, the machine loses its power. Nothing
 * that they sent ends their connections, so the server must. In a network namespace of its own,
 * whose loopback is taken down while the clients go; skipped where a process may have none. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

static heed_metrics_set *metrics;
static heed_http *http;
static int port;
static bool alone; /* in a namespace of our own */

static void set_line(bool up) {
    struct ifreq r = { .ifr_name = "lo" };
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    close(fd);
}

static int start(void **state) {
    (void)state;
    if (!alone) return 0;
    set_line(true);
    metrics = heed__metrics_new(NULL, NULL);
    client_hub = heed_hub_new(1 << 20, NULL, NULL);
    http = client_server(
        &(heed_http_cfg){ .request_seconds = 1, .idle_seconds = 1, .metrics = metrics });
    port = heed_http_port(http);
    return 0;
}

static int stop(void **state) {
    (void)state;
    if (!alone) return 0;
    heed_http_stop(http, 1);
    heed_hub_free(client_hub);
    heed__metrics_free(metrics);
    return 0;
}

static double open_now(void) {
    return heed__metric_value(
        heed__gauge(metrics, "heed_http_connections", "Connections now open", NULL));
}

static void wait_open(double n) {
    for (int i = 0; i < 4000 && open_now() != n; i++) heed__sleep_ms(5);
    assert_float_equal(open_now(), n, 0);
}

/* Closes without a FIN or RST that arrives: the line is down. */
static void vanish(int fd) {
    const struct linger now = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static int ask(const char *text) {
    const int fd = client_open(port);
    assert_true(fd >= 0);
    client_send(fd, text);
    return fd;
}

static void requests(void **state) {
    (void)state;
    if (!alone) skip();
    client_answer a;
    int fd[4] = { ask(""), ask("GET /hea"),
                  ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"),
                  ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") };
    assert_true(client_answer_read(fd[3], &a, CLIENT_WAITS));
    client_answer_free(&a);
    wait_open(4);
    set_line(false);
    for (int i = 0; i < 4; i++) vanish(fd[i]);
    wait_open(0); /* by their time alone */
    set_line(true);
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200);
}

/* An answer of 8 MB on the way to one who is gone. */
static void answers(void **state) {
    (void)state;
    if (!alone) skip();
    char some[4096];
    const int fd = ask("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(recv(fd, some, sizeof some, 0) > 0);
    set_line(false);
    vanish(fd);
    wait_open(0);
    set_line(true);
}

/* A listener: nothing is asked of it, so it shows only when something is sent to it. */
static void listeners(void **state) {
    (void)state;
    if (!alone) skip();
    char some[4096];
    int fd[2];
    for (int i = 0; i < 2; i++) {
        fd[i] = ask("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_true(recv(fd[i], some, sizeof some, 0) > 0);
    }
    set_line(false);
    vanish(fd[0]);
    heed__sleep_ms(20);
    assert_int_equal(heed_hub_listeners(client_hub), 2);
    /* what is not acknowledged for idle_seconds ends it: both are out of reach */
    for (int i = 0; i < 1000 && heed_hub_listeners(client_hub) > 0; i++) {
        heed_hub_publish(client_hub, 0, "event", i, "{}", 2);
        heed__sleep_ms(20);
    }
    assert_int_equal(heed_hub_listeners(client_hub), 0);
    set_line(true);
    close(fd[1]);
    wait_open(0);
}

/* Half closed: who sends no more still gets the answer. */
static void half_closed(void **state) {
    (void)state;
    if (!alone) skip();
    client_answer a;
    const int fd = ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    shutdown(fd, SHUT_WR);
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 200);
    client_answer_free(&a);
    assert_true(client_closed(fd, CLIENT_WAITS));
    close(fd);
    wait_open(0);
}

/* As root of a user namespace where we are not root. */
static bool go_alone(void) {
    char map[64];
    const unsigned uid = getuid();
    if (unshare(CLONE_NEWNET) == 0) return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    const int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    const int n = snprintf(map, sizeof map, "0 %u 1", uid);
    if (fd >= 0 && write(fd, map, (size_t)n) != n) print_message("no root in it\n");
    if (fd >= 0) close(fd);
    return true;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests, start, stop),
        cmocka_unit_test_setup_teardown(answers, start, stop),
        cmocka_unit_test_setup_teardown(listeners, start, stop),
        cmocka_unit_test_setup_teardown(half_closed, start, stop),
    };
    signal(SIGPIPE, SIG_IGN);
    alone = go_alone();
    if (!alone) print_message("no network namespace here: skipped\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
