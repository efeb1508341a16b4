/* tagger.h: inside of heed_tagger, for the files of this task.
 *
 *     words -> vocabulary row | sum of hashed features | four features      tag_words.h
 *           -> dropout -> LSTM in both directions, or encoder -> dropout
 *           -> a score for each tag -> conditional random field             tag_decode.h
 */
#ifndef HEED_TASKS_TAGGER_H
#define HEED_TASKS_TAGGER_H

#include "heed/nn.h"
#include "heed/tasks.h"
#include "tasks/run_left.h"
#include "tasks/tag_decode.h"
#include "tasks/tag_words.h"
#include "tasks/tags.h"

enum {
    HEED_TAGGER_FORMAT = 1, /* format_version of the folders that this library writes */
    HEED_TAGGER_MAX_TYPES = 4096,
    HEED_TAGGER_MAX_LEN = 1 << 20, /* words of a sentence */
    HEED_TAGGER_MAX_WIDTH = 4096,
    HEED_TAGGER_MAX_ROWS = 1 << 26
};

/* The model's shape, as config.json has it. */
typedef struct heed_tag_shape {
    bool encoder, crf;
    int64_t vocab, embed, features, field, buckets, field_buckets, hidden, layers, heads;
    double dropout, word_dropout, feature_dropout; /* read in training alone */
} heed_tag_shape;

typedef struct heed_origin heed_origin;

struct heed_tagger {
    heed_hooks hooks;
    heed_ctx *cx;
    heed_params *ps;
    heed_vocab *vocab;
    heed_types types;
    heed_tag_scheme scheme; /* of the data it learnt from */
    heed_tag_shape shape;
    heed_embed word, bag, field; /* [vocab,embed], [buckets,features], [field_buckets,field] */
    heed_rnn rnn;
    heed_linear in; /* encoder: to its width */
    heed_encoder enc;
    heed_linear out;            /* to the tags' scores */
    heed_tensor *trans, *edges; /* [K,K], [2,K]; NULL without a CRF */
    heed_lattice lattice;       /* of the weights as they are: see heed__tagger_ready */
    double temperature;         /* scores are divided by it in answers; 1 while it learns */
    double ece[2];              /* of held-out entities without it and with it; for the record */
    uint64_t seed;              /* of the training, for the record */
    int64_t epochs;             /* likewise: the one whose weights these are */
    heed_run_left left;         /* of its training, until it is saved */
};

/* An empty one with its context. NULL and *err on failure. */
heed_tagger *heed__tagger_new(const char *isa, int threads, uint64_t seed, const heed_hooks *hooks,
                              heed_error *err);
/* A folder's tagger without its parameters: types, shape and words. NULL and *err on failure. */
heed_tagger *heed__tagger_open_shape(const char *dir, const heed_open_cfg *cfg, heed_error *err);
/* t gets old's shape, but for what is read in training alone and the CRF, old's words, which old
 * has no longer, and its types. 0 or HEED_ENOMEM. */
int heed__tagger_follow(heed_tagger *t, heed_tagger *old, heed_error *err);
/* After heed__tagger_build: the weights of o, which old was opened from; those that score the
 * tags where t has no types but old's. 0 or a status. */
int heed__tagger_take(heed_tagger *t, const heed_tagger *old, const heed_origin *o,
                      heed_error *err);
/* Likewise of a model of another kind (origin.h): words and layers. 0 or a status. */
int heed__tagger_give(heed_tagger *t, const heed_origin *o, heed_error *err);
/* Declares the parameters of t->shape for the vocabulary and types that t has. 0 or a status. */
int heed__tagger_build(heed_tagger *t, heed_error *err);
/* Makes the lattice from the weights; once more whenever they have changed. 0 or a status. */
int heed__tagger_ready(heed_tagger *t, heed_error *err);
heed_tag_tables heed__tagger_tables(const heed_tagger *t);

/* Sentences item[0..n) of rows: scores [n,T,K] and *lengths I32 [n]. Where the context trains,
 * words with rare[id] set become the unknown one at times, and values are dropped. */
heed_tensor *heed__tagger_scores(heed_tagger *t, const heed_tag_rows *rows, const int64_t *item,
                                 int64_t n, const bool *rare, heed_tensor **lengths);
/* What heed__tagger_answer fills; arrays are the caller's, [start[len]] of the rows. */
typedef struct heed_tag_answer {
    int32_t *tag; /* the best tags */
    float *sure; /* confidence of the entity that a word belongs to, 1 for words of none; or NULL */
    int32_t *gold; /* the right tags, below 0 where the model has none for a word; or NULL */
    float *scores; /* [words,K] of every tag; or NULL */
    double loss;   /* with gold: sum of -log p over the sentences whose tags the model has */
    int64_t told;  /* how many those are */
} heed_tag_answer;
/* Answers of all sentences. 0 or a status. */
int heed__tagger_answer(heed_tagger *t, const heed_tag_rows *rows, heed_tag_answer *a,
                        heed_error *err);
/* The tags of data as numbers, place[start[len]]; types get what they lack. 0 or a status. */
int heed__tagger_places(const heed_tagged *data, heed_types *types, heed_place *place,
                        heed_tag_scheme *scheme, heed_error *err);
/* place as tags of the inner scheme, tag[start[len]]. 0 or HEED_ENOMEM. */
int heed__tagger_inner(const heed_tagged *data, const heed_place *place, int32_t *tag,
                       const heed_hooks *hooks);
/* Whether data can be read at all; `what` begins the sentence. 0 or a status. */
int heed__tagger_check(const heed_tagged *data, bool tags, const char *what, heed_error *err);
/* Sets the temperature (Guo et al. 2017) by which the confidence of the entities found in data fits
 * best, and ece. 0 or a status. */
int heed__tagger_calibrate(heed_tagger *t, const heed_tagged *data, heed_error *err);
/* heed_tagger_test, with or without the interval of F1. */
int heed__tagger_measure(heed_tagger *t, const heed_tagged *data, heed_tag_metrics *m,
                         bool interval, heed_error *err);
/* The right tags of data in the model's numbers, -1 for those it does not have, gold[start[len]]. 0
 * or a status. */
int heed__tagger_gold(const heed_tagger *t, const heed_tagged *data, int32_t *gold,
                      heed_error *err);
/* The context's error into *err; resets the step. */
int heed__tagger_failed(heed_tagger *t, heed_error *err);
int heed__tagger_check_folder(const char *dir, heed_error *err);

#endif
