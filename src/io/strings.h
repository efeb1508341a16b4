/* strings.h: many strings that live and go together, one after another in large blocks. */
#ifndef HEED_IO_STRINGS_H
#define HEED_IO_STRINGS_H

#include "base/arena.h"

typedef struct heed_strings {
    heed_arena arena;
    char *block; /* what is left of the newest block */
    size_t left;
} heed_strings;

void heed__strings_init(heed_strings *s, const heed_hooks *hooks);
/* A copy of text that ends with a zero byte; NULL: out of memory. */
const char *heed__strings_keep(heed_strings *s, const char *text);
void heed__strings_free(heed_strings *s); /* a zeroed one is fine */

#endif
