/* train_feedback.h: what people corrected in a store of `heed serve`, as training data. */
#ifndef HEED_APP_TRAIN_FEEDBACK_H
#define HEED_APP_TRAIN_FEEDBACK_H

#include "heed/tasks.h"
#include "io/dataset.h"

typedef struct feedback {
    heed_dataset d;             /* what was corrected or confirmed */
    const char **text, **label; /* [x.len] it and the other data */
} feedback;

/* Adds to x what people said of `analysis` in a store (a store's file or a flow.yaml); a text of x
 * that they corrected is learnt as they said. x then has f's arrays. Prints how many there are. 0
 * or a status. */
int feedback_add(feedback *f, heed_examples *x, const char *store, const char *analysis,
                 heed_error *err);
void feedback_free(feedback *f); /* a zeroed one is fine */

#endif
