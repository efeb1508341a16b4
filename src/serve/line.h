/* line.h: JSON written straight into a line, where a tree for every event would cost more than the
 * event's analysis. What fails for want of memory is remembered and asked for once, at the end. */
#ifndef HEED_SERVE_LINE_H
#define HEED_SERVE_LINE_H

#include "heed/base.h"

typedef struct heed_line {
    char *data; /* zero-terminated once something was put */
    int64_t len, cap;
    bool failed;
    const heed_hooks *hooks;
} heed_line;

void heed_line_free(heed_line *l);                                 /* a zeroed one is fine */
void heed_line_put(heed_line *l, const char *text);                /* as it stands */
void heed_line_bytes(heed_line *l, const char *text, size_t size); /* as they stand */
void heed_line_text(heed_line *l, const char *text, size_t size);  /* "quoted", UTF-8 */
void heed_line_string(heed_line *l, const char *text);             /* the same; NULL: null */
void heed_line_int(heed_line *l, int64_t value);
/* Of a part of one so many decimals, at most 9, which is quick; any other number as
 * heed_line_real. */
void heed_line_part(heed_line *l, double value, int digits);
void heed_line_real(heed_line *l, double value); /* shortest that reads back; null if not finite */

#endif
