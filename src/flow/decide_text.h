/* decide_text.h: texts put together piece by piece: JSON that the decider writes, quickly and with
 * the same bytes on every machine. A text that memory was short for stays `failed`, and what is put
 * after that is dropped, so that it is looked at once, at the end. */
#ifndef HEED_FLOW_DECIDE_TEXT_H
#define HEED_FLOW_DECIDE_TEXT_H

#include "base/alloc.h"

typedef struct heed_line {
    const heed_hooks *hooks;
    char *text; /* zero-terminated once something was put */
    int64_t len, cap;
    bool failed;
} heed_line;

void heed__line_start(heed_line *l); /* empty again, keeping its memory */
void heed__line_free(heed_line *l);
void heed__line_bytes(heed_line *l, const char *bytes, size_t len);
void heed__line_put(heed_line *l, const char *text);
void heed__line_int(heed_line *l, int64_t value);
/* three significant digits, as a JSON number: 0.0131, 14, 2.3e-09 */
void heed__line_number(heed_line *l, double value);
void heed__line_json(heed_line *l, const char *text); /* a JSON string with its quotes */
void heed__line_within(heed_line *l, const char *text, size_t len); /* the same without quotes */
void heed__line_time(heed_line *l, int64_t time_ms); /* "2026-01-31T09:30:00.000Z", in quotes */
void heed__line_span(heed_line *l, int64_t ms);      /* "10 min", "36 h", without quotes */

#endif
