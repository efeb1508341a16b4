/* classifier_run.c: a classifier's answers, one or many, with what it attended to, and tests. */
#include "tasks/classifier.h"

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
    return heed_softmax(c->cx, heed_classic_apply(c->cx, &c->model, ids, lengths, tap));
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
    int rc = heed__encode(&e, c->vocab, len, text, c->max_len, &c->hooks, err);
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
static int64_t attended_words(const heed_classifier *c, const char *text, const heed_tensor *column,
                              heed_attended *words, int64_t cap, heed_seen *seen) {
    const size_t size = strlen(text);
    heed_word w;
    heed_seen s = { 0 };
    for (size_t at = 0; heed__word_next(text, size, &at, &w);) s.words++;
    s.seen = s.words < c->max_len ? s.words : c->max_len;
    const int64_t unseen = s.words - s.seen;
    int64_t i = 0;
    for (size_t at = 0; heed__word_next(text, size, &at, &w); i++) {
        const bool sees = i >= unseen;
        s.known += sees && heed__vocab_find(c->vocab, w.form, (size_t)w.len) != HEED_VOCAB_UNKNOWN;
        if (i < cap)
            words[i] = (heed_attended){ w.begin, w.end, sees ? part_of(column, i - unseen) : 0.0f };
    }
    if (seen) *seen = s;
    return i < cap ? i : cap;
}

int64_t heed_classify_explain(heed_classifier *c, const char *text, heed_label *top, int n,
                              heed_attended *words, int64_t cap, heed_seen *seen, heed_error *err) {
    heed_encoded e;
    const int rc = heed__encode(&e, c->vocab, 1, &text, c->max_len, &c->hooks, err);
    if (rc) return rc;
    const int64_t first = 0;
    heed_attention_tap tap = { .column_mass = true };
    const bool wanted = words || seen;
    heed_tensor *p = forward(c, &e, &first, 1, wanted ? &tap : NULL);
    heed__encoded_free(&e);
    if (!p) return context_error(c, err);
    best(c, HEED_F32_DATA(p), top, n);
    const int64_t found = wanted ? attended_words(c, text, tap.column, words, words ? cap : 0, seen)
                                 : 0;
    heed_ctx_reset(c->cx);
    return found;
}

int heed_classify(heed_classifier *c, const char *text, heed_label *top, int n, heed_error *err) {
    const int64_t rc = heed_classify_explain(c, text, top, n, NULL, 0, NULL, err);
    return rc < 0 ? (int)rc : n < c->labels ? n : (int)c->labels;
}

int heed_classifier_test(heed_classifier *c, const heed_examples *data, heed_metrics *m,
                         heed_error *err) {
    float *probs = heed__calloc(&c->hooks, (size_t)data->len, (size_t)c->labels * sizeof *probs);
    int32_t *right = heed__calloc(&c->hooks, (size_t)data->len, sizeof *right);
    int rc = probs && right ? 0 : heed__error(err, HEED_ENOMEM, "test: out of memory");
    for (int64_t i = 0; rc == 0 && i < data->len; i++)
        right[i] = heed__classifier_find(c, data->label[i]);
    if (rc == 0) rc = heed_classify_many(c, data->len, data->text, probs, err);
    if (rc == 0 && heed__metrics(m, probs, right, data->len, c->labels, &c->hooks))
        rc = heed__error(err, HEED_ENOMEM, "test: out of memory");
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, right);
    return rc;
}
