/* gradient.h: which words an answer hangs on most, by the gradient of its loss. */
#ifndef HEED_TASKS_GRADIENT_H
#define HEED_TASKS_GRADIENT_H

#include "tasks/classifier.h"

/* How much -ln p(label) would rise, to first order, were the rows that a unit looks up taken away:
 * -g·x of each row x with its gradient g, added up (gradient times input; Shrikumar et al. 2016,
 * "Not just a black box"). weight [n] of units whose bytes are place [n], both heed__free's. Where
 * a text is read in windows: of its first. A row that several units look up counts whole for each.
 * How many units, or a status. */
int64_t heed__word_gradients(heed_classifier *c, const char *text, int32_t label, float **weight,
                             heed_piece **place, heed_error *err);

#endif
