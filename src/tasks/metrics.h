/* metrics.h: what a classifier's answers are worth. */
#ifndef HEED_TASKS_METRICS_H
#define HEED_TASKS_METRICS_H

#include "heed/tasks.h"

/* From probs [n,K], all finite, and right [n] (-1: a label that the model does not have). The loss
 * is in natural logarithms. 0 or HEED_ENOMEM. */
int heed__metrics(heed_metrics *m, const float *probs, const int32_t *right, int64_t n,
                  int64_t classes, const heed_hooks *hooks);
/* Wilson's interval of right out of n at 95 %. */
void heed__wilson(int64_t right, int64_t n, double *low, double *high);

#endif
