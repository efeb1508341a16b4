/* connection.c: libmicrohttpd's callbacks: a connection's life and, within it, one request after
 * another.
 *
 * libmicrohttpd closes a connection only after a time without any byte, so one that drips a byte
 * now and then stays for ever. Each connection here has a deadline instead: for a request's line,
 * headers and body to arrive, for its answer to be taken, for the next request to come; after it
 * the keeper's thread shuts the socket down. A connection leaves the list, under the lock, before
 * its descriptor is closed, so the number cannot have become another's.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/server.h"

enum { NEVER_SWALLOWED = 1 << 20, TAKEN_PER_MS = 10, OTHER_STATUS = 63 };

int64_t heed__ticks_ms(void) {
    return heed__ticks_ns() / 1000000;
}

/* In ms from now, a time of heed__ticks_ns; below 0: none. */
static void set_deadline_from(heed_conn *conn, int64_t now, int64_t in_ms) {
    atomic_store_explicit(&conn->deadline, in_ms < 0 ? INT64_MAX : now / 1000000 + in_ms,
                          memory_order_relaxed);
}

static void set_deadline(heed_conn *conn, int64_t in_ms) {
    set_deadline_from(conn, in_ms < 0 ? 0 : heed__ticks_ns(), in_ms);
}

/* -- connections ------------------------------------------------------------------------------ */

static void conn_begin(heed_http *http, struct MHD_Connection *connection, void **context) {
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection,
                                                                 MHD_CONNECTION_INFO_CONNECTION_FD);
    heed_conn *conn = fd ? heed__calloc(&http->hooks, 1, sizeof *conn) : NULL;
    *context = conn;
    if (!conn) return; /* its requests are refused, and libmicrohttpd's own time limit holds */
    conn->fd = fd->connect_fd;
    set_deadline(conn, (int64_t)http->cfg.request_seconds * 1000);
    heed__lock_enter(http->lock);
    conn->next = http->conns;
    if (conn->next) conn->next->prev = conn;
    http->conns = conn;
    heed__lock_leave(http->lock);
    heed__metric_add(http->connections, 1);
}

static void complete(heed_http *http, heed_request *rq);

static void conn_end(heed_http *http, heed_conn *conn) {
    if (!conn) return;
    complete(http, conn->request);
    heed__lock_enter(http->lock);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        http->conns = conn->next;
    if (conn->next) conn->next->prev = conn->prev;
    if (!http->conns && atomic_load(&http->stopping)) heed__lock_wake(http->lock);
    heed__lock_leave(http->lock);
    heed__free(&http->hooks, conn);
    heed__metric_add(http->connections, -1);
}

void heed__on_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        conn_begin(cls, connection, context);
    else
        conn_end(cls, *context);
}

void heed__conns_tend(heed_http *http) {
    const int64_t now = heed__ticks_ms();
    const bool stops = atomic_load(&http->stopping), closes = atomic_load(&http->closing);
    heed__lock_enter(http->lock);
    for (heed_conn *conn = http->conns; conn; conn = conn->next) {
        const bool late = now > atomic_load_explicit(&conn->deadline, memory_order_relaxed);
        if (late || closes)
            shutdown(conn->fd, SHUT_RDWR);
        else if (stops && !atomic_load(&conn->busy))
            shutdown(conn->fd, SHUT_RD); /* what was sent before is still read and answered */
        if (conn->listener) heed__listener_wake(conn->listener, now, stops);
    }
    heed__lock_leave(http->lock);
}

/* -- requests --------------------------------------------------------------------------------- */

void *heed__on_target(void *cls, const char *target, struct MHD_Connection *connection) {
    heed_http *http = cls;
    const union MHD_ConnectionInfo *context = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    heed_conn *conn = context ? context->socket_context : NULL;
    if (conn) complete(http, conn->request);
    const size_t size = 2 * strlen(target) + 2;
    heed_request *rq = conn ? heed__malloc(&http->hooks, sizeof *rq) : NULL;
    if (!rq) return NULL;
    memset(rq, 0, offsetof(heed_request, target));
    rq->http = http;
    rq->conn = conn;
    rq->connection = connection;
    /* counted before it is asked whether the server closes, so that one of the two sees the
     * other */
    atomic_fetch_add(&http->live, 1);
    rq->text = atomic_load(&http->closing) ? NULL : heed__malloc(&http->hooks, size);
    if (!rq->text) {
        heed__request_free(rq);
        return NULL;
    }
    conn->request = rq;
    heed__target_parse(&rq->target, target, rq->text);
    atomic_store(&conn->busy, true);
    set_deadline(conn, (int64_t)http->cfg.request_seconds * 1000);
    return rq;
}

void heed__request_free(heed_request *rq) {
    heed_http *http = rq->http;
    const heed_hooks *hooks = &http->hooks;
    if (rq->response) MHD_destroy_response(rq->response);
    heed__free(hooks, rq->text);
    heed__free(hooks, rq->body);
    heed__free(hooks, rq->stream.data);
    heed__free(hooks, rq);
    heed__lock_enter(http->lock); /* so that stop cannot free the server before the wake */
    if (atomic_fetch_sub(&http->live, 1) == 1 && atomic_load(&http->stopping))
        heed__lock_wake(http->lock);
    heed__lock_leave(http->lock);
}

static const char *label_of(char *text, size_t size, const heed_request *rq) {
    const heed_route *r = rq->route;
    heed__format(text, size, "method=\"%s\",route=\"%s\"", r ? r->method : "",
                 r ? r->path : "none");
    return text;
}

/* Counts an answer that was made. */
static void count(heed_request *rq, int64_t now) {
    heed_http *http = rq->http;
    char label[300], with_status[340];
    heed_route_counts *c = &http->counts[rq->route ? rq->route - http->routes : http->routes_len];
    /* 200 to 207, 3xx, 400 to 431, 5xx each have a place of their own; others share one */
    const unsigned s = rq->status;
    const unsigned place = s >= 200 && s < 208   ? s - 200
                           : s >= 300 && s < 309 ? s - 300 + 8
                           : s >= 400 && s < 432 ? s - 400 + 17
                           : s >= 500 && s < 512 ? s - 500 + 49
                                                 : OTHER_STATUS;
    heed_metric *m = atomic_load_explicit(&c->by_status[place], memory_order_acquire);
    if (!m) {
        heed__format(with_status, sizeof with_status, "%s,status=\"%u\"",
                     label_of(label, sizeof label, rq), place == OTHER_STATUS ? 0 : s);
        m = heed__counter(http->cfg.metrics, "heed_http_requests_total",
                          "Requests answered, by route and status", with_status);
        atomic_store_explicit(&c->by_status[place], m, memory_order_release);
    }
    heed__metric_add(m, 1);
    heed_metric *seconds = atomic_load_explicit(&c->seconds, memory_order_acquire);
    if (!seconds) {
        seconds = heed__histogram(http->cfg.metrics, "heed_http_request_seconds",
                                  "From a request's headers to its answer, by route",
                                  label_of(label, sizeof label, rq));
        atomic_store_explicit(&c->seconds, seconds, memory_order_release);
    }
    heed__metric_observe(seconds, (double)(now - rq->begun) * 1e-9);
}

/* Gives the answer to libmicrohttpd. */
static enum MHD_Result send_answer(heed_request *rq) {
    struct MHD_Response *response = rq->response;
    rq->stage = HEED_SENT;
    rq->response = NULL;
    if (!response) return MHD_NO;
    const int64_t now = heed__ticks_ns();
    count(rq, now);
    const enum MHD_Result queued = MHD_queue_response(rq->connection, rq->status, response);
    MHD_destroy_response(response);
    /* a client may take its time, but not all of it */
    const int64_t ms = (int64_t)rq->http->cfg.idle_seconds * 1000;
    set_deadline_from(rq->conn, now,
                      rq->streams || rq->listener ? -1 : ms + rq->answer_size / TAKEN_PER_MS);
    return queued;
}

static bool is_answered(heed_request *rq) {
    return atomic_load(&rq->state) == HEED_ANSWERED;
}

/* Headers are there. What is refused here is answered before its body comes, after which
 * libmicrohttpd closes the connection; where no body follows the answer waits for the next call, so
 * that the connection stays. */
static enum MHD_Result on_headers(heed_request *rq, const char *method) {
    rq->stage = HEED_BODY;
    rq->method = method;
    rq->begun = heed__ticks_ns();
    if (heed__http_guard(rq) || !rq->has_body) return MHD_YES;
    return send_answer(rq);
}

static enum MHD_Result on_body(heed_request *rq, const char *data, size_t *size) {
    const int64_t n = (int64_t)*size;
    *size = 0;
    const int64_t most = (int64_t)rq->most_body;
    if (is_answered(rq) || n > most - rq->body_size) {
        rq->swallowed += n;
        rq->too_large = true;
        return rq->swallowed > most + NEVER_SWALLOWED ? MHD_NO : MHD_YES;
    }
    if (heed__grow(&rq->http->hooks, &rq->body, &rq->body_cap, rq->body_size + n + 1, 1) != HEED_OK)
        return MHD_NO;
    memcpy(rq->body + rq->body_size, data, (size_t)n);
    rq->body_size += n;
    rq->body[rq->body_size] = 0;
    return MHD_YES;
}

/* The request is whole. */
static enum MHD_Result on_whole(heed_request *rq) {
    heed_http *http = rq->http;
    rq->stage = HEED_RUN;
    set_deadline(rq->conn, -1);
    if (!is_answered(rq) && rq->too_large) {
        rq->closes = true;
        heed_reply_problem(rq, MHD_HTTP_CONTENT_TOO_LARGE, "the body has more than %zu bytes",
                           rq->most_body);
    }
    if (is_answered(rq)) return send_answer(rq);
    if (!(rq->route->flags & HEED_ROUTE_INLINE)) {
        if (heed__queue_push(http->queue, rq)) return MHD_YES;
        heed_reply_busy(rq, 1);
        return send_answer(rq);
    }
    rq->route->fn(http->cfg.user, rq);
    if (is_answered(rq)) return send_answer(rq);
    /* it will be answered from elsewhere, or was just now */
    int running = HEED_RUNNING;
    struct MHD_Connection *connection = rq->connection;
    MHD_suspend_connection(connection);
    if (!atomic_compare_exchange_strong(&rq->state, &running, HEED_PARKED))
        MHD_resume_connection(connection);
    return MHD_YES;
}

enum MHD_Result heed__on_call(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request) {
    (void)cls, (void)connection, (void)url, (void)version;
    heed_request *rq = *request;
    if (!rq) return MHD_NO; /* memory was short */
    switch (rq->stage) {
    case HEED_NEW:
        return on_headers(rq, method);
    case HEED_BODY:
        return *size > 0 ? on_body(rq, data, size) : on_whole(rq);
    case HEED_RUN:
        return is_answered(rq) ? send_answer(rq) : MHD_YES;
    default:
        return MHD_YES;
    }
}

/* libmicrohttpd 0.9.75 drops a connection that epoll does not take again without a word of the
 * request on it, which then ends with its connection. */
static void complete(heed_http *http, heed_request *rq) {
    if (!rq) return;
    heed_conn *conn = rq->conn;
    conn->request = NULL;
    set_deadline(conn, (int64_t)http->cfg.idle_seconds * 1000);
    atomic_store(&conn->busy, false);
    if (rq->listener) {
        heed__lock_enter(http->lock);
        conn->listener = NULL;
        heed__lock_leave(http->lock);
        heed__listener_gone(rq->listener);
        rq->listener = NULL;
    }
    if (rq->streams && !heed__stream_gone(rq)) return; /* its writer frees it */
    heed__request_free(rq);
}

void heed__on_completed(void *cls, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode why) {
    (void)connection, (void)why;
    heed_request *rq = *request;
    *request = NULL;
    complete(cls, rq);
}
