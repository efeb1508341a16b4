/* server.c: start, reload and end of all that serves. */
#include "serve/server.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/source_sweep.h"
#include "serve/route.h"

enum { KEPT = 1 << 20, EVENTS_BODY = 8 << 20, LATER_MOST = 256 };

int heed_server_port(const heed_server *s) {
    return heed_http_port(s->http);
}

/* -- sources and sinks ------------------------------------------------------------------------ */

static int take(void *user, heed_entry *entry, int64_t n, heed_error *err) {
    heed_server *s = user;
    return heed_pipeline_take(s->pipeline, entry, n, true, err);
}

static bool stopping(void *user) {
    heed_server *s = user;
    return atomic_load(&s->stopping) || heed_pipeline_stopping(s->pipeline);
}

static void committed(void *user) {
    heed_server *s = user;
    heed__lock_enter(s->lock);
    if (s->sinks) heed_sinks_wake(s->sinks);
    heed__lock_leave(s->lock);
}

static void told(void *user, const heed_entry *entry, const heed_decided *decided) {
    heed_server *s = user;
    if (s->cfg.told) s->cfg.told(s->cfg.user, entry, decided);
}

static void stop_sources(heed_server *s) {
    heed__lock_enter(s->lock);
    heed_source **source = s->source;
    const int64_t n = s->setup->flow->sources;
    s->source = NULL;
    heed__lock_leave(s->lock);
    for (int64_t i = 0; source && i < n; i++) heed_source_stop(source[i]);
    heed__free(&s->hooks, source);
}

/* All of the flow but those that are pushed. 0 or a status. */
static int start_sources(heed_server *s, heed_error *err) {
    const heed_flow *f = s->setup->flow;
    const heed_intake intake = { .user = s, .take = take, .stopping = stopping };
    heed_source **source = heed__calloc(&s->hooks, (size_t)f->sources + 1, sizeof *source);
    if (!source) return heed__error(err, HEED_ENOMEM, "sources: out of memory");
    int rc = 0;
    for (int64_t i = 0; rc == 0 && !s->cfg.open_only && i < f->sources; i++) {
        if (strcmp(f->source[i].kind, "push") == 0) continue;
        source[i] = heed_source_start(&f->source[i], &intake, s->store, s->metrics, &s->hooks, err);
        if (!source[i]) rc = err->code;
    }
    heed__lock_enter(s->lock);
    s->source = source;
    heed__lock_leave(s->lock);
    heed_error swept = { 0 };
    if (rc == 0 && !s->cfg.open_only && heed_sources_sweep(s->store, f, &s->hooks, &swept) != 0)
        heed__log(&s->hooks, HEED_LOG_WARN, "what is kept of sources that are gone: %s", swept.msg);
    return rc;
}

static int start_sinks(heed_server *s, heed_error *err) {
    const heed_sinks_cfg cfg = {
        .flow = s->setup->flow, .store = s->store, .metrics = s->metrics, .hooks = &s->hooks
    };
    heed_sinks *sinks = heed_sinks_start(&cfg, err);
    if (!sinks) return err->code;
    heed__lock_enter(s->lock);
    s->sinks = sinks;
    heed__lock_leave(s->lock);
    return 0;
}

static void stop_sinks(heed_server *s) {
    heed__lock_enter(s->lock);
    heed_sinks *sinks = s->sinks;
    s->sinks = NULL;
    heed__lock_leave(s->lock);
    heed_sinks_stop(sinks);
}

/* -- reload ----------------------------------------------------------------------------------- */

/* Held until nobody has it: the last to drop it closes its models, which a batch of one of them
 * must not do. Where there is no memory for the list it stays for ever. */
static void retire(heed_server *s, heed_setup *setup) {
    heed__lock_enter(s->lock);
    if (heed__grow(&s->hooks, &s->retired, &s->retired_cap, s->retireds + 1, sizeof *s->retired) ==
        0)
        s->retired[s->retireds++] = setup;
    heed__lock_leave(s->lock);
}

bool heed_server_tidy(heed_server *s) {
    heed__lock_enter(s->lock);
    const int64_t before = s->retireds;
    for (int64_t i = s->retireds; i-- > 0;) {
        heed_setup *setup = s->retired[i];
        if (!heed_setup_alone(setup)) continue;
        s->retired[i] = s->retired[--s->retireds];
        heed_setup_drop(setup);
    }
    const bool closed = s->retireds < before;
    heed__lock_leave(s->lock);
    return closed;
}

/* With other sources and sinks; the ones before are gone already. */
static int put_to_work(heed_server *s, heed_setup *setup, heed_error *err) {
    heed_setup *before = s->setup;
    heed__lock_enter(s->lock);
    s->setup = heed_setup_hold(setup);
    heed__lock_leave(s->lock);
    retire(s, before);
    int rc = start_sinks(s, err);
    if (rc == 0) rc = start_sources(s, err);
    return rc;
}

int heed_server_reload(heed_server *s, heed_error *err) {
    bool none = false;
    if (!atomic_compare_exchange_strong(&s->reloading, &none, true))
        return heed__error(err, HEED_EIO, "another reload is at work");
    heed_flow *flow = heed_flow_open(s->cfg.flow, &s->hooks, err);
    heed_setup *setup = flow ? heed_setup_open(flow, s->cfg.threads, s->metrics, &s->hooks, err)
                             : NULL;
    int rc = setup ? heed_pipeline_reload(s->pipeline, setup, err) : err->code;
    if (rc == 0) {
        heed_setup *before = heed_setup_hold(s->setup);
        stop_sources(s);
        stop_sinks(s);
        rc = put_to_work(s, setup, err);
        if (rc) { /* what the new file names cannot begin: the old one's go on */
            heed_error again = { 0 };
            stop_sources(s);
            stop_sinks(s);
            if (heed_pipeline_reload(s->pipeline, before, &again) != 0 ||
                put_to_work(s, before, &again) != 0)
                heed__log(&s->hooks, HEED_LOG_WARN, "the flow before cannot go on: %s", again.msg);
        }
        heed_setup_drop(before); /* not the last: it is retired, or at work again */
    }
    heed_setup_drop(setup); /* likewise, or nobody else ever had it */
    atomic_store(&s->reloading, false);
    if (rc == 0) heed__log(&s->hooks, HEED_LOG_INFO, "reloaded %s", s->cfg.flow);
    return rc;
}

static void reload(void *server) {
    heed_server *s = server;
    heed_error err = { 0 };
    if (heed_server_reload(s, &err) != 0)
        heed__log(&s->hooks, HEED_LOG_WARN, "not reloaded: %s", err.msg);
}

bool heed_server_reload_soon(heed_server *s) {
    if (atomic_load(&s->reloading)) return false;
    heed__thread_join(s->reloader);
    heed_error err = { 0 };
    s->reloader = heed__thread_start(&s->hooks, "reload", reload, s, &err);
    if (!s->reloader) heed__log(&s->hooks, HEED_LOG_WARN, "not reloaded: %s", err.msg);
    return true;
}

/* -- start ------------------------------------------------------------------------------------ */

/* Jobs do their work when they are done. */
static int later_run(void *user, heed_job *job, int64_t n, heed_error *err) {
    (void)user;
    (void)job;
    (void)n;
    (void)err;
    return 0;
}

/* What stands before the models: the socket, so that /health answers at once. */
static int listen_first(heed_server *s, const heed_flow *flow, heed_error *err) {
    s->metrics = heed__metrics_new(&s->hooks, err);
    s->hub = s->metrics ? heed_hub_new(KEPT, &s->hooks, err) : NULL;
    s->lock = s->hub ? heed__lock_new(&s->hooks, err) : NULL;
    if (!s->lock) return err->code;
    s->later = heed_batcher_new(&(heed_batch_cfg){ .name = "texts",
                                                   .run = later_run,
                                                   .user = s,
                                                   .max_batch = 1,
                                                   .most = LATER_MOST,
                                                   .hooks = &s->hooks },
                                err);
    if (!s->later) return err->code;
    s->http = heed_http_start(
        &(heed_http_cfg){ .routes = heed__routes,
                          .routes_len = heed__routes_len,
                          .user = s,
                          .listen = s->cfg.listen ? s->cfg.listen : flow->listen,
                          .threads = 1,
                          .workers = s->cfg.threads + 1,
                          .keys = flow->keys,
                          .certificate = flow->certificate,
                          .private_key = flow->private_key,
                          .cors = flow->cors,
                          .cors_len = flow->cors_len,
                          .metrics = s->metrics,
                          .title = "heed",
                          .version = heed_version(),
                          .hooks = &s->hooks },
        err);
    return s->http ? 0 : err->code;
}

static int open_rest(heed_server *s, heed_flow *flow, heed_error *err) {
    const heed_store_cfg store = { .path = s->cfg.store ? s->cfg.store : flow->store,
                                   .durable = flow->durable,
                                   .hooks = &s->hooks };
    s->store = heed_store_open(&store, err);
    if (!s->store) {
        heed_flow_close(flow);
        return err->code;
    }
    atomic_store(&s->stage, 1);
    s->setup = heed_setup_open(flow, s->cfg.threads, s->metrics, &s->hooks, err);
    if (!s->setup) return err->code;
    s->first = heed_setup_hold(s->setup);
    atomic_store(&s->stage, 2);
    s->pipeline = heed_pipeline_start(&(heed_pipeline_cfg){ .store = s->store,
                                                            .setup = s->setup,
                                                            .hub = s->hub,
                                                            .metrics = s->metrics,
                                                            .committed = committed,
                                                            .told = told,
                                                            .user = s,
                                                            .hooks = &s->hooks },
                                      err);
    if (!s->pipeline) return err->code;
    atomic_store(&s->stage, 3);
    int rc = start_sinks(s, err);
    if (rc == 0) rc = start_sources(s, err);
    if (rc == 0) atomic_store(&s->ready, true); /* not before: a reload would begin them twice */
    return rc;
}

heed_server *heed_server_start(const heed_server_cfg *cfg, heed_error *err) {
    heed_server *s = heed__calloc(cfg->hooks, 1, sizeof *s);
    if (!s) {
        heed__error(err, HEED_ENOMEM, "out of memory");
        return NULL;
    }
    s->cfg = *cfg;
    if (cfg->hooks) s->hooks = *cfg->hooks;
    s->cfg.hooks = &s->hooks;
    if (s->cfg.threads < 1) s->cfg.threads = 2;
    s->started_ns = heed__ticks_ns();
    heed_flow *flow = heed_flow_open(cfg->flow, &s->hooks, err);
    int rc = flow ? listen_first(s, flow, err) : err->code;
    if (rc && flow) heed_flow_close(flow);
    if (rc == 0) rc = open_rest(s, flow, err);
    if (rc == 0) return s;
    heed_server_stop(s, 0);
    return NULL;
}

void heed_server_stop(heed_server *s, int seconds) {
    if (!s) return;
    atomic_store(&s->stopping, true);
    if (s->pipeline) heed_pipeline_leave(s->pipeline); /* a reload, a source that waits for room */
    heed__thread_join(s->reloader);
    if (s->setup) stop_sources(s);
    if (s->http) heed_http_stop(s->http, seconds);
    if (s->setup) stop_sources(s); /* those that a reload began, which was at work meanwhile */
    heed_batcher_free(s->later);
    heed_pipeline_stop(s->pipeline, seconds);
    if (s->lock) stop_sinks(s);
    for (int64_t i = 0; i < s->retireds; i++) heed_setup_drop(s->retired[i]);
    heed__free(&s->hooks, s->retired);
    heed_setup_drop(s->setup);
    heed_setup_drop(s->first);
    heed_store_close(s->store);
    heed_hub_free(s->hub);
    heed__lock_free(s->lock);
    heed__metrics_free(s->metrics);
    const heed_hooks hooks = s->hooks;
    heed__free(&hooks, s);
}
