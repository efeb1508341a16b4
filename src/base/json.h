/* json.h: strict JSON over jansson: UTF-8 checked, no duplicate keys, no bytes after the end, depth
 * limited, numbers in range; errors as file:line:column. Trees are jansson's json_t. */
#ifndef HEED_BASE_JSON_H
#define HEED_BASE_JSON_H

#include <jansson.h>

#include "heed/base.h"

/* An object or array; free it with json_decref. name stands before the place in an error: a path,
 * "body". NULL: HEED_EFORMAT, HEED_ENOMEM, and for a file what heed__file_regular
 * and heed__file_read say. */
json_t *heed__json_parse(const char *text, size_t len, const char *name, heed_error *err);
/* The same with flags of jansson besides, as JSON_ALLOW_NUL. */
json_t *heed__json_parse_as(const char *text, size_t len, size_t flags, const char *name,
                            heed_error *err);
json_t *heed__json_read(const heed_hooks *hooks, const char *path, size_t most, heed_error *err);

/* What is wrong with a text, from jansson's error in words of this library, which can be
 * translated: "at '"a"': a key stands there twice". Returns to. */
enum { HEED_JSON_WHY = 160 };
const char *heed__json_why(const json_error_t *e, char to[HEED_JSON_WHY]);

/* The tree as text; keys in the order in which they were set, so equal trees made alike give equal
 * bytes. pretty: indented, with a newline at the end. Free it with heed__free. NULL: HEED_ENOMEM.
 */
char *heed__json_text(const heed_hooks *hooks, const json_t *tree, bool pretty, size_t *len,
                      heed_error *err);

/* Reads the fields of one object and keeps the first error; check `status` once at the end.
 *     heed_fields f = { .object = tree, .name = "dir/config.json", .err = err };
 *     const int64_t dim = heed__field_int(&f, "dim", 1, 65536);
 *     if (f.status) return f.status;                  dir/config.json: dim is 0, not 1 to 65536 */
typedef struct heed_fields {
    const json_t *object;
    const char *name;
    heed_error *err;
    int status;
} heed_fields;
bool heed__field_has(const heed_fields *f, const char *key);
int64_t heed__field_int(heed_fields *f, const char *key, int64_t least, int64_t most);
double heed__field_number(heed_fields *f, const char *key);
bool heed__field_bool(heed_fields *f, const char *key);
const char *heed__field_text(heed_fields *f, const char *key); /* owned by object; "" on error */
/* Refuses keys that are none of names, a list that NULL ends. */
void heed__fields_only(heed_fields *f, const char *const *names);

#endif
