/* http.c: a server with routes of both kinds and a hub, and listeners to it, for run_http.sh.
 *
 *     bench_http serve EVENTS        prints its port; publishes so many events a second; ends with
 *                                    its standard input
 *     bench_http bare                libmicrohttpd alone with one answer made beforehand: the peer
 *     bench_http listen PORT N S     N listeners for S seconds: events had and wanted, their delay
 *                                    from publishing to reading, how many came later than 100 ms
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "http/http.h"

enum { LATE_MS = 100, MOST_LISTENERS = 10000, READ = 1 << 16 };

static heed_hub *hub;
static _Atomic bool ended;

/* As that of `heed serve`. */
static void health(void *user, heed_request *rq) {
    (void)user;
    static const char ok[] = "{\"status\":\"ok\"}";
    heed_reply_data(rq, 200, "application/json", ok, sizeof ok - 1, NULL);
}

static void listen_hub(void *user, heed_request *rq) {
    (void)user;
    heed_reply_hub(rq, hub, 1);
}

static const heed_route routes[] = {
    { .method = "GET", .path = "/health", .fn = health, .flags = HEED_ROUTE_INLINE },
    { .method = "GET", .path = "/worker", .fn = health },
    { .method = "GET", .path = "/events", .fn = listen_hub, .flags = HEED_ROUTE_INLINE },
};

static void publish(void *arg) {
    const int64_t period = 1000000000 / *(const int *)arg;
    char data[64];
    int64_t next = heed__ticks_ns();
    for (int64_t id = 0; !ended; id++) {
        const int n = snprintf(data, sizeof data, "%lld", (long long)heed__ticks_ns());
        heed_hub_publish(hub, 0, "event", id, data, (size_t)n);
        next += period;
        while (heed__ticks_ns() < next) heed__sleep_ms(1);
    }
}

static int serve(int events) {
    heed_error err;
    hub = heed_hub_new(0, NULL, &err);
    heed_http *http = heed_http_start(
        &(heed_http_cfg){ .routes = routes,
                          .routes_len = sizeof routes / sizeof *routes,
                          .listen = "127.0.0.1:0" },
        &err);
    if (!http) return fprintf(stderr, "%s\n", err.msg), 1;
    printf("%d\n", heed_http_port(http));
    fflush(stdout);
    heed_thread *t = events > 0 ? heed__thread_start(NULL, "publish", publish, &events, &err)
                                : NULL;
    while (getchar() != EOF)
        ;
    ended = true;
    heed__thread_join(t);
    heed_http_stop(http, 1);
    heed_hub_free(hub);
    return 0;
}

/* -- the peer --------------------------------------------------------------------------------- */

static enum MHD_Result answer_bare(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *data,
                                   size_t *size, void **request) {
    (void)url, (void)method, (void)version, (void)data, (void)size;
    static int seen;
    if (!*request) {
        *request = &seen;
        return MHD_YES;
    }
    *request = NULL;
    return MHD_queue_response(connection, 200, cls);
}

static int serve_bare(void) {
    static char text[] = "{\"status\":\"ok\"}";
    struct sockaddr_in at = { .sin_family = AF_INET };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Response *answer = MHD_create_response_from_buffer(sizeof text - 1, text,
                                                                  MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(answer, "Content-Type", "application/json");
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL,
                                            answer_bare, answer, MHD_OPTION_SOCK_ADDR, &at,
                                            MHD_OPTION_END);
    if (!d) return 1;
    printf("%d\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    MHD_stop_daemon(d);
    MHD_destroy_response(answer);
    return 0;
}

/* -- listeners -------------------------------------------------------------------------------- */

static double *delay; /* ms */
static size_t delays, delays_cap;

static int open_one(int port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    static const char ask[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return -1;
    return send(fd, ask, sizeof ask - 1, 0) == (ssize_t)sizeof ask - 1 ? fd : -1;
}

/* Each "data: NANOSECONDS" of what came; an event comes in one piece at these sizes. */
static void take(const char *text, int64_t now) {
    for (const char *at = strstr(text, "data: "); at; at = strstr(at + 6, "data: ")) {
        if (delays == delays_cap) return;
        delay[delays++] = (double)(now - strtoll(at + 6, NULL, 10)) * 1e-6;
    }
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int listen_all(int port, int n, int seconds) {
    static char text[READ + 1];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const int epoll = epoll_create1(0);
    delays_cap = (size_t)n * (size_t)seconds * 1000;
    delay = malloc(delays_cap * sizeof *delay);
    for (int i = 0; i < n; i++) {
        const int fd = open_one(port);
        if (fd < 0) return fprintf(stderr, "listener %d cannot connect\n", i), 1;
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd,
                  &(struct epoll_event){ .events = EPOLLIN, .data.fd = fd });
    }
    const int64_t begun = heed__ticks_ns(), end = begun + (int64_t)seconds * 1000000000;
    int closed = 0;
    while (heed__ticks_ns() < end) {
        struct epoll_event ready[256];
        const int k = epoll_wait(epoll, ready, 256, 50);
        for (int i = 0; i < k; i++) {
            const ssize_t got = recv(ready[i].data.fd, text, READ, MSG_DONTWAIT);
            if (got > 0) text[got] = 0, take(text, heed__ticks_ns());
            if (got == 0) closed++, close(ready[i].data.fd);
        }
    }
    if (delays == 0) return fprintf(stderr, "no event came\n"), 1;
    qsort(delay, delays, sizeof *delay, by_size);
    size_t late = 0;
    for (size_t i = 0; i < delays; i++) late += delay[i] > LATE_MS;
    printf("%d listeners: %zu events in %d s, %zu later than %d ms, %d closed; delay p50 %.2f ms, "
           "p99 %.2f ms, most %.2f ms\n",
           n, delays, seconds, late, (int)LATE_MS, closed, delay[delays / 2],
           delay[delays * 99 / 100], delay[delays - 1]);
    return late > 0 || closed > 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "serve") == 0) return serve(atoi(argv[2]));
    if (argc == 5 && strcmp(argv[1], "listen") == 0)
        return listen_all(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
    if (argc == 2 && strcmp(argv[1], "bare") == 0) return serve_bare();
    fprintf(stderr, "bench_http serve EVENTS | bare | listen PORT N SECONDS\n");
    return 64;
}
