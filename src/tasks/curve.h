/* curve.h: accuracy by number of labelled texts, and what more of them would bring. */
#ifndef HEED_TASKS_CURVE_H
#define HEED_TASKS_CURVE_H

#include "tasks/classifier.h"

enum { HEED_CURVE_MOST = 6 };

typedef struct heed_curve {
    int64_t len;
    int64_t texts[HEED_CURVE_MOST];   /* learnt from, rising; the last is all of them */
    double accuracy[HEED_CURVE_MOST]; /* on the same held-out texts */
    double loss[HEED_CURVE_MOST];
    double scale, power; /* the error is about scale · texts^-power; power 0: no such law is seen */
} heed_curve;

/* Trains on a thirty-second of the texts, a sixteenth, .., all (parts of at least 20), each a part
 * of the next, and fits the law (Hestness et al. 2017, "Deep learning scaling is predictable,
 * empirically") to the last four by least squares of logarithms. tell (may be NULL) hears of the
 * curve so far after each. For one label a text. With a run, what is finished is kept (parts.h),
 * and with resume gone on with. The classifier of all texts; NULL and *err on failure. */
heed_classifier *heed__classifier_curve(const heed_examples *data, const heed_classify_cfg *base,
                                        heed_curve *curve, void (*tell)(const heed_curve *),
                                        heed_error *err);

/* The accuracy that the law expects of so many texts; NAN without a law. */
double heed__curve_expect(const heed_curve *curve, double texts);

#endif
