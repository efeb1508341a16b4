/* embedder_train.c: an embedder from pairs of texts, by contrast within a batch. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "heed/ops.h"
#include "models/parts.h"
#include "tasks/embedder.h"
#include "tasks/origin.h"
#include "tasks/range.h"
#include "tensor/ctx.h"

enum { HELD_MOST = 2000 };

/* Pairs that are learnt from or held out. The arrays are its own, the texts the caller's. */
typedef struct part {
    int64_t len;
    const char **text, **text2;
    heed_distinct first, second;
    heed_rows rows, rows2; /* cut to max_len: learnt */
    int64_t *length;       /* [len] units of both: learnt */
    float *q, *d;          /* vectors of each pair, of each different second text: held out */
    const char **once;     /* [second.len]: held out */
    int64_t *rank;         /* [len]: held out */
} part;

typedef struct training {
    heed_embedder *e;
    heed_embedder_cfg cfg;
    heed_body_cfg body;
    heed_fit_cfg fit;
    const heed_body_kind *kind;
    heed_origin origin; /* cfg.from */
    bool whole;         /* its body is taken as it is */
    part learn, held;
    heed_span *span; /* [batch] */
    char settings[256];
    heed_error *err;
} training;

static int no_memory(const training *t) {
    return heed__error(t->err, HEED_ENOMEM, "train: out of memory");
}

/* -- settings --------------------------------------------------------------------------------- */

static int fill_in(training *t) {
    heed_embedder_cfg *c = &t->cfg;
    const char *recipe = c->recipe ? c->recipe : "match";
    if (c->from && heed__origin_open(&t->origin, c->from, c->hooks, t->err)) return t->err->code;
    if (c->from && !c->recipe) recipe = t->origin.recipe;
    t->kind = heed__body_kind_find(recipe);
    if (!t->kind)
        return heed__error(t->err, HEED_EINVALID, "train: there is no recipe '%.40s'", recipe);
    if (c->temperature == 0) c->temperature = 0.05;
    if (c->valid_part == 0) c->valid_part = 0.1;
    if (c->valid_part < 0) c->valid_part = 0;
    t->body = (heed_body_cfg){ .vocab = c->vocab,
                               .max_len = c->max_len ? c->max_len : 256,
                               .keep = HEED_KEEP_HEAD,
                               .embed = c->embed,
                               .hidden = c->hidden,
                               .heads = c->heads,
                               .layers = c->layers,
                               .buckets = c->buckets,
                               .dropout = c->dropout,
                               .seed = c->seed };
    t->fit = (heed_fit_cfg){ .epochs = c->epochs,
                             .batch = c->batch ? c->batch : 128,
                             .optim = { .lr = (float)c->lr },
                             .patience = c->patience,
                             .seconds = c->seconds,
                             .seed = c->seed,
                             .run = c->run,
                             .resume = c->resume,
                             .hooks = c->hooks };
    if (c->from && heed__origin_settle(&t->origin, t->kind, &t->body, &t->whole, t->err))
        return t->err->code;
    t->kind->defaults(&t->body, &t->fit);
    if (t->body.dropout < 0) t->body.dropout = 0;
    return 0;
}

static bool lacks_texts(const training *t, const heed_examples *x) {
    return heed__lacks_any(x->text, x->len, "train", "text", t->err) ||
           heed__lacks_any(x->text2, x->len, "train", "second text", t->err);
}

static int check(const training *t, const heed_examples *x) {
    const heed_embedder_cfg *c = &t->cfg;
    if (x->len < 2 || !x->text2)
        return heed__error(t->err, x->text2 ? HEED_EFORMAT : HEED_EINVALID,
                           "train: at least two pairs of texts are needed");
    if (c->valid && (c->valid->len < 1 || !c->valid->text2))
        return heed__error(t->err, HEED_EINVALID, "train: the held-out data are no pairs");
    if (lacks_texts(t, x) || (c->valid && lacks_texts(t, c->valid))) return HEED_EINVALID;
    if (t->fit.batch == 1)
        return heed__error(t->err, HEED_EINVALID,
                           "train: a batch of one pair has no contrast; 2 are the least");
    const heed_bound own[] = { { "precision", (int64_t)c->precision, 0, HEED_PRECISION_BF16 },
                               { NULL, 0, 0, 0 } };
    const heed_range ranges[] = {
        { "lr", c->lr != 0 ? c->lr : 1, HEED_FROM_TO, .least = HEED_LEAST_RATE,
          .most = HEED_MOST_RATE },
        { "temperature", c->temperature, HEED_FROM_TO, .least = HEED_LEAST_TEMPERATURE,
          .most = HEED_MOST_TEMPERATURE },
        { "valid_part", c->valid_part, HEED_BELOW, .most = 1 },
        { .name = NULL },
    };
    int rc = heed__bounds_check(own, t->err);
    if (rc == 0) rc = heed__ranges_check(ranges, t->err);
    return rc ? rc : heed__body_check(&t->body, &t->fit, t->err);
}

/* -- parts ------------------------------------------------------------------------------------ */

static void part_free(part *p, const heed_hooks *hooks) {
    heed__rows_free(&p->rows);
    heed__rows_free(&p->rows2);
    heed__distinct_free(&p->first, hooks);
    heed__distinct_free(&p->second, hooks);
    void *mine[] = { p->text, p->text2, p->length, p->q, p->d, p->once, p->rank };
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) heed__free(hooks, mine[i]);
}

/* The pairs of x for which held is `which`; held NULL: all. */
static int take(training *t, part *p, const heed_examples *x, const bool *held, bool which) {
    const heed_hooks *hooks = &t->e->c->hooks;
    p->text = heed__calloc(hooks, (size_t)x->len, sizeof *p->text);
    p->text2 = heed__calloc(hooks, (size_t)x->len, sizeof *p->text2);
    if (!p->text || !p->text2) return no_memory(t);
    for (int64_t i = 0; i < x->len; i++) {
        if (held && held[i] != which) continue;
        p->text[p->len] = x->text[i];
        p->text2[p->len++] = x->text2[i];
    }
    if (heed__distinct(&p->first, p->text, p->len, hooks) ||
        heed__distinct(&p->second, p->text2, p->len, hooks))
        return no_memory(t);
    return 0;
}

static int split(training *t, const heed_examples *x) {
    const heed_embedder_cfg *c = &t->cfg;
    const heed_hooks *hooks = &t->e->c->hooks;
    if (c->valid || c->valid_part == 0) {
        const int rc = take(t, &t->learn, x, NULL, false);
        return rc || !c->valid ? rc : take(t, &t->held, c->valid, NULL, false);
    }
    double share = c->valid_part;
    if (share * (double)x->len > HELD_MOST) share = HELD_MOST / (double)x->len;
    bool *held = heed__calloc(hooks, (size_t)x->len, sizeof *held);
    int rc = held ? 0 : no_memory(t);
    if (rc == 0 && heed__hold_out(NULL, x->len, share, c->seed, held, hooks) < 0) rc = no_memory(t);
    if (rc == 0) rc = take(t, &t->learn, x, held, false);
    if (rc == 0) rc = take(t, &t->held, x, held, true);
    heed__free(hooks, held);
    return rc;
}

/* The body's words and tables come from both sides. */
static int learn_body(training *t) {
    const part *p = &t->learn;
    const heed_hooks *hooks = &t->e->c->hooks;
    const char **both = heed__calloc(hooks, (size_t)(2 * p->len), sizeof *both);
    if (!both) return no_memory(t);
    for (int64_t i = 0; i < p->len; i++) both[2 * i] = p->text[i], both[2 * i + 1] = p->text2[i];
    const heed_texts x = { .len = 2 * p->len, .text = both };
    int rc = t->kind->learn(t->e->c->body, &x, t->err);
    if (rc == 0 && t->cfg.from) rc = heed__origin_give(&t->origin, t->e->c->body, &x, t->err);
    heed__free(hooks, both);
    return rc;
}

/* The body of the model to start from. */
static int take_body(training *t) {
    heed_classifier *c = t->e->c;
    heed_head_cfg head;
    heed_classifier *old = heed__origin_move(&t->origin, c, &head, t->err);
    if (!old) return t->err->code;
    if (!t->cfg.max_len) c->max_len = t->body.max_len = old->max_len;
    heed_classifier_close(old);
    const heed_body_goal none = { .classes = 0 }; /* what labels told its body is over */
    int rc = heed__body_reach(c->body, t->body.max_len, t->err);
    if (rc) return rc;
    rc = t->kind->fit ? t->kind->fit(c->cx, c->body, NULL, &none, t->err) : 0;
    if (rc == 0) heed__origin_tell(&t->origin, "");
    return rc;
}

static int encode(training *t, part *p) {
    heed_classifier *c = t->e->c;
    const heed_rows_cfg cfg = { .max_len = c->max_len, .keep = HEED_KEEP_HEAD };
    const heed_texts x = { .len = p->len, .text = p->text };
    const heed_texts x2 = { .len = p->len, .text = p->text2 };
    int rc = heed__body_encode(c->body, &x, &cfg, &p->rows, t->err);
    if (rc == 0) rc = heed__body_encode(c->body, &x2, &cfg, &p->rows2, t->err);
    p->length = heed__calloc(&c->hooks, (size_t)p->len, sizeof *p->length);
    if (rc == 0 && !p->length) rc = no_memory(t);
    for (int64_t i = 0; rc == 0 && i < p->len; i++)
        p->length[i] = p->rows.start[i + 1] - p->rows.start[i] + p->rows2.start[i + 1] -
                       p->rows2.start[i];
    return rc;
}

static int prepare(training *t, const heed_examples *x) {
    heed_classifier *c = t->e->c;
    int rc = split(t, x);
    if (rc == 0 && !t->cfg.valid)
        heed__tell_held_out(&t->e->c->hooks, t->held.len, x->len, "pairs");
    if (rc) return rc;
    if (t->fit.batch > t->learn.len) t->fit.batch = t->learn.len;
    c->max_len = t->body.max_len;
    c->keep = HEED_KEEP_HEAD;
    c->epochs = t->fit.epochs;
    if (!t->whole) c->body = heed__body_new(t->kind, &t->body, c->ps, &c->hooks, t->err);
    rc = t->whole ? take_body(t) : c->body ? learn_body(t) : HEED_ENOMEM;
    if (rc == 0) rc = heed__embedder_declared(t->e, t->err);
    if (rc == 0) rc = encode(t, &t->learn);
    if (rc) return rc;
    part *h = &t->held;
    const size_t dim = (size_t)c->body->dim;
    t->span = heed__calloc(&c->hooks, (size_t)t->fit.batch, sizeof *t->span);
    h->q = heed__calloc(&c->hooks, (size_t)h->len, dim * sizeof *h->q);
    h->d = heed__calloc(&c->hooks, (size_t)h->second.len, dim * sizeof *h->d);
    h->once = heed__calloc(&c->hooks, (size_t)h->second.len, sizeof *h->once);
    h->rank = heed__calloc(&c->hooks, (size_t)h->len, sizeof *h->rank);
    if (!t->span || !h->q || !h->d || !h->once || !h->rank) return no_memory(t);
    for (int64_t i = 0; i < h->second.len; i++) h->once[i] = h->text2[h->second.first[i]];
    return 0;
}

/* -- what the trainer asks -------------------------------------------------------------------- */

static heed_tensor *vectors(training *t, const heed_rows *rows, const int64_t *item, int64_t n) {
    heed_classifier *c = t->e->c;
    for (int64_t i = 0; i < n; i++) t->span[i] = heed__row(rows, item[i]);
    return heed_l2_norm(c->cx, t->kind->apply(c->cx, c->body, rows, t->span, n, NULL), 1e-12f);
}

/* What is added to the similarities [n,n]: minus much where two pairs share a text and so are no
 * contrast. *any: whether there is such a place. */
static heed_tensor *hidden(const training *t, const int64_t *item, int64_t n, bool *any) {
    const part *p = &t->learn;
    heed_tensor *m = heed_zeros(t->e->c->cx, HEED_F32, 2, (int64_t[]){ n, n });
    *any = false;
    for (int64_t i = 0; m && i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            if (p->first.id[item[i]] != p->first.id[item[j]] &&
                p->second.id[item[i]] != p->second.id[item[j]])
                continue;
            HEED_F32_DATA(m)[i * n + j] = HEED_F32_DATA(m)[j * n + i] = -1e9f;
            *any = true;
        }
    return m;
}

/* InfoNCE as heed_info_nce has it, with places hidden. */
static heed_tensor *masked(heed_ctx *cx, heed_tensor *a, heed_tensor *b, heed_tensor *mask,
                           float temperature) {
    if (!a || !b || !mask) return NULL;
    const int64_t n = a->shape[0];
    heed_tensor *right = heed_new(cx, HEED_I32, 1, &n);
    for (int64_t i = 0; right && i < n; i++) HEED_I32_DATA(right)[i] = (int32_t)i;
    heed_tensor *one = heed_matmul(cx, a, b, false, true),
                *two = heed_matmul(cx, b, a, false, true);
    one = heed_add(cx, heed_scale(cx, one, 1 / temperature, 0), mask);
    two = heed_add(cx, heed_scale(cx, two, 1 / temperature, 0), mask);
    heed_tensor *sum = heed_add(cx, heed_cross_entropy(cx, one, right, NULL),
                                heed_cross_entropy(cx, two, right, NULL));
    return heed_scale(cx, sum, 0.5f, 0);
}

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    training *t = self;
    heed_ctx *cx = t->e->c->cx;
    bool any;
    heed_tensor *a = vectors(t, &t->learn.rows, item, n);
    heed_tensor *b = vectors(t, &t->learn.rows2, item, n);
    heed_tensor *mask = hidden(t, item, n, &any);
    const float temperature = (float)t->cfg.temperature;
    return any ? masked(cx, a, b, mask, temperature) : heed_info_nce(cx, a, b, temperature);
}

static int score(void *self, heed_score *s, heed_error *err) {
    training *t = self;
    part *h = &t->held;
    heed_retrieval r = { 0 };
    int rc = heed_embedder_apply(t->e, h->len, h->text, h->q, err);
    if (rc == 0) rc = heed_embedder_apply(t->e, h->second.len, h->once, h->d, err);
    const heed_quest quest = { h->q, h->d, h->len, h->second.len, h->second.id };
    if (rc == 0) rc = heed__ranks(t->e, &quest, h->rank, &r.loss, err);
    if (rc) return rc;
    heed__retrieval(&r, h->rank, h->len);
    *s = (heed_score){ .name = "MRR", .value = r.mrr, .loss = r.loss };
    return 0;
}

static int rehearse(void *self, heed_error *err) {
    training *t = self;
    heed_retrieval r;
    heed_score s;
    t->e->c->rehearses = true;
    int rc = t->held.len ? score(t, &s, err) : 0;
    if (rc == 0 && t->cfg.tests) rc = heed_embedder_test(t->e, t->cfg.tests, &r, err);
    t->e->c->rehearses = false;
    return rc;
}

/* Of the texts, for a resume. */
static uint64_t hash_of(const part *p) {
    uint64_t h = HEED_HASH_BEGIN;
    for (int64_t i = 0; i < p->len; i++)
        for (int side = 0; side < 2; side++) {
            h = heed__hash_text(h, side ? p->text2[i] : p->text[i]);
            h = heed__hash_one(h, 0xff);
        }
    return h;
}

static int run(training *t, heed_fitted *done) {
    const part *p = &t->learn;
    const heed_learner l = { .self = t,
                             .cx = t->e->c->cx,
                             .ps = t->e->c->ps,
                             .items = p->len,
                             .length = p->length,
                             .loss = loss,
                             .score = t->held.len ? score : NULL,
                             .rehearse = rehearse,
                             .memory = heed__rows_size(&p->rows) + heed__rows_size(&p->rows2) +
                                       6 * 8 * p->len,
                             .unit = "pairs" };
    heed__format(t->settings, sizeof t->settings,
                 "embed %s%s, data %016llx, %lld epochs of batches of %lld, rate %g, dropout %g, "
                 "temperature %g, at most %lld words, seed %llu",
                 t->kind->name, t->cfg.from ? " from another" : "",
                 (unsigned long long)(hash_of(p) ^ hash_of(&t->held) * 3), (long long)t->fit.epochs,
                 (long long)t->fit.batch, (double)t->fit.optim.lr, t->body.dropout,
                 t->cfg.temperature, (long long)t->body.max_len, (unsigned long long)t->cfg.seed);
    t->fit.settings = t->settings;
    return heed__fit(&l, &t->fit, done, t->err);
}

heed_embedder *heed_embedder_train(const heed_examples *data, const heed_embedder_cfg *given,
                                   heed_error *err) {
    if (heed__lacks(data, "train", "list of examples", err)) return NULL;
    const heed_embedder_cfg plain = { 0 };
    heed_error own = { 0 };
    if (!given) given = &plain;
    training t = { .cfg = *given, .err = err ? err : &own };
    heed_fitted done = { 0 };
    *t.err = (heed_error){ 0 };
    if (fill_in(&t) == 0 && check(&t, data) == 0)
        t.e = heed__embedder_new(given->isa, given->threads, given->seed, given->hooks, t.err);
    if (!t.e) {
        heed__origin_close(&t.origin);
        return NULL;
    }
    t.e->temperature = t.cfg.temperature;
    heed_ctx_set_precision(t.e->c->cx, given->precision);
    int rc = prepare(&t, data);
    if (rc == 0) rc = run(&t, &done);
    heed__ctx_release(t.e->c->cx);
    const heed_hooks hooks = t.e->c->hooks;
    heed__origin_close(&t.origin);
    part_free(&t.learn, &hooks);
    part_free(&t.held, &hooks);
    heed__free(&hooks, t.span);
    if (rc == 0) heed__run_note(&t.e->c->left, given->run);
    if (rc == 0 || (rc == HEED_ECANCELLED && given->keep_stopped && done.steps)) return t.e;
    heed_embedder_close(t.e);
    return NULL;
}
