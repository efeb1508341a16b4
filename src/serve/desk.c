/* desk.c: opens a support desk: its models, replies, knowledge base and slots. */
#include "serve/desk.h"

#include <string.h>

#include "serve/desk_impl.h"

static int keep(heed_desk *d, const char **to, const char *text, heed_error *err) {
    *to = text ? heed__strings_keep(&d->strings, text) : NULL;
    return text && !*to ? heed__error(err, HEED_ENOMEM, "desk: out of memory") : 0;
}

/* The folder of an analysis's model; name NULL: none. */
static int find_model(const heed_flow *flow, const char *name, const char *kind, const char **model,
                      heed_error *err) {
    *model = NULL;
    for (int64_t i = 0; name && i < flow->analyses; i++) {
        const heed_analysis_cfg *a = &flow->analysis[i];
        if (strcmp(a->name, name) != 0) continue;
        if (a->kind && strcmp(a->kind, kind) != 0)
            return heed__error(err, HEED_EINVALID,
                               "desk: the analysis '%s' is of the kind %s, not %s", name, a->kind,
                               kind);
        *model = a->model;
    }
    if (*model || !name) return 0;
    return heed__error(err, HEED_ENOTFOUND, "desk: there is no analysis '%s' with a model", name);
}

static int open_all(heed_desk *d, const heed_flow *flow, heed_error *err) {
    const heed_desk_cfg *cfg = flow->desk;
    desk_models models = { .embedder = cfg->model, .scope = cfg->scope };
    int rc = find_model(flow, cfg->intent, "classify", &models.intent, err);
    if (rc == 0) rc = find_model(flow, cfg->tag, "tag", &models.tagger, err);
    if (rc == 0) rc = heed__mind_open(&d->mind, &models, &d->hooks, err);
    if (rc == 0 && cfg->slots &&
        !(d->slots = heed__desk_slots_open(cfg->slots, &d->mind, &d->hooks, err)))
        rc = err->code;
    if (rc == 0) rc = keep(d, &d->greeting, cfg->greeting, err);
    if (rc == 0) rc = keep(d, &d->hand_over, cfg->hand_over, err);
    if (rc == 0) rc = keep(d, &d->out_of_scope, cfg->out_of_scope, err);
    if (rc == 0 && cfg->replies) rc = heed__desk_load_replies(d, cfg->replies, err);
    if (rc == 0 && cfg->kb) rc = heed__desk_load_folder(d, cfg->kb, err);
    if (rc == 0) rc = heed__desk_learn(d, err);
    if (rc == 0) rc = heed__desk_shelve(d, &d->replies, err);
    return rc ? rc : heed__desk_shelve(d, &d->passages, err);
}

heed_desk *heed_desk_open(const heed_flow *flow, heed_analyst *analyst, const heed_hooks *hooks,
                          heed_error *err) {
    heed_error own;
    (void)analyst;
    if (!err) err = &own;
    if (!flow->desk) {
        heed__error(err, HEED_EINVALID, "desk: the flow has none");
        return NULL;
    }
    heed_desk *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) {
        heed__error(err, HEED_ENOMEM, "desk: out of memory");
        return NULL;
    }
    if (hooks) d->hooks = *hooks;
    heed__strings_init(&d->strings, hooks);
    d->least = flow->desk->least;
    d->has_kb = flow->desk->kb != NULL;
    if (open_all(d, flow, err) == 0) return d;
    heed_desk_close(d);
    return NULL;
}

void heed_desk_close(heed_desk *desk) {
    if (!desk) return;
    const heed_hooks hooks = desk->hooks;
    heed__mind_close(&desk->mind);
    heed__desk_slots_close(desk->slots);
    heed__desk_unload(&hooks, &desk->replies);
    heed__desk_unload(&hooks, &desk->passages);
    heed__nouns_free(&desk->nouns);
    heed__strings_free(&desk->strings);
    heed__free(&hooks, desk);
}
