/* units.h: what a model reads of a text: its words, or its tokens where it has a tokenizer, and
 * their numbers. Of `heed tokenize MODEL`.
 *
 *     heed_units *u = heed__units_open("support.model", &hooks, &err);
 *     heed__units_read(u, "Where is my card?", &err); // rows.place, .id or .bag and .feature */
#ifndef HEED_TASKS_UNITS_H
#define HEED_TASKS_UNITS_H

#include "tasks/body.h"

typedef struct heed_unit_source heed_unit_source;

typedef struct heed_units {
    heed_unit_source *source;
    /* Of the text read last: rows.place, known, and either id, a vocabulary's word or token, or bag
     * and feature: the rows of the table that a unit's vector is the sum of, the word's own first
     * where it has one, then those of its pieces and runs. */
    heed_rows rows;
    int64_t len; /* 0: nothing but white space */
} heed_units;

/* Whether dir is a model's folder that has no tokenizer's file of its own. */
bool heed__units_are(const char *dir);
/* Of a classifier, embedder or tagger. NULL and *err on failure. */
heed_units *heed__units_open(const char *dir, const heed_hooks *hooks, heed_error *err);
/* Zero-terminated UTF-8, uncut. 0 or a status. One call at a time. */
int heed__units_read(heed_units *u, const char *text, heed_error *err);
void heed__units_close(heed_units *u); /* NULL is fine */

#endif
