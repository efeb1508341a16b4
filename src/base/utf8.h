/* utf8.h: reading UTF-8 strictly: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef HEED_BASE_UTF8_H
#define HEED_BASE_UTF8_H

#include "heed/base.h"

/* The code point at text[*at], *at moved past it; -1 where the bytes are not UTF-8, *at not moved.
 * Needs *at < size. */
int32_t heed__utf8_next(const char *text, size_t size, size_t *at);
/* Writes a code point (0..10FFFF, no surrogate) as 1 to 4 bytes and returns how many. */
int heed__utf8_put(int32_t code, char out[4]);
/* The offset of the first byte that is not UTF-8, or size when all is well. */
size_t heed__utf8_check(const char *text, size_t size);
/* Small letter for a capital of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, and for
 * full-width ASCII; others as they are. */
int32_t heed__lower(int32_t code);

#endif
