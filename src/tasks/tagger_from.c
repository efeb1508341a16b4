/* tagger_from.c: a tagger that learns on from another one: its words, its shape and its weights. */
#include <string.h>

#include "base/folder.h"
#include "base/text.h"
#include "io/prefix.h"
#include "tasks/origin.h"
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

int heed__tagger_take(heed_tagger *t, const heed_tagger *old, const heed_origin *o,
                      heed_error *err) {
    const bool same_tags = t->types.len == old->types.len;
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/model.safetensors", o->dir);
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
    if (rc == 0)
        heed__origin_tell(o, same_tags ? ", what scores the tags too"
                                       : "; what scores the tags begins anew");
    return rc;
}

static int64_t row_of(const void *self, const char *word, size_t size) {
    const int32_t id = heed__vocab_find(((const heed_tagger *)self)->vocab, word, size);
    return id < HEED_VOCAB_SPECIAL ? -1 : id;
}

/* The encoder at first reads the words themselves, as the layers taken have learnt to. */
static void pass_words(heed_tagger *t) {
    const int64_t rows = t->in.w->shape[0], cols = t->in.w->shape[1];
    float *w = HEED_F32_DATA(t->in.w);
    if (rows != t->shape.embed) return;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < t->shape.embed; k++) w[r * cols + k] = r == k;
}

int heed__tagger_give(heed_tagger *t, const heed_origin *o, heed_error *err) {
    const heed_origin_words x = { .table = t->word.w,
                                  .row = row_of,
                                  .self = t,
                                  .vocab = t->vocab,
                                  .words = heed__vocab_len(t->vocab) - HEED_VOCAB_SPECIAL };
    bool layers;
    const int rc = heed__origin_fill(o, t->ps, &x, &layers, err);
    if (rc == 0 && layers && t->shape.encoder) pass_words(t);
    return rc;
}
