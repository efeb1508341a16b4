/* tok_models.h: the kinds of models to each other: their loaders, and what they share. */
#ifndef HEED_TEXT_TOK_MODELS_H
#define HEED_TEXT_TOK_MODELS_H

#include "text/tok_model.h"
#include "text/tok_vocab.h"

heed__tok_model *heed__tok_load_wordpiece(const json_t *object, const char *name,
                                          const heed_hooks *hooks, heed_error *err);
heed__tok_model *heed__tok_load_wordlevel(const json_t *object, const char *name,
                                          const heed_hooks *hooks, heed_error *err);
heed__tok_model *heed__tok_load_bpe(const json_t *object, const char *name, const heed_hooks *hooks,
                                    heed_error *err);
heed__tok_model *heed__tok_load_unigram(const json_t *object, const char *name,
                                        const heed_hooks *hooks, heed_error *err);

/* heed__tok_model_raw; false for what is no BPE. */
bool heed__tok_bpe_raw(heed__tok_model *m);

/* Room for `more` tokens in out; 0 or HEED_ENOMEM with *err. */
int heed__tok_room(const heed__tok_model *m, heed__tok_pieces *out, int64_t more, heed_error *err);
int heed__tok_no_memory(heed_error *err); /* fills *err and returns HEED_ENOMEM */

/* An optional text of an object: a copy in *to (NULL where it is absent or null), zero-terminated,
 * heed__free. 0, HEED_ENOMEM, or HEED_EFORMAT `name: key is not a text`. */
typedef struct heed__tok_text {
    char *text;
    size_t size;
} heed__tok_text;
int heed__tok_field_text(const json_t *object, const char *key, const char *name,
                         const heed_hooks *hooks, heed__tok_text *to, heed_error *err);
/* An optional truth value; *to stays where it is absent or null. */
int heed__tok_field_bool(const json_t *object, const char *key, const char *name, bool *to,
                         heed_error *err);
json_t *heed__tok_text_json(const heed__tok_text *t); /* a string, or null; NULL: out of memory */

/* The members of ops for a model that keeps its vocabulary right behind its head. */
typedef struct heed__tok_words {
    heed__tok_model head;
    heed__tok_vocab vocab;
} heed__tok_words;
int32_t heed__tok_words_find(const heed__tok_model *m, const char *token, size_t size);
const char *heed__tok_words_token(const heed__tok_model *m, int32_t id, size_t *size);
int64_t heed__tok_words_len(const heed__tok_model *m);
/* "hidden" of an object, ids of tokens that texts are not searched for (sentencepiece.c), as
 * (*hidden)[ids], heed__free; NULL where there is no such list. 0 or a status. */
int heed__tok_hidden(const json_t *object, const heed__tok_words *w, const char *name,
                     bool **hidden, heed_error *err);
int heed__tok_hidden_save(const heed__tok_words *w, const bool *hidden, json_t *model);
/* For models whose scratch is the cache alone. */
heed__tok_scratch *heed__tok_plain_scratch(const heed__tok_model *m);
void heed__tok_plain_scratch_free(heed__tok_scratch *s);

#endif
