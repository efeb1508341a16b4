/* classifier_test.c: a classifier on labelled texts. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tasks/classifier_data.h"

enum { AT_ONCE = 4096 }; /* texts whose probabilities are held together */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int64_t heed__labels_distinct(const char **text, int64_t n) {
    int64_t kept = 0;
    if (n) qsort(text, (size_t)n, sizeof *text, by_text);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || strcmp(text[i], text[kept - 1]) != 0) text[kept++] = text[i];
    return kept;
}

bool heed__lacks_examples(const heed_examples *x, heed_error *err) {
    if (heed__lacks(x, "test", "list of examples", err)) return true;
    if (x->len < 1) heed__error(err, HEED_EINVALID, "test: there are no texts");
    return x->len < 1;
}

/* Labels that the model does not have get numbers of their own: -1, -2 .. by their names. */
static int number_unknown(const heed_classifier *c, const heed_examples *data,
                          heed_outcome *outcome, heed_error *err) {
    int64_t n = 0;
    for (int64_t i = 0; i < data->len; i++) n += outcome[i].right < 0;
    const char **name = n ? heed__calloc(&c->hooks, (size_t)n, sizeof *name) : NULL;
    if (!n) return 0;
    if (!name) return heed__error(err, HEED_ENOMEM, "test: out of memory");
    n = 0;
    for (int64_t i = 0; i < data->len; i++)
        if (outcome[i].right < 0) name[n++] = data->label[i];
    n = heed__labels_distinct(name, n);
    for (int64_t i = 0; i < data->len; i++)
        if (outcome[i].right < 0) {
            const char **at = bsearch(&data->label[i], name, (size_t)n, sizeof *name, by_text);
            outcome[i].right = (int32_t)(name - at) - 1;
        }
    heed__free(&c->hooks, name);
    return 0;
}

int heed__classifier_judge(heed_classifier *c, const heed_examples *data, heed_outcome *outcome,
                           float *score, heed_error *err) {
    const int64_t most = data->len < AT_ONCE ? data->len : AT_ONCE, classes = c->labels;
    if (c->head.cfg.target != HEED_TARGET_LABEL)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "test: only for models that give one label a text");
    float *probs = heed__calloc(&c->hooks, (size_t)most, (size_t)classes * sizeof *probs);
    int32_t *right = heed__calloc(&c->hooks, (size_t)most, sizeof *right);
    int rc = probs && right ? 0 : heed__error(err, HEED_ENOMEM, "test: out of memory");
    for (int64_t at = 0; rc == 0 && at < data->len; at += most) {
        const int64_t n = data->len - at < most ? data->len - at : most;
        for (int64_t i = 0; i < n; i++) right[i] = heed__classifier_find(c, data->label[at + i]);
        heed_array array;
        const heed_examples some = heed__examples_part(data, at, n, &array);
        rc = heed_classify_examples(c, &some, probs, err);
        if (rc == 0) heed__outcomes(outcome + at, probs, right, n, classes);
        for (int64_t i = 0; rc == 0 && score && i < n; i++) score[at + i] = probs[i * classes + 1];
    }
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, right);
    return rc ? rc : number_unknown(c, data, outcome, err);
}

int heed_classifier_test(heed_classifier *c, const heed_examples *data, heed_metrics *m,
                         heed_error *err) {
    if (heed__lacks(c, "test", "classifier", err) || heed__lacks_examples(data, err) ||
        heed__lacks(m, "test", "room for measures", err))
        return HEED_EINVALID;
    if (heed__label_one_check(data, "test", err) ||
        heed__lacks_any(data->label, data->len, "test", "label", err))
        return HEED_EINVALID;
    const bool two = c->labels == 2;
    heed_outcome *outcome = heed__calloc(&c->hooks, (size_t)data->len, sizeof *outcome);
    float *score = two ? heed__calloc(&c->hooks, (size_t)data->len, sizeof *score) : NULL;
    int rc = outcome && (score || !two) ? heed__classifier_judge(c, data, outcome, score, err)
                                        : heed__error(err, HEED_ENOMEM, "test: out of memory");
    if (rc == 0 && heed__metrics(m, outcome, score, data->len, c->labels, &c->hooks))
        rc = heed__error(err, HEED_ENOMEM, "test: out of memory");
    heed__free(&c->hooks, outcome);
    heed__free(&c->hooks, score);
    return rc;
}
