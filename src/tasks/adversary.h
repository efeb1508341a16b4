/* adversary.h: training against the worst small change of the words' vectors.
 *
 *   fgm      g = gradient of the loss; the step learns from the loss at the vectors as they are and
 *            at vectors + ε g/|g| (Miyato et al. 2017, "Adversarial training methods for
 *            semi-supervised text classification", eq. 5)
 *   freelb   K = 3 losses, each at vectors + δ, where δ goes from 0 by steps of (ε/2) g/|g|, and
 *            the step learns from their mean (Zhu et al. 2020, "FreeLB", algorithm 1, without its
 *            random beginning)
 *
 * A change is one of the rows of the tables that the batch looks up, so a word that occurs twice in
 * a batch is changed alike; |g| is over all of them. */
#ifndef HEED_TASKS_ADVERSARY_H
#define HEED_TASKS_ADVERSARY_H

#include "heed/tensor.h"

typedef enum heed_adversary_kind {
    HEED_ADVERSARY_NONE,
    HEED_ADVERSARY_FGM,
    HEED_ADVERSARY_FREELB
} heed_adversary_kind;

typedef struct heed_adversary heed_adversary;

/* The adversary of the tables among ps, which may grow no more. epsilon: 0: 1. NULL and *err:
 * HEED_ENOMEM, HEED_EUNSUPPORTED where there is no table. */
heed_adversary *heed__adversary_new(heed_params *ps, heed_adversary_kind kind, double epsilon,
                                    const heed_hooks *hooks, heed_error *err);
void heed__adversary_free(heed_adversary *a); /* NULL is fine */

/* How many losses a step has: 1 (of a NULL), 2 or 3; and what each is weighed with. */
int heed__adversary_rounds(const heed_adversary *a);
float heed__adversary_weight(const heed_adversary *a);
/* After the backward of a round but the last: changes the vectors by the gradients it has added. 0
 * or HEED_ENOMEM. */
int heed__adversary_move(heed_adversary *a);
/* After the last: the vectors are what they were, bit for bit. */
void heed__adversary_undo(heed_adversary *a);
bool heed__adversary_find(const char *name, heed_adversary_kind *kind); /* "fgm", "freelb"; NULL */

#endif
