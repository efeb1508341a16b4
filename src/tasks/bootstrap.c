/* bootstrap.c: how far measures of answers vary from one resample of them to another. */
#include "tasks/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { ROUNDS = 1000, LEAST_ROUNDS = 200, DRAWS = 50000000 };

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle 95 % of sample[0..rounds), which is sorted; values that are NAN are left out, and
 * both ends are NAN where all are. */
static heed_interval middle(double *sample, int64_t rounds) {
    int64_t n = 0;
    for (int64_t i = 0; i < rounds; i++)
        if (!isnan(sample[i])) sample[n++] = sample[i];
    if (n == 0) return (heed_interval){ (double)NAN, (double)NAN };
    qsort(sample, (size_t)n, sizeof *sample, by_value);
    const int64_t low = n * 25 / 1000, high = n - 1 - low;
    return (heed_interval){ sample[low], sample[high] };
}

/* How many rounds n answers are worth. */
static int64_t rounds_for(int64_t n) {
    const int64_t rounds = DRAWS / (n + 1);
    return rounds > ROUNDS ? ROUNDS : rounds < LEAST_ROUNDS ? LEAST_ROUNDS : rounds;
}

/* How often each of n answers is drawn in n draws. */
static void resample(heed_rng *rng, int32_t *times, int64_t n) {
    memset(times, 0, (size_t)n * sizeof *times);
    for (int64_t i = 0; i < n; i++) times[heed_rng_below(rng, (uint64_t)n)]++;
}

/* An interval of [0,1] less the resamples' bias. */
static heed_interval unbiased(heed_interval i, const double *sample, int64_t rounds, double value) {
    double mean = 0;
    for (int64_t r = 0; r < rounds; r++) mean += sample[r] / (double)rounds;
    return (heed_interval){ fmax(i.low - (mean - value), 0), fmin(i.high - (mean - value), 1) };
}

int heed__bootstrap(const heed_measures *of, const void *answers, int64_t n, const double *value,
                    heed_interval *interval, const heed_hooks *hooks) {
    const int64_t rounds = rounds_for(n);
    int32_t *times = heed__calloc(hooks, (size_t)n, sizeof *times);
    double *sample = heed__calloc(hooks, (size_t)of->len * ROUNDS, sizeof *sample);
    const bool room = times && sample;
    heed_rng rng = { .seed = (uint64_t)n };
    for (int64_t r = 0; room && r < rounds; r++) {
        double drawn[HEED_MEASURES_MOST];
        resample(&rng, times, n);
        of->measure(answers, times, drawn);
        for (int k = 0; k < of->len; k++) sample[k * ROUNDS + r] = drawn[k];
    }
    for (int k = 0; room && k < of->len; k++) {
        interval[k] = middle(sample + k * ROUNDS, rounds);
        if (k == of->biased)
            interval[k] = unbiased(interval[k], sample + k * ROUNDS, rounds, value[k]);
    }
    heed__free(hooks, times);
    heed__free(hooks, sample);
    return room ? 0 : HEED_ENOMEM;
}
