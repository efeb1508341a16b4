/* tokenizer.h: a tokenizer's insides, for those that make tokenizers. */
#ifndef HEED_TEXT_TOKENIZER_H
#define HEED_TEXT_TOKENIZER_H

#include <jansson.h>

#include "heed/text.h"
#include "text/tok_model.h"

/* A tokenizer of the parts that tree, an object as in a tokenizer.json, describes. model: what
 * encodes, instead of the one in tree; it is taken even on failure. With neither, the tokenizer can
 * cut texts but not encode them. name stands before the place in messages. */
heed_tokenizer *heed__tokenizer_make(const json_t *tree, heed__tok_model *model, const char *name,
                                     const heed_hooks *hooks, heed_error *err);

/* The same tree, without the model. The caller's; NULL: out of memory. */
json_t *heed__tokenizer_tree(const heed_tokenizer *tok);

/* The pieces of a text as the model would see them, added tokens left out. Where a byte-level
 * pre-tokenizer comes last, they are the bytes before it turns them into GPT-2's alphabet, which
 * heed__tokenizer_in_bytes tells. each returns 0 or a status, which ends it. */
bool heed__tokenizer_in_bytes(const heed_tokenizer *tok);
typedef int (*heed__piece_fn)(void *user, const char *piece, size_t size);
int heed__tokenizer_pieces(const heed_tokenizer *tok, const char *text, size_t size,
                           heed__piece_fn each, void *user, heed_error *err);

#endif
