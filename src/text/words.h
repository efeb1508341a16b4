/* words.h: text cut into words: runs of letters and digits, each mark alone, each Chinese, Japanese
 * or Korean ideograph and kana alone; white space and control characters go. Small letters. */
#ifndef HEED_TEXT_WORDS_H
#define HEED_TEXT_WORDS_H

#include "heed/base.h"

enum { HEED_WORD_BYTES = 64 }; /* a longer word is cut there, at a character's end */

typedef struct heed_word {
    size_t begin, end;          /* bytes of the text that it stands for */
    int len;                    /* bytes of form */
    char form[HEED_WORD_BYTES]; /* in small letters, not terminated */
} heed_word;

/* The next word at or after *at, *at moved past it. False at the end of the text. The text must be
 * UTF-8 (bytes that are not are passed over one by one). */
bool heed__word_next(const char *text, size_t size, size_t *at, heed_word *word);
/* Whether it is a mark that stands alone, no letter, digit or ideograph. */
bool heed__word_is_mark(const heed_word *word);
/* Bytes [begin,end) as one word, whatever it holds: its form in small letters. */
void heed__word_whole(const char *text, size_t begin, size_t end, heed_word *word);

#endif
