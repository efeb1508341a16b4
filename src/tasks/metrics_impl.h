/* metrics_impl.h: what measures of one label and of several share. */
#ifndef HEED_TASKS_METRICS_IMPL_H
#define HEED_TASKS_METRICS_IMPL_H

#include "tasks/metrics.h"

enum { HEED_ECE_BINS = 15 };

/* The mean over the classes that occur as a truth or as an answer. In a resample (`of` tells the
 * tally of all answers, or NULL) a class that is only ever a wrong answer counts with its zero
 * though it was not drawn: else resamples would look better than the whole they are drawn from. So
 * do classes that the model does not have, of which there are `unknown`. */
double heed__macro_f1(const heed_tally *t, const heed_tally *of, int64_t classes, int64_t unknown);

#endif
