/* reference_weights.c: weights of one row of scores in double, each by another way than the
 * library's: sparsemax by sorting, entmax by bisection, top-k by counting. */
#include "attention_reference.h"

#include <math.h>
#include <stdlib.h>

static double largest(const double *x, int64_t n) {
    double m = -INFINITY;
    for (int64_t i = 0; i < n; i++) m = fmax(m, x[i]);
    return m;
}

void ref_softmax(double *p, const double *x, int64_t n, const double *sink) {
    double m = largest(x, n), sum = 0;
    if (m == -INFINITY) {
        for (int64_t i = 0; i < n; i++) p[i] = 0;
        return;
    }
    if (sink) m = fmax(m, *sink);
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - m);
    if (sink) sum += exp(*sink - m);
    for (int64_t i = 0; i < n; i++) p[i] = exp(x[i] - m) / sum;
}

static int descending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Algorithm 1 of Martins and Astudillo 2016. */
void ref_sparsemax(double *p, const double *x, int64_t n) {
    double *z = malloc((size_t)(n + 1) * sizeof *z), sum = 0, tau = INFINITY;
    for (int64_t i = 0; i < n; i++) z[i] = x[i];
    qsort(z, (size_t)n, sizeof *z, descending);
    for (int64_t i = 0; i < n && z[i] > -INFINITY; i++) {
        sum += z[i];
        if (1 + (double)(i + 1) * z[i] > sum) tau = (sum - 1) / (double)(i + 1);
    }
    for (int64_t i = 0; i < n; i++) p[i] = fmax(x[i] - tau, 0);
    free(z);
}

void ref_entmax15(double *p, const double *x, int64_t n) {
    const double m = largest(x, n);
    if (m == -INFINITY) {
        for (int64_t i = 0; i < n; i++) p[i] = 0;
        return;
    }
    double lo = m / 2 - 1, hi = m / 2;
    for (int step = 0; step < 200; step++) {
        const double tau = (lo + hi) / 2;
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += pow(fmax(x[i] / 2 - tau, 0), 2);
        *(sum > 1 ? &lo : &hi) = tau;
    }
    for (int64_t i = 0; i < n; i++) p[i] = pow(fmax(x[i] / 2 - hi, 0), 2);
}

void ref_sigmoid(double *p, const double *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = 1 / (1 + exp(-x[i]));
}

void ref_argmax(double *p, const double *x, int64_t n) {
    const double m = largest(x, n);
    bool done = m == -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        p[i] = !done && x[i] == m;
        done = done || x[i] == m;
    }
}

/* Hides each score that `keep` others precede: larger ones, or equal ones before it. */
void ref_keep_top(double *x, int64_t n, int64_t keep) {
    bool *hide = calloc((size_t)(n + 1), sizeof *hide);
    for (int64_t i = 0; i < n; i++) {
        int64_t before = 0;
        for (int64_t j = 0; j < n; j++) before += x[j] > x[i] || (x[j] == x[i] && j < i);
        hide[i] = before >= keep;
    }
    for (int64_t i = 0; i < n; i++)
        if (hide[i]) x[i] = -INFINITY;
    free(hide);
}

void ref_by_std(double *x, int64_t n) {
    double sum = 0, var = 0, count = 0;
    for (int64_t i = 0; i < n; i++)
        if (x[i] > -INFINITY) sum += x[i], count++;
    for (int64_t i = 0; i < n; i++)
        if (x[i] > -INFINITY) var += pow(x[i] - sum / count, 2);
    const double std = count > 1 ? sqrt(var / (count - 1)) : 0;
    for (int64_t i = 0; i < n; i++)
        if (x[i] > -INFINITY) x[i] = std > 0 ? x[i] / std : 0;
}
