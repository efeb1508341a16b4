/* signs.h: the words of a text as signs, for pairs of words that stand far apart. A word is its own
 * sign. A number is one sign, digits, marks and all ("1,259.7"), which tells no more than how it
 * stands to the number before it: the first, more, less, the same, or a year, which is compared
 * with nothing. So "profit .. 5.1 .. 4.2" and "profit .. 36 .. 17" have pairs in common. */
#ifndef HEED_TEXT_SIGNS_H
#define HEED_TEXT_SIGNS_H

#include "text/words.h"

typedef struct heed_sign {
    uint64_t hash;
    bool number;
} heed_sign;

/* Those of the text at hand. */
typedef struct heed_signs {
    heed_sign *sign; /* [len] */
    int64_t len, cap;
    size_t end;    /* of the last number, in bytes of the text */
    bool compared; /* there was a number to compare the next one with: */
    double value;
} heed_signs;

void heed__signs_begin(heed_signs *s); /* a new text; keeps memory */
/* The next word of the text, whose hash is given: a sign more, or none where it belongs to the
 * number before. 0 or HEED_ENOMEM. */
int heed__signs_add(heed_signs *s, const char *text, size_t size, const heed_word *word,
                    uint64_t hash, const heed_hooks *hooks);
void heed__signs_free(heed_signs *s, const heed_hooks *hooks);

#endif
