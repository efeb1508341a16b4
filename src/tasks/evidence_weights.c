/* evidence_weights.c: what a feature weighs before anything is learnt of it: the more, the more its
 * presence tells the labels apart.
 *
 *   r_fc = ln (n_fc / N_c + 1/N) / (n_f¬c / N_¬c + 1/N)      N texts, N_c of label c, n_fc with f
 *   w_f  = idf_f · (Σ_c N_c/N · r_fc²)^(1/4)
 *
 * r is the ratio of counts that naive Bayes adds up (Wang and Manning 2012, "Baselines and bigrams:
 * simple, good sentiment and topic classification", who weigh features by it under a linear
 * classifier, for two labels); here a feature has one weight for all labels, and the root between
 * it and idf alone, which was better than idf on parts held out of nine sets of eleven. Where texts
 * held out say that it is better, a feature is freer to count for the labels that it tells of:
 *
 *   s_fc = r_fc² / Σ_c N_c/N · r_fc² */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/evidence.h"

typedef struct counts {
    int64_t features, labels;
    int32_t *with; /* [features,labels] texts of a label that have a feature */
    int32_t *all;  /* [features] texts that have it */
    int64_t *last; /* [features] the last text that had it, from 1 */
    int32_t *size; /* [labels] texts */
    int64_t texts;
    double *none; /* [labels,FEW] r of a feature that so few texts have, none of them the label's */
} counts;

enum { FEW = 64 };

static int counts_make(counts *n, const heed_hooks *hooks) {
    size_t cells;
    if (__builtin_mul_overflow((size_t)n->features, (size_t)n->labels, &cells)) return HEED_ENOMEM;
    n->with = heed__calloc(hooks, cells, sizeof *n->with);
    n->all = heed__calloc(hooks, (size_t)n->features, sizeof *n->all);
    n->last = heed__calloc(hooks, (size_t)n->features, sizeof *n->last);
    n->size = heed__calloc(hooks, (size_t)n->labels, sizeof *n->size);
    n->none = heed__calloc(hooks, (size_t)n->labels, FEW * sizeof *n->none);
    return n->with && n->all && n->last && n->size && n->none ? 0 : HEED_ENOMEM;
}

static void counts_free(counts *n, const heed_hooks *hooks) {
    heed__free(hooks, n->with);
    heed__free(hooks, n->all);
    heed__free(hooks, n->last);
    heed__free(hooks, n->size);
    heed__free(hooks, n->none);
}

static void count_text(counts *n, const heed_rows *rows, const heed_body_goal *goal, int64_t i) {
    const int64_t begin = goal->label_start ? goal->label_start[i] : i;
    const int64_t end = goal->label_start ? goal->label_start[i + 1] : i + 1;
    const int64_t stop = rows->bag[rows->start[i + 1]];
    for (int64_t c = begin; c < end; c++) n->size[goal->label[c]]++;
    for (int64_t k = rows->bag[rows->start[i]]; k < stop; k++) {
        const int32_t f = rows->feature[k];
        if (n->last[f] == i + 1) continue;
        n->last[f] = i + 1;
        n->all[f]++;
        for (int64_t c = begin; c < end; c++) n->with[f * n->labels + goal->label[c]]++;
    }
}

static double ratio(const counts *n, int64_t f, int64_t c) {
    const double texts = (double)n->texts, all = n->all[f], in = n->size[c], out = texts - in;
    const double with = n->with[f * n->labels + c];
    return heed__ln((with / in + 1 / texts) / ((all - with) / out + 1 / texts));
}

/* Σ_c N_c/N · r_fc². Most features are rare, and most labels without them: those are looked up. */
static double telling(const counts *n, int64_t f) {
    const double texts = (double)n->texts;
    double sum = 0;
    for (int64_t c = 0; c < n->labels; c++) {
        if (n->size[c] == 0 || n->size[c] == n->texts) continue;
        double r = 0;
        if (n->with[f * n->labels + c] || n->all[f] >= FEW) {
            r = ratio(n, f, c);
        } else {
            double *known = n->none + c * FEW + n->all[f];
            if (*known == 0) *known = ratio(n, f, c);
            r = *known;
        }
        sum += n->size[c] / texts * r * r;
    }
    return sum;
}

int heed__evidence_weights(heed_feature_index *x, const heed_rows *rows,
                           const heed_body_goal *goal) {
    static const double LEAST = 1e-12; /* of what tells nothing */
    counts n = { .features = x->len, .labels = goal->classes, .texts = rows->len };
    const int rc = counts_make(&n, &x->hooks);
    for (int64_t i = 0; rc == 0 && i < rows->len; i++) count_text(&n, rows, goal, i);
    for (int64_t f = 0; rc == 0 && f < x->len; f++) {
        if (!n.all[f]) continue; /* of texts without labels: it stays as it is, and has no part */
        const double idf = heed__ln((double)n.texts / n.all[f]) + 1, t = telling(&n, f);
        x->idf[f] = (float)(idf * sqrt(sqrt(t > LEAST ? t : LEAST)));
    }
    counts_free(&n, &x->hooks);
    return rc;
}

/* s_fc of one feature. */
static void freedoms(const counts *n, int64_t f, float *s) {
    double sum = 0;
    for (int64_t c = 0; c < n->labels; c++) {
        const bool tells = n->size[c] && n->size[c] != n->texts;
        const double v = tells ? ratio(n, f, c) : 0;
        s[c] = (float)(v * v);
        sum += n->size[c] / (double)n->texts * v * v;
    }
    for (int64_t c = 0; c < n->labels; c++) s[c] = sum > 0 ? s[c] / (float)sum : 1;
}

float *heed__evidence_freedom(const heed_feature_index *x, const heed_rows *rows,
                              const heed_body_goal *goal) {
    counts n = { .features = x->len, .labels = goal->classes, .texts = rows->len };
    const int rc = counts_make(&n, &x->hooks);
    float *freedom = NULL;
    if (rc == 0) freedom = heed__calloc(&x->hooks, (size_t)(x->len * n.labels), sizeof *freedom);
    for (int64_t i = 0; freedom && i < rows->len; i++) count_text(&n, rows, goal, i);
    for (int64_t f = 0; freedom && f < x->len; f++)
        if (n.all[f]) freedoms(&n, f, freedom + f * n.labels);
    counts_free(&n, &x->hooks);
    return freedom;
}
