/* bootstrap.h: intervals of measures by resampling the answers (Efron 1979):
 *
 *     static void measure(const void *answers, const int32_t *times, double *out) { .. }
 *     const heed_measures f1 = { measure, 1, -1 };
 *     heed__bootstrap(&f1, answers, n, &value, &interval, hooks); */
#ifndef HEED_TASKS_BOOTSTRAP_H
#define HEED_TASKS_BOOTSTRAP_H

#include "heed/tasks.h"

enum { HEED_MEASURES_MOST = 8 };

/* Measures of answers. */
typedef struct heed_measures {
    /* All of them into out, each answer counted times[i] times (NULL: once). */
    void (*measure)(const void *answers, const int32_t *times, double *out);
    int len;    /* HEED_MEASURES_MOST at most */
    int biased; /* the calibration error's number: a resample is less even than what it is drawn
                   from and has a higher one, so that its interval is moved by how much it is on
                   average; -1: it is not among them */
} heed_measures;

/* The interval [len] of each, whose values [len] over all n answers are known: the middle 95 % of
 * as many resamples as n answers are worth, 1000 at most, drawn by n alone. NAN where no resample
 * has a value. 0 or HEED_ENOMEM. */
int heed__bootstrap(const heed_measures *of, const void *answers, int64_t n, const double *value,
                    heed_interval *interval, const heed_hooks *hooks);

#endif
