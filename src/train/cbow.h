/* cbow.h: vectors of words from texts without labels: each word is told from drawn ones by the
 * mean of the vectors around it (continuous bag of words with negative sampling; Mikolov et al.
 * 2013). */
#ifndef HEED_TRAIN_CBOW_H
#define HEED_TRAIN_CBOW_H

#include "heed/tensor.h"

/* Texts as numbers of words: text i is id[start[i] .. start[i+1]), -1 for a word without one. */
typedef struct heed_word_ids {
    int64_t texts, words; /* words: how many different ones */
    int64_t *start;       /* [texts+1] */
    int32_t *id;
} heed_word_ids;

/* A zero is the value in brackets. */
typedef struct heed_cbow_cfg {
    int64_t dim;    /* (100) */
    int64_t window; /* words on either side, at most (8) */
    int64_t drawn;  /* words that each is told from (8) */
    int64_t passes; /* over the texts (4) */
    double rate;    /* falls linearly to 0 (0.025) */
    uint64_t seed;
    const heed_hooks *hooks; /* progress, cancel */
} heed_cbow_cfg;

/* Fills vector [words,dim]. Depends on texts and seed alone. 0 or a status: HEED_ENOMEM,
 * HEED_ECANCELLED, HEED_ENONFINITE where the steps were too long for it. */
int heed__cbow_learn(heed_ctx *cx, const heed_word_ids *x, const heed_cbow_cfg *cfg, float *vector);

/* Bytes that heed__cbow_learn takes besides x and vector. */
int64_t heed__cbow_size(const heed_word_ids *x, const heed_cbow_cfg *cfg);

#endif
