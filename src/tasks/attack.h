/* attack.h: how many answers stay right when texts are changed a little. */
#ifndef HEED_TASKS_ATTACK_H
#define HEED_TASKS_ATTACK_H

#include "tasks/classifier.h"
#include "text/noise.h"

enum { HEED_ATTACK_TRIES = 10 };

/* Worst-case accuracy: the part of the texts of x that are answered rightly as they are and in all
 * of HEED_ATTACK_TRIES changed copies (seeded; the same copies for every model). outcome: the
 * answers to x. For one label a text. 0 or a status. */
int heed__attack(heed_classifier *c, const heed_examples *x, const heed_outcome *outcome,
                 heed_noise kind, double *accuracy, heed_error *err);

#endif
