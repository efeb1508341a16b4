/* json_put.h: JSON written straight into a growing text, where a tree for every event would cost
 * more than the event's analysis. */
#ifndef HEED_BASE_JSON_PUT_H
#define HEED_BASE_JSON_PUT_H

#include "base/buffer.h"

void heed__json_put_text(heed_text *b, const char *text, size_t size); /* "quoted", UTF-8 */
void heed__json_put_string(heed_text *b, const char *text);            /* the same; NULL: null */
void heed__json_put_int(heed_text *b, int64_t value);
/* Of a part of one so many decimals, at most 9, which is quick; any other number as
 * heed__json_put_real. */
void heed__json_put_part(heed_text *b, double value, int digits);
/* The shortest that reads back; null if not finite. */
void heed__json_put_real(heed_text *b, double value);

#endif
