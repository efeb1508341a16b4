/* choose.h: which texts of a pool to label next: those that the model is unsure of and that are
 * unlike each other. */
#ifndef HEED_TASKS_CHOOSE_H
#define HEED_TASKS_CHOOSE_H

#include "tasks/classifier.h"

/* A text chosen. */
typedef struct heed_choice {
    int64_t item;          /* its number in the pool */
    int32_t first, second; /* the two likeliest labels */
    float p_first, p_second;
    float unsure; /* 1 - (p_first - p_second): 1 where they are alike */
} heed_choice;

/* Chooses `want` texts of x, fewer where there are fewer, in the order in which they should be
 * labelled, into choice [want]. The candidates are the 20 times `want` texts of the smallest
 * margin between the two likeliest labels (Scheffer et al. 2001); of these one after the other is
 * taken whose doubt times squared distance to the nearest one taken is largest, the distance
 * between the body's vectors, as k-means++ spreads its centres (Arthur and Vassilvitskii 2007).
 * Deterministic; a text that equals one taken is left out. How many were chosen, or a status. */
int64_t heed__choose(heed_classifier *c, const heed_texts *x, int64_t want, heed_choice *choice,
                     heed_error *err);

#endif
