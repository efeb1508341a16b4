/* train_model.h: models of tokenizers made from counted pieces. */
#ifndef HEED_TEXT_TRAIN_MODEL_H
#define HEED_TEXT_TRAIN_MODEL_H

#include <jansson.h>

#include "text/train_words.h"

typedef struct heed__train_cfg {
    int64_t vocab;              /* tokens in all, special ones included */
    int64_t min_count;          /* a pair seen less often is not joined */
    int64_t alphabet;           /* characters kept, the commonest; 0: all */
    int64_t max_piece;          /* characters of the longest piece of Unigram */
    const char *prefix;         /* of tokens inside a word, or NULL */
    const char *const *special; /* tokens with the first ids; NULL ends them */
    const char *unk;            /* the unknown token, one of special, or NULL */
    bool raw; /* pieces are bytes, tokens are written in GPT-2's alphabet, all of it is known */
    const heed_hooks *hooks;
} heed__train_cfg;

/* Byte pair encoding: the "model" object of a tokenizer.json; with wordpiece, a WordPiece model
 * whose vocabulary was found the same way (as the reference does). words must have been sorted.
 * NULL: HEED_ENOMEM, HEED_ECANCELLED, HEED_EINVALID (no piece at all). */
json_t *heed__train_bpe(const heed__train_words *words, const heed__train_cfg *cfg, bool wordpiece,
                        heed_error *err);
/* A Unigram model. */
json_t *heed__train_unigram(const heed__train_words *words, const heed__train_cfg *cfg,
                            heed_error *err);

#endif
