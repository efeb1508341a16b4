/* word_rows.h: texts as rows of word numbers, for the bodies that read words. */
#ifndef HEED_TASKS_WORD_ROWS_H
#define HEED_TASKS_WORD_ROWS_H

#include "tasks/body.h"
#include "text/vocab.h"

/* Counts every word of texts into a new vocabulary of at most keep. NULL and *err on failure. */
heed_vocab *heed__vocab_of(const heed_texts *x, int64_t keep, const heed_hooks *hooks,
                           heed_error *err);
/* As heed_body_kind's encode, by the words of v; a text without words becomes one unknown word. */
int heed__word_rows(const heed_vocab *v, const heed_texts *x, const heed_rows_cfg *cfg,
                    heed_rows *rows, heed_error *err);
/* vocab.txt of a folder. 0 or a status; len is what config.json says it must have. */
int heed__vocab_save(const heed_vocab *v, const char *dir, const heed_hooks *hooks,
                     heed_error *err);
heed_vocab *heed__vocab_open(const char *dir, int64_t len, const heed_hooks *hooks,
                             heed_error *err);

#endif
