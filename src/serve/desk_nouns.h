/* desk_nouns.h: which words name things: those that stand behind "the", "my", "an" as often as
 * names of things do, learnt from the desk's own texts. Finds what a message speaks of, so that
 * "it" can be read in the next. */
#ifndef HEED_SERVE_DESK_NOUNS_H
#define HEED_SERVE_DESK_NOUNS_H

#include "serve/desk_terms.h"
#include "text/vocab.h"

typedef struct heed_nouns {
    heed_hooks hooks;
    heed_vocab *vocab;
    int64_t *seen;   /* [words of vocab] */
    int64_t *behind; /* [words of vocab] behind such a word, or one word further */
} heed_nouns;

/* Learns from n lists of texts of len[i] each; NULL texts are passed over. 0 or HEED_ENOMEM. */
int heed__nouns_fill(heed_nouns *w, int n, const char *const *const *text, const int64_t *len,
                     const heed_hooks *hooks, heed_error *err);
void heed__nouns_free(heed_nouns *w); /* a zeroed one is fine */

/* A thing that is spoken of: bytes of the text, and how much the desk's texts speak of it. */
typedef struct heed_thing {
    size_t begin, end;
    double weight;
} heed_thing;
/* Things in text in their order, each also without the words before its last ("delivery address",
 * "address"). How many, at most `most`. */
int heed__nouns_find(const heed_nouns *w, const char *text, heed_thing *thing, int most);

#endif
