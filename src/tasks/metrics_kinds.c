/* metrics_kinds.c: measures of several labels a text, and of scores, with bootstrapped intervals.
 */
#include "tasks/metrics_kinds.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/bootstrap.h"
#include "tasks/metrics_impl.h"

enum { BINS = HEED_ECE_BINS };

/* -- several labels --------------------------------------------------------------------------- */

enum { LOSS, EXACT, PRECISION, RECALL, F1, MACRO_F1, ECE, LABEL_MEASURES };

/* A label that is said of a text, or right for it, or both. */
typedef struct mark {
    int32_t label;
    bool said, real;
} mark;

/* What one text adds to the measures. */
typedef struct share {
    double loss, gap[BINS]; /* of all labels; of each bin: probabilities less what is right */
    int64_t marks, missed;  /* of its marks the end; right labels that the model does not have */
    bool exact;
} share;

typedef struct survey {
    share *text;               /* [n] */
    mark *mark;                /* [text[n-1].marks] */
    heed_tally *tally, *whole; /* [classes] of the texts drawn, of all */
    int64_t n, classes, unknown;
} survey;

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static void tally(const survey *s, const int32_t *times) {
    memset(s->tally, 0, (size_t)s->classes * sizeof *s->tally);
    for (int64_t i = 0, at = 0; i < s->n; i++) {
        const int32_t weight = times ? times[i] : 1;
        for (; at < s->text[i].marks; at++) {
            const mark *k = &s->mark[at];
            s->tally[k->label].hit += k->said && k->real ? weight : 0;
            s->tally[k->label].said += k->said ? weight : 0;
            s->tally[k->label].real += k->real ? weight : 0;
        }
    }
}

static void measure_labels(const void *answers, const int32_t *times, double *out) {
    const survey *s = answers;
    double n = 0, loss = 0, exact = 0, missed = 0, hit = 0, said = 0, real = 0, gap[BINS] = { 0 };
    tally(s, times);
    for (int64_t i = 0; i < s->n; i++) {
        const share *t = &s->text[i];
        const double weight = times ? times[i] : 1;
        n += weight;
        loss += weight * t->loss;
        exact += t->exact ? weight : 0;
        missed += weight * (double)t->missed;
        for (int b = 0; b < BINS && weight > 0; b++) gap[b] += weight * t->gap[b];
    }
    for (int64_t k = 0; k < s->classes; k++) {
        hit += (double)s->tally[k].hit;
        said += (double)s->tally[k].said;
        real += (double)s->tally[k].real;
    }
    out[LOSS] = ratio(loss, n * (double)s->classes);
    out[EXACT] = ratio(exact, n);
    out[PRECISION] = ratio(hit, said);
    out[RECALL] = ratio(hit, real + missed);
    out[F1] = ratio(2 * hit, said + real + missed);
    out[MACRO_F1] = heed__macro_f1(s->tally, times ? s->whole : NULL, s->classes, s->unknown);
    out[ECE] = 0;
    for (int b = 0; b < BINS; b++) out[ECE] += ratio(fabs(gap[b]), n * (double)s->classes);
}

/* What text i adds, and its marks from s->mark[at] on; returns where they end. real [classes]: all
 * false before and after. */
static int64_t look(const survey *s, int64_t i, const float *prob, const heed_label_rows *right,
                    bool *real, int64_t at) {
    const int64_t begin = right->start ? right->start[i] : i;
    const int64_t end = right->start ? right->start[i + 1] : i + 1;
    share *t = &s->text[i];
    for (int64_t k = begin; k < end; k++)
        if (right->label[k] >= 0)
            real[right->label[k]] = true;
        else
            t->missed++;
    t->exact = t->missed == 0;
    for (int64_t k = 0; k < s->classes; k++) {
        const float p = prob[k];
        const bool said = p >= 0.5f;
        t->loss -= heed__ln(fmax((double)(real[k] ? p : 1 - p), 1e-30));
        t->gap[p >= 1 ? BINS - 1 : p <= 0 ? 0 : (int)(p * BINS)] += (double)p - real[k];
        t->exact = t->exact && said == real[k];
        if (said || real[k]) s->mark[at++] = (mark){ (int32_t)k, said, real[k] };
        real[k] = false;
    }
    return t->marks = at;
}

static void put_labels(heed_labels_metrics *m, const double *v, const heed_interval *i) {
    m->loss = v[LOSS], m->loss_95 = i[LOSS];
    m->exact = v[EXACT], m->exact_95 = i[EXACT];
    m->precision = v[PRECISION], m->precision_95 = i[PRECISION];
    m->recall = v[RECALL], m->recall_95 = i[RECALL];
    m->f1 = v[F1], m->f1_95 = i[F1];
    m->macro_f1 = v[MACRO_F1], m->macro_f1_95 = i[MACRO_F1];
    m->ece = v[ECE], m->ece_95 = i[ECE];
    if (m->exact <= 0 || m->exact >= 1) m->exact_95 = heed__wilson(m->exact > 0 ? m->n : 0, m->n);
}

int heed__labels_metrics(heed_labels_metrics *m, const float *probs, const heed_label_rows *right,
                         int64_t n, int64_t classes, const heed_hooks *hooks) {
    static const heed_measures all = { measure_labels, LABEL_MEASURES, ECE };
    survey s = { .n = n, .classes = classes, .unknown = right->unknown };
    int64_t marks = right->start ? right->start[n] : n, at = 0;
    *m = (heed_labels_metrics){ .n = n };
    for (int64_t i = 0; i < marks; i++) m->unknown_labels += right->label[i] < 0;
    for (int64_t i = 0; i < n * classes; i++) marks += probs[i] >= 0.5f;
    bool *real = heed__calloc(hooks, (size_t)classes, sizeof *real);
    s.text = heed__calloc(hooks, (size_t)n, sizeof *s.text);
    s.mark = heed__calloc(hooks, (size_t)marks + 1, sizeof *s.mark);
    s.tally = heed__calloc(hooks, (size_t)classes, sizeof *s.tally);
    s.whole = heed__calloc(hooks, (size_t)classes, sizeof *s.whole);
    int rc = real && s.text && s.mark && s.tally && s.whole ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < n; i++)
        at = look(&s, i, probs + i * classes, right, real, at);
    if (rc == 0) {
        double v[LABEL_MEASURES];
        heed_interval i95[LABEL_MEASURES];
        measure_labels(&s, NULL, v);
        memcpy(s.whole, s.tally, (size_t)classes * sizeof *s.whole);
        if (right->tally) memcpy(right->tally, s.whole, (size_t)classes * sizeof *s.whole);
        rc = heed__bootstrap(&all, &s, n, v, i95, hooks);
        if (rc == 0) put_labels(m, v, i95);
    }
    heed__free(hooks, real);
    heed__free(hooks, s.text);
    heed__free(hooks, s.mark);
    heed__free(hooks, s.tally);
    heed__free(hooks, s.whole);
    return rc;
}

/* -- a score ---------------------------------------------------------------------------------- */

enum { MSE, MAE, R2, PEARSON, SCORE_MEASURES };

typedef struct scores {
    const double *right;
    const float *said;
    int64_t n;
} scores;

bool heed__scores_differ(double spread, double mean) {
    return spread > 1e-30 && spread > 1e-12 * fabs(mean);
}

static void measure_scores(const void *answers, const int32_t *times, double *out) {
    const scores *s = answers;
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    out[MSE] = out[MAE] = 0;
    for (int64_t i = 0; i < s->n; i++) n += times ? times[i] : 1;
    for (int64_t i = 0; i < s->n; i++) {
        const double part = (times ? times[i] : 1) / n;
        x += part * s->right[i], y += part * (double)s->said[i];
    }
    for (int64_t i = 0; i < s->n; i++) {
        const double part = (times ? times[i] : 1) / n;
        const double a = s->right[i] - x, b = (double)s->said[i] - y;
        const double d = s->right[i] - (double)s->said[i];
        xx += part * a * a, yy += part * b * b, xy += part * a * b;
        out[MSE] += part * d * d;
        out[MAE] += part * fabs(d);
    }
    const bool differ = heed__scores_differ(sqrt(xx), x);
    out[R2] = differ ? 1 - out[MSE] / xx : 0;
    out[PEARSON] = differ && heed__scores_differ(sqrt(yy), y) ? xy / sqrt(xx * yy) : 0;
}

int heed__score_metrics(heed_score_metrics *m, const double *right, const float *said, int64_t n,
                        const heed_hooks *hooks) {
    static const heed_measures all = { measure_scores, SCORE_MEASURES, -1 };
    const scores s = { right, said, n };
    double v[SCORE_MEASURES];
    heed_interval i95[SCORE_MEASURES];
    *m = (heed_score_metrics){ .n = n };
    measure_scores(&s, NULL, v);
    if (heed__bootstrap(&all, &s, n, v, i95, hooks)) return HEED_ENOMEM;
    m->mse = v[MSE], m->mse_95 = i95[MSE];
    m->mae = v[MAE], m->mae_95 = i95[MAE];
    m->r2 = v[R2], m->r2_95 = i95[R2];
    m->pearson = v[PEARSON], m->pearson_95 = i95[PEARSON];
    return 0;
}
