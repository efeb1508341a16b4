/* tok_pre.h: pre-tokenizers: how a text is cut into the pieces that the model sees. */
#ifndef HEED_TEXT_TOK_PRE_H
#define HEED_TEXT_TOK_PRE_H

#include <jansson.h>

#include "text/aligned.h"

typedef struct heed__pre heed__pre;

/* As heed__norm_new. */
heed__pre *heed__pre_new(const json_t *object, const char *name, const heed_hooks *hooks,
                         heed_error *err);
void heed__pre_free(heed__pre *p); /* NULL is fine */
/* Cuts every piece of w->split that is no added token. raw: where the last thing to do would be to
 * turn bytes into the characters of GPT-2's alphabet, it is left out. */
int heed__pre_apply(const heed__pre *p, heed__tok_work *w, bool raw, heed_error *err);
/* Whether that is the last thing to do. */
bool heed__pre_ends_in_bytes(const heed__pre *p);
/* The text of a field of one character (as its code point); 0 and f->status otherwise. */
uint32_t heed__pre_char(const json_t *object, const char *key, const char *name, heed_error *err);

#endif
