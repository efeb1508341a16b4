/* desk.c: opens a support desk: its models, replies, knowledge base and slots. */
#include "serve/desk.h"

#include <string.h>

#include "serve/desk_impl.h"

static int keep(heed_desk *d, const char **to, const char *text, heed_error *err) {
    *to = text ? heed__strings_keep(&d->strings, text) : NULL;
    return text && !*to ? heed__error(err, HEED_ENOMEM, "desk: out of memory") : 0;
}

/* The folder of the analysis that says what is wanted. */
static int find_intent(const heed_flow *flow, const char **model, heed_error *err) {
    *model = NULL;
    if (!flow->desk->intent) return 0;
    for (int64_t i = 0; i < flow->analyses; i++)
        if (strcmp(flow->analysis[i].name, flow->desk->intent) == 0)
            *model = flow->analysis[i].model;
    if (*model) return 0;
    return heed__error(err, HEED_ENOTFOUND, "desk: there is no analysis '%s' with a model",
                       flow->desk->intent);
}

static int open_all(heed_desk *d, const heed_flow *flow, heed_error *err) {
    const heed_desk_cfg *cfg = flow->desk;
    const char *intent;
    int rc = find_intent(flow, &intent, err);
    if (rc == 0) rc = heed__mind_open(&d->mind, intent, cfg->model, cfg->scope, &d->hooks, err);
    if (rc == 0 && cfg->slots && !(d->slots = heed__desk_slots_open(cfg->slots, &d->hooks, err)))
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
