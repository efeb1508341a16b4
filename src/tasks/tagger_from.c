/* tagger_from.c: a tagger that learns on from another one: its words, its shape and its weights. */
#include <string.h>

#include "base/folder.h"
#include "base/text.h"
#include "io/prefix.h"
#include "tasks/tagger.h"

int heed__tagger_follow(heed_tagger *t, heed_tagger *old, heed_error *err) {
    const heed_tag_shape own = t->shape;
    t->shape = old->shape;
    t->shape.crf = own.crf;
    t->shape.dropout = own.dropout;
    t->shape.word_dropout = own.word_dropout;
    t->shape.feature_dropout = own.feature_dropout;
    t->vocab = old->vocab;
    old->vocab = NULL;
    for (int64_t i = 0; i < old->types.len; i++)
        if (heed__types_add(&t->types, old->types.name[i]))
            return heed__error(err, HEED_ENOMEM, "train: out of memory");
    return 0;
}

/* Whether a parameter is made for the tags that there are. */
static bool is_of_tags(const heed_tagger *t, const heed_tensor *w) {
    return w == t->out.w || w == t->out.b || w == t->trans || w == t->edges;
}

int heed__tagger_take(heed_tagger *t, const heed_tagger *old, const char *dir, heed_error *err) {
    const bool same_tags = t->types.len == old->types.len;
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/model.safetensors", dir);
    heed_safetensors *st = heed_safetensors_open(path, &t->hooks, err);
    if (!st) return err->code;
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < heed_params_count(t->ps); i++) {
        heed_tensor *w = heed_params_at(t->ps, i);
        const bool of_tags = is_of_tags(t, w);
        if (of_tags && !same_tags) continue;
        if (!heed__param_take(w, st, "") && !of_tags)
            rc = heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is missing or another one",
                             path, w->name);
    }
    heed_safetensors_close(st);
    return rc;
}
