/* self_train.h: learning from a few labelled texts and many without labels. */
#ifndef HEED_TASKS_SELF_TRAIN_H
#define HEED_TASKS_SELF_TRAIN_H

#include "tasks/classifier.h"

/* One round of it. */
typedef struct heed_self_round {
    int64_t round, rounds; /* 0: on the labelled texts alone */
    int64_t taken, pool;   /* texts without labels that were learnt from; all there are */
    double least;          /* confidence of the least sure one taken */
    double accuracy, loss; /* on held-out texts; NAN where none are held out */
} heed_self_round;

/* Trains on data, then on data and the texts x whose labels can be guessed best (Scudder 1965; Lee
 * 2013, "Pseudo-label"): three tenths of them, of each label as many as its share among the
 * labelled texts, so that no label takes over. What guesses is a teacher (teacher.h), which knows
 * the words of all texts, or the classifier itself where held-out data say that it is better.
 * base's held-out data judge each round; the best is kept, and where nothing is held out the last.
 * tell (may be NULL) hears of each round. For one label a text. With a run, what is finished is
 * kept (parts.h), and with resume gone on with. NULL and *err on failure. */
heed_classifier *heed__classifier_self_train(const heed_examples *data, const heed_texts *x,
                                             const heed_classify_cfg *base,
                                             void (*tell)(const heed_self_round *),
                                             heed_error *err);

#endif
