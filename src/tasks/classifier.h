/* classifier.h: inside of heed_classifier, for the files of this task. */
#ifndef HEED_TASKS_CLASSIFIER_H
#define HEED_TASKS_CLASSIFIER_H

#include "heed/models.h"
#include "heed/tasks.h"
#include "tasks/encode.h"
#include "tasks/metrics.h"

enum {
    HEED_CLASSIFIER_FORMAT = 1, /* format_version of the folders that this library writes */
    HEED_CLASSIFIER_MAX_LABELS = 1000000,
    HEED_CLASSIFIER_MAX_LEN = 1 << 20,
    HEED_CLASSIFIER_MAX_EPOCHS = 1 << 30
};

struct heed_classifier {
    heed_hooks hooks;
    heed_ctx *cx;
    heed_params *ps;
    heed_classic model;
    heed_vocab *vocab;
    char **label; /* [labels] in the order of their bytes */
    int64_t labels;
    int64_t max_len;
    uint64_t seed;  /* of the training, for the record */
    int64_t epochs; /* likewise */
};

/* An empty one with its context (train or not). NULL and *err on failure. */
heed_classifier *heed__classifier_new(const char *isa, int threads, uint64_t seed,
                                      const heed_hooks *hooks, heed_error *err);
/* Declares the model's parameters for the vocabulary and labels that c has. 0 or a status. */
int heed__classifier_build(heed_classifier *c, heed_model_cfg cfg, heed_error *err);
/* Whether a label can be saved and printed: UTF-8 without control characters. */
bool heed__label_is_plain(const char *label);
/* Whether heed_classifier_save could write its folder, asked before a long training. 0 or a
 * status. */
int heed__classifier_check_folder(const char *dir, heed_error *err);
/* Answers to len labelled texts: one outcome for each, and, where score is not NULL, the
 * probability of the model's second label. 0 or a status. */
int heed__classifier_judge(heed_classifier *c, const heed_examples *data, heed_outcome *outcome,
                           float *score, heed_error *err);
/* The number of a label, -1 for one not known. */
int32_t heed__classifier_find(const heed_classifier *c, const char *label);

#endif
