/* tagger_train.c: a tagger from tagged sentences. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "heed/ops.h"
#include "tasks/origin.h"
#include "tasks/range.h"
#include "tasks/tag_split.h"
#include "tasks/tagger.h"
#include "tasks/trainer.h"

typedef struct training {
    heed_tagger *t, *old; /* old: that it starts from, without parameters, or NULL */
    heed_origin origin;   /* cfg.from: the same, or a model of another kind */
    heed_tag_cfg cfg;     /* with the defaults filled in */
    heed_tag_part learn, held;
    const heed_tagged *valid; /* NULL: nothing is held out */
    heed_tag_rows rows;
    int32_t *tag;    /* [words] of the inner scheme */
    int64_t *length; /* [sentences] */
    bool *rare;      /* [vocab] words that occur once or twice */
    float *laws;     /* [K+2,K] what is added to transitions and edges */
    char settings[256];
    heed_error *err;
} training;

static heed_tag_cfg defaults(const heed_tag_cfg *given) {
    heed_tag_cfg c = *given;
    const bool encoder = c.recipe && strcmp(c.recipe, "encoder") == 0;
    if (!c.recipe) c.recipe = "lstm";
    if (c.valid_part == 0) c.valid_part = 0.1;
    if (!c.vocab) c.vocab = 50000;
    if (!c.embed) c.embed = 100;
    if (!c.features) c.features = 64;
    if (!c.field) c.field = 16;
    if (!c.buckets) c.buckets = 32768;
    if (!c.hidden) c.hidden = 128;
    if (!c.layers) c.layers = encoder ? 2 : 1;
    if (!c.heads) c.heads = 4;
    if (!c.epochs) c.epochs = 10;
    if (!c.batch) c.batch = 16;
    if (!c.patience) c.patience = 3;
    if (c.lr == 0) c.lr = encoder ? 0.001 : 0.003;
    if (c.dropout == 0) c.dropout = encoder ? 0.2 : 0.5;
    if (c.word_dropout == 0) c.word_dropout = 0.05;
    if (c.feature_dropout == 0) c.feature_dropout = 0.15;
    if (c.dropout < 0) c.dropout = 0;
    if (c.feature_dropout < 0) c.feature_dropout = 0;
    if (c.word_dropout < 0) c.word_dropout = 0;
    return c;
}

static int check(const heed_tagged *data, const heed_tag_cfg *c, heed_error *err) {
    int rc = heed__tagger_check(data, true, "train", err);
    if (rc == 0 && c->valid) rc = heed__tagger_check(c->valid, true, "held-out data", err);
    if (rc) return rc;
    if (strcmp(c->recipe, "lstm") != 0 && strcmp(c->recipe, "encoder") != 0)
        return heed__error(err, HEED_EINVALID,
                           "train: no recipe '%.40s' for tags; there are lstm, encoder", c->recipe);
    const heed_bound bounds[] = {
        { "embed", c->embed, 1, HEED_TAGGER_MAX_WIDTH },
        { "features", c->features, 1, HEED_TAGGER_MAX_WIDTH },
        { "field", c->field, 1, HEED_TAGGER_MAX_WIDTH },
        { "hidden", c->hidden, 1, HEED_TAGGER_MAX_WIDTH },
        { "vocab", c->vocab, 3, HEED_TAGGER_MAX_ROWS },
        { "buckets", c->buckets, 2, HEED_TAGGER_MAX_ROWS },
        { "layers", c->layers, 1, 8 },
        { "heads", c->heads, 1, 64 },
        { "epochs", c->epochs, 1, HEED_FIT_MAX_EPOCHS },
        { "batch", c->batch, 1, 65536 },
        { "patience", c->patience, 0, INT64_MAX },
        { "precision", (int64_t)c->precision, 0, HEED_PRECISION_BF16 },
        { NULL, 0, 0, 0 },
    };
    rc = heed__bounds_check(bounds, err);
    if (rc) return rc;
    const heed_range ranges[] = {
        { "lr", c->lr, HEED_FROM_TO, .least = HEED_LEAST_RATE, .most = HEED_MOST_RATE },
        { "dropout", c->dropout, HEED_BELOW, .most = 1 },
        { "dropout", c->dropout, HEED_BELOW, .most = HEED_NEARLY_ONE },
        { "word_dropout", c->word_dropout, HEED_BELOW, .most = 1 },
        { "feature_dropout", c->feature_dropout, HEED_BELOW, .most = 1 },
        { "valid_part", c->valid_part, HEED_BELOW, .most = 1 },
        { .name = NULL },
    };
    return heed__ranges_check(ranges, err);
}

/* -- which sentences */

static int split(training *r, const heed_tagged *data) {
    const double part = r->cfg.valid ? 0 : r->cfg.valid_part;
    if (heed__tag_split(data, part, r->cfg.seed, &r->learn, &r->held, &r->t->hooks))
        return heed__error(r->err, HEED_ENOMEM, "train: out of memory");
    if (!r->cfg.valid) heed__tell_held_out(&r->t->hooks, r->held.data.len, data->len, "sentences");
    r->valid = r->cfg.valid ? r->cfg.valid : r->held.data.len ? &r->held.data : NULL;
    if (r->learn.data.len == 0)
        return heed__error(r->err, HEED_EINVALID, "train: there are no words");
    return 0;
}

/* -- what is learnt from them */

static int read_tags(training *r) {
    heed_tagger *t = r->t;
    const heed_tagged *d = &r->learn.data;
    const size_t words = (size_t)d->start[d->len];
    heed_place *place = heed__calloc(&t->hooks, words, sizeof *place);
    r->tag = heed__calloc(&t->hooks, words, sizeof *r->tag);
    int rc = place && r->tag ? heed__tagger_places(d, &t->types, place, &t->scheme, r->err)
                             : heed__error(r->err, HEED_ENOMEM, "train: out of memory");
    if (rc == 0 && t->types.len == 0)
        rc = heed__error(r->err, HEED_EINVALID,
                         "train: all %lld words have the tag O; an entity is needed",
                         (long long)words);
    if (rc == 0 && heed__tagger_inner(d, place, r->tag, &t->hooks))
        rc = heed__error(r->err, HEED_ENOMEM, "train: out of memory");
    heed__free(&t->hooks, place);
    return rc;
}

static int read_words(training *r) {
    heed_tagger *t = r->t;
    const heed_tagged *d = &r->learn.data;
    const heed_sentences s = { d->len, d->start, d->word };
    if (!t->vocab) t->vocab = heed__tag_vocab(&s, r->cfg.vocab, &t->hooks, r->err);
    if (!t->vocab) return r->err->code;
    const heed_tag_tables tables = heed__tagger_tables(t);
    const int rc = heed__tag_encode(&r->rows, &tables, &s, &t->hooks, r->err);
    if (rc) return rc;
    const size_t vocab = (size_t)heed__vocab_len(t->vocab);
    uint8_t *seen = heed__calloc(&t->hooks, vocab, sizeof *seen);
    r->rare = heed__calloc(&t->hooks, vocab, sizeof *r->rare);
    r->length = heed__calloc(&t->hooks, (size_t)d->len, sizeof *r->length);
    if (seen && r->rare && r->length) {
        for (int64_t w = 0; w < d->start[d->len]; w++)
            if (seen[r->rows.id[w]] < 3) seen[r->rows.id[w]]++;
        for (size_t i = HEED_VOCAB_SPECIAL; i < vocab; i++) r->rare[i] = seen[i] < 3;
        for (int64_t i = 0; i < d->len; i++) r->length[i] = d->start[i + 1] - d->start[i];
    }
    heed__free(&t->hooks, seen);
    return r->rare && r->length ? 0 : heed__error(r->err, HEED_ENOMEM, "train: out of memory");
}

static int prepare(training *r, const heed_tagged *data) {
    heed_tagger *t = r->t;
    const heed_tag_cfg *c = &r->cfg;
    const bool encoder = strcmp(c->recipe, "encoder") == 0;
    t->shape = (heed_tag_shape){ .encoder = encoder,
                                 .crf = !c->no_crf,
                                 .embed = c->embed,
                                 .features = c->features,
                                 .field = c->field,
                                 .buckets = c->buckets,
                                 .field_buckets = c->buckets,
                                 .hidden = c->hidden,
                                 .layers = c->layers,
                                 .heads = c->heads,
                                 .dropout = c->dropout,
                                 .word_dropout = c->word_dropout,
                                 .feature_dropout = c->feature_dropout };
    int rc = split(r, data);
    if (rc == 0 && r->old) rc = heed__tagger_follow(t, r->old, r->err);
    if (rc == 0) rc = read_tags(r);
    if (rc == 0) rc = read_words(r);
    if (rc == 0) rc = heed__tagger_build(t, r->err);
    if (rc == 0 && r->old) rc = heed__tagger_take(t, r->old, &r->origin, r->err);
    if (rc == 0 && c->from && !r->old) rc = heed__tagger_give(t, &r->origin, r->err);
    const int64_t K = heed__inner_tags(t->types.len);
    if (rc) return rc;
    r->laws = heed__calloc(&t->hooks, (size_t)(K + 2), (size_t)K * sizeof *r->laws);
    if (!r->laws) return heed__error(r->err, HEED_ENOMEM, "train: out of memory");
    heed__tag_laws(r->laws, r->laws + K * K, K);
    return 0;
}

/* -- the learner */

static heed_tensor *gold(training *r, const int64_t *item, int64_t n, int64_t steps, int32_t none) {
    heed_tensor *y = heed_new(r->t->cx, HEED_I32, 2, (int64_t[]){ n, steps });
    for (int64_t i = 0; y && i < n; i++) {
        const int64_t at = r->rows.start[item[i]], words = r->rows.start[item[i] + 1] - at;
        int32_t *row = HEED_I32_DATA(y) + i * steps;
        memcpy(row, r->tag + at, (size_t)words * sizeof *row);
        for (int64_t s = words; s < steps; s++) row[s] = none;
    }
    return y;
}

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    training *r = self;
    heed_tagger *t = r->t;
    heed_ctx *cx = t->cx;
    heed_tensor *lengths;
    heed_tensor *x = heed__tagger_scores(t, &r->rows, item, n, r->rare, &lengths);
    if (!x) return NULL;
    const int64_t K = x->shape[2];
    if (!t->shape.crf)
        return heed_cross_entropy(cx, x, gold(r, item, n, x->shape[1], -1),
                                  &(heed_cross_entropy_cfg){ .use_ignore = true, .ignore = -1 });
    heed_tensor *trans = heed_from_f32(cx, 2, (int64_t[]){ K, K }, r->laws);
    heed_tensor *edges = heed_from_f32(cx, 2, (int64_t[]){ 2, K }, r->laws + K * K);
    trans = heed_add(cx, t->trans, trans);
    edges = heed_add(cx, t->edges, edges);
    return heed_mean(cx, heed_crf(cx, x, trans, edges, gold(r, item, n, x->shape[1], 0), lengths));
}

static int score(void *self, heed_score *s, heed_error *err) {
    training *r = self;
    heed_tag_metrics m = { 0 };
    int rc = heed__tagger_ready(r->t, err);
    if (rc == 0) rc = heed__tagger_measure(r->t, r->valid, &m, false, err);
    *s = (heed_score){ .name = "F1", .value = m.f1, .loss = isnan(m.loss) ? 0 : m.loss };
    return rc;
}

/* Tables learn by rows, each with a bias correction of its own (train.h). A row that is seen seldom
 * then takes a third of the step that Adam with one correction for all takes first:
 * (1 - 0.9) / sqrt(1 - 0.999). Names and rare words are such rows, so their rate makes up for it,
 * twice over: that was the better one on held-out sentences. */
static const float TABLE_RATE = 6;

/* Of all words and tags, so that a resume with other data is noticed. */
static uint64_t hash_of(const heed_tagged *d) {
    uint64_t h = HEED_HASH_BEGIN;
    for (int64_t i = 0; i < d->len; i++)
        for (int64_t w = d->start[i]; w < d->start[i + 1]; w++)
            for (int k = 0; k < 2; k++)
                h = heed__hash_one(heed__hash_text(h, k ? d->tag[w] : d->word[w]), 0);
    return h ^ (uint64_t)d->len;
}

/* What must be the same where a training goes on. */
static void tell_settings(training *r) {
    const heed_tag_cfg *c = &r->cfg;
    const uint64_t data = hash_of(&r->learn.data) ^ (r->valid ? hash_of(r->valid) * 3 : 0);
    heed__format(
        r->settings, sizeof r->settings,
        "tag %s%s%s, data %016llx, %lld epochs of batches of %lld, rate %g, dropout %g %g %g, "
        "seed %llu",
        c->recipe, c->no_crf ? " without CRF" : "", c->from ? " from another" : "",
        (unsigned long long)data, (long long)c->epochs, (long long)c->batch, c->lr, c->dropout,
        c->word_dropout, c->feature_dropout, (unsigned long long)c->seed);
}

static int fit(training *r) {
    heed_tagger *t = r->t;
    const heed_tag_cfg *c = &r->cfg;
    const int64_t words = r->rows.start[r->rows.len];
    const int64_t held = r->valid ? r->valid->start[r->valid->len] : 0;
    const int64_t K = heed__inner_tags(t->types.len);
    const heed_learner l = { .self = r,
                             .cx = t->cx,
                             .ps = t->ps,
                             .items = r->learn.data.len,
                             .length = r->length,
                             .loss = loss,
                             .score = r->valid ? score : NULL,
                             .memory = (words + held) * 64 + held * (K + 32) * 4 +
                                       r->rows.bag[words] * (int64_t)sizeof(int32_t),
                             .unit = "sentences" };
    const heed_param_group groups[] = { { .pattern = "word.weight", .lr = TABLE_RATE },
                                        { .pattern = "bag.weight", .lr = TABLE_RATE },
                                        { .pattern = "field.weight", .lr = TABLE_RATE } };
    const heed_fit_cfg f = { .epochs = c->epochs,
                             .batch = c->batch,
                             .optimizer = "adamw",
                             .schedule = "linear",
                             .optim = { .lr = (float)c->lr,
                                        .clip = 5,
                                        .groups = groups,
                                        .group_count = 3,
                                        .schedule = { .least = 0.02F } },
                             .patience = c->patience,
                             .seconds = c->seconds,
                             .seed = c->seed,
                             .run = c->run,
                             .settings = r->settings,
                             .resume = c->resume,
                             .hooks = &t->hooks };
    heed_fitted done = { 0 };
    tell_settings(r);
    heed_ctx_set_train(t->cx, true);
    const int rc = heed__fit(&l, &f, &done, r->err);
    heed_ctx_set_train(t->cx, false);
    t->epochs = done.best ? done.best : done.epochs;
    return rc;
}

/* The model to start from; of one of another kind the sizes of what fits, where no others are said.
 * 0 or a status. */
static int open_from(training *r, heed_tag_cfg *c) {
    const heed_open_cfg open = { .isa = c->isa, .threads = 1, .hooks = c->hooks };
    heed_origin *o = &r->origin;
    if (heed__origin_open(o, c->from, c->hooks, r->err)) return r->err->code;
    const bool encoder = strcmp(o->recipe, "encoder") == 0;
    if (!c->recipe) c->recipe = encoder ? "encoder" : "lstm";
    const bool alike = encoder == (strcmp(c->recipe, "encoder") == 0);
    if (o->tagger && alike) {
        r->old = heed__tagger_open_shape(c->from, &open, r->err);
        return r->old ? 0 : r->err->code;
    }
    if (heed__origin_load(o, encoder && alike ? "encoder" : "classic", r->err)) return r->err->code;
    if (!c->embed) c->embed = o->dim;
    if (!alike || !o->layers.width) return 0;
    if (!c->hidden) c->hidden = encoder ? o->layers.width / 2 : o->layers.width;
    if (!c->layers) c->layers = o->layers.layers;
    if (!c->heads) c->heads = o->layers.heads;
    return 0;
}

heed_tagger *heed_tagger_train(const heed_tagged *data, const heed_tag_cfg *given,
                               heed_error *err) {
    if (heed__lacks(data, "train", "list of sentences", err)) return NULL;
    heed_error own = { 0 };
    training r = { .err = err ? err : &own };
    *r.err = (heed_error){ 0 };
    heed_tag_cfg cfg = given ? *given : (heed_tag_cfg){ 0 };
    if (!cfg.from || open_from(&r, &cfg) == 0) {
        r.cfg = defaults(&cfg);
        if (check(data, &r.cfg, r.err) == 0)
            r.t = heed__tagger_new(r.cfg.isa, r.cfg.threads, r.cfg.seed, r.cfg.hooks, r.err);
    }
    if (!r.t) {
        heed__origin_close(&r.origin);
        heed_tagger_close(r.old);
        return NULL;
    }
    heed_ctx_set_precision(r.t->cx, r.cfg.precision);
    int rc = prepare(&r, data);
    if (rc == 0) rc = fit(&r);
    if (rc == 0 && r.valid) rc = heed__tagger_calibrate(r.t, r.valid, r.err);
    const heed_hooks hooks = r.t->hooks;
    heed__origin_close(&r.origin);
    heed_tagger_close(r.old);
    heed__tag_part_free(&r.learn, &hooks);
    heed__tag_part_free(&r.held, &hooks);
    heed__tag_rows_free(&r.rows);
    heed__free(&hooks, r.tag);
    heed__free(&hooks, r.length);
    heed__free(&hooks, r.rare);
    heed__free(&hooks, r.laws);
    const bool keep = rc == HEED_ECANCELLED && r.cfg.keep_stopped && r.t->epochs > 0;
    if (rc == 0 || keep) rc = heed__tagger_ready(r.t, keep ? NULL : r.err);
    if (rc == 0 && !keep) heed__run_note(&r.t->left, r.cfg.run);
    if (rc == 0) return r.t;
    heed_tagger_close(r.t);
    return NULL;
}
