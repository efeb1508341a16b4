/* pretrain.h: a body learns the language from texts without labels: a part of the units is hidden,
 * and what they were is to be told (Devlin et al. 2019, "BERT", section 3.1). */
#ifndef HEED_TASKS_PRETRAIN_H
#define HEED_TASKS_PRETRAIN_H

#include "tasks/body.h"

/* Which units of a batch are hidden. ids [len] is changed in place: each unit is chosen with a
 * chance of 0.15 (at least one is), and a chosen one becomes `hidden` (0.8), any other unit (0.1),
 * or stays (0.1). at [len] gets the places of those chosen, was [len] what they were. Returns how
 * many. Depends on key (seed, step) alone; units: 0 .. hidden - 1. */
int64_t heed__hide_units(int32_t *ids, int64_t len, int64_t hidden, const uint64_t key[2],
                         int32_t *at, int32_t *was);

/* Trains b's weights (all declared in b->ps) on x, with a head of its own that ends here. fit: as
 * the trainer reads it; a twentieth of the texts is held out, "Acc" is the part of hidden units
 * told rightly. 0 or a status. */
int heed__pretrain(heed_ctx *cx, heed_body *b, const heed_texts *x, const heed_fit_cfg *fit,
                   heed_error *err);

#endif
