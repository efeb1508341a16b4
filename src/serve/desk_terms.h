/* desk_terms.h: what a text is looked up by: its words in small letters without their
 * endings, and pairs of neighbouring Chinese, Japanese or Korean ideographs (one that stands alone
 * by itself). Marks are passed over. */
#ifndef HEED_SERVE_DESK_TERMS_H
#define HEED_SERVE_DESK_TERMS_H

#include "text/words.h"

typedef struct heed_terms {
    const char *text;
    size_t size, at;
    heed_word ideograph, held; /* the last ideograph; a word that waits for its turn */
    bool has_ideograph, paired, has_held;
} heed_terms;

typedef struct heed_term {
    size_t begin, end; /* bytes of the text */
    int len, whole;    /* bytes of form without the endings, and with them */
    char form[HEED_WORD_BYTES];
    bool common; /* one of the words that questions are made of, which say little about what is
                    asked: "how", "the", "can", "怎么" */
} heed_term;

void heed__terms_begin(heed_terms *t, const char *text, size_t size);
bool heed__terms_next(heed_terms *t, heed_term *term); /* false: the end */
/* Whether it is this word, in small letters and with its endings; one of a list that NULL ends. */
bool heed__term_is(const heed_term *term, const char *word);
bool heed__term_is_any(const heed_term *term, const char *const *words);

#endif
