/* metrics.c: loss, accuracy, macro-F1, calibration error and area under the curve, with intervals.
 */
#include "tasks/metrics_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/bootstrap.h"

enum { BINS = HEED_ECE_BINS };

heed_interval heed__wilson(int64_t right, int64_t n) {
    if (n == 0) return (heed_interval){ 0, 1 };
    const double z = 1.959963984540054, p = (double)right / (double)n, zz = z * z / (double)n;
    const double centre = (p + zz / 2) / (1 + zz);
    const double half = z * sqrt(p * (1 - p) / (double)n + zz / (4 * (double)n)) / (1 + zz);
    return (heed_interval){ fmax(0, centre - half), fmin(1, centre + half) };
}

void heed__outcomes(heed_outcome *o, const float *probs, const int32_t *right, int64_t n,
                    int64_t classes) {
    for (int64_t i = 0; i < n; i++) {
        const float *p = probs + i * classes;
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            if (p[k] > p[best]) best = k;
        o[i] = (heed_outcome){ .right = right[i], .said = (int32_t)best, .confidence = p[best] };
        if (right[i] >= 0) o[i].loss = (float)-heed__ln(fmax((double)p[right[i]], 1e-45));
    }
}

void heed__tallies(heed_tally *tally, const heed_outcome *o, int64_t n, int64_t classes) {
    memset(tally, 0, (size_t)classes * sizeof *tally);
    for (int64_t i = 0; i < n; i++) {
        tally[o[i].said].said++;
        if (o[i].right < 0) continue;
        tally[o[i].right].real++;
        tally[o[i].said].hit += o[i].said == o[i].right;
    }
}

double heed__macro_f1(const heed_tally *t, const heed_tally *of, int64_t classes, int64_t unknown) {
    double sum = 0;
    int64_t present = unknown;
    for (int64_t k = 0; k < classes; k++) {
        present += of && of[k].real == 0 && of[k].said > 0 && t[k].said == 0;
        if (t[k].said + t[k].real == 0) continue;
        present++;
        sum += 2.0 * (double)t[k].hit / (double)(t[k].said + t[k].real);
    }
    return present ? sum / (double)present : 0;
}

double heed__auc(const heed_outcome *o, const float *score, const int64_t *order,
                 const int32_t *times, int64_t n) {
    double pairs = 0, zeros = 0, ones = 0;
    for (int64_t i = 0; i < n;) {
        const float at = score[order[i]];
        double zero = 0, one = 0;
        for (; i < n && score[order[i]] <= at; i++) {
            const double weight = times ? times[order[i]] : 1;
            zero += o[order[i]].right == 0 ? weight : 0;
            one += o[order[i]].right == 1 ? weight : 0;
        }
        pairs += one * (zeros + zero / 2);
        zeros += zero;
        ones += one;
    }
    return zeros > 0 && ones > 0 ? pairs / (zeros * ones) : (double)NAN;
}

/* The answers, and room for what is done with them again and again. */
typedef struct survey {
    const heed_outcome *o;
    const float *score; /* [n] or NULL */
    int64_t *order;     /* [n] by rising score */
    heed_tally *tally;  /* [classes] of the answers drawn */
    heed_tally *whole;  /* [classes] of all answers */
    int64_t n, classes, unknown;
} survey;

enum measure { LOSS, ACCURACY, MACRO_F1, ECE, AUC, MEASURES };

double heed__ece(const heed_outcome *o, const int32_t *times, int64_t n) {
    double conf[BINS] = { 0 }, hits[BINS] = { 0 }, all = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const float c = o[i].confidence;
        const int weight = times ? times[i] : 1;
        const int bin = c >= 1 ? BINS - 1 : c <= 0 ? 0 : (int)(c * BINS);
        conf[bin] += weight * (double)c;
        hits[bin] += o[i].said == o[i].right ? weight : 0;
        all += weight;
    }
    for (int b = 0; b < BINS && all > 0; b++) sum += fabs(conf[b] - hits[b]) / all;
    return sum;
}

static void measure(const void *answers, const int32_t *times, double *out) {
    const survey *s = answers;
    double hit = 0, known = 0, n = 0, loss = 0;
    memset(s->tally, 0, (size_t)s->classes * sizeof *s->tally);
    for (int64_t i = 0; i < s->n; i++) {
        const heed_outcome *o = s->o + i;
        const int weight = times ? times[i] : 1;
        const bool ok = o->said == o->right;
        n += weight;
        hit += ok * weight;
        s->tally[o->said].said += weight;
        s->tally[o->said].hit += ok * weight;
        if (o->right < 0) continue;
        known += weight;
        s->tally[o->right].real += weight;
        loss += weight * (double)o->loss;
    }
    out[LOSS] = known > 0 ? loss / known : (double)NAN;
    out[ACCURACY] = n > 0 ? hit / n : 0;
    out[MACRO_F1] = heed__macro_f1(s->tally, times ? s->whole : NULL, s->classes, s->unknown);
    out[ECE] = heed__ece(s->o, times, s->n);
    out[AUC] = s->score ? heed__auc(s->o, s->score, s->order, times, s->n) : (double)NAN;
}

typedef struct scored {
    float score;
    int64_t at;
} scored;

static int by_score(const void *a, const void *b) {
    const scored *x = a, *y = b;
    if (x->score < y->score || x->score > y->score) return x->score < y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int sort_scores(survey *s, const heed_hooks *hooks) {
    if (!s->score) return 0;
    scored *sorted = heed__calloc(hooks, (size_t)s->n, sizeof *sorted);
    if (!sorted) return HEED_ENOMEM;
    for (int64_t i = 0; i < s->n; i++) sorted[i] = (scored){ s->score[i], i };
    qsort(sorted, (size_t)s->n, sizeof *sorted, by_score);
    for (int64_t i = 0; i < s->n; i++) s->order[i] = sorted[i].at;
    heed__free(hooks, sorted);
    return 0;
}

static void put(heed_metrics *m, const double *v, const heed_interval *i) {
    m->loss = v[LOSS], m->loss_95 = i[LOSS];
    m->accuracy = v[ACCURACY], m->accuracy_95 = i[ACCURACY];
    m->macro_f1 = v[MACRO_F1], m->macro_f1_95 = i[MACRO_F1];
    m->ece = v[ECE], m->ece_95 = i[ECE];
    m->auc = v[AUC], m->auc_95 = i[AUC];
    if (m->accuracy <= 0 || m->accuracy >= 1)
        m->accuracy_95 = heed__wilson(m->accuracy > 0 ? m->n : 0, m->n);
}

int heed__metrics(heed_metrics *m, const heed_outcome *o, const float *score, int64_t n,
                  int64_t classes, const heed_hooks *hooks) {
    static const heed_measures all = { measure, MEASURES, ECE };
    survey s = { .o = o, .score = score, .n = n, .classes = classes };
    *m = (heed_metrics){ .n = n };
    for (int64_t i = 0; i < n; i++) {
        s.unknown = o[i].right < -s.unknown ? -(int64_t)o[i].right : s.unknown;
        m->unknown_labels += o[i].right < 0;
    }
    s.order = heed__calloc(hooks, (size_t)n, sizeof *s.order);
    s.tally = heed__calloc(hooks, (size_t)classes, sizeof *s.tally);
    s.whole = heed__calloc(hooks, (size_t)classes, sizeof *s.whole);
    int rc = s.order && s.tally && s.whole ? sort_scores(&s, hooks) : HEED_ENOMEM;
    if (rc == 0) {
        double v[MEASURES];
        heed_interval i95[MEASURES];
        measure(&s, NULL, v);
        heed__tallies(s.whole, o, n, classes);
        rc = heed__bootstrap(&all, &s, n, v, i95, hooks);
        if (rc == 0) put(m, v, i95);
    }
    heed__free(hooks, s.order);
    heed__free(hooks, s.tally);
    heed__free(hooks, s.whole);
    return rc;
}

/* The chance of at most k heads in n throws of a fair coin, doubled, at most 1. */
static double two_sided(int64_t k, int64_t n) {
    double sum = 0, ln_choose = 0;
    const double ln_half = (double)n * heed__ln(0.5);
    for (int64_t i = 0; i <= k; i++) {
        if (i) ln_choose += heed__ln((double)(n - i + 1)) - heed__ln((double)i);
        sum += heed__exp(ln_choose + ln_half);
    }
    return fmin(1, 2 * sum);
}

/* Of two models' answers to n examples: 1 where the first alone is right, -1 where the second. */
typedef struct gains {
    int8_t *gain;
    int64_t n;
} gains;

static void measure_gain(const void *answers, const int32_t *times, double *out) {
    const gains *g = answers;
    int64_t sum = 0;
    for (int64_t i = 0; i < g->n; i++) sum += (times ? times[i] : 1) * g->gain[i];
    out[0] = (double)sum / (double)g->n;
}

int heed__compare(heed_comparison *c, const heed_outcome *first, const heed_outcome *second,
                  int64_t n, const heed_hooks *hooks) {
    static const heed_measures all = { measure_gain, 1, -1 };
    *c = (heed_comparison){ .p = 1 };
    if (n == 0) return 0;
    gains g = { .gain = heed__calloc(hooks, (size_t)n, sizeof *g.gain), .n = n };
    if (!g.gain) return HEED_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        const bool a = first[i].said == first[i].right, b = second[i].said == second[i].right;
        g.gain[i] = (int8_t)(a - b);
        c->only_first += a && !b;
        c->only_second += b && !a;
    }
    const int64_t fewer = c->only_first < c->only_second ? c->only_first : c->only_second;
    c->p = two_sided(fewer, c->only_first + c->only_second);
    measure_gain(&g, NULL, &c->difference);
    const int rc = heed__bootstrap(&all, &g, n, &c->difference, &c->difference_95, hooks);
    heed__free(hooks, g.gain);
    return rc;
}
