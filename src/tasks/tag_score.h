/* tag_score.h: how well entities are found: precision, recall and F1 over whole entities, as the
 * program conlleval of the CoNLL shared tasks counts them (Tjong Kim Sang and De Meulder 2003). An
 * entity is right when both its ends and its type are. */
#ifndef HEED_TASKS_TAG_SCORE_H
#define HEED_TASKS_TAG_SCORE_H

#include "tasks/tags.h"

typedef struct heed_tag_count {
    int64_t gold, found, right; /* entities: in the data, in the answer, in both */
} heed_tag_count;

typedef struct heed_tag_score {
    heed_tag_count all;
    heed_tag_count *type; /* [types] */
    int64_t types;
    int64_t words, right_words; /* words; those with the very tag */
    heed_chunk *chunk[2];       /* of the last sentence: in the data, in the answer */
    int64_t len[2], cap[2];
    heed_hooks hooks;
} heed_tag_score;

/* 0 or HEED_ENOMEM. Types are numbered from 0. */
int heed__tag_score_init(heed_tag_score *s, int64_t types, const heed_hooks *hooks);
void heed__tag_score_free(heed_tag_score *s);
/* Counts one sentence of n words. 0 or HEED_ENOMEM. */
int heed__tag_score_add(heed_tag_score *s, const heed_place *gold, const heed_place *found,
                        int64_t n);

/* Whether entity i of the last sentence's answer is in the data too. */
bool heed__tag_score_right(const heed_tag_score *s, int64_t i);

/* Fractions; 0 where nothing divides. */
double heed__precision(const heed_tag_count *c);
double heed__recall(const heed_tag_count *c);
double heed__f1(const heed_tag_count *c);

#endif
