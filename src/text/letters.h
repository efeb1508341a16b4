/* letters.h: single characters: small letters, and code points written as UTF-8. */
#ifndef HEED_TEXT_LETTERS_H
#define HEED_TEXT_LETTERS_H

#include "heed/base.h"

/* Writes a code point (0..10FFFF, no surrogate) as 1 to 4 bytes and returns how many. */
size_t heed__utf8_put(uint32_t code, char out[4]);
/* Small letter for a capital of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, and for
 * full-width ASCII; others as they are. */
uint32_t heed__lower(uint32_t code);

#endif
