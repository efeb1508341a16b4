/* split.h: labelled texts split into what is learnt from, shuffled, and what judges. */
#ifndef HEED_TASKS_SPLIT_H
#define HEED_TASKS_SPLIT_H

#include "heed/tasks.h"

/* Both parts' arrays of pointers are the split's own, the strings the caller's. */
typedef struct heed_split {
    heed_examples learn; /* shuffled by the seed: any beginning of it is a fair part */
    heed_examples held;  /* len 0 where cfg->valid judges */
} heed_split;

/* Splits x with one label a text: cfg->valid_part (0.1 where it is 0) is held out by label, unless
 * there is a cfg->valid. 0 or HEED_ENOMEM; to be freed either way. */
int heed__split(heed_split *s, const heed_examples *x, const heed_classify_cfg *cfg);
void heed__split_free(heed_split *s, const heed_hooks *hooks);

#endif
