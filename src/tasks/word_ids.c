/* word_ids.c: texts as numbers of words; vectors of words learnt and written. */
#include "tasks/word_ids.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

int heed__word_ids(heed_word_ids *ids, heed_feature_index *index, const heed_texts *x,
                   int64_t least, heed_word_form **form, const heed_hooks *hooks) {
    const heed_feature_cfg plain = { .run = 1, .ideograms = 1 };
    const heed_index_cfg cfg = { .features = plain, .least = least, .most = 1000000 };
    heed_features f = { .hooks = hooks ? *hooks : (heed_hooks){ .user = NULL } };
    int64_t cap = 0, at = 0;
    int rc = heed__index_learn(index, &cfg, x->text, x->len, hooks);
    *ids = (heed_word_ids){ .texts = x->len, .words = index->len };
    ids->start = heed__calloc(hooks, (size_t)x->len + 1, sizeof *ids->start);
    if (form) *form = heed__calloc(hooks, (size_t)index->len + 1, sizeof **form);
    if (!ids->start || (form && !*form)) rc = HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < x->len; i++) {
        heed__features_clear(&f);
        rc = heed__features_add(&f, &plain, x->text[i], strlen(x->text[i]));
        if (rc == 0) rc = heed__grow(hooks, &ids->id, &cap, at + f.units, sizeof *ids->id);
        for (int64_t u = 0; rc == 0 && u < f.units; u++) {
            const int32_t w = heed__index_find(index, f.key[f.bag[u]]);
            ids->id[at++] = w;
            if (w >= 0 && form && (*form)[w].end == 0)
                (*form)[w] = (heed_word_form){ i, f.begin[u], f.end[u] };
        }
        ids->start[i + 1] = at;
    }
    heed__features_free(&f);
    return rc;
}

static int by_place(const void *a, const void *b) {
    const heed_word_form *x = *(heed_word_form *const *)a, *y = *(heed_word_form *const *)b;
    if (x->text != y->text) return x->text < y->text ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

typedef struct found {
    const heed_texts *texts;
    heed_word_form *form;         /* [words] */
    const heed_word_form **order; /* [words] */
    float *vector;                /* [words,dim] */
    int64_t words, dim;
} found;

static int write_all(const found *f, const heed_hooks *hooks, const char *path, heed_error *err) {
    heed_writer *w = heed__writer_new(hooks, path, err);
    char room[64];
    if (!w) return err->code;
    size_t n = heed__format(room, sizeof room, "%lld %lld\n", (long long)f->words,
                            (long long)f->dim);
    heed__writer_write(w, room, n);
    for (int64_t i = 0; i < f->words; i++) {
        const heed_word_form *form = f->order[i];
        heed__writer_write(w, f->texts->text[form->text] + form->begin, form->end - form->begin);
        for (int64_t k = 0; k < f->dim; k++) {
            n = heed__format(room, sizeof room, " %.5g",
                             (double)f->vector[(form - f->form) * f->dim + k]);
            heed__writer_write(w, room, n);
        }
        heed__writer_write(w, "\n", 1);
    }
    return heed__writer_commit(w, err);
}

int heed__cbow_error(int rc, heed_error *err) {
    static const char too_high[] = "train: vectors of words are not finite; the learning rate is "
                                   "too high";
    return heed__error(err, rc, "%s",
                       rc == HEED_ENOMEM       ? "train: out of memory"
                       : rc == HEED_ENONFINITE ? too_high
                                               : "train: stopped");
}

static void tell_memory(const heed_word_ids *ids, const heed_cbow_cfg *cfg, const found *f) {
    const int64_t each = f->dim * (int64_t)sizeof *f->vector +
                         (int64_t)(sizeof *f->form + sizeof *f->order);
    const heed_progress p = { .what = "memory",
                              .total = heed__cbow_size(ids, cfg) + f->words * each +
                                       4 * ids->start[ids->texts] + 8 * ids->texts,
                              .unit = "bytes",
                              .seconds_left = -1,
                              .loss = (double)NAN };
    if (cfg->hooks && cfg->hooks->progress) cfg->hooks->progress(cfg->hooks->user, &p);
}

static int learn(heed_ctx *cx, const heed_texts *x, const heed_vectors_cfg *cfg, const char *path,
                 int64_t *words, heed_error *err) {
    const heed_hooks *hooks = cfg->cbow.hooks;
    heed_feature_index index = { .len = 0 };
    heed_word_ids ids;
    found f = { .texts = x, .dim = cfg->cbow.dim ? cfg->cbow.dim : 100 };
    int rc = heed__word_ids(&ids, &index, x, cfg->least ? cfg->least : 5, &f.form, hooks);
    *words = f.words = index.len;
    if (rc == 0 && !f.words)
        rc = heed__error(err, HEED_EFORMAT, "train: no word is in %lld texts",
                         (long long)(cfg->least ? cfg->least : 5));
    else if (rc == 0) {
        f.vector = heed__calloc(hooks, (size_t)f.words, (size_t)f.dim * sizeof *f.vector);
        f.order = heed__calloc(hooks, (size_t)f.words, sizeof *f.order);
        if (f.vector && f.order) tell_memory(&ids, &cfg->cbow, &f);
        rc = f.vector && f.order ? heed__cbow_learn(cx, &ids, &cfg->cbow, f.vector) : HEED_ENOMEM;
        if (rc) heed__cbow_error(rc, err);
    } else {
        heed__error(err, rc, "train: out of memory");
    }
    for (int64_t i = 0; rc == 0 && i < f.words; i++) f.order[i] = &f.form[i];
    if (rc == 0) {
        qsort(f.order, (size_t)f.words, sizeof *f.order, by_place);
        rc = write_all(&f, hooks, path, err);
    }
    heed__free(hooks, f.vector);
    heed__free(hooks, (void *)f.order);
    heed__free(hooks, f.form);
    heed__free(hooks, ids.start);
    heed__free(hooks, ids.id);
    heed__index_free(&index);
    return rc;
}

int heed__vectors_learn(const heed_texts *x, const heed_vectors_cfg *cfg, const char *path,
                        int64_t *words, heed_error *err) {
    const heed_ctx_cfg own = { .threads = cfg->threads, .hooks = cfg->cbow.hooks };
    heed_ctx *cx = heed_ctx_new(&own, err);
    if (!cx) return err->code;
    const int rc = learn(cx, x, cfg, path, words, err);
    heed_ctx_free(cx);
    return rc;
}
