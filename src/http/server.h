/* server.h: what the files of the server share: the server, its connections, and a request on its
 * way. Nobody else includes it.
 *
 * A request: the thread that reads the connection makes it (server.c) when its first line is there,
 * guards it (guard.c) when its headers are, takes its body, and runs its route or suspends the
 * connection and gives it to a worker (queue.c). Whoever answers puts the answer into it and, where
 * the connection is suspended, resumes it; the reading thread then sends.
 */
#ifndef HEED_HTTP_SERVER_H
#define HEED_HTTP_SERVER_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "http/keyring.h"
#include "http/route.h"

typedef struct heed_conn heed_conn;
typedef struct heed_listener heed_listener; /* hub.c */

enum { HEED_TICK_MS = 200, HEED_BEAT_MS = 15000 };

struct heed_conn {
    heed_conn *next, *prev;
    int fd;
    atomic_bool busy;         /* a request is on its way */
    _Atomic int64_t deadline; /* ms of ticks; after it the socket is shut down */
    heed_listener *listener;  /* under http->lock: the hub's stream it carries */
    heed_request *request;    /* begun and not completed; of the thread that reads alone */
};

/* Counts of one route, by status; found once. */
typedef struct heed_route_counts {
    _Atomic(heed_metric *) seconds, by_status[64];
} heed_route_counts;

/* The schemas of one route's requests; NULL where the table has none. */
typedef struct heed_route_schemas {
    json_t *query, *body;
} heed_route_schemas;

struct heed_http {
    heed_http_cfg cfg;
    heed_hooks hooks;
    struct MHD_Daemon *daemon;
    int listen_fd, port;
    bool loopback, tls;
    char listen[80];  /* address as it is told */
    char failed[200]; /* the last thing libmicrohttpd complained of while it started */
    heed_lock *lock;  /* connections */
    heed_conn *conns;
    heed_thread *keeper;
    bool ended;           /* under lock: the keeper's end */
    atomic_bool stopping; /* no new connection, streams end */
    atomic_bool closing;  /* and none that stays open */
    atomic_long live;     /* requests that are not freed */
    heed_keyring *keys;
    char **cors, **hosts; /* copies of cfg's */
    struct heed_queue *queue;
    heed_lock *streams; /* contents of all own streams */
    heed_route *routes; /* cfg's, and the server's own */
    int routes_len;
    heed_route_schemas *schemas; /* [routes_len] */
    char *openapi, *docs;
    size_t openapi_size, docs_size;
    heed_route_counts *counts; /* [routes_len + 1]: the last for what is no route */
    heed_metric *connections, *listeners, *waiting, *refused;
};

/* What a handler writes to its own stream; all under http->streams. */
typedef struct heed_stream {
    char *data;
    int64_t begin, end, cap; /* written and not read: data[begin..end) */
    bool ended;              /* by the writer */
    bool gone;               /* the client */
    bool lost;               /* the client did not keep up, or memory was short */
    bool parked;             /* suspended */
} heed_stream;

/* NEW: headers not seen. BODY: taken in. RUN: a handler has it. SENT: libmicrohttpd has its
 * answer. */
typedef enum heed_stage { HEED_NEW, HEED_BODY, HEED_RUN, HEED_SENT } heed_stage;
enum { HEED_RUNNING, HEED_PARKED, HEED_ANSWERED };

struct heed_request {
    heed_http *http;
    heed_conn *conn;
    struct MHD_Connection *connection;
    heed_stage stage;
    const char *method; /* libmicrohttpd's */
    const heed_route *route;
    char *text; /* of target */
    char *body;
    int64_t body_size, body_cap;
    size_t most_body;
    int64_t swallowed; /* bytes of a body that nobody wants */
    bool has_body, too_large;
    bool closes;        /* the connection ends with the answer */
    const char *origin; /* named by cors; its answer may be read there */
    char key[HEED_KEY_NAME];
    int64_t begun; /* ns */
    _Atomic int state;
    unsigned status;
    struct MHD_Response *response;
    int64_t answer_size;
    bool streams;
    heed_stream stream;
    heed_listener *listener;
    heed_request *next; /* in the queue */
    heed_target target; /* last: not zeroed */
};

/* -- reply.c: answers ------------------------------------------------------------------------- */
/* Takes the response (NULL: the connection is closed without one). Whoever calls it has done with
 * rq. */
void heed__http_answer(heed_request *rq, unsigned status, struct MHD_Response *response);
/* Adds Content-Type and the headers that all answers bear; returns response, or NULL and frees it
 * where memory is short. */
struct MHD_Response *heed__http_dress(heed_request *rq, struct MHD_Response *response,
                                      const char *type);
void heed__http_refuse_method(heed_request *rq, const char *allow); /* 405 */
struct MHD_Response *heed__http_response(const heed_hooks *hooks, const void *data, size_t size);

/* -- guard.c: what a request must satisfy before its body is read ----------------------------- */
/* True, or the request is answered. */
bool heed__http_guard(heed_request *rq);
bool heed__http_is_loopback_name(const char *host);

/* -- queue.c: workers ------------------------------------------------------------------------- */
typedef struct heed_queue heed_queue;
heed_queue *heed__queue_new(heed_http *http, heed_error *err);
/* Suspends the connection and queues the request; false: the queue is full. */
bool heed__queue_push(heed_queue *q, heed_request *rq);
int64_t heed__queue_len(heed_queue *q);
void heed__queue_drop(heed_queue *q); /* answers all who wait with 503 */
void heed__queue_free(heed_queue *q); /* after the last handler; NULL is fine */

/* -- stream.c, hub.c: streams ----------------------------------------------------------------- */
/* The client has gone. True: the stream's writer has ended it too, and rq may be freed. */
bool heed__stream_gone(heed_request *rq);
/* Wakes a listener, for a heartbeat where one is due, or because the server stops. */
void heed__listener_wake(heed_listener *l, int64_t now_ms, bool stops);
void heed__listener_gone(heed_listener *l);

/* -- request.c, connection.c ------------------------------------------------------------------ */
void heed__request_free(heed_request *rq);
int64_t heed__ticks_ms(void);
/* libmicrohttpd's callbacks. */
void *heed__on_target(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result heed__on_call(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request);
void heed__on_completed(void *cls, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode why);
void heed__on_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode what);
/* Closes what is over its time, wakes streams for heartbeats; every HEED_TICK_MS. */
void heed__conns_tend(heed_http *http);

/* -- openapi.c, docs.c: the table of routes told ---------------------------------------------- */
/* Text to be freed with heed__free; NULL and *err. */
char *heed__openapi(const heed_http *http, size_t *size, heed_error *err);
char *heed__docs(const heed_http *http, size_t *size, heed_error *err);
enum { HEED_OWN_ROUTES = 3 };
extern const heed_route heed__own_routes[HEED_OWN_ROUTES];

/* -- listen.c: addresses ---------------------------------------------------------------------- */
/* A listening socket for "127.0.0.1:8080", or a negative status. */
int heed__listen(const char *listen, int *port, bool *loopback, heed_error *err);

#endif
