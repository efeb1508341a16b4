/* train_curve.h: `heed train classify … --curve`: accuracy by number of labels, told and drawn. */
#ifndef HEED_APP_TRAIN_CURVE_H
#define HEED_APP_TRAIN_CURVE_H

#include "heed/tasks.h"

/* The classifier of all texts; RUN/extra.html has the chart for the report. NULL and *err on
 * failure. */
heed_classifier *train_curve(const heed_examples *data, const heed_classify_cfg *cfg,
                             heed_error *err);

#endif
