/* schema.h: the part of JSON Schema that docs/schemas uses, so that tests can hold outputs against
 * it. */
#ifndef HEED_TESTS_SCHEMA_H
#define HEED_TESTS_SCHEMA_H

#include <jansson.h>
#include <stddef.h>

/* Whether value obeys schema; if not, where and why is put into why. A keyword that is not
 * understood is a failure, so that no rule of a schema goes unchecked. */
int schema_holds(const json_t *schema, const json_t *value, char *why, size_t size);

#endif
