/* classifier_kinds.c: tests of models of several labels and of scores, and labels that are paths.
 */
#include <string.h>

#include "base/alloc.h"
#include "tasks/classifier_data.h"
#include "tasks/metrics_kinds.h"

static int refuse(const heed_classifier *c, heed_target want, heed_error *err) {
    static const char *const gives[] = { "one label", "several labels", "a score" };
    return heed__error(err, HEED_EINVALID, "test: this model gives %s, not %s",
                       gives[c->head.cfg.target], gives[want]);
}

/* The answers to all of data, [len,K]; NULL and *err on failure. */
static float *answers(heed_classifier *c, const heed_examples *data, heed_error *err) {
    const size_t K = (size_t)heed__classifier_width(c);
    float *out = heed__calloc(&c->hooks, (size_t)data->len, K * sizeof *out);
    if (!out) {
        heed__error(err, HEED_ENOMEM, "test: out of memory");
        return NULL;
    }
    if (heed_classify_examples(c, data, out, err) == 0) return out;
    heed__free(&c->hooks, out);
    return NULL;
}

/* -- several labels --------------------------------------------------------------------------- */

static double ratio(int64_t a, int64_t b) {
    return b ? (double)a / (double)b : 0;
}

/* Numbers of all labels of data, -1 for those that the model does not have, of which *unknown are
 * different. NULL: out of memory. */
static int32_t *numbers(const heed_classifier *c, const heed_examples *data, int64_t *unknown) {
    const int64_t all = data->label_start ? data->label_start[data->len] : data->len;
    int32_t *number = heed__calloc(&c->hooks, (size_t)all + 1, sizeof *number);
    const char **name = heed__calloc(&c->hooks, (size_t)all + 1, sizeof *name);
    int64_t n = 0;
    for (int64_t i = 0; number && name && i < all; i++) {
        number[i] = heed__classifier_find(c, data->label[i]);
        if (number[i] < 0) name[n++] = data->label[i];
    }
    if (name) *unknown = heed__labels_distinct(name, n);
    if (!name) heed__free(&c->hooks, number);
    const bool room = name != NULL;
    heed__free(&c->hooks, name);
    return room ? number : NULL;
}

int heed_classifier_test_labels(heed_classifier *c, const heed_examples *data,
                                heed_labels_metrics *m, heed_error *err) {
    return heed__classifier_test_labels(c, data, m, NULL, err);
}

int heed__classifier_test_labels(heed_classifier *c, const heed_examples *data,
                                 heed_labels_metrics *m, heed_tally *tally, heed_error *err) {
    if (heed__lacks(c, "test", "classifier", err) || heed__lacks_examples(data, err) ||
        heed__lacks(m, "test", "room for measures", err))
        return HEED_EINVALID;
    if (heed__label_start_check(data, "test", err)) return HEED_EINVALID;
    if (heed__lacks_any(data->label, data->label_start ? data->label_start[data->len] : data->len,
                        "test", "label", err))
        return HEED_EINVALID;
    *m = (heed_labels_metrics){ .n = data->len };
    if (c->head.cfg.target != HEED_TARGET_LABELS) return refuse(c, HEED_TARGET_LABELS, err);
    float *probs = answers(c, data, err);
    if (!probs) return err ? err->code : HEED_ENOMEM;
    heed_label_rows right = { .start = data->label_start, .tally = tally };
    int32_t *number = numbers(c, data, &right.unknown);
    right.label = number;
    int rc = number ? heed__labels_metrics(m, probs, &right, data->len, c->labels, &c->hooks)
                    : HEED_ENOMEM;
    if (rc) rc = heed__error(err, rc, "test: out of memory");
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, number);
    return rc;
}

/* -- a score ---------------------------------------------------------------------------------- */

int heed_classifier_test_score(heed_classifier *c, const heed_examples *data, heed_score_metrics *m,
                               heed_error *err) {
    if (heed__lacks(c, "test", "classifier", err) || heed__lacks_examples(data, err) ||
        heed__lacks(m, "test", "room for measures", err))
        return HEED_EINVALID;
    if (heed__score_check(data, "test", err)) return HEED_EINVALID;
    *m = (heed_score_metrics){ .n = data->len };
    if (c->head.cfg.target != HEED_TARGET_SCORE) return refuse(c, HEED_TARGET_SCORE, err);
    float *said = answers(c, data, err);
    if (!said) return err ? err->code : HEED_ENOMEM;
    int rc = heed__score_metrics(m, data->score, said, data->len, &c->hooks);
    if (rc) rc = heed__error(err, rc, "test: out of memory");
    heed__free(&c->hooks, said);
    return rc;
}

/* -- labels that are paths -------------------------------------------------------------------- */

/* Bytes of a label's part down to a level: all of it where it has no more slashes. */
static size_t part(const char *label, int level) {
    const char *at = strchr(label, '/');
    for (; at && level > 0; level--) at = strchr(at + 1, '/');
    return at ? (size_t)(at - label) : strlen(label);
}

int heed_classifier_levels(const heed_classifier *c) {
    int most = 0;
    for (int64_t i = 0; c && c->hierarchy && i < c->labels; i++) {
        int n = 0;
        for (const char *at = strchr(c->label[i], '/'); at; at = strchr(at + 1, '/')) n++;
        if (n > most) most = n;
    }
    return most;
}

static bool same_part(const heed_classifier *c, int64_t i, int64_t j, int level) {
    const size_t n = part(c->label[i], level);
    return part(c->label[j], level) == n && memcmp(c->label[i], c->label[j], n) == 0;
}

float heed_classifier_parent(const heed_classifier *c, const float *probs, int64_t i, int level,
                             size_t *size) {
    float sum = 0;
    if (size) *size = 0;
    if (!c || !probs || i < 0 || i >= c->labels) return 0;
    if (size) *size = part(c->label[i], level);
    for (int64_t j = 0; j < c->labels; j++)
        if (same_part(c, i, j, level)) sum += probs[j];
    return sum < 1 ? sum : 1;
}

/* The first label of each label's parent at a level. */
static void parents(const heed_classifier *c, int level, int32_t *first) {
    for (int64_t i = 0; i < c->labels; i++) {
        int64_t j = 0;
        while (!same_part(c, i, j, level)) j++;
        first[i] = (int32_t)j;
    }
}

/* The likeliest parent, as the first label of its. sum [K] is room. */
static int64_t likeliest(const float *probs, const int32_t *first, double *sum, int64_t K) {
    int64_t best = first[0];
    for (int64_t k = 0; k < K; k++) sum[k] = 0;
    for (int64_t k = 0; k < K; k++) sum[first[k]] += (double)probs[k];
    for (int64_t k = 0; k < K; k++)
        if (sum[k] > sum[best]) best = k;
    return best;
}

int heed_classifier_test_levels(heed_classifier *c, const heed_examples *data, double *accuracy,
                                int most, heed_error *err) {
    if (heed__lacks(c, "test", "classifier", err) || heed__lacks_examples(data, err) ||
        heed__lacks_room(accuracy, most, "test", "measures", err))
        return HEED_EINVALID;
    if (heed__label_one_check(data, "test", err) ||
        heed__lacks_any(data->label, data->len, "test", "label", err))
        return HEED_EINVALID;
    const int levels = heed_classifier_levels(c);
    const int64_t K = c->labels;
    if (c->head.cfg.target != HEED_TARGET_LABEL) return refuse(c, HEED_TARGET_LABEL, err);
    float *probs = answers(c, data, err);
    if (!probs) return err ? err->code : HEED_ENOMEM;
    int32_t *first = heed__calloc(&c->hooks, (size_t)K, sizeof *first);
    double *sum = heed__calloc(&c->hooks, (size_t)K, sizeof *sum);
    const int rc = first && sum ? 0 : heed__error(err, HEED_ENOMEM, "test: out of memory");
    for (int level = 0; rc == 0 && level < levels && level < most; level++) {
        int64_t right = 0;
        parents(c, level, first);
        for (int64_t i = 0; i < data->len; i++) {
            const int32_t k = heed__classifier_find(c, data->label[i]);
            right += k >= 0 && likeliest(probs + i * K, first, sum, K) == first[k];
        }
        accuracy[level] = ratio(right, data->len);
    }
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, first);
    heed__free(&c->hooks, sum);
    return rc;
}
