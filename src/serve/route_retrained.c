/* route_retrained.c: /v1/retrained: what a model that was trained anew would change, before it is
 * put in the place of the one that serves. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "serve/route.h"
#include "serve/served.h"
#include "store/look.h"

enum { LAST = 500, PATH_SIZE = 4096, CHANGED_MOST = 200 };

/* The folder of a model beside the flow file or below its folder, or beside the models that it
 * names: no other is opened for a request. heed__free; NULL: a problem is the answer. */
static char *folder_of(const heed_setup *setup, heed_request *rq, const char *name) {
    char path[PATH_SIZE], real[PATH_SIZE] = "", home[PATH_SIZE] = "";
    const char *slash = strrchr(setup->flow->path, '/');
    const int len = slash ? (int)(slash - setup->flow->path) : 0;
    if (*name == '/')
        heed__format(path, sizeof path, "%s", name);
    else
        heed__format(path, sizeof path, "%.*s%s%s", len, setup->flow->path, len ? "/" : "", name);
    char base[PATH_SIZE];
    heed__format(base, sizeof base, "%.*s", len ? len : 1, len ? setup->flow->path : ".");
    bool ok = realpath(path, real) != NULL;
    bool inside = false;
    if (ok && realpath(base, home))
        inside = strncmp(real, home, strlen(home)) == 0 && real[strlen(home)] == '/';
    for (int64_t i = 0; ok && !inside && i < setup->flow->analyses; i++) {
        const char *model = setup->flow->analysis[i].model;
        if (!model || !realpath(model, home)) continue;
        char *last = strrchr(home, '/');
        inside = last && strncmp(real, home, (size_t)(last + 1 - home)) == 0;
    }
    if (ok && inside) return heed__strdup(NULL, real);
    heed_reply_problem(rq, 404, "no model folder '%.200s' beside the flow file or its models",
                       name);
    return NULL;
}

/* The classify analysis of that name, or the first. */
static const heed_analysis_cfg *analysis_of(const heed_setup *setup, const char *name) {
    for (int64_t i = 0; i < setup->flow->analyses; i++) {
        const heed_analysis_cfg *a = &setup->flow->analysis[i];
        if (strcmp(a->kind, "classify") == 0 && (!name || strcmp(a->name, name) == 0)) return a;
    }
    return NULL;
}

static const json_t *finding_of(const json_t *event, const char *analysis) {
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(event, "findings"), i, one) {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name && strcmp(name, analysis) == 0) return one;
    }
    return NULL;
}

static int likeliest(const heed_said *said, int64_t i) {
    const float *p = said->probs + i * said->labels;
    int best = 0;
    for (int64_t k = 1; k < said->labels; k++)
        if (p[k] > p[best]) best = (int)k;
    return best;
}

/* {"n","changed":[{"seq","text","now","then"}]}; NULL and *err. */
static json_t *compare(heed_analyst *a, const heed_served *m, const json_t *events,
                       const heed_analysis_cfg *cfg, heed_error *err) {
    const char *text[LAST];
    char *own[LAST];
    int64_t n = 0;
    const json_t *event, *of[LAST];
    size_t at;
    json_array_foreach(events, at, event) {
        const heed_entry e = { .title = json_string_value(json_object_get(event, "title")),
                               .text = json_string_value(json_object_get(event, "text")) };
        if (n == LAST || !finding_of(event, cfg->name)) continue;
        own[n] = heed_analyst_text(a, &e);
        of[n] = event;
        if (own[n]) n++;
    }
    for (int64_t i = 0; i < n; i++) text[i] = own[i];
    heed_said said = { 0 };
    json_t *changed = NULL;
    if (heed_served_ask((heed_served *)m, n, text, &said, err) == 0) changed = json_array();
    for (int64_t i = 0; changed && i < n && json_array_size(changed) < CHANGED_MOST; i++) {
        const char *then = heed_served_label(m, likeliest(&said, i));
        const json_t *label = json_object_get(finding_of(of[i], cfg->name), "label");
        const char *now = json_string_value(label);
        if (now && then && strcmp(now, then) == 0) continue;
        json_array_append_new(changed, json_pack("{s:O, s:s, s:s?, s:s?}", "seq",
                                                 json_object_get(of[i], "seq"), "text", text[i],
                                                 "now", now, "then", then));
    }
    heed_said_free(&said);
    for (int64_t i = 0; i < n; i++) heed__free(NULL, own[i]);
    return changed ? json_pack("{s:I, s:o}", "n", (json_int_t)n, "changed", changed) : NULL;
}

static void retrained(heed_server *s, heed_setup *setup, heed_request *rq, const char *name) {
    const char *analysis = heed_request_query(rq, "analysis");
    const heed_analysis_cfg *cfg = analysis_of(setup, analysis);
    heed_error err = { 0 };
    if (!cfg) {
        heed_reply_problem(rq, 404, "this flow has no analysis '%.200s' of the kind classify",
                           analysis ? analysis : "");
        return;
    }
    char *dir = folder_of(setup, rq, name);
    if (!dir) return;
    heed_served *m = heed_served_open(
        &(heed_served_cfg){ .dir = dir, .copies = 1, .threads = 1, .max_batch = 1 }, &err);
    heed__free(NULL, dir);
    json_t *events = m ? heed_look_events(s->store, &(heed_look){ .most = LAST }, &err) : NULL;
    json_t *tree = NULL;
    if (events && heed_served_task_of(m) != HEED_SERVED_CLASSIFY)
        heed__error(&err, HEED_EINVALID, "%s is no classifier", name);
    else if (events)
        tree = compare(setup->analyst, m, json_object_get(events, "events"), cfg, &err);
    json_decref(events);
    heed_served_close(m);
    heed__route_reply(rq, tree, &err);
}

void heed__route_retrained(void *server, heed_request *rq) {
    const char *name = heed_request_query(rq, "model");
    heed_setup *setup = heed__route_setup(server, rq);
    if (!setup) return;
    if (name && *name)
        retrained(server, setup, rq, name);
    else
        heed_reply_problem(rq, 400, "model, the folder of the model trained anew, is missing");
    heed_setup_drop(setup);
}
