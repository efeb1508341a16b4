/* html_data.h: the names of characters that HTML knows. */
#ifndef HEED_FLOW_HTML_DATA_H
#define HEED_FLOW_HTML_DATA_H

#include <stddef.h>

typedef struct heed_entity {
    const char *name; /* "amp", without & and ; */
    const char *text; /* UTF-8, one or two characters */
} heed_entity;

extern const heed_entity heed__html_entities[];
extern const size_t heed__html_entities_len;

#endif
