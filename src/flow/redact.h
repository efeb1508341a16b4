/* redact.h: personal data out of a text before it is stored or logged. */
#ifndef HEED_FLOW_REDACT_H
#define HEED_FLOW_REDACT_H

#include "heed/base.h"

typedef struct heed_redactor heed_redactor; /* immutable: any thread */

/* kinds: of "mail", "phone", "card" (Luhn), "id" (national numbers with their check digits),
 * "iban", "ip", and "name", which only a model finds: see heed_redactor_names. NULL: HEED_EINVALID
 * names one that is none. docs/privacy.md says what is found. */
heed_redactor *heed_redactor_new(const char *const *kind, int64_t n, const heed_hooks *hooks,
                                 heed_error *err);
void heed_redactor_free(heed_redactor *r);
/* Whether "name" is among the kinds: the caller takes names out, by a tagger. */
bool heed_redactor_names(const heed_redactor *r);
/* text with "[mail]", "[phone]" ... in place; heed__free; NULL: out of memory. *count (may be
 * NULL):
 * how many were replaced. */
char *heed_redact(const heed_redactor *r, const char *text, int64_t *count, heed_error *err);
/* The same in every string and whole number (which then becomes a string) of a JSON text; keys
 * stay. What is no JSON is redacted as a text. */
char *heed_redact_json(const heed_redactor *r, const char *json, int64_t *count, heed_error *err);
/* The same by another function, such as one that takes names out. */
typedef char *(*heed_redact_fn)(void *user, const char *text, int64_t *count, heed_error *err);
char *heed_redact_json_by(const heed_hooks *hooks, heed_redact_fn fn, void *user, const char *json,
                          int64_t *count, heed_error *err);

#endif
