/* origin_fit.c: of a model of another kind what fits: vectors of words, layers. See origin.h. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "io/prefix.h"
#include "tasks/origin.h"
#include "tasks/word_rows.h"
#include "tensor/params.h"

enum { MOST_PIECES = 256, MOST_LAYERS = 100, NAME = 96 };

/* -- loading ---------------------------------------------------------------------------------- */

static heed_tensor *find(const heed_params *ps, const char *format, int64_t number) {
    char name[NAME];
    heed__format(name, sizeof name, format, (long long)number);
    return heed_params_find(ps, name);
}

static heed_layers lstm_of(const heed_params *ps) {
    heed_layers l = { .width = 0 };
    const heed_tensor *w = find(ps, "rnn.weight_hh_l%lld", 0);
    if (!w) return l;
    l.width = w->shape[1];
    l.both = heed_params_find(ps, "rnn.weight_hh_l0_reverse") != NULL;
    while (l.layers < MOST_LAYERS && find(ps, "rnn.weight_hh_l%lld", l.layers)) l.layers++;
    return l;
}

static heed_layers encoder_of(const heed_params *ps, int64_t heads) {
    heed_layers l = { .heads = heads };
    const heed_tensor *w = find(ps, "encoder.layers.%lld.ff.up.weight", 0);
    if (!w) return (heed_layers){ .width = 0 };
    l.ff = w->shape[0];
    l.width = w->shape[1];
    while (l.layers < MOST_LAYERS && find(ps, "encoder.layers.%lld.ff.up.weight", l.layers))
        l.layers++;
    return l;
}

/* A tagger, whose encoder reads a projection of its words: where it goes on as one, the words are
 * what that makes of them. */
static int load_tagger(heed_origin *o, const char *target, heed_error *err) {
    const heed_open_cfg open = { .threads = 1, .hooks = &o->hooks };
    char path[HEED_PATH_SIZE];
    o->t = heed__tagger_open_shape(o->dir, &open, err);
    int rc = o->t ? heed__tagger_build(o->t, err) : err->code;
    heed__format(path, sizeof path, "%s/model.safetensors", o->dir);
    if (rc == 0) rc = heed_params_load(o->t->ps, path, err);
    if (rc) return rc;
    o->ps = o->t->ps;
    o->dim = o->t->shape.embed;
    if (o->t->shape.encoder && strcmp(target, "encoder") == 0) o->dim = 2 * o->t->shape.hidden;
    o->layers = o->t->shape.encoder ? encoder_of(o->ps, o->t->shape.heads) : lstm_of(o->ps);
    return 0;
}

int heed__origin_load(heed_origin *o, const char *target, heed_error *err) {
    if (o->tagger) return load_tagger(o, target, err);
    bool taken;
    heed_tensor *table = NULL;
    int rc = heed__origin_declare(o, err);
    if (rc == 0) rc = heed__origin_take(o, o->ps, HEED_ORIGIN_BODY, &taken, err);
    if (rc) return rc;
    if (o->body->kind->spell) o->body->kind->spell(o->body, "a", 1, &table, NULL, 0);
    if (!table)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: has no vectors of words to start from",
                           o->dir);
    o->dim = table->shape[1];
    o->layers = strcmp(o->recipe, "encoder") == 0 ? encoder_of(o->ps, o->body->cfg.heads)
                                                  : lstm_of(o->ps);
    return 0;
}

/* -- words ------------------------------------------------------------------------------------ */

/* What the tagger's encoder reads of a word without its features. */
static void project(const heed_tagger *t, const float *word, float *out) {
    const heed_tensor *w = t->in.w;
    for (int64_t r = 0; r < w->shape[0]; r++) {
        const float *row = HEED_F32_DATA(w) + r * w->shape[1];
        float sum = HEED_F32_DATA(t->in.b)[r];
        for (int64_t k = 0; k < t->shape.embed; k++) sum = fmaf(row[k], word[k], sum);
        out[r] = sum;
    }
}

/* The vector of a word. 1; 0: it knows nothing of it; or HEED_ENOMEM. */
static int vector_of(const heed_origin *o, const char *word, size_t size, float *out) {
    int32_t id[MOST_PIECES];
    heed_tensor *table = NULL;
    if (o->t) {
        const int32_t row = heed__vocab_find(o->t->vocab, word, size);
        if (row < HEED_VOCAB_SPECIAL) return 0;
        const float *from = HEED_F32_DATA(o->t->word.w) + row * o->t->shape.embed;
        if (o->dim != o->t->shape.embed)
            project(o->t, from, out);
        else
            memcpy(out, from, (size_t)o->dim * sizeof *out);
        return 1;
    }
    const int64_t n = o->body->kind->spell(o->body, word, size, &table, id, MOST_PIECES);
    memset(out, 0, (size_t)o->dim * sizeof *out);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < o->dim; k++)
            out[k] += HEED_F32_DATA(table)[id[i] * o->dim + k] / (float)n;
    return n < 0 ? (int)n : n > 0;
}

static double squares(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; k++) sum += (double)x[k] * (double)x[k];
    return sum;
}

/* Rows of x's table that are filled, each once, and the squares of what was there and of what is
 * now. taken [rows]. */
static int64_t fill_rows(const heed_origin *o, const heed_origin_words *x, const char *words,
                         bool *taken, double sum[2]) {
    const int64_t C = o->dim;
    float *vector = heed__calloc(&o->hooks, (size_t)C, sizeof *vector);
    int64_t count = vector ? 0 : HEED_ENOMEM;
    for (const char *at = words; count >= 0 && *at;) {
        const size_t size = strcspn(at, "\n");
        const int64_t row = x->row(x->self, at, size);
        const int any = row == -2               ? HEED_ENOMEM
                        : row < 0 || taken[row] ? 0
                                                : vector_of(o, at, size, vector);
        if (any > 0) {
            float *to = HEED_F32_DATA(x->table) + row * C;
            sum[0] += squares(to, C);
            sum[1] += squares(vector, C);
            memcpy(to, vector, (size_t)C * sizeof *to);
            taken[row] = true;
        }
        count = any < 0 ? any : count + any;
        at += size + (at[size] == '\n');
    }
    heed__free(&o->hooks, vector);
    return count;
}

/* How many words have a vector now, or a status. */
static int64_t take_words(const heed_origin *o, const heed_origin_words *x, bool scaled) {
    const int64_t rows = x->table->shape[0], C = o->dim;
    size_t size;
    double sum[2] = { 0, 0 };
    bool *taken = heed__calloc(&o->hooks, (size_t)rows, sizeof *taken);
    char *words = heed__vocab_text(x->vocab, &size);
    char *text = words ? heed__calloc(&o->hooks, size + 1, 1) : NULL;
    int64_t count = HEED_ENOMEM;
    if (text && taken) {
        memcpy(text, words, size);
        count = fill_rows(o, x, text, taken, sum);
    }
    const float scale = sum[0] > 0 && sum[1] > 0 ? (float)sqrt(sum[0] / sum[1]) : 1;
    for (int64_t r = 0; scaled && count > 0 && r < rows; r++)
        for (int64_t k = 0; taken[r] && k < C; k++) HEED_F32_DATA(x->table)[r * C + k] *= scale;
    heed__free(&o->hooks, words);
    heed__free(&o->hooks, text);
    heed__free(&o->hooks, taken);
    return count;
}

/* -- layers ----------------------------------------------------------------------------------- */

/* Of the weights that read a layer's input in its first layer only the columns of words count. */
static bool reads_words(const char *name) {
    return strncmp(name, "rnn.weight_ih_l0", 16) == 0;
}

static bool fits(const heed_origin *o, const heed_tensor *w, const heed_tensor *from) {
    bool same = w->ndim == from->ndim && w->dtype == from->dtype && w->shape[0] == from->shape[0];
    if (same && w->ndim == 2)
        same = w->shape[1] == from->shape[1] ||
               (reads_words(w->name) && w->shape[1] >= o->dim && from->shape[1] >= o->dim);
    return same && w->ndim <= 2;
}

static void copy(const heed_origin *o, heed_tensor *w, const heed_tensor *from) {
    if (w->len == from->len) {
        memcpy(w->data, from->data, (size_t)w->len * sizeof(float));
        return;
    }
    for (int64_t r = 0; r < w->shape[0]; r++)
        memcpy(HEED_F32_DATA(w) + r * w->shape[1], HEED_F32_DATA(from) + r * from->shape[1],
               (size_t)o->dim * sizeof(float));
}

/* Takes the layers of this name that both have, all or none. Whether any was. */
static bool take_layers(const heed_origin *o, heed_params *ps, const char *prefix) {
    int64_t count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < heed_params_count(ps); i++) {
            heed_tensor *w = heed_params_at(ps, i);
            if (strncmp(w->name, prefix, strlen(prefix)) != 0) continue;
            const heed_tensor *from = heed_params_find(o->ps, w->name);
            if (!from) continue;
            if (!fits(o, w, from)) return false;
            if (pass) copy(o, w, from);
            count++;
        }
    return count > 0;
}

int heed__origin_fill(const heed_origin *o, heed_params *ps, const heed_origin_words *x,
                      bool *layers, heed_error *err) {
    *layers = false;
    if (x->table->shape[1] != o->dim)
        return heed__error(err, HEED_EINVALID,
                           "%s: its words have vectors of %lld numbers, not %lld", o->dir,
                           (long long)o->dim, (long long)x->table->shape[1]);
    const bool lstm = take_layers(o, ps, "rnn."), encoder = take_layers(o, ps, "encoder.");
    *layers = lstm || encoder;
    const int64_t count = take_words(o, x, !*layers);
    if (count < 0) return heed__error(err, (int)count, "train: out of memory");
    if (count == 0)
        return heed__error(err, HEED_EFORMAT, "%s: none of its words is in the training texts",
                           o->dir);
    heed__log(&o->hooks, HEED_LOG_INFO,
              "%s: vectors of %lld of %lld words%s are taken; the rest "
              "begins anew",
              o->dir, (long long)count, (long long)x->words,
              lstm      ? " and the LSTM"
              : encoder ? " and the encoder's layers"
                        : "");
    return 0;
}

/* -- for bodies ------------------------------------------------------------------------------- */

int heed__origin_settle(heed_origin *o, const heed_body_kind *kind, heed_body_cfg *b, bool *whole,
                        heed_error *err) {
    const heed_layers *l = &o->layers;
    const bool alike = strcmp(o->recipe, kind->name) == 0;
    *whole = alike && !o->tagger;
    if (*whole) return 0;
    if (!kind->words)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: the recipe '%s' can only start from a model of its own", o->dir,
                           kind->name);
    const int rc = heed__origin_load(o, kind->name, err);
    if (rc) return rc;
    if (!b->embed) b->embed = o->dim;
    if (!alike) return 0; /* other layers */
    if (!b->hidden) b->hidden = l->width;
    if (!b->layers) b->layers = l->layers;
    if (!b->heads) b->heads = l->heads;
    if (!b->ff) b->ff = l->ff;
    b->bidirectional = b->bidirectional || l->both;
    return 0;
}

static int64_t row_of(const void *self, const char *word, size_t size) {
    const heed_body *b = self;
    return b->kind->word(b, word, size);
}

int heed__origin_give(const heed_origin *o, heed_body *b, const heed_texts *x, heed_error *err) {
    heed_origin_words words = { .row = row_of, .self = b };
    bool layers;
    const heed_error *why = heed_params_error(b->ps);
    if (why) return heed__error(err, why->code, "%s", why->msg);
    words.table = b->kind->words(b, &words.words);
    if (!words.table)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "train: with a tokenizer there is no table of words for those of %s",
                           o->dir);
    heed_vocab *vocab = heed__vocab_of(x, INT32_MAX, &b->hooks, err);
    if (!vocab) return err->code;
    words.vocab = vocab;
    const int rc = heed__origin_fill(o, b->ps, &words, &layers, err);
    heed__vocab_free(vocab);
    return rc;
}
