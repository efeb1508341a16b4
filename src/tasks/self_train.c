/* self_train.c: learning from a few labelled texts and many without labels. */
#include "tasks/self_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "tasks/parts.h"
#include "tasks/split.h"
#include "tasks/teacher.h"

enum { ROUNDS = 1, AT_ONCE = 4096 };

/* The surest guesses that are learnt from. More rounds, or more guesses, teach it its own
 * mistakes. */
static const double PART[ROUNDS] = { 0.3 };

typedef heed_guess guess;

typedef struct self_training {
    heed_parts parts; /* for each round its training, and before it what it learns from */
    const heed_examples *data;
    const heed_texts *pool;
    heed_classify_cfg cfg;
    heed_classifier *best;
    bool lost; /* the best of a process before this one, which could not be read */
    double best_accuracy, best_loss;
    guess *guess;       /* [pool] */
    const char **text;  /* [data + pool] */
    const char **label; /* likewise; guessed ones are the names array's */
    char **name;        /* [names] own copies of the labels, which outlive the classifier */
    int64_t names, taken;
    double least;
    heed_error *err;
} self_training;

/* The part of the surest guesses that round r > 0 learns from is part 2r - 1, its training 2r. */
static bool is_done(const self_training *s, int64_t part) {
    return part < heed__parts_len(&s->parts);
}

static int by_label(const void *a, const void *b) {
    const guess *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    if (x->confidence < y->confidence || x->confidence > y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int guess_all(self_training *s, heed_classifier *c) {
    const int64_t K = c->labels, len = s->pool->len, most = len < AT_ONCE ? len : AT_ONCE;
    float *p = heed__calloc(&c->hooks, (size_t)most, (size_t)K * sizeof *p);
    heed_outcome *o = heed__calloc(&c->hooks, (size_t)most, sizeof *o);
    int32_t *none = heed__calloc(&c->hooks, (size_t)most, sizeof *none);
    int rc = p && o && none ? 0 : heed__error(s->err, HEED_ENOMEM, "train: out of memory");
    for (int64_t at = 0; rc == 0 && at < len; at += most) {
        const int64_t n = len - at < most ? len - at : most;
        rc = heed_classify_many(c, n, s->pool->text + at, p, s->err);
        if (rc == 0) heed__outcomes(o, p, none, n, K);
        for (int64_t i = 0; rc == 0 && i < n; i++)
            s->guess[at + i] = (guess){ at + i, o[i].said, o[i].confidence };
    }
    heed__free(&c->hooks, p);
    heed__free(&c->hooks, o);
    heed__free(&c->hooks, none);
    return rc;
}

/* What the vectors of all words say, unless c, as far as it was judged, knows better. */
static int ask_teacher(self_training *s, heed_classifier *c) {
    heed_lesson of = { .len = s->data->len,
                       .classes = c->labels,
                       .text = s->data->text,
                       .pool = s->pool,
                       .seed = s->cfg.seed,
                       .hooks = s->cfg.hooks };
    double accuracy = 0;
    int32_t *label = heed__calloc(s->cfg.hooks, (size_t)of.len, sizeof *label);
    if (!label) return heed__error(s->err, HEED_ENOMEM, "train: out of memory");
    for (int64_t i = 0; i < of.len; i++) label[i] = heed__classifier_find(c, s->data->label[i]);
    of.label = label;
    int rc = heed__teacher_guess(c->cx, &of, s->guess, &accuracy, s->err);
    heed__free(s->cfg.hooks, label);
    if (rc == 0 && isfinite(s->best_accuracy) && s->best_accuracy >= accuracy) rc = guess_all(s, c);
    return rc;
}

/* Own copies of the classifier's labels; those of the first one serve for all, which have the same.
 */
static int keep_names(self_training *s, const heed_classifier *c) {
    if (s->name) return 0;
    s->name = heed__calloc(s->cfg.hooks, (size_t)c->labels, sizeof *s->name);
    bool ok = s->name != NULL;
    for (int64_t k = 0; ok && k < c->labels; k++) {
        s->name[k] = heed__strdup(s->cfg.hooks, c->label[k]);
        ok = s->name[k] != NULL;
        s->names += ok;
    }
    return ok ? 0 : heed__error(s->err, HEED_ENOMEM, "train: out of memory");
}

/* Puts a text of the pool behind the labelled ones. */
static void take_one(self_training *s, int64_t item, int64_t label) {
    const int64_t at = s->data->len + s->taken++;
    s->text[at] = s->pool->text[item];
    s->label[at] = s->name[label];
}

/* Puts the surest guesses behind the labelled texts: of each label its share of part·pool. What was
 * taken is noted: a part of its own. */
static int take(self_training *s, const heed_classifier *c, double part) {
    const int64_t n = s->data->len, len = s->pool->len;
    int64_t *share = heed__calloc(s->cfg.hooks, (size_t)c->labels, sizeof *share);
    json_t *item = json_array(), *label = json_array();
    bool ok = share && item && label;
    for (int64_t i = 0; ok && i < n; i++) {
        const int32_t k = heed__classifier_find(c, s->data->label[i]);
        if (k >= 0) share[k]++;
    }
    qsort(s->guess, (size_t)len, sizeof *s->guess, by_label);
    s->taken = 0;
    s->least = 1;
    for (int64_t i = 0; ok && i < len;) {
        const int32_t k = s->guess[i].label;
        const int64_t first = i;
        const double most = part * (double)len * (double)share[k] / (double)n;
        for (; i < len && s->guess[i].label == k; i++) {
            if ((double)(i - first) >= most) continue;
            take_one(s, s->guess[i].item, k);
            s->least = fmin(s->least, (double)s->guess[i].confidence);
            ok = ok && json_array_append_new(item, json_integer(s->guess[i].item)) == 0 &&
                 json_array_append_new(label, json_integer(k)) == 0;
        }
    }
    heed__free(s->cfg.hooks, share);
    json_t *note = ok ? json_pack("{s:O, s:O, s:f}", "items", item, "labels", label, "least",
                                  s->least)
                      : NULL;
    json_decref(item);
    json_decref(label);
    return heed__parts_add(&s->parts, note, NULL, s->err);
}

/* Takes what a process before this one has noted. */
static int take_again(self_training *s, const json_t *note) {
    const json_t *item = json_object_get(note, "items"), *label = json_object_get(note, "labels");
    const size_t len = json_array_size(item);
    s->taken = 0;
    s->least = heed__noted_number(note, "least");
    if (json_array_size(label) != len || len > (size_t)s->pool->len)
        return heed__error(s->err, HEED_EFORMAT, "%s/parts: what was taken is no list", s->cfg.run);
    for (size_t i = 0; i < len; i++) {
        const json_int_t which = json_integer_value(json_array_get(item, i));
        const json_int_t k = json_integer_value(json_array_get(label, i));
        if (which < 0 || which >= s->pool->len || k < 0 || k >= s->names)
            return heed__error(s->err, HEED_EFORMAT, "%s/parts: text %lld of label %lld is none",
                               s->cfg.run, (long long)which, (long long)k);
        take_one(s, which, k);
    }
    return 0;
}

/* Trains on the labelled texts and those taken; *c is the classifier. 0 or a status. */
static int round_of(self_training *s, heed_classifier **c) {
    const heed_examples x = { .len = s->data->len + s->taken, .text = s->text, .label = s->label };
    *c = heed__parts_train(&s->parts, &x, &s->cfg, false, s->err);
    return s->err->code; /* with a classifier too, where it was stopped */
}

/* Keeps the better of c and the best so far; what is not kept is closed. */
static void judge(self_training *s, heed_classifier *c, double *accuracy, double *loss) {
    const bool judged = c->held.len > 0;
    *accuracy = *loss = (double)NAN;
    if (judged) heed__held_measure(&c->held, accuracy, loss);
    const bool worse = judged && s->best &&
                       (*accuracy < s->best_accuracy ||
                        (*accuracy <= s->best_accuracy && *loss >= s->best_loss));
    if (worse) {
        heed_classifier_close(c);
        return;
    }
    heed_classifier_close(s->best);
    s->best = c;
    s->best_accuracy = *accuracy;
    s->best_loss = *loss;
}

/* Round told->round as a process before this one has seen it. Where the model that was kept cannot
 * be read, what was the best so far is trained again. */
static int recall(self_training *s, heed_self_round *told) {
    const int64_t part = 2 * told->round;
    const json_t *note = heed__parts_note(&s->parts, part);
    const heed_examples x = { .len = s->data->len + s->taken, .text = s->text, .label = s->label };
    const bool best = json_is_true(json_object_get(note, "best"));
    told->accuracy = heed__noted_number(note, "accuracy");
    told->loss = heed__noted_number(note, "loss");
    if (best) {
        s->best_accuracy = told->accuracy;
        s->best_loss = told->loss;
    }
    if (!s->best && !s->lost) {
        s->best = heed__parts_best(&s->parts, &s->cfg, s->cfg.valid, s->err);
        if (!s->best && s->err->code) return s->err->code;
        s->lost = !s->best;
    }
    if (s->lost && (best || !s->best)) { /* else what is kept is the best of all rounds */
        heed_classifier_close(s->best);
        s->best = heed__parts_again(&s->parts, part, &x, &s->cfg, s->err);
    }
    return s->best ? 0 : s->err->code;
}

/* Trains round told->round and judges it. */
static int run_round(self_training *s, heed_self_round *told) {
    heed_classifier *c = NULL;
    const int rc = round_of(s, &c);
    if (rc && c && !s->best)
        s->best = c; /* stopped in the first one */
    else if (rc)
        heed_classifier_close(c);
    if (rc) return rc;
    const heed_classifier *before = s->best;
    judge(s, c, &told->accuracy, &told->loss);
    const bool best = s->best != before;
    json_t *note = json_pack("{s:o, s:o, s:b}", "accuracy", heed__note_number(told->accuracy),
                             "loss", heed__note_number(told->loss), "best", (int)best);
    return heed__parts_add(&s->parts, note, best ? s->best : NULL, s->err);
}

static int rounds(self_training *s, void (*tell)(const heed_self_round *)) {
    for (int64_t r = 0; r <= ROUNDS; r++) {
        heed_self_round told = { .round = r, .rounds = ROUNDS, .pool = s->pool->len };
        int rc = 0;
        if (r && is_done(s, 2 * r - 1))
            rc = take_again(s, heed__parts_note(&s->parts, 2 * r - 1));
        else if (r)
            rc = take(s, s->best, PART[r - 1]);
        told.taken = s->taken;
        told.least = s->least;
        if (rc == 0) rc = is_done(s, 2 * r) ? recall(s, &told) : run_round(s, &told);
        if (rc) return rc;
        if (tell) tell(&told);
        if (s->best) rc = keep_names(s, s->best);
        if (rc == 0 && r < ROUNDS && !is_done(s, 2 * r + 1))
            rc = r == 0 ? ask_teacher(s, s->best) : guess_all(s, s->best);
        if (rc) return rc;
    }
    return 0;
}

static int check(const self_training *s) {
    const heed_classify_cfg *b = &s->cfg;
    if (b->target != HEED_TARGET_LABEL || s->data->text2)
        return heed__error(s->err, HEED_EUNSUPPORTED,
                           "train: texts without labels go with one label for single texts");
    for (int64_t i = 0; i < s->data->len; i++)
        if (!s->data->text[i] || !s->data->label[i])
            return heed__error(s->err, HEED_EINVALID, "train: text %lld or its label is NULL",
                               (long long)i);
    return 0;
}

heed_classifier *heed__classifier_self_train(const heed_examples *data, const heed_texts *x,
                                             const heed_classify_cfg *base,
                                             void (*tell)(const heed_self_round *),
                                             heed_error *err) {
    heed_error own = { 0 };
    self_training s = { .data = data, .pool = x, .cfg = *base, .err = err ? err : &own };
    heed_split split = { .learn = { .len = 0 } };
    *s.err = (heed_error){ 0 };
    int rc = check(&s);
    const heed_examples pool = { .len = x->len, .text = x->text };
    uint64_t hash = HEED_HASH_BEGIN;
    if (rc == 0) hash = heed__settings_hash(heed__examples_hash(hash, data), base);
    if (rc == 0) hash = heed__examples_hash(hash, &pool);
    if (rc == 0 && !base->valid && base->valid_part > 0) { /* held out before anything is guessed */
        rc = heed__split(&split, data, base);
        if (rc) heed__error(s.err, rc, "train: out of memory");
        s.data = data = &split.learn;
        s.cfg.valid = &split.held;
    }
    if (rc == 0) rc = heed__parts_begin(&s.parts, base, "self-training", hash, s.err);
    if (rc == 0) {
        const size_t all = (size_t)(data->len + x->len);
        s.guess = heed__calloc(base->hooks, (size_t)x->len, sizeof *s.guess);
        s.text = heed__calloc(base->hooks, all, sizeof *s.text);
        s.label = heed__calloc(base->hooks, all, sizeof *s.label);
        if (!s.guess || !s.text || !s.label)
            rc = heed__error(s.err, HEED_ENOMEM, "train: out of memory");
    }
    if (rc == 0) {
        memcpy(s.text, data->text, (size_t)data->len * sizeof *s.text);
        memcpy(s.label, data->label, (size_t)data->len * sizeof *s.label);
        rc = rounds(&s, tell);
    }
    for (int64_t k = 0; k < s.names; k++) heed__free(base->hooks, s.name[k]);
    heed__free(base->hooks, s.name);
    heed__free(base->hooks, s.guess);
    heed__free(base->hooks, s.text);
    heed__free(base->hooks, s.label);
    heed__split_free(&split, base->hooks);
    heed__parts_end(&s.parts, false, s.err);
    if (rc == 0) heed__run_note(&s.best->left, base->run);
    if (rc == 0 || (rc == HEED_ECANCELLED && base->keep_stopped)) return s.best;
    heed_classifier_close(s.best);
    return NULL;
}
