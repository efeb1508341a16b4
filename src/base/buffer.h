/* buffer.h: a text that grows at its end. The first failure of memory is kept: later additions do
 * nothing, and heed__text_take tells of it.
 *
 *     heed_text b = { .hooks = hooks };
 *     heed__text_add(&b, "a", 1);
 *     heed__text_format(&b, "%d", 3);
 *     char *text = heed__text_take(&b, &size);      NULL: out of memory
 */
#ifndef HEED_BASE_BUFFER_H
#define HEED_BASE_BUFFER_H

#include "base/alloc.h"

typedef struct heed_text {
    const heed_hooks *hooks; /* must outlive it */
    char *bytes;             /* [len], a zero byte after them; NULL while nothing was added */
    int64_t len, cap;
    bool failed; /* out of memory */
} heed_text;

void heed__text_add(heed_text *b, const char *bytes, size_t size);
void heed__text_puts(heed_text *b, const char *text);
void heed__text_put(heed_text *b, char c);
/* As heed__format; at most 1023 bytes at a time. */
void heed__text_format(heed_text *b, const char *format, ...) HEED_PRINTF(2, 3);
/* The text, the caller's (heed__free); b is empty again. size may be NULL. NULL: out of memory. */
char *heed__text_take(heed_text *b, size_t *size);
void heed__text_reset(heed_text *b); /* empty, memory kept */
void heed__text_free(heed_text *b);

#endif
