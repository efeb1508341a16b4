/* train_report.h: a run's report: RUN/report.html of its log and the answers to held-out data. */
#ifndef HEED_APP_TRAIN_REPORT_H
#define HEED_APP_TRAIN_REPORT_H

#include "tasks/classifier.h"

/* file: the training data, seconds: how long it took. Says on standard output where the page is. 0
 * or a status. */
int train_report(heed_classifier *c, const char *run, const char *file, double seconds,
                 heed_error *err);

#endif
