/* tagger.c: making and ending a tagger, and what it computes; its folder is in tagger_io.c, its
 * training in tagger_train.c, its answers in tagger_run.c. */
#include "tasks/tagger.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"

heed_tagger *heed__tagger_new(const char *isa, int threads, uint64_t seed, const heed_hooks *hooks,
                              heed_error *err) {
    heed_tagger *t = heed__calloc(hooks, 1, sizeof *t);
    if (!t) {
        heed__error(err, HEED_ENOMEM, "tagger: out of memory");
        return NULL;
    }
    if (hooks) t->hooks = t->types.hooks = *hooks;
    t->seed = seed;
    t->temperature = 1;
    const heed_ctx_cfg cfg = { .seed = seed, .threads = threads, .isa = isa, .hooks = hooks };
    t->cx = heed_ctx_new(&cfg, err);
    if (t->cx) t->ps = heed_params_new(&(heed_params_cfg){ .seed = seed, .hooks = hooks }, err);
    if (t->ps) return t;
    heed_tagger_close(t);
    return NULL;
}

void heed_tagger_close(heed_tagger *t) {
    if (!t) return;
    const heed_hooks hooks = t->hooks;
    heed__lattice_free(&t->lattice);
    heed__types_free(&t->types);
    heed__vocab_free(t->vocab);
    heed_params_free(t->ps);
    heed_ctx_free(t->cx);
    heed__free(&hooks, t);
}

static int64_t tags_of(const heed_tagger *t) {
    return heed__inner_tags(t->types.len);
}

/* -- parameters */

static void build_tables(heed_tagger *t) {
    const heed_tag_shape *s = &t->shape;
    const heed_embed_cfg word = { .vocab = s->vocab,
                                  .dim = s->embed,
                                  .use_padding = true,
                                  .padding = HEED_VOCAB_PAD,
                                  .sparse = true,
                                  .deviation = 0.3f };
    /* small, so that features never seen add little to a new word's sum */
    const heed_embed_cfg bag = {
        .vocab = s->buckets, .dim = s->features, .sparse = true, .deviation = 0.05f
    };
    heed_embed_cfg field = word;
    field.vocab = s->field_buckets;
    field.dim = s->field;
    field.padding = 0;
    heed_embed_init(&t->word, t->ps, "word", &word);
    heed_embed_init(&t->bag, t->ps, "bag", &bag);
    heed_embed_init(&t->field, t->ps, "field", &field);
}

static void build_body(heed_tagger *t) {
    const heed_tag_shape *s = &t->shape;
    const int64_t in = s->embed + s->features + HEED_TAG_FIELDS * s->field, wide = 2 * s->hidden;
    if (!s->encoder) {
        const heed_rnn_cfg rnn = { .kind = HEED_RNN_LSTM,
                                   .in = in,
                                   .hidden = s->hidden,
                                   .layers = (int)s->layers,
                                   .bidirectional = true,
                                   .dropout = (float)s->dropout };
        heed_rnn_init(&t->rnn, t->ps, "rnn", &rnn);
        return;
    }
    const float dropout = (float)(s->dropout / 2);
    const heed_encoder_cfg enc = { .layers = (int)s->layers,
                                   .final_norm = true,
                                   .block = { .dim = wide,
                                              .self = { .heads = (int)s->heads,
                                                        .use_rotary = true },
                                              .act = HEED_ACT_GELU,
                                              .pre_norm = true,
                                              .dropout = dropout } };
    heed_linear_init(&t->in, t->ps, "in", in, wide);
    heed_encoder_init(&t->enc, t->ps, "encoder", &enc);
}

int heed__tagger_build(heed_tagger *t, heed_error *err) {
    const int64_t K = tags_of(t);
    const heed_init zeros = { HEED_INIT_ZEROS, 0 };
    t->shape.vocab = heed__vocab_len(t->vocab);
    build_tables(t);
    build_body(t);
    heed_linear_init(&t->out, t->ps, "head", 2 * t->shape.hidden, K);
    if (t->shape.crf) {
        t->trans = heed_param(t->ps, "crf.transitions", zeros, 2, (int64_t[]){ K, K });
        t->edges = heed_param(t->ps, "crf.edges", zeros, 2, (int64_t[]){ 2, K });
    }
    const heed_error *why = heed_params_error(t->ps);
    return why ? heed__error(err, why->code, "%s", why->msg) : 0;
}

int heed__tagger_ready(heed_tagger *t, heed_error *err) {
    heed__lattice_free(&t->lattice);
    const float *trans = t->trans ? HEED_F32_DATA(t->trans) : NULL;
    const float *edges = t->edges ? HEED_F32_DATA(t->edges) : NULL;
    const int rc = heed__lattice_init(&t->lattice, t->cx, tags_of(t), trans, edges, true);
    if (rc) return heed__error(err, rc, "tagger: out of memory");
    if (t->temperature != 1) heed__lattice_scale(&t->lattice, (float)(1 / t->temperature));
    return 0;
}

heed_tag_tables heed__tagger_tables(const heed_tagger *t) {
    return (heed_tag_tables){ t->vocab, t->shape.buckets, t->shape.field_buckets };
}

int heed__tagger_failed(heed_tagger *t, heed_error *err) {
    const heed_error *why = heed_ctx_error(t->cx);
    const int rc = heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                               why ? why->msg : "tagger: out of memory");
    heed_ctx_reset(t->cx);
    return rc;
}

/* -- a batch. What is random depends on (seed, step) alone. */

enum { STREAM_UNKNOWN = 1 << 20, STREAM_MASK = 2 << 20, STREAM_STATES = 3 << 20 };

static const double UNKNOWN_PART = 0.25; /* of the occurrences of rare words */

static heed_rng random_of(const heed_tagger *t, uint64_t stream) {
    return (heed_rng){ .seed = t->seed ^ 0x7461677365656421u,
                       .stream = stream + (heed_ctx_step(t->cx) << 24) };
}

typedef struct batch {
    heed_tensor *id, *field, *feature, *bag, *lengths;
    int64_t n, steps;
} batch;

static bool make_room(heed_tagger *t, batch *b, const heed_tag_rows *r, const int64_t *item) {
    int64_t features = 0;
    b->steps = 1;
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t begin = r->start[item[i]], end = r->start[item[i] + 1];
        if (end - begin > b->steps) b->steps = end - begin;
        features += r->bag[end] - r->bag[begin];
    }
    if (features > INT32_MAX || b->steps > INT32_MAX) {
        heed_fail(t->cx, HEED_EINVALID, "tagger: a batch of %lld features is too large",
                  (long long)features);
        return false;
    }
    const int64_t cells = b->n * b->steps, bags = cells + 1;
    b->id = heed_new(t->cx, HEED_I32, 2, (int64_t[]){ b->n, b->steps });
    b->field = heed_zeros(t->cx, HEED_I32, 3, (int64_t[]){ b->n, b->steps, HEED_TAG_FIELDS });
    b->bag = heed_new(t->cx, HEED_I32, 1, &bags);
    b->feature = heed_new(t->cx, HEED_I32, 1, &features);
    b->lengths = heed_new(t->cx, HEED_I32, 1, &b->n);
    return b->id && b->field && b->bag && b->feature && b->lengths;
}

/* True with probability p, where bits are 32 random ones. */
static bool happens(uint32_t bits, double p) {
    return (double)bits < p * 4294967296.0;
}

static bool make_batch(heed_tagger *t, batch *b, const heed_tag_rows *r, const int64_t *item,
                       const bool *rare) {
    if (!make_room(t, b, r, item)) return false;
    heed_rng rng = random_of(t, STREAM_UNKNOWN);
    const bool train = rare && heed_ctx_train(t->cx);
    int32_t *id = HEED_I32_DATA(b->id), *bag = HEED_I32_DATA(b->bag), at = 0;
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t begin = r->start[item[i]], n = r->start[item[i] + 1] - begin;
        const int64_t row = i * b->steps;
        HEED_I32_DATA(b->lengths)[i] = (int32_t)n;
        for (int64_t s = 0; s < b->steps; s++) {
            const int64_t w = begin + s;
            id[row + s] = s < n ? r->id[w] : HEED_VOCAB_PAD;
            bag[row + s] = at;
            if (s >= n) continue;
            if (train && rare[r->id[w]] && happens(heed_rng_u32(&rng), UNKNOWN_PART))
                id[row + s] = HEED_VOCAB_UNKNOWN;
            for (int64_t f = r->bag[w]; f < r->bag[w + 1]; f++)
                if (!train || !happens(heed_rng_u32(&rng), t->shape.feature_dropout))
                    HEED_I32_DATA(b->feature)[at++] = r->feature[f];
        }
        memcpy(HEED_I32_DATA(b->field) + row * HEED_TAG_FIELDS, r->field + begin * HEED_TAG_FIELDS,
               (size_t)(n * HEED_TAG_FIELDS) * sizeof *r->field);
    }
    bag[b->n * b->steps] = at;
    return (b->feature = heed_slice(t->cx, b->feature, 0, 0, at)) != NULL;
}

/* x [n,T,C] with channels of a whole sentence dropped together (Gal and Ghahramani 2016), and whole
 * words. x itself where nothing is dropped. */
static heed_tensor *drop(heed_tagger *t, heed_tensor *x, double p, double words, uint64_t stream) {
    if (!x || !heed_ctx_train(t->cx) || (p <= 0 && words <= 0)) return x;
    const int64_t n = x->shape[0], T = x->shape[1], C = x->shape[2];
    heed_tensor *mask = heed_new(t->cx, HEED_F32, 3, x->shape);
    if (!mask) return NULL;
    heed_rng rng = random_of(t, stream);
    const float scale = (float)(1 / (1 - p));
    for (int64_t i = 0; i < n; i++) {
        float *first = HEED_F32_DATA(mask) + i * T * C;
        for (int64_t c = 0; c < C; c++)
            first[c] = p > 0 && (double)heed_rng_uniform(&rng) < p ? 0 : scale;
        for (int64_t s = T - 1; s >= 0; s--) {
            float *row = first + s * C;
            if (words > 0 && (double)heed_rng_uniform(&rng) < words)
                memset(row, 0, (size_t)C * sizeof *row);
            else if (s > 0)
                memcpy(row, first, (size_t)C * sizeof *row);
        }
    }
    return heed_mul(t->cx, x, mask);
}

heed_tensor *heed__tagger_scores(heed_tagger *t, const heed_tag_rows *rows, const int64_t *item,
                                 int64_t n, const bool *rare, heed_tensor **lengths) {
    heed_ctx *cx = t->cx;
    const heed_tag_shape *s = &t->shape;
    batch b = { .n = n };
    if (!make_batch(t, &b, rows, item, rare)) return NULL;
    const int64_t T = b.steps;
    heed_tensor *word = heed_embed_apply(cx, &t->word, b.id);
    heed_tensor *bag = heed_embedding_bag(cx, t->bag.w, b.feature, b.bag, true);
    heed_tensor *field = heed_embed_apply(cx, &t->field, b.field);
    bag = heed_reshape(cx, bag, 3, (int64_t[]){ n, T, s->features });
    field = heed_reshape(cx, field, 3, (int64_t[]){ n, T, HEED_TAG_FIELDS * s->field });
    heed_tensor *x = heed_concat(cx, (heed_tensor *[]){ word, bag, field }, 3, 2);
    x = drop(t, x, s->dropout / 2, s->word_dropout, STREAM_MASK);
    if (s->encoder)
        x = heed_encoder_apply(cx, &t->enc, heed_linear_apply(cx, &t->in, x), b.lengths);
    else
        x = heed_rnn_apply(cx, &t->rnn, x, b.lengths, NULL);
    x = drop(t, x, s->dropout, 0, STREAM_STATES);
    *lengths = b.lengths;
    x = heed_linear_apply(cx, &t->out, x);
    return t->temperature == 1 ? x : heed_scale(cx, x, (float)(1 / t->temperature), 0);
}

/* -- what it is made of */

int64_t heed_tagger_types(const heed_tagger *t) {
    return t ? t->types.len : 0;
}

const char *heed_tagger_type(const heed_tagger *t, int64_t i) {
    return t && i >= 0 && i < t->types.len ? t->types.name[i] : NULL;
}

int64_t heed_tagger_parameters(const heed_tagger *t) {
    return t ? heed_params_len(t->ps) : 0;
}

double heed_tagger_temperature(const heed_tagger *t, double ece[2]) {
    if (ece) ece[0] = ece[1] = 0;
    if (!t) return 0;
    if (ece) memcpy(ece, t->ece, sizeof t->ece);
    return t->temperature;
}

const char *heed_tagger_scheme(const heed_tagger *t) {
    return t ? heed__scheme_name(t->scheme) : NULL;
}
