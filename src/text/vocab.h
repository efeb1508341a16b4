/* vocab.h: words and their numbers. 0 is padding, 1 stands for every word not known; then falling
 * count. */
#ifndef HEED_TEXT_VOCAB_H
#define HEED_TEXT_VOCAB_H

#include "heed/base.h"

enum { HEED_VOCAB_PAD = 0, HEED_VOCAB_UNKNOWN = 1, HEED_VOCAB_SPECIAL = 2 };

typedef struct heed_vocab heed_vocab;

heed_vocab *heed__vocab_new(const heed_hooks *hooks, heed_error *err);
void heed__vocab_free(heed_vocab *v);
/* Counts a word once more while the vocabulary is being made. 0 or HEED_ENOMEM. */
int heed__vocab_count(heed_vocab *v, const char *form, size_t len);
/* Ends counting: keeps the `keep` commonest (equal counts in the order of their bytes), special
 * ones included in keep. */
int heed__vocab_finish(heed_vocab *v, int64_t keep);
int64_t heed__vocab_len(const heed_vocab *v); /* special ones included */
/* The number of a word, HEED_VOCAB_UNKNOWN for one not known. Any number of threads. */
int32_t heed__vocab_find(const heed_vocab *v, const char *form, size_t len);
/* One word a line, special ones left out. The text is the caller's (heed__free). */
char *heed__vocab_text(const heed_vocab *v, size_t *size);
/* From such a text. A line that is empty, repeated or no plain UTF-8 is HEED_EFORMAT
 * with `name`:line. */
heed_vocab *heed__vocab_parse(const char *text, size_t size, const char *name,
                              const heed_hooks *hooks, heed_error *err);

#endif
