/* classifier_data.h: examples on their way into a training: checked, their labels numbered, split
 * into what is learnt from and what is held out, encoded. */
#ifndef HEED_TASKS_CLASSIFIER_DATA_H
#define HEED_TASKS_CLASSIFIER_DATA_H

#include "tasks/classifier.h"

/* A part of the examples. x's arrays of pointers are its own, the texts the caller's. */
typedef struct heed_part {
    heed_examples x;
    int32_t *label;       /* [len], or as label_start says: numbers; -1: not known to the model */
    int64_t *label_start; /* [len+1], several labels */
    double *score;        /* [len] */
    float *numbers;       /* of array */
    heed_array array;     /* [len] what x->array points to, where there is one */
    heed_pairs in;
    int64_t *length;       /* [len] units that a step reads of it */
    float *out;            /* [len,K] answers, of held-out examples */
    heed_outcome *outcome; /* [len] likewise */
} heed_part;

/* label_start begins at 0 or above and does not fall. 0 or a status. */
int heed__label_start_check(const heed_examples *x, const char *call, heed_error *err);
/* One label a text, not as label_start says. 0 or a status. */
int heed__label_one_check(const heed_examples *x, const char *call, heed_error *err);
/* Scores are there, finite and not beyond what can be told apart. 0 or a status. */
int heed__score_check(const heed_examples *x, const char *call, heed_error *err);
/* what: "text", as messages call an example. 0 or a status. */
int heed__data_check(const heed_examples *x, heed_target target, const char *what, heed_error *err);
/* heed_classifier_train as a part of a training that begins as said, with cfg's run and hooks. */
heed_classifier *heed__classifier_train(const heed_examples *data, const heed_classify_cfg *cfg,
                                        heed_run_begin *begin, heed_error *err);
/* c's labels are those of x, in the order of their bytes. 0 or a status. */
int heed__data_labels(heed_classifier *c, const heed_examples *x, heed_error *err);
/* Fills both parts; nothing is held out where cfg says so. 0 or a status. */
int heed__data_split(const heed_classifier *c, const heed_examples *x, const heed_classify_cfg *cfg,
                     heed_part *learn, heed_part *held, heed_error *err);
/* The part's texts, both of a pair, and those of more (or NULL). x->text is the caller's to free.
 */
int heed__all_texts(const heed_classifier *c, const heed_part *p, const heed_examples *more,
                    heed_texts *x, heed_error *err);
/* c's body, whose parameters alone are declared, learns the language (pretrain.h) as fit says, with
 * logs and checkpoint in a folder of its own. 0 or a status. */
int heed__classifier_pretrain(heed_classifier *c, const heed_part *p, const heed_classify_cfg *cfg,
                              heed_fit_cfg *fit, heed_error *err);
int heed__part_encode(heed_classifier *c, heed_part *p, heed_error *err);
/* What c is worth on the part: accuracy, micro-F1 at 1/2, or R², with the loss. */
int heed__part_score(heed_classifier *c, heed_part *p, heed_score *score, heed_error *err);
/* Goes once through what takes most memory of scoring held (NULL or empty: none) and of testing c
 * on tests (NULL: none) once it is trained. 0 or a status. */
int heed__classifier_rehearse(heed_classifier *c, heed_part *held, const heed_examples *tests,
                              heed_error *err);
/* Calibrates c on the part, with one label a text, and leaves the answers in c->held. */
int heed__part_calibrate(heed_classifier *c, heed_part *p, heed_error *err);
/* What the evidence counts beside the head of c, and both together, so that the labels of the part,
 * which c has not learnt from, are likeliest; nothing where c has no evidence. */
int heed__part_weigh(heed_classifier *c, heed_part *p, heed_error *err);
/* Makes c as sure as few texts allow, where none can be held out to measure it: the logits are
 * divided by 1 + 5 / log2 K and multiplied by `usual`, the temperature that calibration expects
 * (1 where nothing is calibrated). Two labels take more, since their margin counts for one and
 * against the other. The answers stay. Nothing where there is no evidence. */
void heed__classifier_cool(heed_classifier *c, double usual);
int64_t heed__part_size(const heed_part *p); /* bytes */
/* Of its texts, labels and scores. */
uint64_t heed__part_hash(const heed_part *p);
void heed__part_free(heed_part *p, const heed_hooks *hooks);

/* Whether a parameter belongs to the head. */
bool heed__is_head(const char *name);
/* NULL: none said. False for a name that is none. */
bool heed__position_of(const char *name, heed_position_kind *kind);
bool heed__pooling_of(const char *name, heed_pooling_kind *kind);

#endif
