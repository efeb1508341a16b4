/* tok_json.h: JSON whose keys may hold U+0000, as vocabularies of tokenizers do. jansson refuses
 * such keys, so that character is carried through it as two noncharacters (U+10FFFF U+FDD0), in
 * keys alone. */
#ifndef HEED_TEXT_TOK_JSON_H
#define HEED_TEXT_TOK_JSON_H

#include "base/json.h"
#include "heed/base.h"

enum { HEED_TOK_KEY_MOST = 7 }; /* bytes of a key that stand for one byte of a token */

/* As heed__json_parse, but keys and strings may hold \u0000; keys go through the function below. */
json_t *heed__tok_json_parse(const char *text, size_t size, const char *name,
                             const heed_hooks *hooks, heed_error *err);
/* Writes the token that a key of such a tree stands for (at most len bytes); returns its size. */
size_t heed__tok_json_key(const char *key, size_t len, char *token);
/* Writes the key of a token (at most HEED_TOK_KEY_MOST · size bytes); returns its length. */
size_t heed__tok_json_key_put(const char *token, size_t size, char *key);
/* Whether a token holds the noncharacters that stand for a zero byte in keys. */
bool heed__tok_json_taken(const char *token, size_t size);
/* As heed__json_text, with keys turned back. */
char *heed__tok_json_text(const heed_hooks *hooks, const json_t *tree, bool pretty, size_t *len,
                          heed_error *err);

/* The "type" of a part of tokenizer.json (a normalizer, a decoder ..), which is an object and lies
 * at most 32 deep in others of its kind; owned by the object. NULL, and the error in f, otherwise.
 */
const char *heed__tok_part_type(heed_fields *f, int depth);

#endif
