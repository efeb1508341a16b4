/* search.c: settings of a classifier found by successive halving. */
#include "tasks/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/hash.h"
#include "tasks/parts.h"
#include "tasks/split.h"

enum { DRAWN = 9, ROUNDS = 1000 };

static const uint64_t STREAM = 0x736561726368u;

/* Settings, and what they are worth at the last rung. */
typedef struct candidate {
    heed_classify_cfg cfg;
    int64_t number;
    double accuracy, loss;
} candidate;

/* What came of a trial besides. */
typedef struct verdict {
    double seconds;
    bool best, before; /* the best so far; run by a process before this one */
} verdict;

typedef struct search {
    const heed_search_cfg *cfg;
    heed_parts parts; /* a trial each */
    heed_classify_cfg base;
    heed_hooks hooks; /* base's */
    heed_split split;
    heed_classifier *best;
    double best_accuracy, best_loss;
    candidate best_of;  /* of an earlier process: the settings of its best trial, */
    int64_t best_trial; /* and that trial's number from 0; -1: none */
    bool *given_right;  /* [held out] what the given settings are right about */
    int64_t trials, settings;
    bool cut; /* by its time */
    heed_error *err;
} search;

/* What is finished is never cut off. */
static bool out_of_time(search *s) {
    s->cut = s->trials >= heed__parts_len(&s->parts) &&
             heed__parts_seconds(&s->parts) >= s->cfg->seconds;
    return s->cut;
}

/* -- trials ----------------------------------------------------------------------------------- */

static bool better(double accuracy, double loss, double than_accuracy, double than_loss) {
    if (accuracy > than_accuracy || accuracy < than_accuracy) return accuracy > than_accuracy;
    return loss < than_loss;
}

/* What the classifier was made with, defaults filled in. */
static void tell(search *s, const candidate *k, int64_t texts, const verdict *v) {
    const heed_body_kind *kind = heed__body_kind_find(k->cfg.recipe);
    heed_body_cfg body = { .embed = k->cfg.embed, .dropout = k->cfg.dropout };
    heed_fit_cfg fit = { .optim = { .lr = (float)k->cfg.lr } };
    kind->defaults(&body, &fit);
    const double said = k->cfg.label_smoothing;
    const heed_trial t = { .number = s->trials,
                           .settings = k->number,
                           .recipe = kind->name,
                           .lr = k->cfg.lr > 0 ? k->cfg.lr : (double)fit.optim.lr,
                           .dropout = body.dropout > 0 ? body.dropout : 0,
                           .label_smoothing = said < 0   ? 0
                                              : said > 0 ? said
                                                         : kind->smoothing,
                           .embed = body.embed,
                           .texts = texts,
                           .accuracy = k->accuracy,
                           .loss = k->loss,
                           .seconds = v->seconds,
                           .best = v->best,
                           .before = v->before };
    if (s->cfg->tell) s->cfg->tell(s->cfg->arg, &t);
}

/* Notes what the first classifier, that of the given settings, is right about. 0 or a status. */
static int note_given(search *s, const heed_classifier *c) {
    if (s->given_right || !c->held.len) return 0;
    s->given_right = heed__calloc(&s->hooks, (size_t)c->held.len, sizeof *s->given_right);
    if (!s->given_right) return heed__error(s->err, HEED_ENOMEM, "search: out of memory");
    for (int64_t i = 0; i < c->held.len; i++)
        s->given_right[i] = c->held.outcome[i].said == c->held.outcome[i].right;
    return 0;
}

/* Whether c is right where the given settings are wrong more often than the other way round, by
 * more than one standard error: of many trials one is always the best by chance. */
static bool beats_given(const search *s, const heed_classifier *c) {
    int64_t gained = 0, lost = 0;
    if (!s->given_right) return true;
    for (int64_t i = 0; i < c->held.len; i++) {
        const bool right = c->held.outcome[i].said == c->held.outcome[i].right;
        gained += right && !s->given_right[i];
        lost += !right && s->given_right[i];
    }
    return gained > lost && (gained - lost) * (gained - lost) > gained + lost;
}

/* A trial that is finished, for a search that goes on: what it was worth, and of the first one what
 * it was right about. NULL: out of memory. */
static json_t *note_of(const search *s, const candidate *k, const verdict *v) {
    json_t *note = json_pack("{s:o, s:o, s:f, s:b}", "accuracy", heed__note_number(k->accuracy),
                             "loss", heed__note_number(k->loss), "seconds", v->seconds, "best",
                             (int)v->best);
    if (!note || s->trials > 1 || !s->given_right) return note;
    const int64_t n = s->base.valid->len;
    char *right = heed__calloc(&s->hooks, (size_t)n + 1, 1);
    for (int64_t i = 0; right && i < n; i++) right[i] = s->given_right[i] ? '1' : '0';
    const bool put = right && json_object_set_new(note, "right", json_string(right)) == 0;
    heed__free(&s->hooks, right);
    if (put) return note;
    json_decref(note);
    return NULL;
}

/* The best of the trials of earlier processes, which is trained again where it cannot be read. 0 or
 * a status. */
static int open_best(search *s) {
    s->best = heed__parts_best(&s->parts, &s->base, s->base.valid, s->err);
    if (!s->best && s->err->code == 0 && s->best_trial < 0)
        return heed__error(s->err, HEED_EFORMAT, "%.400s/parts: notes no trial that was the best",
                           s->base.run);
    if (!s->best && s->err->code == 0)
        s->best = heed__parts_again(&s->parts, s->best_trial, &s->split.learn, &s->best_of.cfg,
                                    s->err);
    return s->best ? 0 : s->err->code;
}

/* A trial that an earlier process has run. 0 or a status. */
static int recall(search *s, candidate *k, int64_t texts) {
    const json_t *note = heed__parts_note(&s->parts, s->trials++);
    const verdict v = { .seconds = heed__noted_number(note, "seconds"),
                        .best = json_is_true(json_object_get(note, "best")),
                        .before = true };
    k->accuracy = heed__noted_number(note, "accuracy");
    k->loss = heed__noted_number(note, "loss");
    const char *right = json_string_value(json_object_get(note, "right"));
    if (s->trials == 1 && right && strlen(right) == (size_t)s->base.valid->len) {
        s->given_right = heed__calloc(&s->hooks, strlen(right) + 1, sizeof *s->given_right);
        if (!s->given_right) return heed__error(s->err, HEED_ENOMEM, "search: out of memory");
        for (size_t i = 0; right[i]; i++) s->given_right[i] = right[i] == '1';
    }
    if (v.best) {
        s->best_accuracy = k->accuracy;
        s->best_loss = k->loss;
        s->best_of = *k;
        s->best_trial = s->trials - 1;
    }
    tell(s, k, texts, &v);
    return s->trials < heed__parts_len(&s->parts) ? 0 : open_best(s);
}

/* Trains and judges; a classifier of all texts that is the best so far is kept. 0 or a status. */
static int try(search *s, candidate *k, int64_t texts) {
    if (s->trials < heed__parts_len(&s->parts)) return recall(s, k, texts);
    heed_examples x = s->split.learn;
    heed_error err = { 0 };
    verdict v = { .seconds = heed__parts_seconds(&s->parts) };
    x.len = texts;
    heed_classifier *c = heed__parts_train(&s->parts, &x, &k->cfg, false, &err);
    s->trials++;
    if (!c && (err.code == HEED_ECANCELLED || err.code == HEED_ENOMEM || s->trials == 1))
        return heed__error(s->err, err.code, "%s", err.msg);
    k->accuracy = 0; /* settings that cannot be trained with are the worst */
    k->loss = 0;
    if (c) heed__held_measure(&c->held, &k->accuracy, &k->loss);
    v.seconds = heed__parts_seconds(&s->parts) - v.seconds;
    v.best = c && texts == s->split.learn.len &&
             (!s->best ||
              (better(k->accuracy, k->loss, s->best_accuracy, s->best_loss) && beats_given(s, c)));
    int rc = c && !s->best ? note_given(s, c) : 0;
    if (rc == 0) rc = heed__parts_add(&s->parts, note_of(s, k, &v), v.best ? c : NULL, s->err);
    if (rc == 0 && v.best) {
        heed_classifier_close(s->best);
        s->best = c;
        s->best_accuracy = k->accuracy;
        s->best_loss = k->loss;
    } else {
        heed_classifier_close(c);
    }
    if (rc == 0) tell(s, k, texts, &v);
    return rc;
}

/* A number of [low, high] whose logarithm is drawn evenly. */
static double between(heed_rng *rng, double low, double high) {
    const double u = (double)heed_rng_uniform(rng);
    return heed__exp(heed__ln(low) + u * (heed__ln(high) - heed__ln(low)));
}

/* Settings number n of this seed. */
static candidate draw(const search *s, int64_t n) {
    static const int64_t widths[] = { 32, 64, 128 };
    static const double smooth[] = { -1, 0.05, 0.1 };
    candidate k = { .cfg = s->base, .number = n };
    heed_rng rng = { .seed = s->base.seed, .stream = STREAM + (uint64_t)n };
    if (heed_rng_below(&rng, 5) == 0) k.cfg.recipe = "classic";
    heed_body_cfg body = { .embed = 0 };
    heed_fit_cfg fit = { .epochs = 0 };
    heed__body_kind_find(k.cfg.recipe)->defaults(&body, &fit);
    const double lr = fit.optim.lr > 0 ? (double)fit.optim.lr : 0.002;
    k.cfg.lr = between(&rng, lr / 4, lr * 4);
    k.cfg.dropout = 0.1 + 0.5 * (double)heed_rng_uniform(&rng);
    k.cfg.label_smoothing = smooth[heed_rng_below(&rng, 3)];
    k.cfg.embed = widths[heed_rng_below(&rng, 3)];
    if (fit.epochs > 0)
        k.cfg.epochs = fit.epochs / 2 + (int64_t)heed_rng_below(&rng, (uint64_t)fit.epochs + 1);
    if (k.cfg.epochs == 0 && fit.epochs > 0) k.cfg.epochs = 1;
    return k;
}

static int by_worth(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (better(x->accuracy, x->loss, y->accuracy, y->loss)) return -1;
    if (better(y->accuracy, y->loss, x->accuracy, x->loss)) return 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* One round: nine on a ninth, three on a third, one on all. */
static int round_of(search *s) {
    candidate k[DRAWN];
    for (int i = 0; i < DRAWN; i++) k[i] = draw(s, ++s->settings);
    for (int64_t left = DRAWN; left >= 1; left /= 3) {
        int64_t texts = s->split.learn.len / left;
        if (texts < 20) texts = s->split.learn.len < 20 ? s->split.learn.len : 20;
        for (int64_t i = 0; i < left; i++) {
            if (out_of_time(s)) return 0;
            const int rc = try(s, &k[i], texts);
            if (rc) return rc;
        }
        qsort(k, (size_t)left, sizeof *k, by_worth);
    }
    return 0;
}

static int check(const search *s, const heed_examples *data) {
    const heed_classify_cfg *b = &s->base;
    if (b->target != HEED_TARGET_LABEL)
        return heed__error(s->err, HEED_EUNSUPPORTED, "search: only with one label a text");
    if (b->from || b->pretrain)
        return heed__error(s->err, HEED_EUNSUPPORTED, "search: does not go with from and pretrain");
    if (b->recipe && !heed__body_kind_find(b->recipe))
        return heed__error(s->err, HEED_EINVALID, "search: there is no recipe '%.40s'", b->recipe);
    for (int64_t i = 0; i < data->len; i++)
        if (!data->text || !data->label || !data->text[i] || !data->label[i])
            return heed__error(s->err, HEED_EINVALID, "search: text %lld or its label is NULL",
                               (long long)i);
    return 0;
}

heed_classifier *heed__classifier_search(const heed_examples *data, const heed_classify_cfg *base,
                                         const heed_search_cfg *cfg, heed_error *err) {
    heed_error own = { 0 };
    search s = { .cfg = cfg, .base = *base, .best_trial = -1, .err = err ? err : &own };
    if (base->hooks) s.hooks = *base->hooks;
    s.base.hooks = &s.hooks;
    s.base.keep_stopped = false;
    *s.err = (heed_error){ 0 };
    if (!s.base.recipe) s.base.recipe = heed_recipe_name(0);
    int rc = check(&s, data);
    const uint64_t hash =
        rc ? 0 : heed__settings_hash(heed__examples_hash(HEED_HASH_BEGIN, data), &s.base);
    if (rc == 0 && heed__split(&s.split, data, &s.base))
        rc = heed__error(s.err, HEED_ENOMEM, "search: out of memory");
    if (!s.base.valid) s.base.valid = &s.split.held;
    if (rc == 0) rc = heed__parts_begin(&s.parts, &s.base, "search", hash, s.err);
    candidate given = { .cfg = s.base };
    if (rc == 0) rc = try(&s, &given, s.split.learn.len);
    for (int64_t r = 0; rc == 0 && r < (cfg->rounds ? cfg->rounds : ROUNDS) && !out_of_time(&s);
         r++)
        rc = round_of(&s);
    heed__split_free(&s.split, &s.hooks);
    heed__free(&s.hooks, s.given_right);
    if (rc == 0 && !s.best)
        rc = heed__error(s.err, HEED_EFORMAT,
                         "%.400s/parts: notes more trials than this search can have", base->run);
    heed__parts_end(&s.parts, s.cut, s.err);
    if (rc == 0) heed__run_note(&s.best->left, base->run);
    const bool stopped = rc == HEED_ECANCELLED && s.best && base->keep_stopped;
    if (rc == 0 || stopped) return s.best;
    heed_classifier_close(s.best);
    return NULL;
}
