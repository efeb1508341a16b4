/* scan.h: the regular expressions that nearly all byte-level tokenizers cut with, matched by hand.
 * Each covers every text without gaps, so a call gives the end of the next match. */
#ifndef HEED_TEXT_SCAN_H
#define HEED_TEXT_SCAN_H

#include "heed/base.h"

/* at < size; well-formed UTF-8. Returns the end of the match that begins at `at`. */
typedef uint32_t (*heed__scan)(const char *text, uint32_t size, uint32_t at);
/* The scanner for this very pattern, or NULL. */
heed__scan heed__scan_for(const char *pattern, size_t size);
uint32_t heed__scan_gpt2(const char *text, uint32_t size, uint32_t at);

#endif
