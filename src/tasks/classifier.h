/* classifier.h: inside of heed_classifier, for the files of this task. */
#ifndef HEED_TASKS_CLASSIFIER_H
#define HEED_TASKS_CLASSIFIER_H

#include "heed/tasks.h"
#include "tasks/beside.h"
#include "tasks/body.h"
#include "tasks/calibration.h"
#include "tasks/context.h"
#include "tasks/head.h"
#include "tasks/metrics.h"
#include "tasks/run_left.h"

enum {
    /* format_version of the folders that this library writes: the first where a table is rounded to
     * 8 bits, else the second */
    HEED_CLASSIFIER_FORMAT = 3,
    HEED_CLASSIFIER_PLAIN = 2,
    HEED_CLASSIFIER_MAX_LABELS = 1000000,
    HEED_ANSWERED = 64 /* texts answered at once, where what they share is not computed once */
};

/* Held-out examples of a training with one label a text, and the calibrated answers to them. The
 * strings are those of the examples that were given to the training. */
typedef struct heed_held {
    int64_t len;
    const char **text;     /* [len] */
    heed_outcome *outcome; /* [len] */
} heed_held;
/* Accuracy and mean loss of the answers; 0 where there are none. */
void heed__held_measure(const heed_held *h, double *accuracy, double *loss);
void heed__held_free(heed_held *h, const heed_hooks *hooks);

struct heed_classifier {
    heed_hooks hooks;
    heed_ctx *cx;
    heed_params *ps;
    heed_body *body;
    heed_body_memo *memo; /* of an opened model's body, or NULL */
    heed_beside beside;   /* numbers beside the texts */
    heed_context context; /* the second text of a pair is what the first attends to */
    bool no_texts;        /* trained on numbers alone: texts are empty */
    heed_head head;
    char **label;   /* [labels] in the order of their bytes */
    int64_t labels; /* 0 for a score */
    int64_t max_len;
    heed_keep keep;
    bool windows;                 /* a longer text is read in windows of max_len, else cut to it */
    bool hierarchy;               /* labels are paths, a/b */
    uint64_t seed;                /* of the training, for the record */
    int64_t epochs;               /* likewise */
    int64_t window, truncate;     /* reach asked for at opening; 0: as trained */
    int64_t batch;                /* texts answered at once; no answer depends on it */
    bool rehearses; /* of all batches and pieces the largest alone is gone through, and answers are
                       zeros: what they take of memory is known before it is needed */
    heed_calibration calibration; /* len 0: none */
    heed_held held;               /* after a training; len 0 else */
    heed_run_left left;           /* likewise, until it is saved */
};

/* An empty one with its context (train or not). NULL and *err on failure. */
heed_classifier *heed__classifier_new(const char *isa, int threads, uint64_t seed,
                                      const heed_hooks *hooks, heed_error *err);
/* Width of what the head reads of a text: the body's vector and what stands beside it. */
int64_t heed__classifier_dim(const heed_classifier *c);
/* K: numbers that the head gives for a text. */
int64_t heed__classifier_width(const heed_classifier *c);
/* Whether a label can be saved and printed: UTF-8 without control characters. */
bool heed__label_is_plain(const char *label);
/* Whether heed_classifier_save could write its folder, asked before a long training. 0 or a
 * status. */
int heed__classifier_check_folder(const char *dir, heed_error *err);
/* Removes a model's folder; one that holds anything else stays, with that. */
void heed__classifier_drop(const char *dir);
/* A hash of the files of a model's folder, by which another one is noticed. 0 or a status. */
int heed__classifier_sum(const char *dir, uint64_t *sum, heed_error *err);
/* Reads dir's config.json and makes body and labels of it, without weights; head's shape is put
 * where asked. 0 or a status. */
int heed__classifier_open_config(heed_classifier *c, const char *dir, heed_head_cfg *head,
                                 heed_error *err);
/* heed_classifier_test_labels that tells how each label fared too: tally [K] or NULL. */
int heed__classifier_test_labels(heed_classifier *c, const heed_examples *data,
                                 heed_labels_metrics *m, heed_tally *tally, heed_error *err);
/* Answers to len labelled texts: one outcome for each, and, where score is not NULL, the
 * probability of the model's second label; labels that it does not have are -1, -2 .. by their
 * names. 0 or a status. */
int heed__classifier_judge(heed_classifier *c, const heed_examples *data, heed_outcome *outcome,
                           float *score, heed_error *err);
/* Examples at .. at+n of x, unlabelled: views, of their features in *array. */
heed_examples heed__examples_part(const heed_examples *x, int64_t at, int64_t n,
                                  heed_array *array);
/* Sorts n labels and keeps each once; how many are left. */
int64_t heed__labels_distinct(const char **text, int64_t n);
/* True, with the sentence, where there is nothing to test on. */
bool heed__lacks_examples(const heed_examples *x, heed_error *err);
/* What words weigh: the heaviest, and all together. alike: none weighs more than the mean and a
 * tenth of it, so that they are not told apart: what has learnt from little attends to all alike.
 * False of a single word. */
typedef struct heed_words_weight {
    float most, sum;
    bool alike;
} heed_words_weight;
heed_words_weight heed__words_weight(const heed_attended *word, int64_t n);
/* The number of a label, -1 for one not known. */
int32_t heed__classifier_find(const heed_classifier *c, const char *label);

/* How many of x's texts from one on are encoded together: what they take is bounded, but for a text
 * that takes more alone. */
int64_t heed__piece(const heed_examples *x, int64_t at);
/* The piece [*at,*end) that has the most bytes; empty where x is. */
void heed__largest_piece(const heed_examples *x, int64_t *at, int64_t *end);

/* Texts (and their second ones, where the head reads pairs) encoded. */
typedef struct heed_pairs {
    heed_rows rows, rows2; /* rows2 zeroed without pairs */
    heed_array array;      /* the caller's; data NULL: none */
} heed_pairs;
/* whole: nothing is cut off, for windows and explanations. 0 or a status. */
int heed__classifier_encode(const heed_classifier *c, const heed_examples *x, bool whole,
                            heed_pairs *p, heed_error *err);
void heed__pairs_free(heed_pairs *p);
/* How many windows row i is read in, and which units window w of them is; 1 where the text is cut.
 */
int64_t heed__windows(const heed_classifier *c, const heed_rows *rows, int64_t i);
heed_span heed__window(const heed_classifier *c, const heed_rows *rows, int64_t i, int64_t w);
/* Logits z [n,K] as answers, in place: calibrated probabilities, or scores. 0 or a status. */
int heed__classifier_finish(heed_classifier *c, int64_t n, float *z, heed_error *err);
/* Logits of every row, averaged over its windows, out [len,K]; finished unless logits is set. 0 or
 * a status. */
int heed__classifier_answers(heed_classifier *c, const heed_pairs *p, bool logits, float *out,
                             heed_error *err);
/* The body's pooled vectors, out [len,body->dim], averaged likewise. 0 or a status. */
int heed__classifier_vectors(heed_classifier *c, const heed_rows *rows, float *out,
                             heed_error *err);

#endif
