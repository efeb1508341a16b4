/* server.h: everything of a running `heed serve` in one place, which handlers of requests are given
 * as `user`. */
#ifndef HEED_SERVE_SERVER_H
#define HEED_SERVE_SERVER_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "base/thread.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "http/http.h"
#include "serve/batch.h"
#include "serve/pipeline.h"
#include "serve/setup.h"
#include "store/store.h"

typedef struct heed_server_cfg {
    const char *flow;   /* file */
    const char *listen; /* NULL: as the flow says */
    const char *store;  /* likewise */
    const char *web;    /* folder of the page's files; NULL: those built in */
    int threads;        /* that answer requests, and copies of light models (2) */
    /* hears of every event that is decided, from a thread of the server's; NULL: nobody */
    void (*told)(void *user, const heed_entry *entry, const heed_decided *decided);
    void *user;
    bool open_only; /* no source is read: for looking at a store */
    const heed_hooks *hooks;
} heed_server_cfg;

typedef struct heed_server {
    heed_server_cfg cfg;
    heed_hooks hooks;
    int64_t started_ns;
    heed_metrics_set *metrics;
    heed_store *store;
    heed_hub *hub;
    heed_http *http;
    heed_pipeline *pipeline;
    heed_batcher *later;  /* what would hold up the thread that reads connections */
    atomic_bool ready;    /* the above are there: handlers may use them */
    atomic_int stage;     /* what it waits for, while it is not */
    heed_lock *lock;      /* of what follows */
    heed_setup *first;    /* whose listen, keys and certificate the socket has */
    heed_setup *setup;    /* whose sources and sinks are at work */
    heed_setup **retired; /* [retireds] set aside by reloads, some perhaps still in use */
    int64_t retireds, retired_cap;
    heed_source **source; /* [setup->flow->sources]; NULL: a push source, or stopped */
    heed_sinks *sinks;
    atomic_bool stopping, reloading;
    heed_thread *reloader; /* heed_server_reload_soon's; NULL: none began */
} heed_server;

/* Answers /health at once and the rest when all is open. NULL and *err; where the socket was bound,
 * it is closed again. */
heed_server *heed_server_start(const heed_server_cfg *cfg, heed_error *err);
int heed_server_port(const heed_server *s);
/* Drains and saves, at most `seconds` for requests and as many for events. NULL is fine. */
void heed_server_stop(heed_server *s, int seconds);
/* The flow file read again, with models, rules, sources and sinks: in force when it returns. 0 or a
 * status: all is as before. */
int heed_server_reload(heed_server *s, heed_error *err);
/* The same by a thread of its own, which tells the log hook how it went, so that who asks is free
 * to end the server meanwhile; false: one is at work, ask again. By one thread. */
bool heed_server_reload_soon(heed_server *s);
/* Closes what reloads set aside and nobody uses any more; now and then, from any thread but those
 * that answer requests. Whether there was anything. */
bool heed_server_tidy(heed_server *s);

#endif
