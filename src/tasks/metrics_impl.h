/* metrics_impl.h: the bootstrap that all measures of answers share. */
#ifndef HEED_TASKS_METRICS_IMPL_H
#define HEED_TASKS_METRICS_IMPL_H

#include "tasks/metrics.h"

enum { HEED_ECE_BINS = 15, HEED_BOOTSTRAP_ROUNDS = 1000 };

/* How many rounds n answers are worth: HEED_BOOTSTRAP_ROUNDS at most. */
int64_t heed__bootstrap_rounds(int64_t n);

/* How often each of n answers is drawn in n draws. */
void heed__resample(heed_rng *rng, int32_t *times, int64_t n);

/* The middle 95 % of sample[0..rounds), which is sorted; values that are NAN are left out, and
 * both ends are NAN where all are. */
heed_interval heed__middle(double *sample, int64_t rounds);

/* A resample is less even than what it is drawn from, and its calibration error higher: the
 * interval is moved by how much it is on average. */
void heed__settle(heed_interval *of, const double *sample, int64_t rounds, double value);

/* The mean over the classes that occur as a truth or as an answer. In a resample (`of` tells the
 * tally of all answers, or NULL) a class that is only ever a wrong answer counts with its zero
 * though it was not drawn: else resamples would look better than the whole they are drawn from. So
 * do classes that the model does not have, of which there are `unknown`. */
double heed__macro_f1(const heed_tally *t, const heed_tally *of, int64_t classes, int64_t unknown);

#endif
