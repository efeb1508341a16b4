/* attack.h: how many answers stay right when texts are changed a little. */
#ifndef HEED_TASKS_ATTACK_H
#define HEED_TASKS_ATTACK_H

#include "tasks/classifier.h"
#include "text/noise.h"

enum { HEED_ATTACK_TRIES = 10 };

/* Where texts are changed: the first three as text/noise.h does, by chance; the last by typing
 * errors in the one word of six on which the right answer hangs most, by the gradient of its loss
 * (tasks/gradient.h; the idea of Ebrahimi et al. 2018, "HotFlip"), and where the answer stands, by
 * the very copies of the first: what has no gradient, as evidence, is hit by those alone, and no
 * aimed attack is weaker than errors by chance. */
typedef enum heed_attack_kind {
    HEED_ATTACK_TYPO = HEED_NOISE_TYPO,
    HEED_ATTACK_SWAP = HEED_NOISE_SWAP,
    HEED_ATTACK_DROP = HEED_NOISE_DROP,
    HEED_ATTACK_GRADIENT
} heed_attack_kind;
enum { HEED_ATTACKS = 4 };

/* Worst-case accuracy: the part of the texts of x that are answered rightly as they are and in all
 * of HEED_ATTACK_TRIES changed copies, twice as many when aimed (seeded; the same copies for every
 * model). outcome: the answers to x. For one label a text. 0 or a status. */
int heed__attack(heed_classifier *c, const heed_examples *x, const heed_outcome *outcome,
                 heed_attack_kind kind, double *accuracy, heed_error *err);

#endif
