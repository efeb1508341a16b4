/* route_events.c: events pushed in, and looked at: /v1/events, stories, search. */
#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/json.h"
#include "serve/route.h"
#include "store/look.h"

enum { EVENTS_MOST = 10000, LIST_MOST = 1000, LIST_TOLD = 50, NAME_MOST = 200 };

/* -- in --------------------------------------------------------------------------------------- */

/* Events of one request on their way to the store. */
typedef struct push {
    heed_server *server;
    heed_setup *setup;
    heed_request *rq;
    heed_entry *entry;
    char **fields; /* [n] dumped */
    int64_t n;
} push;

/* Who may push: a source of the kind "push", or "push" itself. */
static bool is_source(const heed_flow *flow, const char *name) {
    if (strcmp(name, "push") == 0) return true;
    for (int64_t i = 0; i < flow->sources; i++)
        if (strcmp(flow->source[i].kind, "push") == 0 && strcmp(flow->source[i].name, name) == 0)
            return true;
    return false;
}

static const char *first_source(const heed_flow *flow) {
    for (int64_t i = 0; i < flow->sources; i++)
        if (strcmp(flow->source[i].kind, "push") == 0) return flow->source[i].name;
    return "push";
}

/* A time as text (RFC 3339 and others) or as ms since 1970. */
static bool take_time(push *x, const json_t *event, int64_t *ms) {
    const json_t *value = json_object_get(event, "time");
    const char *text = json_string_value(value);
    if (!value || json_is_null(value)) return true;
    if (text && heed__date_read(text, strlen(text), ms)) return true;
    if (!text) return heed__member_int(x->rq, event, "time", -62135596800000, 253402300799999, ms);
    heed_reply_problem(x->rq, 400,
                       "time is '%.100s', which is no time such as 2026-01-31T12:00:00Z", text);
    return false;
}

static bool take_fields(push *x, const json_t *event, int64_t i) {
    const json_t *value = json_object_get(event, "fields");
    heed_error err = { 0 };
    size_t len;
    if (!value || json_is_null(value)) return true;
    if (!json_is_object(value)) {
        heed_reply_problem(x->rq, 400, "fields is not an object");
        return false;
    }
    x->fields[i] = heed__json_text(&x->server->hooks, value, false, &len, &err);
    if (!x->fields[i]) heed__route_reply(x->rq, NULL, &err);
    x->entry[i].body = x->fields[i];
    return x->fields[i] != NULL;
}

static bool take_event(push *x, const json_t *event, int64_t i) {
    heed_entry *e = &x->entry[i];
    const struct {
        const char *name, **to;
        bool is_name;
    } text[] = { { "id", &e->id, true },        { "source", &e->source, true },
                 { "user", &e->user, true },    { "session", &e->session, true },
                 { "title", &e->title, false }, { "text", &e->text, false },
                 { "url", &e->url, false } };
    e->kind = HEED_ENTRY_EVENT;
    if (!json_is_object(event)) {
        heed_reply_problem(x->rq, 400, "event %lld is not an object", (long long)i);
        return false;
    }
    for (size_t t = 0; t < sizeof text / sizeof *text; t++) {
        if (!heed__member_text(x->rq, event, text[t].name, text[t].to)) return false;
        if (!text[t].is_name || !*text[t].to || heed__letters(*text[t].to) <= NAME_MOST) continue;
        heed_reply_problem(x->rq, 400, "%s is longer than %d letters", text[t].name, NAME_MOST);
        return false;
    }
    if (!e->text) {
        heed_reply_problem(x->rq, 400, "event %lld has no text", (long long)i);
        return false;
    }
    if (!e->source) e->source = first_source(x->setup->flow);
    if (!is_source(x->setup->flow, e->source)) {
        heed_reply_problem(x->rq, 404, "the flow has no source '%.200s' of the kind push",
                           e->source);
        return false;
    }
    return take_time(x, event, &e->happened_ms) && take_fields(x, event, i);
}

static void put_in(push *x) {
    heed_error err = { 0 };
    const int rc = heed_pipeline_take(x->server->pipeline, x->entry, x->n, false, &err);
    if (rc == HEED_ECANCELLED) {
        heed_reply_busy(x->rq, 1);
        return;
    }
    if (rc) {
        heed__route_reply(x->rq, NULL, &err);
        return;
    }
    json_t *seqs = json_array();
    int64_t known = 0;
    for (int64_t i = 0; i < x->n; i++) {
        const int64_t seq = x->entry[i].seq;
        known += seq < 0;
        json_array_append_new(seqs, json_integer(seq < 0 ? -seq : seq));
    }
    json_t *tree = json_pack("{s:I, s:I, s:o}", "taken", (json_int_t)(x->n - known), "known",
                             (json_int_t)known, "seqs", seqs);
    if (tree)
        heed_reply_json(x->rq, 202, tree);
    else
        heed__route_reply(x->rq, NULL, &err);
}

void heed__route_push(void *server, heed_request *rq) {
    heed_server *s = server;
    push x = { .server = s, .setup = heed__route_setup(s, rq), .rq = rq };
    if (!x.setup) return;
    json_t *body = heed_request_json(rq);
    const json_t *list = json_is_array(body) ? body : json_object_get(body, "events");
    const bool one = json_is_object(body) && !list;
    const size_t n = one ? 1 : json_array_size(list);
    if (body && (n < 1 || n > EVENTS_MOST)) {
        heed_reply_problem(rq, 400, "a request has 1 to %d events, not %zu", EVENTS_MOST, n);
    } else if (body) {
        x.n = (int64_t)n;
        x.entry = heed__calloc(&s->hooks, n, sizeof *x.entry);
        x.fields = heed__calloc(&s->hooks, n, sizeof *x.fields);
        bool ok = x.entry && x.fields;
        if (!ok) heed__route_reply(rq, NULL, &(heed_error){ 0 });
        for (size_t i = 0; ok && i < n; i++)
            ok = take_event(&x, one ? body : json_array_get(list, i), (int64_t)i);
        if (ok) put_in(&x);
    }
    for (int64_t i = 0; x.fields && i < x.n; i++) heed__free(&s->hooks, x.fields[i]);
    heed__free(&s->hooks, x.fields);
    heed__free(&s->hooks, x.entry);
    json_decref(body);
    heed_setup_drop(x.setup);
}

/* -- out -------------------------------------------------------------------------------------- */

static bool take_flag(heed_request *rq, const char *name, bool *to) {
    const char *text = heed_request_query(rq, name);
    *to = text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
    if (!text || *to || strcmp(text, "false") == 0 || strcmp(text, "0") == 0) return true;
    heed_reply_problem(rq, 400, "%s is '%.100s', neither true nor false", name, text);
    return false;
}

/* A label without an analysis is of the first that gives labels. */
static const char *first_analysis(const heed_flow *flow) {
    for (int64_t i = 0; i < flow->analyses; i++)
        if (strcmp(flow->analysis[i].kind, "classify") == 0) return flow->analysis[i].name;
    return flow->analyses ? flow->analysis[0].name : "";
}

/* The restrictions of the query. False: a problem is the answer. */
static bool look_of(const heed_setup *setup, heed_request *rq, heed_look *look) {
    *look = (heed_look){ .text = heed_request_query(rq, "q"),
                         .source = heed_request_query(rq, "source"),
                         .user = heed_request_query(rq, "user"),
                         .session = heed_request_query(rq, "session"),
                         .analysis = heed_request_query(rq, "analysis"),
                         .label = heed_request_query(rq, "label") };
    const char *by = heed_request_query(rq, "by");
    look->by_rank = by && strcmp(by, "rank") == 0;
    if (by && !look->by_rank && strcmp(by, "time") != 0) {
        heed_reply_problem(rq, 400, "by is '%.100s', neither rank nor time", by);
        return false;
    }
    if (look->label && !look->analysis) look->analysis = first_analysis(setup->flow);
    if (look->text && !*look->text) look->text = NULL;
    return take_flag(rq, "heads", &look->heads) &&
           heed_request_int(rq, "most", 1, LIST_MOST, LIST_TOLD, &look->most) &&
           heed_request_int(rq, "before", 0, HEED_SEQ_MOST, 0, &look->before) &&
           heed_request_int(rq, "story", 0, HEED_SEQ_MOST, 0, &look->story) &&
           heed__route_time(rq, "from", 0, &look->from_ms) &&
           heed__route_time(rq, "to", 0, &look->to_ms);
}

void heed__route_events(void *server, heed_request *rq) {
    heed_server *s = server;
    heed_setup *setup = heed__route_setup(s, rq);
    heed_look look;
    heed_error err = { 0 };
    if (setup && look_of(setup, rq, &look))
        heed__route_reply(rq, heed_look_events(s->store, &look, &err), &err);
    heed_setup_drop(setup);
}

void heed__route_event(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t seq;
    heed_error err = { 0 };
    if (heed__route_ready(s, rq) && heed__route_number(rq, "seq", &seq))
        heed__route_reply(rq, heed_look_event(s->store, seq, &err), &err);
}

void heed__route_similar(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t seq, most;
    heed_error err = { 0 };
    if (heed__route_ready(s, rq) && heed__route_number(rq, "seq", &seq) &&
        heed_request_int(rq, "most", 1, LIST_MOST, 10, &most))
        heed__route_reply(rq, heed_look_similar(s->store, seq, most, &err), &err);
}

void heed__route_story(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t id;
    heed_error err = { 0 };
    if (heed__route_ready(s, rq) && heed__route_number(rq, "id", &id))
        heed__route_reply(rq, heed_look_story(s->store, id, &err), &err);
}

/* By words, and by meaning where the flow has an analysis that gives vectors. */
void heed__route_search(void *server, heed_request *rq) {
    heed_server *s = server;
    heed_setup *setup = heed__route_setup(s, rq);
    heed_look look;
    heed_error err = { 0 };
    if (!setup) return;
    if (look_of(setup, rq, &look)) {
        int64_t dim = 0;
        float *vector = NULL;
        if (!look.text)
            heed_reply_problem(rq, 400, "q, the words to be found, is missing");
        else {
            vector = heed_analyst_embed(setup->analyst, NULL, 1, &look.text, &dim, &err);
            if (!vector && err.code == HEED_ENOTFOUND) err.code = 0;
            heed__route_reply(
                rq, err.code ? NULL : heed_look_search(s->store, &look, vector, dim, &err), &err);
        }
        heed__free(&s->hooks, vector);
    }
    heed_setup_drop(setup);
}
