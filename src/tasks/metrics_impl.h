/* metrics_impl.h: the bootstrap that all measures of answers share. */
#ifndef HEED_TASKS_METRICS_IMPL_H
#define HEED_TASKS_METRICS_IMPL_H

#include "tasks/metrics.h"

enum { HEED_ECE_BINS = 15, HEED_MEASURES_MOST = 8 };

/* Measures of answers. */
typedef struct heed_measures {
    /* All of them into out, each answer counted times[i] times (NULL: once). */
    void (*measure)(const void *answers, const int32_t *times, double *out);
    int len;    /* HEED_MEASURES_MOST at most */
    int biased; /* the calibration error's number: a resample is less even than what it is drawn
                   from and has a higher one, so that its interval is moved by how much it is on
                   average; -1: it is not among them */
} heed_measures;

/* The interval of each, whose values over all n answers are known: the middle 95 % of as many
 * resamples as n answers are worth. NAN where no resample has a value. 0 or HEED_ENOMEM. */
int heed__bootstrap(const heed_measures *of, const void *answers, int64_t n, const double *value,
                    heed_interval *interval, const heed_hooks *hooks);

/* The mean over the classes that occur as a truth or as an answer. In a resample (`of` tells the
 * tally of all answers, or NULL) a class that is only ever a wrong answer counts with its zero
 * though it was not drawn: else resamples would look better than the whole they are drawn from. So
 * do classes that the model does not have, of which there are `unknown`. */
double heed__macro_f1(const heed_tally *t, const heed_tally *of, int64_t classes, int64_t unknown);

#endif
