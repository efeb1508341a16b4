/* range.h: settings that are no whole numbers, and what they lie between: as heed_bound is for
 * those that are. */
#ifndef HEED_TASKS_RANGE_H
#define HEED_TASKS_RANGE_H

#include <stdbool.h>

#include "heed/base.h"

typedef enum heed_range_kind { HEED_BELOW, HEED_FROM_TO, HEED_FROM_BELOW } heed_range_kind;

/* least is read by all but HEED_BELOW. A NULL name ends a list. */
typedef struct heed_range {
    const char *name;
    double value;
    heed_range_kind kind;
    double least, most;
} heed_range;

/* What is below this is below 1 as a float too. */
#define HEED_NEARLY_ONE 0.99999997

/* What optimizers take: a rate that is kept as a float, and sizes beside it. */
#define HEED_LEAST_RATE 1e-30
#define HEED_MOST_RATE  1e30

/* 0, or HEED_EINVALID with the first setting that is none of its range, NaN too, in digits that
 * tell them apart: "train: NAME is 1, not below 1". */
int heed__ranges_check(const heed_range *list, heed_error *err);

#endif
