/* calibration.h: probabilities that mean what they say, sets of labels that hold the right one as
 * often as promised, and texts that are none of the labels' business. All three are learnt from
 * held-out examples, which the model has not been trained on, and kept with the model. */
#ifndef HEED_TASKS_CALIBRATION_H
#define HEED_TASKS_CALIBRATION_H

#include <jansson.h>

#include "heed/tasks.h"

enum { HEED_CALIBRATION_MOST = 4095 }; /* examples whose scores are kept */

#define HEED_CALIBRATION_USUAL 2.718281828459045 /* the temperature expected of few examples */

typedef struct heed_calibration {
    double temperature;           /* logits are divided by it; 1: as they are */
    double ece_before, ece_after; /* of the held-out examples */
    int64_t len;                  /* examples kept; 0: never calibrated */
    double *score; /* [len] rising: -ln of the calibrated probability of the right label */
    double *scope; /* [len] rising: ln Σ exp of the logits, high for what the model knows */
    heed_hooks hooks;
} heed_calibration;

/* Fits all of it to n examples: logits [n,K], right [n] (-1: left out). The temperature makes the
 * mean of -ln softmax(z/T)[right] least (Guo et al. 2017, "On calibration of modern neural
 * networks", section 4.2), within [1/20, 20], where there are many examples; where there are few it
 * stays near e, what such networks usually want, since ln T is believed to be 1, more or less 0.7.
 * Of more than HEED_CALIBRATION_MOST examples the scores of as many, drawn by a fixed seed, are
 * kept. 0, HEED_ENOMEM, or HEED_EINVALID: no example, or a logit that is not finite. */
int heed__calibrate(heed_calibration *c, const float *logits, const int32_t *right, int64_t n,
                    int64_t classes, heed_error *err);
/* That 1/T alone, with the mean of -ln softmax(z/T)[right] in *loss, and each
 * example's in each [n] (or NULL); one example must be known. */
double heed__inverse_temperature(const float *logits, const int32_t *right, int64_t n,
                                 int64_t classes, double *loss, double *each);
void heed__calibration_free(heed_calibration *c); /* a zeroed one is fine */

/* softmax(z/T) of one row; probs may be logits. */
void heed__calibrated(const heed_calibration *c, const float *logits, float *probs,
                      int64_t classes);

/* Split conformal prediction (Vovk et al. 2005; the score of Sadinle et al. 2019): a label belongs
 * to the set when -ln of its probability is at most this limit. Over texts of the same source the
 * set holds the right label with a chance of at least `coverage`. INFINITY (every label) where
 * there are too few examples for such a promise. */
double heed__coverage_limit(const heed_calibration *c, double coverage);
/* How many examples such a promise needs: the least n of which coverage·(n + 1) is no more than n.
 * coverage in [0,1); else INT64_MAX. */
int64_t heed__coverage_needs(double coverage);
/* The largest that so many examples can promise with fewer labels than all; 0 without any. */
double heed__coverage_most(int64_t examples);
/* Whether label k is in the set of a row of calibrated probabilities. */
bool heed__covered(float prob, double limit);

/* ln Σ exp of a row of logits: the negative free energy (Liu et al. 2020, "Energy-based
 * out-of-distribution detection"). */
double heed__scope_score(const float *logits, int64_t classes);
/* The score under which a text is out of scope, such that `kept` (0.95) of the examples stay in. */
double heed__scope_limit(const heed_calibration *c, double kept);

/* As a JSON object, and back. name stands before the place in messages. NULL: out of memory. */
json_t *heed__calibration_to_json(const heed_calibration *c);
int heed__calibration_from_json(heed_calibration *c, const json_t *object, const char *name,
                                heed_error *err);

#endif
