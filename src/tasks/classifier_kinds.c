/* classifier_kinds.c: tests of models of several labels and of scores, and labels that are paths.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/classifier.h"

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

typedef struct counting {
    heed_tally *tally;    /* [K] */
    bool *right;          /* [K] all false between two texts */
    const char **unknown; /* names of labels that the model does not have, as they come */
} counting;

/* Counts one text into tally and m. */
static void count(const heed_classifier *c, const heed_examples *data, int64_t i, const float *prob,
                  const counting *at_all, heed_labels_metrics *m) {
    const int64_t K = c->labels;
    heed_tally *tally = at_all->tally;
    bool *right = at_all->right;
    const int64_t begin = data->label_start ? data->label_start[i] : i;
    const int64_t end = data->label_start ? data->label_start[i + 1] : i + 1;
    bool exact = true;
    for (int64_t at = begin; at < end; at++) {
        const int32_t k = heed__classifier_find(c, data->label[at]);
        if (k >= 0) right[k] = true;
        if (k < 0) at_all->unknown[m->unknown_labels++] = data->label[at];
        exact = exact && k >= 0;
    }
    for (int64_t k = 0; k < K; k++) {
        const bool said = prob[k] >= 0.5f;
        const double q = (double)(right[k] ? prob[k] : 1 - prob[k]);
        m->loss -= heed__ln(fmax(q, 1e-30)) / (double)(data->len * K);
        tally[k].hit += said && right[k];
        tally[k].said += said;
        tally[k].real += right[k];
        exact = exact && said == right[k];
        right[k] = false;
    }
    m->exact += (double)exact / (double)data->len;
}

int heed_classifier_test_labels(heed_classifier *c, const heed_examples *data,
                                heed_labels_metrics *m, heed_error *err) {
    *m = (heed_labels_metrics){ .n = data->len };
    if (c->head.cfg.target != HEED_TARGET_LABELS) return refuse(c, HEED_TARGET_LABELS, err);
    const int64_t K = c->labels;
    float *probs = answers(c, data, err);
    if (!probs) return err ? err->code : HEED_ENOMEM;
    heed_tally *tally = heed__calloc(&c->hooks, (size_t)K, sizeof *tally), all = { 0 };
    bool *right = heed__calloc(&c->hooks, (size_t)K, sizeof *right);
    const int64_t all_labels = data->label_start ? data->label_start[data->len] : data->len;
    const char **unknown = heed__calloc(&c->hooks, (size_t)all_labels + 1, sizeof *unknown);
    const int rc = tally && right && unknown ? 0
                                             : heed__error(err, HEED_ENOMEM, "test: out of memory");
    for (int64_t i = 0; rc == 0 && i < data->len; i++)
        count(c, data, i, probs + i * K, &(counting){ tally, right, unknown }, m);
    int64_t present = rc ? 0 : heed__labels_distinct(unknown, m->unknown_labels);
    for (int64_t k = 0; rc == 0 && k < K; k++) {
        all.hit += tally[k].hit;
        all.said += tally[k].said;
        all.real += tally[k].real;
        if (tally[k].said + tally[k].real == 0) continue;
        present++;
        m->macro_f1 += ratio(2 * tally[k].hit, tally[k].said + tally[k].real);
    }
    m->precision = ratio(all.hit, all.said);
    m->recall = ratio(all.hit, all.real + m->unknown_labels);
    m->f1 = ratio(2 * all.hit, all.said + all.real + m->unknown_labels);
    m->macro_f1 = present ? m->macro_f1 / (double)present : 0;
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, tally);
    heed__free(&c->hooks, right);
    heed__free(&c->hooks, unknown);
    return rc;
}

/* -- a score ---------------------------------------------------------------------------------- */

int heed_classifier_test_score(heed_classifier *c, const heed_examples *data, heed_score_metrics *m,
                               heed_error *err) {
    *m = (heed_score_metrics){ .n = data->len };
    if (c->head.cfg.target != HEED_TARGET_SCORE) return refuse(c, HEED_TARGET_SCORE, err);
    float *said = answers(c, data, err);
    if (!said) return err ? err->code : HEED_ENOMEM;
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    const double n = (double)data->len;
    for (int64_t i = 0; i < data->len; i++) x += data->score[i] / n, y += (double)said[i] / n;
    for (int64_t i = 0; i < data->len; i++) {
        const double a = data->score[i] - x, b = (double)said[i] - y;
        const double d = data->score[i] - (double)said[i];
        xx += a * a / n, yy += b * b / n, xy += a * b / n;
        m->mse += d * d / n;
        m->mae += fabs(d) / n;
    }
    m->r2 = xx > 0 ? 1 - m->mse / xx : 0;
    m->pearson = xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
    heed__free(&c->hooks, said);
    return 0;
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
    for (int64_t i = 0; c->hierarchy && i < c->labels; i++) {
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
    *size = part(c->label[i], level);
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
