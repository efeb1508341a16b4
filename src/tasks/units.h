/* units.h: what a model reads of a text: its words, or its tokens where it has a tokenizer, and
 * their numbers. Of `heed tokenize MODEL`.
 *
 *     heed_units *u = heed__units_open("support.model", &hooks, &err);
 *     heed__units_read(u, "Where is my card?", &err); // words.id, .begin, .end, .token; bag
 *     heed__units_close(u); */
#ifndef HEED_TASKS_UNITS_H
#define HEED_TASKS_UNITS_H

#include "heed/text.h"
#include "tasks/body.h"

typedef struct heed_unit_source heed_unit_source;

typedef struct heed_units {
    heed_unit_source *source;
    /* Of the text read last, until the next is read: len (0: nothing but white space) and, of each
     * unit, id: a vocabulary's word or token, or the table's row of the word itself, -1 where it
     * has none; begin and end; token: its bytes in the text that was read; sequence: 0. The other
     * arrays are NULL. The source's memory: never given to heed_encoding_free. */
    heed_encoding words;
    /* Of a model with a table of words, pieces and runs: a unit's vector is the sum of the rows
     * feature[bag[i] .. bag[i+1]), its own first. Else NULL. */
    const int64_t *bag;
    const int32_t *feature;
} heed_units;

/* Whether dir is a model's folder that has no tokenizer's file of its own. */
bool heed__units_are(const char *dir);
/* Of a classifier, embedder or tagger. NULL and *err on failure. */
heed_units *heed__units_open(const char *dir, const heed_hooks *hooks, heed_error *err);
/* Zero-terminated UTF-8, uncut. 0 or a status, after which words.len is 0. One call at a time. */
int heed__units_read(heed_units *u, const char *text, heed_error *err);
void heed__units_close(heed_units *u); /* NULL is fine */

#endif
