/* tag_split.h: tagged sentences split into what is learnt from and what is held out. */
#ifndef HEED_TASKS_TAG_SPLIT_H
#define HEED_TASKS_TAG_SPLIT_H

#include "heed/tasks.h"

/* Some of the sentences of others, whose words and tags it points to. */
typedef struct heed_tag_part {
    heed_tagged data;
    int64_t *start;           /* [len+1] */
    const char **word, **tag; /* [start[len]] */
} heed_tag_part;

/* `part` (from 0 to below 1) of the sentences, drawn by the seed, are held and the others are to
 * learn from; sentences without a word are neither. learn may be NULL. 0 or HEED_ENOMEM; both parts
 * are to be freed either way. */
int heed__tag_split(const heed_tagged *data, double part, uint64_t seed, heed_tag_part *learn,
                    heed_tag_part *held, const heed_hooks *hooks);
void heed__tag_part_free(heed_tag_part *p, const heed_hooks *hooks); /* a zeroed one is fine */

#endif
