/* metrics.h: what a classifier's answers are worth, with intervals. */
#ifndef HEED_TASKS_METRICS_H
#define HEED_TASKS_METRICS_H

#include "heed/tasks.h"

/* One answer as the statistics see it. */
typedef struct heed_outcome {
    int32_t right;    /* number of the right label; -1, -2 ..: those that the model does not have */
    int32_t said;     /* of the likeliest */
    float confidence; /* its probability */
    float loss;       /* -ln of the right label's probability; not read where there is none */
} heed_outcome;

/* How often a label was right, given as the answer, and present. */
typedef struct heed_tally {
    int64_t hit, said, real;
} heed_tally;

/* Answers from probs [n,K], all finite, and right [n]. */
void heed__outcomes(heed_outcome *o, const float *probs, const int32_t *right, int64_t n,
                    int64_t classes);

/* Everything of *m from n answers; auc from score [n], the probability of label 1, where there are
 * two labels (else NULL). Intervals are of 95 %, by the percentile bootstrap (Efron 1979) over
 * answers, at most 1000 rounds, seeded with n alone; an accuracy of 0 or 1 has Wilson's, since
 * every resample of such answers is the same, and that of the calibration error is moved by the
 * resamples' bias. Macro-F1 is the mean over labels that are right or are given as an answer
 * anywhere in the n; those that the model does not have are among them with their 0, as many as the
 * lowest number of `right` says. 0 or HEED_ENOMEM. */
int heed__metrics(heed_metrics *m, const heed_outcome *o, const float *score, int64_t n,
                  int64_t classes, const heed_hooks *hooks);

/* Expected calibration error of n answers (Guo et al. 2017, equation 3): 15 equal bins of the
 * confidence. times: how often each answer counts, or NULL: once. */
double heed__ece(const heed_outcome *o, const int32_t *times, int64_t n);

/* tally [classes] of n answers. */
void heed__tallies(heed_tally *tally, const heed_outcome *o, int64_t n, int64_t classes);

/* Area under the ROC curve: the chance that an answer whose right label is 1 has a higher score
 * than one whose is 0, ties half (Mann and Whitney 1947). order: [n], the answers by rising score;
 * times: how often each counts, or NULL: once. NAN where one of the two labels is absent. */
double heed__auc(const heed_outcome *o, const float *score, const int64_t *order,
                 const int32_t *times, int64_t n);

/* Wilson's interval of right out of n at 95 %. */
heed_interval heed__wilson(int64_t right, int64_t n);

/* Two models on the same n examples. */
typedef struct heed_comparison {
    int64_t only_first, only_second; /* right where the other is wrong */
    double p;          /* of McNemar's exact test that neither is better: two-sided, binomial */
    double difference; /* of accuracies, first less second */
    heed_interval difference_95;
} heed_comparison;
/* 0 or HEED_ENOMEM. */
int heed__compare(heed_comparison *c, const heed_outcome *first, const heed_outcome *second,
                  int64_t n, const heed_hooks *hooks);

#endif
