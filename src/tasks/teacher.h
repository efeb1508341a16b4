/* teacher.h: guesses at the labels of many texts from a few labelled ones. Vectors of words are
 * learnt from all texts (train/cbow.h); a text is their mean, weighed by how rare they are; a
 * linear classifier with large margins (train/margin.h) tells the labels apart. It has seen all
 * words, where a classifier learnt from the few texts alone knows none but theirs. */
#ifndef HEED_TASKS_TEACHER_H
#define HEED_TASKS_TEACHER_H

#include "tasks/body.h"

/* What is said of a text without a label. */
typedef struct heed_guess {
    int64_t item;
    int32_t label;
    float confidence; /* the chance that it is right, as the labelled texts tell by folds */
} heed_guess;

/* Labelled texts, label [len] below classes, and texts without labels. */
typedef struct heed_lesson {
    int64_t len, classes;
    const char *const *text;
    const int32_t *label;
    const heed_texts *pool;
    uint64_t seed;
    const heed_hooks *hooks;
} heed_lesson;

/* Fills guess [pool->len]; *accuracy (may be NULL): of the labelled texts, each judged by what the
 * others taught. 0 or a status. */
int heed__teacher_guess(heed_ctx *cx, const heed_lesson *lesson, heed_guess *guess,
                        double *accuracy, heed_error *err);

#endif
