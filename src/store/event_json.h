/* event_json.h: rows as the JSON trees of the HTTP interface. */
#ifndef HEED_STORE_EVENT_JSON_H
#define HEED_STORE_EVENT_JSON_H

#include <jansson.h>

#include "store/db.h"

/* EVENT of look.h, with "gates" where they are wanted; NULL with *err: HEED_ENOTFOUND where seq is
 * no event. */
json_t *heed__event_json(heed_db *db, int64_t seq, bool gates, heed_error *err);
/* "2024-02-29T12:00:00.000Z", or null for 0. */
json_t *heed__time_json(int64_t ms);
/* A string, or null. Bytes that are no UTF-8, as a damaged file may have them, become "?". */
json_t *heed__text_json(const char *text);
/* Sets a field; false where that failed: out of memory, value NULL too. */
bool heed__put_json(json_t *object, const char *name, json_t *value);
/* The tree where it is whole; else frees it and gives NULL with *err: out of memory. */
json_t *heed__whole_json(json_t *tree, bool whole, heed_error *err);
/* Text that holds JSON, or null. */
json_t *heed__parsed_json(const char *text);

#endif
