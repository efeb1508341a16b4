/* route_system.c: how it goes: /health, /ready, /metrics, /v1/system, /v1/flow, /v1/stream, reload,
 * the page. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/route.h"
#include "serve/web_files.h"
#include "store/look.h"

void heed__route_health(void *server, heed_request *rq) {
    static const char ok[] = "{\"status\":\"ok\"}";
    (void)server;
    heed_reply_data(rq, 200, "application/json", ok, sizeof ok - 1, NULL);
}

void heed__route_readiness(void *server, heed_request *rq) {
    static const char *const stage[] = { "store", "models", "log", "sources" };
    heed_server *s = server;
    if (atomic_load(&s->ready) && !atomic_load(&s->stopping))
        heed_reply_json(rq, 200, json_pack("{s:b}", "ready", 1));
    else
        heed_reply_json(
            rq, 503,
            json_pack("{s:b, s:s}", "ready", 0, "waiting",
                      atomic_load(&s->stopping) ? "stopping" : stage[atomic_load(&s->stage)]));
}

void heed__route_metrics(void *server, heed_request *rq) {
    heed_server *s = server;
    size_t size;
    char *text = heed__metrics_text(s->metrics, &size);
    if (text)
        heed_reply_data(rq, 200, "text/plain; version=0.0.4; charset=utf-8", text, size, NULL);
    else
        heed__route_reply(rq, NULL, &(heed_error){ 0 });
    heed__free(&s->hooks, text);
}

/* -- the whole -------------------------------------------------------------------------------- */

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *sources_of(heed_server *s) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->setup->flow->sources; i++) {
        const heed_source_cfg *cfg = &s->setup->flow->source[i];
        if (s->source && s->source[i])
            json_array_append_new(list, heed_source_state(s->source[i]));
        else
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:n}", "name", cfg->name, "kind",
                                                  cfg->kind, "state", "waiting", "error"));
    }
    return list;
}

void heed__route_system(void *server, heed_request *rq) {
    heed_server *s = server;
    heed_setup *setup = heed__route_setup(s, rq);
    heed_error err = { 0 };
    if (!setup) return;
    const heed_pipeline_state now = heed_pipeline_state_now(s->pipeline);
    json_t *store = heed_look_state(s->store, &err), *tree = NULL;
    if (store) {
        heed__lock_enter(s->lock);
        json_t *sources = sources_of(s), *sinks = heed_sinks_state(s->sinks);
        heed__lock_leave(s->lock);
        tree = json_pack("{s:s, s:s?, s:f, s:o, s:I, s:o, s:o, s:I, s:i, s:s?, s:o, s:o, s:o, s:o}",
                         "version", heed_version(), "flow", setup->flow->name, "uptime_s",
                         (double)(heed__ticks_ns() - s->started_ns) * 1e-9, "rate", real(now.rate),
                         "queue", (json_int_t)now.waiting, "p50_ms", real(now.p50_ms), "p99_ms",
                         real(now.p99_ms), "memory", (json_int_t)now.memory, "threads",
                         s->cfg.threads, "trouble", now.trouble, "store", store, "sources", sources,
                         "sinks", sinks, "models", heed_analyst_models(setup->analyst));
    }
    heed__route_reply(rq, tree, &err);
    heed_setup_drop(setup);
}

/* -- the flow --------------------------------------------------------------------------------- */

static json_t *names(const char *const *name, int64_t n) {
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) json_array_append_new(list, json_string(name[i]));
    return list;
}

static json_t *labels_of(const heed_setup *setup, const heed_analysis_cfg *a) {
    json_t *list = json_array();
    for (int64_t i = 0; i < a->grades; i++)
        json_array_append_new(list, json_string(a->grade[i].name));
    if (strcmp(a->kind, "novelty") == 0) {
        json_array_append_new(list, json_string("new"));
        json_array_append_new(list, json_string("seen"));
    }
    return strcmp(a->kind, "classify") == 0 || strcmp(a->kind, "tag") == 0
               ? (json_decref(list), heed_analyst_labels(setup->analyst, a->name))
               : list;
}

void heed__route_flow(void *server, heed_request *rq) {
    heed_setup *setup = heed__route_setup(server, rq);
    if (!setup) return;
    const heed_flow *f = setup->flow;
    json_t *analyses = json_array(), *rules = json_array(), *sources = json_array(),
           *sinks = json_array();
    for (int64_t i = 0; i < f->analyses; i++)
        json_array_append_new(analyses, json_pack("{s:s, s:s, s:o}", "name", f->analysis[i].name,
                                                  "kind", f->analysis[i].kind, "labels",
                                                  labels_of(setup, &f->analysis[i])));
    for (int64_t i = 0; i < f->rules; i++) {
        const heed_rule_cfg *r = &f->rule[i];
        json_array_append_new(rules,
                              json_pack("{s:s, s:s, s:o, s:I, s:s?}", "name", r->name, "kind",
                                        r->kind, "by", names(r->by, r->by_len), "window_ms",
                                        (json_int_t)r->window_ms, "grade", r->grade));
    }
    for (int64_t i = 0; i < f->sources; i++)
        json_array_append_new(
            sources, json_pack("{s:s, s:s}", "name", f->source[i].name, "kind", f->source[i].kind));
    for (int64_t i = 0; i < f->sinks; i++)
        json_array_append_new(
            sinks, json_pack("{s:s, s:s}", "name", f->sink[i].name, "kind", f->sink[i].kind));
    heed__route_reply(rq,
                      json_pack("{s:s?, s:o, s:o, s:o, s:o, s:b}", "name", f->name, "analyses",
                                analyses, "rules", rules, "sources", sources, "sinks", sinks,
                                "desk", setup->desk ? 1 : 0),
                      &(heed_error){ 0 });
    heed_setup_drop(setup);
}

void heed__route_reload(void *server, heed_request *rq) {
    heed_server *s = server;
    heed_error err = { 0 };
    if (!heed__route_ready(s, rq)) return;
    if (atomic_load(&s->reloading)) {
        heed_reply_problem(rq, 409, "another reload is at work");
        return;
    }
    if (heed_server_reload(s, &err) != 0) {
        heed__route_reply(rq, NULL, &err);
        return;
    }
    heed_setup *setup = heed_pipeline_setup(s->pipeline);
    heed__route_reply(
        rq, json_pack("{s:b, s:o}", "reloaded", 1, "models", heed_analyst_shas(setup->analyst)),
        &err);
    heed_setup_drop(setup);
}

/* -- the stream ------------------------------------------------------------------------------- */

void heed__route_stream(void *server, heed_request *rq) {
    static const struct {
        const char *name;
        int topic;
    } known[] = { { "event", HEED_TOPIC_EVENT },
                  { "alert", HEED_TOPIC_ALERT },
                  { "stats", HEED_TOPIC_STATS } };
    heed_server *s = server;
    const char *at = heed_request_query(rq, "topics");
    uint32_t topics = at && *at ? 0 : 7;
    for (size_t n = 0; at && *at; at += n + (at[n] == ',')) {
        n = strcspn(at, ",");
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strlen(known[i].name) == n && strncmp(known[i].name, at, n) == 0) {
                topics |= 1u << known[i].topic;
                found = true;
            }
        if (found) continue;
        heed_reply_problem(rq, 400, "topics holds '%.*s', not one of event, alert, stats",
                           n < 100 ? (int)n : 100, at);
        return;
    }
    heed_reply_hub(rq, s->hub, topics);
}

void heed__route_page(void *server, heed_request *rq) {
    heed_server *s = server;
    heed__web_answer(rq, s->cfg.web);
}
