/* teacher.c: from texts to vectors of words, vectors of texts, and guesses. */
#include "tasks/teacher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/word_ids.h"
#include "train/margin.h"

enum { DIM = 100, FOLDS = 5, MANY = 2000 };
static const double HARD = 3; /* c of the margin */

typedef struct teacher {
    heed_ctx *cx;
    const heed_lesson *of;
    const char **text; /* [all] the labelled ones first */
    int64_t all;
    heed_feature_index index;
    heed_word_ids words;
    float *vector; /* [words,DIM] */
    float *mean;   /* [all,DIM] of texts, of length 1 */
    int32_t *said; /* [all] labels */
    float *gap;    /* [all] how far the label is before the next */
} teacher;

/* -- texts ------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void make_unit(float *x) {
    double sum = 0;
    for (int k = 0; k < DIM; k++) sum += (double)x[k] * (double)x[k];
    const float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (int k = 0; k < DIM; k++) x[k] *= scale;
}

/* Σ (1 + ln count) idf v over the different words of a text; its numbers become sorted. */
static void add_words(const teacher *t, int64_t i, float *to) {
    int32_t *id = t->words.id + t->words.start[i];
    const int64_t n = t->words.start[i + 1] - t->words.start[i];
    qsort(id, (size_t)n, sizeof *id, by_number);
    for (int64_t u = 0, end; u < n; u = end) {
        for (end = u + 1; end < n && id[end] == id[u];) end++;
        if (id[u] < 0) continue;
        const float weight = t->index.idf[id[u]] * (float)(1 + heed__ln((double)(end - u)));
        for (int k = 0; k < DIM; k++) to[k] += weight * t->vector[(int64_t)id[u] * DIM + k];
    }
}

/* Vectors of all texts, their common part taken away. */
static void make_means(teacher *t) {
    double middle[DIM] = { 0 };
    for (int64_t i = 0; i < t->all; i++) {
        float *x = t->mean + i * DIM;
        add_words(t, i, x);
        make_unit(x);
        for (int k = 0; k < DIM; k++) middle[k] += (double)x[k];
    }
    for (int64_t i = 0; i < t->all; i++) {
        float *x = t->mean + i * DIM;
        for (int k = 0; k < DIM; k++) x[k] -= (float)(middle[k] / (double)t->all);
        make_unit(x);
    }
}

/* -- labels ----------------------------------------------------------------------------------- */

/* Labelled texts whose number modulo FOLDS is not fold (fold -1: all) as a margin wants them. */
static int learn(teacher *t, int fold, heed_margin *m) {
    const heed_hooks *hooks = t->of->hooks;
    const size_t n = (size_t)t->of->len;
    heed_sparse_rows x = { .start = heed__calloc(hooks, n + 1, sizeof *x.start),
                           .id = heed__calloc(hooks, n * DIM, sizeof *x.id),
                           .value = heed__calloc(hooks, n * DIM, sizeof *x.value) };
    int32_t *label = heed__calloc(hooks, n, sizeof *label);
    *m = (heed_margin){ .rows = DIM, .cols = t->of->classes == 2 ? 1 : t->of->classes };
    if (hooks) m->hooks = *hooks;
    int rc = x.start && x.id && x.value && label ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < t->of->len; i++) {
        if (fold >= 0 && i % FOLDS == fold) continue;
        for (int k = 0; k < DIM; k++) {
            x.id[x.len * DIM + k] = k;
            x.value[x.len * DIM + k] = t->mean[i * DIM + k];
        }
        label[x.len++] = t->of->label[i];
        x.start[x.len] = x.len * DIM;
    }
    const heed_margin_cfg cfg = { .c = HARD, .passes = 200, .gap = 0.01, .seed = t->of->seed };
    if (rc == 0) rc = heed__margin_fit(t->cx, m, &x, label, NULL, &cfg);
    heed__free(hooks, x.start);
    heed__free(hooks, x.id);
    heed__free(hooks, x.value);
    heed__free(hooks, label);
    if (rc) heed__margin_free(m);
    return rc;
}

/* Label and gap of text i; out [cols]. */
static void judge(teacher *t, const heed_margin *m, int64_t i, float *out) {
    static const int32_t id[DIM] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                     15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                     30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
                                     45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
                                     60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74,
                                     75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
                                     90, 91, 92, 93, 94, 95, 96, 97, 98, 99 };
    heed__margin_apply(t->cx, m, &(heed_margin_row){ id, t->mean + i * DIM, DIM }, out);
    if (m->cols == 1) {
        t->said[i] = out[0] > 0;
        t->gap[i] = fabsf(out[0]);
        return;
    }
    int64_t best = 0;
    float next = -INFINITY;
    for (int64_t k = 1; k < m->cols; k++) {
        if (out[k] > out[best]) {
            next = out[best];
            best = k;
        } else if (out[k] > next) {
            next = out[k];
        }
    }
    t->said[i] = (int32_t)best;
    t->gap[i] = (out[best] - next) / 2;
}

/* Every labelled text by what the other folds taught. */
static int judge_folds(teacher *t, float *out) {
    for (int fold = 0; fold < FOLDS; fold++) {
        heed_margin m;
        const int rc = learn(t, fold, &m);
        if (rc) return rc;
        for (int64_t i = fold; i < t->of->len; i += FOLDS) judge(t, &m, i, out);
        heed__margin_free(&m);
    }
    return 0;
}

static double right_chance(double slope, double gap, int64_t classes) {
    return 1 / (1 + (double)(classes - 1) * heed__exp(-slope * gap));
}

/* The slope by which gaps are chances, of the judged labelled texts (Platt 1999); their accuracy.
 */
static double calibrate(const teacher *t, double *accuracy) {
    const int64_t n = t->of->len;
    double best = 1, least = (double)INFINITY, right = 0;
    for (int64_t i = 0; i < n; i++) right += t->said[i] == t->of->label[i];
    if (accuracy) *accuracy = right / (double)n;
    for (double slope = 0.1; slope < 30; slope *= 1.1) {
        double loss = 0;
        for (int64_t i = 0; i < n; i++) {
            const double p = right_chance(slope, (double)t->gap[i], t->of->classes);
            const double q = t->said[i] == t->of->label[i] ? p : 1 - p;
            loss -= heed__ln(q > 1e-12 ? q : 1e-12);
        }
        if (loss >= least) continue;
        least = loss;
        best = slope;
    }
    return best;
}

static int guess_all(teacher *t, heed_guess *guess, double *accuracy) {
    heed_margin m;
    float *out = heed__calloc(t->of->hooks, (size_t)t->of->classes, sizeof *out);
    int rc = out ? judge_folds(t, out) : HEED_ENOMEM;
    const double slope = rc ? 1 : calibrate(t, accuracy);
    if (rc == 0) rc = learn(t, -1, &m);
    for (int64_t i = t->of->len; rc == 0 && i < t->all; i++) {
        judge(t, &m, i, out);
        guess[i - t->of->len] = (heed_guess){ i - t->of->len, t->said[i],
                                              (float)right_chance(slope, (double)t->gap[i],
                                                                  t->of->classes) };
    }
    if (rc == 0) heed__margin_free(&m);
    heed__free(t->of->hooks, out);
    return rc;
}

int heed__teacher_guess(heed_ctx *cx, const heed_lesson *lesson, heed_guess *guess,
                        double *accuracy, heed_error *err) {
    const heed_hooks *hooks = lesson->hooks;
    teacher t = { .cx = cx, .of = lesson, .all = lesson->len + lesson->pool->len };
    const size_t all = (size_t)t.all;
    t.text = heed__calloc(hooks, all, sizeof *t.text);
    int rc = t.text ? 0 : HEED_ENOMEM;
    if (rc == 0) {
        memcpy(t.text, lesson->text, (size_t)lesson->len * sizeof *t.text);
        memcpy(t.text + lesson->len, lesson->pool->text,
               (size_t)lesson->pool->len * sizeof *t.text);
        rc = heed__word_ids(&t.words, &t.index, &(heed_texts){ .len = t.all, .text = t.text },
                            t.all > MANY ? 5 : 2, NULL, hooks);
    }
    if (rc == 0) {
        t.vector = heed__calloc(hooks, (size_t)t.words.words + 1, DIM * sizeof *t.vector);
        t.mean = heed__calloc(hooks, all, DIM * sizeof *t.mean);
        t.said = heed__calloc(hooks, all, sizeof *t.said);
        t.gap = heed__calloc(hooks, all, sizeof *t.gap);
        if (!t.vector || !t.mean || !t.said || !t.gap) rc = HEED_ENOMEM;
    }
    const heed_cbow_cfg cbow = { .dim = DIM, .seed = lesson->seed, .hooks = hooks };
    if (rc == 0) rc = heed__cbow_learn(cx, &t.words, &cbow, t.vector);
    if (rc == 0) make_means(&t);
    if (rc == 0) rc = guess_all(&t, guess, accuracy);
    heed__free(hooks, t.text);
    heed__free(hooks, t.words.start);
    heed__free(hooks, t.words.id);
    heed__free(hooks, t.vector);
    heed__free(hooks, t.mean);
    heed__free(hooks, t.said);
    heed__free(hooks, t.gap);
    heed__index_free(&t.index);
    return rc ? heed__cbow_error(rc, err) : 0;
}
