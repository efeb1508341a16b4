/* schema.h: requests held against the JSON Schemas of the table of routes, so that what
 * /openapi.json says of them is true and a handler sees nothing else. */
#ifndef HEED_HTTP_SCHEMA_H
#define HEED_HTTP_SCHEMA_H

#include <jansson.h>

#include "heed/base.h"

/* The part of JSON Schema that is understood: type, enum, const; required, properties,
 * additionalProperties (false); items, contains, minItems, maxItems; minLength, maxLength
 * (characters); minimum, maximum; anyOf, oneOf, not. title, description, default, examples and
 * format are for readers. HEED_EINVALID: another keyword, or one with a value that it cannot
 * have. */
int heed__schema_valid(const json_t *schema, heed_error *err);

/* Where and why a value does not hold: "body.most", "is no integer". A member or item that is to be
 * an integer and came as 3.0 becomes 3. */
typedef struct heed_fault {
    char where[160], what[160];
} heed_fault;
bool heed__schema_holds(const json_t *schema, json_t *value, const char *name, heed_fault *fault);

/* A text of a query as the value that the schema wants: 7 for "7" where it is an integer, true for
 * "true" and "1". New reference; a string where it is none of integer, number and boolean. NULL:
 * out of memory. */
json_t *heed__schema_value(const json_t *schema, const char *text);

#endif
