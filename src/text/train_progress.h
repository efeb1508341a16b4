/* train_progress.h: telling how far the training of a tokenizer has come, ten times a second at
 * most, and asking whether to go on. */
#ifndef HEED_TEXT_TRAIN_PROGRESS_H
#define HEED_TEXT_TRAIN_PROGRESS_H

#include "heed/base.h"

typedef struct heed__train_progress {
    const heed_hooks *hooks; /* NULL: nobody is told */
    double start, told;      /* seconds */
} heed__train_progress;

/* what has done so much of total (0: not known) `unit`s. 0; HEED_ECANCELLED, and *err says so. */
int heed__train_tell(heed__train_progress *p, const heed_progress *now, heed_error *err);

#endif
