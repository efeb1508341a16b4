/* augment.h: learning from changed copies of the training texts too. */
#ifndef HEED_TASKS_AUGMENT_H
#define HEED_TASKS_AUGMENT_H

#include "tasks/classifier.h"

/* heed_classifier_train on data and `copies` changed copies of each text, with its label: words
 * left out, words out of order, typing errors, in turn (Wei and Zou 2019, "EDA"). What is
 * held out is so before, and is not changed. For one label for single texts, with a context or
 * without. NULL and *err on failure. */
heed_classifier *heed__classifier_augmented(const heed_examples *data,
                                            const heed_classify_cfg *base, int64_t copies,
                                            heed_error *err);

#endif
