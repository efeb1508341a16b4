/* http.h: an HTTP/1.1 server over libmicrohttpd that knows nothing of what it serves: a table of
 * routes, limits, keys, event streams, metrics. Listens on loopback unless told otherwise.
 *
 *     static void health(void *user, heed_request *rq) { heed_reply_json(rq, 200,
 * json_pack("{s:s}", "status", "ok")); }
 *     static const heed_route routes[] = { { "GET", "/health", health, .flags =
 * HEED_ROUTE_INLINE } };
 *     heed_http *h = heed_http_start(&(heed_http_cfg){ .routes = routes, .routes_len = 1 }, &err);
 *
 * Of itself it answers /openapi.json and /docs, OPTIONS, and all that is wrong with a request,
 * parameters and bodies that do not obey the schemas of the table (http/schema.h) included. A
 * request's path is matched with the routes in the table's order: literal ones go before those
 * with a part in braces.
 *
 * Threads: handlers of inline routes run in the thread that reads the connection and must not wait
 * for anything; all others run in one of cfg.workers threads. A request may be answered later and
 * from any thread, once; each must be.
 */
#ifndef HEED_HTTP_HTTP_H
#define HEED_HTTP_HTTP_H

#include <jansson.h>

#include "base/metrics.h"

typedef struct heed_http heed_http;
typedef struct heed_request heed_request;
typedef struct heed_hub heed_hub;

typedef void (*heed_handler)(void *user, heed_request *rq);

enum {
    HEED_ROUTE_INLINE = 1, /* runs where the connection is read: short work only */
    HEED_ROUTE_OPEN = 2,   /* needs no key even where others do: /health */
    HEED_ROUTE_STREAM = 4, /* answers with an event stream */
    HEED_ROUTE_HIDDEN = 8  /* not in /openapi.json: files of the page */
};

/* One line of the table, which is the whole interface: dispatch, /openapi.json and /docs are made
 * from it. */
typedef struct heed_route {
    const char *method; /* "GET"; HEAD and OPTIONS are made from it */
    const char *path;   /* "/v1/events/{seq}": a part in braces matches one segment; a last part
                           "{rest...}" matches all that is left */
    heed_handler fn;
    const char *scope; /* what a key must allow: "read", "write", "admin"; NULL: read */
    unsigned flags;
    size_t most_body;    /* bytes; 0: the server's limit */
    const char *summary; /* a sentence for /docs */
    const char *query;   /* parameters: JSON object of schemas by name, of a path's parts too (a
                            part not among them is a text); one with "required":true must be there;
                            NULL: none */
    const char *body;    /* JSON schema of the request's body; NULL: none taken */
    const char *answer;  /* JSON schema of the good answer, or what it is else: "text/plain"; NULL:
                            any JSON */
    int status;          /* of the good answer (200) */
} heed_route;

typedef struct heed_http_cfg {
    const heed_route *routes;
    int routes_len;
    void *user;          /* given to handlers */
    const char *listen;  /* "127.0.0.1:8080", "[::1]:8080", port 0: any free one (the first) */
    int threads;         /* that read connections (1) */
    int workers;         /* that run handlers which are not inline (2) */
    int queue;           /* requests waiting for a worker; more get 429 (256) */
    size_t most_body;    /* (1 MiB) */
    size_t most_header;  /* (16 KiB): more gets 431 */
    int connections;     /* (10000): more are refused */
    int per_address;     /* connections from one address (0: half of the above; loopback: all) */
    int request_seconds; /* for headers and body to arrive (10) */
    int idle_seconds;    /* between requests (60) */
    const char *keys;    /* file of keys (http/keys.h); needed when not on loopback; read again
                               when it changes; NULL on loopback: no key is asked for */
    const char *certificate, *private_key; /* PEM files: TLS 1.2 or later */
    const char *const *cors;               /* origins that a browser may call from */
    int64_t cors_len;
    const char *const *hosts; /* names besides localhost that a Host header may bear on loopback
                                 (behind a proxy) */
    int64_t hosts_len;
    heed_metrics_set *metrics;   /* where requests are counted; NULL: nowhere */
    const char *title, *version; /* of /openapi.json */
    const heed_hooks *hooks;
} heed_http_cfg;

/* NULL and *err: HEED_EIO (address in use, no right), HEED_EINVALID (not loopback and no keys, a
 * bad certificate, ...). */
heed_http *heed_http_start(const heed_http_cfg *cfg, heed_error *err);
int heed_http_port(const heed_http *h);
/* No new connection; streams of hubs end; what is at work gets `seconds` to end; then what still
 * waits for a worker gets 503, and those that a handler has are waited for: each must be answered.
 * Handlers may still run while this waits; none does when it returns. h is freed. */
void heed_http_stop(heed_http *h, int seconds);

/* -- a request: strings live until it is answered --------------------------------------------- */
const char *heed_request_method(const heed_request *rq);
const char *heed_request_path(const heed_request *rq);
const char *heed_request_part(const heed_request *rq, const char *name);  /* of {name}; decoded */
const char *heed_request_query(const heed_request *rq, const char *name); /* NULL: absent */
/* A whole number in [low, high] from the query, or `otherwise` where absent. False (and a problem
 * 400 is the answer) where it is none. */
bool heed_request_int(heed_request *rq, const char *name, int64_t low, int64_t high,
                      int64_t otherwise, int64_t *value);
const char *heed_request_header(const heed_request *rq, const char *name);
const char *heed_request_body(const heed_request *rq, size_t *size); /* 0 byte after the last */
/* The body as JSON that obeys the route's schema, the caller's; NULL (and a problem 400 or 415 is
 * the answer) where it is none. */
json_t *heed_request_json(heed_request *rq);
const char *heed_request_key(const heed_request *rq); /* name of the key it came with; NULL: none */

/* -- its answer: each ends the request; `tree` is taken --------------------------------------- */
void heed_reply_json(heed_request *rq, int status, json_t *tree);
/* data is copied; headers is NULL or name, value, name, value ..., NULL. What is no name or
 * value of a header is left out. */
void heed_reply_data(heed_request *rq, int status, const char *type, const void *data, size_t size,
                     const char *const *headers);
/* application/problem+json (RFC 9457): {"type":"about:blank","title","status","detail"} */
void heed_reply_problem(heed_request *rq, int status, const char *format, ...) HEED_PRINTF(3, 4);
/* The problem that belongs to an error of the library: 400 for INVALID and FORMAT, 404 for
 * NOTFOUND, 503 for IO and NOMEM, 501 for UNSUPPORTED. */
void heed_reply_error(heed_request *rq, const heed_error *err);
/* 429 with Retry-After. */
void heed_reply_busy(heed_request *rq, int seconds);
/* 503 with Retry-After, of a server that begins. */
void heed_reply_unready(heed_request *rq, int seconds);
/* An event stream of this request alone (chat): call write any number of times, then end, which
 * must come; both from any thread. write returns false once the client has gone or does not keep
 * up (4 MiB behind), or the server stops. Headers of the request are gone after
 * heed_reply_stream. */
void heed_reply_stream(heed_request *rq, const char *type);
bool heed_stream_write(heed_request *rq, const void *data, size_t size);
void heed_stream_end(heed_request *rq);

/* -- event streams: one hub, any number of listeners (Server-Sent Events) --------------------- */
/* kept: bytes of past events held for those who come back with Last-Event-ID (1 MiB). */
heed_hub *heed_hub_new(size_t kept, const heed_hooks *hooks, heed_error *err);
void heed_hub_free(heed_hub *hub); /* after heed_http_stop */
/* From any thread; never waits: who cannot follow is dropped and comes back with its last id. data
 * holds no line break (JSON as it is dumped). topic: 0 to 31, filters below. */
void heed_hub_publish(heed_hub *hub, int topic, const char *event, int64_t id, const char *data,
                      size_t size);
/* Answers with the stream of those topics whose bit is set; a comment line every 15 s. Who comes
 * with Last-Event-ID, or ?after=ID where that header cannot be set, first gets what was kept
 * since; where that is no longer all, an event `missed` without an id comes before. An id below
 * 0 is not told, and the event not kept for those who come later. */
void heed_reply_hub(heed_request *rq, heed_hub *hub, uint32_t topics);
int64_t heed_hub_listeners(const heed_hub *hub);

#endif
