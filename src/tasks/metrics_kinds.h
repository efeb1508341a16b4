/* metrics_kinds.h: what answers of several labels, and scores, are worth, with intervals. */
#ifndef HEED_TASKS_METRICS_KINDS_H
#define HEED_TASKS_METRICS_KINDS_H

#include "tasks/metrics.h"

/* The labels that are right for each of n texts, and room for how each label fared. */
typedef struct heed_label_rows {
    const int64_t *start; /* [n+1] of each text's in label; NULL: one each */
    const int32_t *label; /* numbers; -1: one that the model does not have */
    int64_t unknown;      /* how many different ones it does not have */
    heed_tally *tally;    /* [K] over all texts; NULL: not asked for */
} heed_label_rows;

/* Everything of *m from probs [n,K]; intervals as heed__metrics makes them, over texts. 0 or
 * HEED_ENOMEM. */
int heed__labels_metrics(heed_labels_metrics *m, const float *probs, const heed_label_rows *right,
                         int64_t n, int64_t classes, const heed_hooks *hooks);

/* The same of n scores and what was said of them. */
int heed__score_metrics(heed_score_metrics *m, const double *right, const float *said, int64_t n,
                        const heed_hooks *hooks);

/* Whether scores that lie spread from their mean differ by more than was rounded, and than what
 * floats can be divided by. */
bool heed__scores_differ(double spread, double mean);

#endif
