/* tok_added.h: added tokens: what is looked for in a text before anything else is done to it, and
 * again after it has been normalized. */
#ifndef HEED_TEXT_TOK_ADDED_H
#define HEED_TEXT_TOK_ADDED_H

#include <jansson.h>

#include "text/tok_model.h"
#include "text/tok_norm.h"

typedef struct heed__added heed__added;

/* The list "added_tokens" of a tokenizer.json (NULL: none). A token that the model has keeps the
 * model's id; others get those that follow the model's, in the order of the list, whatever id the
 * list says. model may be NULL. */
heed__added *heed__added_new(const json_t *list, const heed__tok_model *model,
                             const heed__norm *norm, const char *name, const heed_hooks *hooks,
                             heed_error *err);
void heed__added_free(heed__added *a); /* NULL is fine */

/* One more than the highest id, or 0. */
int64_t heed__added_len(const heed__added *a);
int32_t heed__added_find(const heed__added *a, const char *token, size_t size); /* or -1 */
/* The token of an id as a decoder sees it (normalized, where it is), or NULL. */
const char *heed__added_token(const heed__added *a, int32_t id, size_t *size);
/* Is this the text of a special token? */
bool heed__added_is_special(const heed__added *a, const char *token, size_t size);
/* The tokens as the list that a tokenizer.json holds. NULL: out of memory. */
json_t *heed__added_save(const heed__added *a);

/* Cuts the pieces of w->split that are no added tokens around those that are in it: the ones that
 * are to be found as they stand, or (normalized) the others. */
int heed__added_cut(const heed__added *a, heed__tok_work *w, bool normalized, heed_error *err);

#endif
