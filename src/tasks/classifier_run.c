/* classifier_run.c: a classifier's answers, one or many, with what it attended to, and tests. */
#include "tasks/classifier.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "tasks/metrics.h"
#include "text/words.h"

enum { BATCH = 64 };

static int context_error(heed_classifier *c, heed_error *err) {
    const heed_error *why = heed_ctx_error(c->cx);
    const int rc = heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                               why ? why->msg : "classifier: out of memory");
    heed_ctx_reset(c->cx);
    return rc;
}

/* Probabilities of rows order[0..n): a tensor of the step, or NULL. */
static heed_tensor *forward(heed_classifier *c, const heed_encoded *e, const int64_t *order,
                            int64_t n, heed_attention_tap *tap) {
    heed_tensor *ids, *lengths;
    heed__batch(c->cx, e, order, n, &ids, &lengths);
    heed_tensor *p = heed_softmax(c->cx, heed_classic_apply(c->cx, &c->model, ids, lengths, tap));
    for (int64_t i = 0; p && i < p->len; i++)
        if (!isfinite(HEED_F32_DATA(p)[i]))
            return heed_fail(c->cx, HEED_ENONFINITE,
                             "classifier: a probability is not a finite number, so the model's "
                             "weights are not or are far too large");
    return p;
}

static int many(heed_classifier *c, const heed_encoded *e, int64_t *order, float *probs,
                heed_error *err) {
    const int64_t K = c->labels;
    heed__length_order(e, order); /* like lengths together: little padding, the same bits */
    for (int64_t at = 0; at < e->len; at += BATCH) {
        const int64_t n = e->len - at < BATCH ? e->len - at : BATCH;
        heed_tensor *p = forward(c, e, order + at, n, NULL);
        if (!p) return context_error(c, err);
        for (int64_t i = 0; i < n; i++)
            memcpy(probs + order[at + i] * K, HEED_F32_DATA(p) + i * K, (size_t)K * sizeof *probs);
        heed_ctx_reset(c->cx);
        if (c->hooks.cancel && c->hooks.cancel(c->hooks.user))
            return heed__error(err, HEED_ECANCELLED, "stopped after %lld of %lld texts",
                               (long long)(at + n), (long long)e->len);
    }
    return 0;
}

int heed_classify_many(heed_classifier *c, int64_t len, const char *const *text, float *probs,
                       heed_error *err) {
    heed_encoded e;
    const heed_examples texts = { .len = len, .text = text };
    int rc = heed__encode(&e, c->vocab, &texts, c->max_len, &c->hooks, err);
    if (rc) return rc;
    int64_t *order = heed__calloc(&c->hooks, (size_t)len, sizeof *order);
    rc = order ? many(c, &e, order, probs, err)
               : heed__error(err, HEED_ENOMEM, "texts: out of memory");
    heed__free(&c->hooks, order);
    heed__encoded_free(&e);
    return rc;
}

/* The n largest of p [K], largest first, ties by the order of labels. */
static int best(const heed_classifier *c, const float *p, heed_label *top, int n) {
    if (n < 0) n = 0;
    if (n > c->labels) n = (int)c->labels;
    for (int i = 0; i < n; i++) top[i] = (heed_label){ .name = NULL, .score = -1 };
    for (int64_t k = 0; k < c->labels; k++) {
        int at = n;
        while (at > 0 && p[k] > top[at - 1].score) at--;
        if (at == n) continue;
        memmove(top + at + 1, top + at, (size_t)(n - 1 - at) * sizeof *top);
        top[at] = (heed_label){ c->label[k], p[k] };
    }
    return n;
}

/* The part of all attention that position t of a single text gets: heads and queries averaged. */
static float part_of(const heed_tensor *column, int64_t t) {
    const int64_t H = column->shape[1], T = column->shape[2];
    float sum = 0;
    for (int64_t h = 0; h < H; h++) sum += HEED_F32_DATA(column)[h * T + t];
    return sum / (float)(H * T);
}

/* Words of the text with their parts of attention; those before the last max_len get none. */
static void attended_words(const heed_classifier *c, const char *text, const heed_tensor *column,
                           heed_explanation *x) {
    const size_t size = strlen(text);
    heed_word w;
    for (size_t at = 0; heed__word_next(text, size, &at, &w);) x->total++;
    x->seen = x->total < c->max_len ? x->total : c->max_len;
    const int64_t unseen = x->total - x->seen;
    const int64_t first = x->total > x->word_cap ? x->total - x->word_cap : 0;
    int64_t i = 0;
    for (size_t at = 0; heed__word_next(text, size, &at, &w); i++) {
        const bool sees = i >= unseen;
        x->known += sees && heed__vocab_find(c->vocab, w.form, (size_t)w.len) != HEED_VOCAB_UNKNOWN;
        if (i >= first)
            x->word[i - first] = (heed_attended){ w.begin, w.end,
                                                  sees ? part_of(column, i - unseen) : 0.0f };
    }
    x->word_len = i - first;
}

/* The text's probabilities as a tensor of the step, or NULL with *err filled. */
static heed_tensor *answer(heed_classifier *c, const char *text, heed_attention_tap *tap,
                           heed_error *err) {
    heed_encoded e;
    const int64_t first = 0;
    const heed_examples one = { .len = 1, .text = &text };
    if (heed__encode(&e, c->vocab, &one, c->max_len, &c->hooks, err)) return NULL;
    heed_tensor *p = forward(c, &e, &first, 1, tap);
    heed__encoded_free(&e);
    if (!p) context_error(c, err);
    return p;
}

int heed_classify_explain(heed_classifier *c, const char *text, heed_explanation *x,
                          heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_attention_tap tap = { .column_mass = true };
    x->total = x->seen = x->known = x->word_len = 0;
    heed_tensor *p = answer(c, text, &tap, err);
    if (!p) return err->code;
    x->top_len = best(c, HEED_F32_DATA(p), x->top, x->top_cap);
    attended_words(c, text, tap.column, x);
    heed_ctx_reset(c->cx);
    return 0;
}

int heed_classify(heed_classifier *c, const char *text, heed_label *top, int n, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_tensor *p = answer(c, text, NULL, err);
    if (!p) return err->code;
    n = best(c, HEED_F32_DATA(p), top, n);
    heed_ctx_reset(c->cx);
    return n;
}
