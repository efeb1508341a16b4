/* metrics.c: loss, accuracy with its interval, macro-F1, calibration error. */
#include "tasks/metrics.h"

#include <math.h>

#include "base/alloc.h"
#include "base/elementary.h"

enum { BINS = 15 };

void heed__wilson(int64_t right, int64_t n, double *low, double *high) {
    if (n == 0) {
        *low = 0;
        *high = 1;
        return;
    }
    const double z = 1.959963984540054, p = (double)right / (double)n, zz = z * z / (double)n;
    const double centre = (p + zz / 2) / (1 + zz);
    const double half = z * sqrt(p * (1 - p) / (double)n + zz / (4 * (double)n)) / (1 + zz);
    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}

/* Per class: how often right, given as an answer, and present. */
typedef struct tally {
    int64_t hit, said, real;
} tally;

static double macro_f1(const tally *t, int64_t classes) {
    double sum = 0;
    int64_t present = 0;
    for (int64_t k = 0; k < classes; k++) {
        if (t[k].said + t[k].real == 0) continue;
        present++;
        sum += 2.0 * (double)t[k].hit / (double)(t[k].said + t[k].real);
    }
    return present ? sum / (double)present : 0;
}

int heed__metrics(heed_metrics *m, const float *probs, const int32_t *right, int64_t n,
                  int64_t classes, const heed_hooks *hooks) {
    *m = (heed_metrics){ .n = n };
    tally *t = heed__calloc(hooks, (size_t)classes, sizeof *t);
    if (!t) return HEED_ENOMEM;
    double conf[BINS] = { 0 }, hits[BINS] = { 0 };
    int64_t hit = 0, known = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *p = probs + i * classes;
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            if (p[k] > p[best]) best = k;
        const bool ok = best == right[i];
        const int bin = p[best] >= 1 ? BINS - 1 : p[best] <= 0 ? 0 : (int)(p[best] * BINS);
        conf[bin] += (double)p[best];
        hits[bin] += ok;
        hit += ok;
        t[best].said++;
        t[best].hit += ok;
        if (right[i] < 0) continue;
        known++;
        t[right[i]].real++;
        m->loss -= heed__ln(fmax((double)p[right[i]], 1e-45));
    }
    for (int b = 0; b < BINS && n; b++) m->ece += fabs(conf[b] - hits[b]) / (double)n;
    m->loss = known ? m->loss / (double)known : 0;
    m->accuracy = n ? (double)hit / (double)n : 0;
    heed__wilson(hit, n, &m->accuracy_low, &m->accuracy_high);
    m->macro_f1 = macro_f1(t, classes);
    m->unknown_labels = n - known;
    heed__free(hooks, t);
    return 0;
}
