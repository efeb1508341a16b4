/* tok_norm.h: normalizers: what is done to a text before it is cut into pieces. */
#ifndef HEED_TEXT_TOK_NORM_H
#define HEED_TEXT_TOK_NORM_H

#include <jansson.h>

#include "base/json.h"
#include "text/aligned.h"

typedef struct heed__norm heed__norm;

/* The normalizer that a tokenizer.json describes. name stands before the place in messages. NULL:
 * HEED_EFORMAT, HEED_EUNSUPPORTED (a type that does not exist), HEED_ENOMEM. Shared by threads. */
heed__norm *heed__norm_new(const json_t *object, const char *name, const heed_hooks *hooks,
                           heed_error *err);
void heed__norm_free(heed__norm *n); /* NULL is fine */
int heed__norm_apply(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err);

/* SentencePiece's precompiled map of characters (precompiled.c): a double-array trie from bytes to
 * places in a list of texts. */
typedef struct heed__charsmap heed__charsmap;
heed__charsmap *heed__charsmap_new(const char *base64, const char *name, const heed_hooks *hooks,
                                   heed_error *err);
void heed__charsmap_free(heed__charsmap *m); /* NULL is fine */
/* A list of texts, all different, under this key (it may be missing): heed__charsmap_apply_longest
 * leaves them as they are. 0 or a status. */
int heed__charsmap_keep(heed__charsmap *m, const heed_fields *f, const char *key);
/* Such texts alone; free it as a map. All characters of one stand for all of it afterwards. */
heed__charsmap *heed__charsmap_kept(const heed_fields *f, const char *key, const heed_hooks *hooks);
int heed__charsmap_group(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                         heed_error *err);
int heed__charsmap_apply(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                         heed_error *err);
/* The same as SentencePiece itself does it: always the longest key, whatever a grapheme is. */
int heed__charsmap_apply_longest(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                                 heed_error *err);

#endif
