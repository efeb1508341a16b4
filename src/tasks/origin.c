/* origin.c: a model that another one starts from; its body taken whole. See origin.h. */
#include "tasks/origin.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "io/config.h"
#include "io/prefix.h"
#include "tasks/classifier_data.h"
#include "tasks/embedder.h"
#include "tensor/params.h"

/* Which of our recipes a tagger's layers are like. */
static const char *like(const json_t *tree) {
    const json_t *kind = json_object_get(json_object_get(tree, "model"), "kind");
    const char *name = json_string_value(kind);
    return name && strcmp(name, "encoder") == 0 ? "encoder" : "classic";
}

int heed__origin_open(heed_origin *o, const char *dir, const heed_hooks *hooks, heed_error *err) {
    *o = (heed_origin){ .tagger = false };
    if (hooks) o->hooks = *hooks;
    if (strlen(dir) >= sizeof o->dir)
        return heed__error(err, HEED_EINVALID, "%.100s...: too long a name", dir);
    heed__format(o->dir, sizeof o->dir, "%s", dir);
    json_t *tree = heed__config_load(hooks, dir, INT32_MAX, err);
    if (!tree) return err->code;
    const char *task = json_string_value(json_object_get(tree, "task"));
    const char *recipe = json_string_value(json_object_get(tree, "recipe"));
    if (!task) task = "";
    o->tagger = strcmp(task, "tag") == 0;
    o->embedder = strcmp(task, "embed") == 0;
    int rc = 0;
    if (!o->tagger && !o->embedder && strcmp(task, "classify") != 0)
        rc = heed__error(err, HEED_EUNSUPPORTED,
                         "%s/config.json: a model for the task '%.40s', which none can start from",
                         dir, task);
    /* version 1 of a classifier has no other recipe */
    heed__format(o->recipe, sizeof o->recipe, "%s",
                 o->tagger ? like(tree)
                 : recipe  ? recipe
                           : "classic");
    json_decref(tree);
    return rc;
}

void heed__origin_close(heed_origin *o) {
    heed__body_free(o->body);
    if (!o->t) heed_params_free(o->ps);
    heed_tagger_close(o->t);
    o->body = NULL;
    o->ps = NULL;
    o->t = NULL;
}

/* -- whole ------------------------------------------------------------------------------------ */

/* What config.json says, with its body, whose parameters are declared in ps, values not read. */
static heed_classifier *read_body(const heed_origin *o, heed_params *ps, heed_head_cfg *head,
                                  heed_error *err) {
    heed_embedder e = { .c = heed__classifier_new(NULL, 1, 0, &o->hooks, err) };
    if (!e.c) return NULL;
    heed_params_free(e.c->ps); /* its body declares its parameters in ours */
    e.c->ps = ps;
    *head = (heed_head_cfg){ .classes = 0 };
    int rc = o->embedder ? heed__embedder_open_config(&e, o->dir, err)
                         : heed__classifier_open_config(e.c, o->dir, head, err);
    const heed_error *why = heed_params_error(ps);
    if (rc == 0 && why) rc = heed__error(err, why->code, "%s", why->msg);
    heed__params_limit(ps, -1);
    e.c->ps = NULL;
    if (rc == 0) return e.c;
    heed__config_blame(o->dir, err);
    heed_classifier_close(e.c);
    return NULL;
}

static bool is_of(const char *name, heed_origin_part part) {
    const bool head = heed__is_head(name), array = strncmp(name, "array.", 6) == 0;
    return part == HEED_ORIGIN_HEAD ? head : part == HEED_ORIGIN_ARRAY ? array : !head && !array;
}

/* Whether the file has w, as it is or rounded. */
static bool has(const heed_safetensors *st, const heed_tensor *w) {
    const heed_entry *e = heed_safetensors_find(st, w->name);
    bool same = e && e->ndim == w->ndim;
    for (int i = 0; same && i < w->ndim; i++) same = e->shape[i] == w->shape[i];
    return same;
}

int heed__origin_take(const heed_origin *o, heed_params *ps, heed_origin_part part, bool *taken,
                      heed_error *err) {
    char path[HEED_PATH_SIZE];
    int64_t count = 0;
    heed__format(path, sizeof path, "%s/model.safetensors", o->dir);
    heed_safetensors *st = heed_safetensors_open(path, &o->hooks, err);
    if (!st) return err->code;
    *taken = true;
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *w = heed_params_at(ps, i);
        if (!is_of(w->name, part)) continue;
        count++;
        *taken = *taken && has(st, w);
    }
    *taken = *taken && count > 0;
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < heed_params_count(ps); i++) {
        heed_tensor *w = heed_params_at(ps, i);
        if (!is_of(w->name, part) || (part != HEED_ORIGIN_BODY && !*taken)) continue;
        if (!heed__param_take(w, st, ""))
            rc = heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is missing or another one",
                             path, w->name);
        heed__param_set_rounded(w, false); /* it learns on */
    }
    heed_safetensors_close(st);
    return rc;
}

heed_classifier *heed__origin_move(const heed_origin *o, heed_classifier *c, heed_head_cfg *head,
                                   heed_error *err) {
    bool all;
    heed_classifier *old = read_body(o, c->ps, head, err);
    if (!old) return NULL;
    c->body = old->body;
    old->body = NULL;
    if (heed__origin_take(o, c->ps, HEED_ORIGIN_BODY, &all, err) == 0) return old;
    heed_classifier_close(old);
    return NULL;
}

int heed__origin_declare(heed_origin *o, heed_error *err) {
    heed_head_cfg head;
    o->ps = heed_params_new(&(heed_params_cfg){ .hooks = &o->hooks }, err);
    heed_classifier *c = o->ps ? read_body(o, o->ps, &head, err) : NULL;
    if (!c) return err->code;
    o->body = c->body;
    c->body = NULL;
    heed_classifier_close(c);
    return 0;
}

void heed__origin_tell(const heed_origin *o, const char *head) {
    heed__log(&o->hooks, HEED_LOG_INFO, "%s: words and layers are taken%s", o->dir, head);
}
