/* report_impl.h: what the shapes of a report share. */
#ifndef HEED_SERVE_REPORT_IMPL_H
#define HEED_SERVE_REPORT_IMPL_H

#include <jansson.h>

#include "base/text.h"

enum { HEED_REPORT_SPAN = 48 };

static inline const char *heed__report_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static inline int64_t heed__report_int(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

/* "40 s", "12 min", "3 h 20 min". Returns text. */
static inline const char *heed__report_span(int64_t ms, char text[HEED_REPORT_SPAN]) {
    const long long s = ms / 1000;
    if (s < 120)
        heed__format(text, HEED_REPORT_SPAN, "%lld s", s);
    else if (s < 7200)
        heed__format(text, HEED_REPORT_SPAN, "%lld min", s / 60);
    else
        heed__format(text, HEED_REPORT_SPAN, "%lld h %lld min", s / 3600, s / 60 % 60);
    return text;
}

#endif
