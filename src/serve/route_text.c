/* route_text.c: texts in, labels, entities, reasons and vectors out: /v1/classify, /v1/tag,
 * /v1/explain, OpenAI's /v1/embeddings and /v1/models, and TEI's /embed and /predict. */
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/json_put.h"
#include "base/text.h"
#include "serve/route.h"
#include "store/look.h"

enum { TEXTS_MOST = 999, AT_ONCE = 4, AT_ONCE_SIZE = 8192, LABELS_MOST = 16, LABELS_TOLD = 5 };

typedef enum shape {
    SHAPE_CLASSIFY,   /* /v1/classify */
    SHAPE_PREDICT,    /* TEI's */
    SHAPE_EMBEDDINGS, /* OpenAI's */
    SHAPE_EMBED       /* TEI's */
} shape;

/* A request whose answer may come from another thread. */
typedef struct texts_asked {
    heed_asked asked;
    heed_job job; /* for a light model, where it is much */
    heed_server *server;
    heed_setup *setup;
    heed_request *rq;
    json_t *body; /* whose the texts are */
    const char **text;
    shape shape;
    bool one;    /* a single text, not a list */
    bool base64; /* of vectors */
    const char *model;
} texts_asked;

static void asked_free(texts_asked *x) {
    heed_server *s = x->server;
    json_decref(x->body);
    heed_setup_drop(x->setup);
    heed__free(&s->hooks, x->text);
    heed__free(&s->hooks, x);
}

/* -- answers ---------------------------------------------------------------------------------- */

/* One answer as it is, or all of them in a list, with what stands before and after it. */
static void reply_lines(const texts_asked *x, const char *const *answer,
                        const char *const around[2]) {
    heed_text l = { .hooks = &x->server->hooks };
    if (x->one) {
        heed_reply_data(x->rq, 200, "application/json", answer[0], strlen(answer[0]), NULL);
        return;
    }
    heed__text_puts(&l, around[0]);
    for (int64_t i = 0; i < x->asked.n; i++) {
        if (i) heed__text_puts(&l, ",");
        heed__text_puts(&l, answer[i]);
    }
    heed__text_puts(&l, around[1]);
    if (l.failed)
        heed__route_reply(x->rq, NULL, &(heed_error){ 0 });
    else
        heed_reply_data(x->rq, 200, "application/json", l.bytes, (size_t)l.len, NULL);
    heed__text_free(&l);
}

static json_t *numbers(const float *v, int64_t n) {
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) json_array_append_new(list, json_real((double)v[i]));
    return list;
}

/* The floats' bytes, little-endian, in base 64 (RFC 4648). */
static json_t *base64(const heed_hooks *hooks, const float *v, int64_t n) {
    heed_text text = { .hooks = hooks };
    heed__base64_put(&text, v, (size_t)n * sizeof *v, 0);
    json_t *value = text.failed || !text.bytes ? NULL : json_stringn(text.bytes, (size_t)text.len);
    heed__text_free(&text);
    return value;
}

static json_t *embeddings(const texts_asked *x, const float *vector, int64_t dim) {
    json_t *data = json_array();
    int64_t tokens = 0;
    for (int64_t i = 0; i < x->asked.n; i++) {
        const float *v = vector + i * dim;
        tokens += heed__words_in(x->text[i]);
        json_t *value = x->base64 ? base64(&x->server->hooks, v, dim) : numbers(v, dim);
        json_array_append_new(data, json_pack("{s:s, s:I, s:o}", "object", "embedding", "index",
                                              (json_int_t)i, "embedding", value));
    }
    return json_pack("{s:s, s:o, s:s, s:{s:I, s:I}}", "object", "list", "data", data, "model",
                     x->model ? x->model : "", "usage", "prompt_tokens", (json_int_t)tokens,
                     "total_tokens", (json_int_t)tokens);
}

static json_t *embedded(const texts_asked *x, const float *vector, int64_t dim) {
    json_t *list = json_array();
    for (int64_t i = 0; i < x->asked.n; i++)
        json_array_append_new(list, numbers(vector + i * dim, dim));
    return list;
}

static void answered(heed_asked *asked, const char *const *answer, const float *vector, int64_t dim,
                     const heed_error *err) {
    static const char *const results[] = { "{\"results\":[", "]}" }, *const list[] = { "[", "]" };
    texts_asked *x = asked->user;
    if (answer)
        reply_lines(x, answer, x->shape == SHAPE_CLASSIFY ? results : list);
    else if (vector && x->shape == SHAPE_EMBEDDINGS)
        heed__route_reply(x->rq, embeddings(x, vector, dim), err);
    else
        heed__route_reply(x->rq, vector ? embedded(x, vector, dim) : NULL, err);
    asked_free(x);
}

/* -- questions -------------------------------------------------------------------------------- */

/* A string, or a list of strings. False: a problem is the answer. */
static bool take_texts(texts_asked *x, const char *name) {
    const json_t *value = json_object_get(x->body, name);
    x->one = json_is_string(value);
    const size_t n = x->one ? 1 : json_array_size(value);
    if (n < 1 || n > TEXTS_MOST) {
        heed_reply_problem(x->rq, 400, "%s is not a string or a list of 1 to %d strings", name,
                           TEXTS_MOST);
        return false;
    }
    x->text = heed__calloc(&x->server->hooks, n, sizeof *x->text);
    if (!x->text) {
        heed__route_reply(x->rq, NULL, &(heed_error){ 0 });
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        x->text[i] = json_string_value(x->one ? value : json_array_get(value, i));
        if (x->text[i]) continue;
        heed_reply_problem(x->rq, 400, "%s holds what is not a string", name);
        return false;
    }
    x->asked.n = (int64_t)n;
    return true;
}

static void ask_now(texts_asked *x) {
    heed_error err = { 0 };
    const int rc = heed_analyst_ask(x->setup->analyst, &x->asked, &err);
    if (rc == 0) return;
    if (rc == HEED_EIO)
        heed_reply_busy(x->rq, 1);
    else
        heed__route_reply(x->rq, NULL, &err);
    asked_free(x);
}

static void ask_later(heed_job *job, int status, const heed_error *err) {
    texts_asked *x = job->user;
    (void)status;
    (void)err;
    ask_now(x);
}

/* In this thread where it is done in no time, else where nobody waits. */
static void ask(texts_asked *x) {
    size_t size = 0;
    for (int64_t i = 0; i < x->asked.n && size <= AT_ONCE_SIZE; i++) size += strlen(x->text[i]);
    const bool little = x->asked.n <= AT_ONCE && size <= AT_ONCE_SIZE;
    x->asked.text = x->text;
    x->asked.done = answered;
    x->asked.user = x;
    if (little || !heed_analyst_is_light(x->setup->analyst, x->asked.analysis, x->asked.vectors)) {
        ask_now(x);
        return;
    }
    x->job = (heed_job){ .n = 1, .done = ask_later, .user = x };
    if (heed_batcher_put(x->server->later, &x->job)) return;
    heed_reply_busy(x->rq, 1);
    asked_free(x);
}

/* The body read; NULL, and the request is answered. */
static texts_asked *asked_new(heed_server *s, heed_request *rq, shape as) {
    heed_setup *setup = heed__route_setup(s, rq);
    json_t *body = setup ? heed__route_object(rq) : NULL;
    texts_asked *x = body ? heed__calloc(&s->hooks, 1, sizeof *x) : NULL;
    if (!x) {
        if (body) heed__route_reply(rq, NULL, &(heed_error){ 0 });
        json_decref(body);
        heed_setup_drop(setup);
        return NULL;
    }
    x->server = s;
    x->setup = setup;
    x->rq = rq;
    x->body = body;
    x->shape = as;
    x->asked.vectors = as == SHAPE_EMBEDDINGS || as == SHAPE_EMBED;
    x->asked.most = LABELS_TOLD;
    return x;
}

void heed__route_classify(void *server, heed_request *rq) {
    texts_asked *x = asked_new(server, rq, SHAPE_CLASSIFY);
    if (!x) return;
    const bool many = json_object_get(x->body, "texts") != NULL;
    if (heed__member_text(rq, x->body, "analysis", &x->asked.analysis) &&
        heed__member_int(rq, x->body, "most", 1, LABELS_MOST, &x->asked.most) &&
        take_texts(x, many ? "texts" : "text")) {
        if (many == !x->one && many == (json_object_get(x->body, "text") == NULL)) {
            ask(x);
            return;
        }
        heed_reply_problem(rq, 400, "give either text, a string, or texts, a list of them");
    }
    asked_free(x);
}

void heed__route_predict(void *server, heed_request *rq) {
    texts_asked *x = asked_new(server, rq, SHAPE_PREDICT);
    if (!x) return;
    x->asked.most = LABELS_MOST;
    x->asked.labels = true;
    if (take_texts(x, "inputs"))
        ask(x);
    else
        asked_free(x);
}

/* The analysis that a name of OpenAI's "model" means: of that name, or on the model of that id. */
static bool find_embedder(texts_asked *x) {
    const heed_flow *flow = x->setup->flow;
    if (!x->model) return true;
    for (int64_t i = 0; i < flow->analyses; i++) {
        const heed_analysis_cfg *a = &flow->analysis[i];
        const char *slash = a->model ? strrchr(a->model, '/') : NULL;
        const char *id = slash ? slash + 1 : a->model;
        if (strcmp(a->kind, "embed") != 0) continue;
        if (strcmp(a->name, x->model) != 0 && (!id || strcmp(id, x->model) != 0)) continue;
        x->asked.analysis = a->name;
        return true;
    }
    heed_reply_problem(x->rq, 404, "no model '%.200s' that gives vectors; /v1/models lists all",
                       x->model);
    return false;
}

void heed__route_embeddings(void *server, heed_request *rq) {
    texts_asked *x = asked_new(server, rq, SHAPE_EMBEDDINGS);
    if (!x) return;
    const char *format = "float";
    bool ok = heed__member_text(rq, x->body, "model", &x->model) &&
              heed__member_text(rq, x->body, "encoding_format", &format) && find_embedder(x) &&
              take_texts(x, "input");
    x->base64 = ok && strcmp(format, "base64") == 0;
    if (ok && !x->base64 && strcmp(format, "float") != 0) {
        heed_reply_problem(rq, 400, "encoding_format is neither float nor base64");
        ok = false;
    }
    if (ok)
        ask(x);
    else
        asked_free(x);
}

void heed__route_embed(void *server, heed_request *rq) {
    texts_asked *x = asked_new(server, rq, SHAPE_EMBED);
    if (!x) return;
    if (take_texts(x, "inputs"))
        ask(x);
    else
        asked_free(x);
}

/* -- one text --------------------------------------------------------------------------------- */

/* The text of the body, or of the event that it names; heed__free. NULL: it is answered. */
static char *text_of(heed_server *s, const heed_setup *setup, heed_request *rq,
                     const json_t *body) {
    const char *text = NULL;
    int64_t seq = 0;
    heed_error err = { 0 };
    if (!heed__member_text(rq, body, "text", &text) ||
        !heed__member_int(rq, body, "seq", 1, HEED_SEQ_MOST, &seq))
        return NULL;
    if (!text == !seq) {
        heed_reply_problem(rq, 400, "give either text, a string, or seq, an event's number");
        return NULL;
    }
    char *own = NULL;
    if (text)
        own = heed__strdup(&s->hooks, text);
    else {
        json_t *event = heed_look_event(s->store, seq, &err);
        const heed_entry e = { .title = json_string_value(json_object_get(event, "title")),
                               .text = json_string_value(json_object_get(event, "text")) };
        own = event ? heed_analyst_text(setup->analyst, &e) : NULL;
        json_decref(event);
    }
    if (!own) heed__route_reply(rq, NULL, &err);
    return own;
}

typedef json_t *(*one_text_fn)(heed_analyst *a, const char *analysis, const char *text,
                               heed_error *err);

static void one_text(heed_server *s, heed_request *rq, one_text_fn fn) {
    heed_setup *setup = heed__route_setup(s, rq);
    if (!setup) return;
    json_t *body = heed__route_object(rq);
    const char *analysis = NULL;
    char *text = NULL;
    if (body && heed__member_text(rq, body, "analysis", &analysis) &&
        (text = text_of(s, setup, rq, body)) != NULL) {
        heed_error err = { 0 };
        heed__route_reply(rq, fn(setup->analyst, analysis, text, &err), &err);
    }
    heed__free(&s->hooks, text);
    json_decref(body);
    heed_setup_drop(setup);
}

void heed__route_tag(void *server, heed_request *rq) {
    one_text(server, rq, heed_analyst_tag);
}

void heed__route_explain(void *server, heed_request *rq) {
    one_text(server, rq, heed_analyst_explain);
}

/* -- models ----------------------------------------------------------------------------------- */

/* Each also as OpenAI has it. */
static json_t *models_of(const heed_setup *setup) {
    json_t *list = heed_analyst_models(setup->analyst), *model;
    size_t i;
    json_array_foreach(list, i, model) {
        json_object_set_new(model, "object", json_string("model"));
        json_object_set_new(model, "created", json_integer(setup->opened_ms / 1000));
        json_object_set_new(model, "owned_by", json_string("heed"));
    }
    return list;
}

void heed__route_models(void *server, heed_request *rq) {
    heed_setup *setup = heed__route_setup(server, rq);
    if (!setup) return;
    json_t *list = models_of(setup);
    heed__route_reply(rq, list ? json_pack("{s:s, s:o}", "object", "list", "data", list) : NULL,
                      &(heed_error){ 0 });
    heed_setup_drop(setup);
}

void heed__route_model(void *server, heed_request *rq) {
    heed_setup *setup = heed__route_setup(server, rq);
    if (!setup) return;
    const char *id = heed_request_part(rq, "id");
    json_t *list = models_of(setup), *model, *found = NULL;
    size_t i;
    json_array_foreach(list, i, model) {
        const char *is = json_string_value(json_object_get(model, "id"));
        if (is && id && strcmp(is, id) == 0) found = json_incref(model);
    }
    json_decref(list);
    if (found)
        heed_reply_json(rq, 200, found);
    else
        heed_reply_problem(rq, 404, "no model '%.200s'; /v1/models lists all", id ? id : "");
    heed_setup_drop(setup);
}
