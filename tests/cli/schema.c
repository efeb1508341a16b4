/* schema.c: holds a JSON value against a schema. */
#include "schema.h"

#include <stdio.h>
#include <string.h>

typedef struct check {
    char *why;
    size_t size;
} check;

static int no(const check *c, const char *what, const char *which) {
    snprintf(c->why, c->size, "%s: %s", which, what);
    return 0;
}

static int is_type(const json_t *v, const char *type) {
    return strcmp(type, "object") == 0    ? json_is_object(v)
           : strcmp(type, "array") == 0   ? json_is_array(v)
           : strcmp(type, "string") == 0  ? json_is_string(v)
           : strcmp(type, "integer") == 0 ? json_is_integer(v)
           : strcmp(type, "number") == 0  ? json_is_number(v)
           : strcmp(type, "boolean") == 0 ? json_is_boolean(v)
           : strcmp(type, "null") == 0    ? json_is_null(v)
                                          : 0;
}

static int any_type(const json_t *v, const json_t *types) {
    if (json_is_string(types)) return is_type(v, json_string_value(types));
    size_t i;
    json_t *t;
    json_array_foreach(types, i, t) if (is_type(v, json_string_value(t))) return 1;
    return 0;
}

static int holds(const check *c, const json_t *schema, const json_t *v, const char *path);

static int object_holds(const check *c, const json_t *schema, const json_t *v, const char *path) {
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *extra = json_object_get(schema, "additionalProperties");
    size_t i;
    json_t *name, *value;
    json_array_foreach(json_object_get(schema, "required"), i, name) {
        if (!json_object_get(v, json_string_value(name)))
            return no(c, json_string_value(name), "is missing");
    }
    const char *key;
    json_object_foreach((json_t *)v, key, value) {
        char deeper[256];
        const json_t *s = json_object_get(properties, key);
        snprintf(deeper, sizeof deeper, "%.120s.%.100s", path, key);
        if (!s && json_is_false(extra)) return no(c, "not in the schema", deeper);
        if (s && !holds(c, s, value, deeper)) return 0;
    }
    return 1;
}

static int array_holds(const check *c, const json_t *schema, const json_t *v, const char *path) {
    const json_t *least = json_object_get(schema, "minItems"),
                 *most = json_object_get(schema, "maxItems");
    const json_int_t n = (json_int_t)json_array_size(v);
    if ((least && n < json_integer_value(least)) || (most && n > json_integer_value(most)))
        return no(c, "wrong number of items", path);
    const json_t *items = json_object_get(schema, "items");
    for (size_t i = 0; items && i < (size_t)n; i++)
        if (!holds(c, items, json_array_get(v, i), path)) return 0;
    return 1;
}

static int value_holds(const check *c, const json_t *schema, const json_t *v, const char *path) {
    const json_t *types = json_object_get(schema, "type"),
                 *choice = json_object_get(schema, "enum");
    const json_t *low = json_object_get(schema, "minimum"),
                 *high = json_object_get(schema, "maximum");
    if (types && !any_type(v, types)) return no(c, "wrong type", path);
    if (low && json_is_number(v) && json_number_value(v) < json_number_value(low))
        return no(c, "too small", path);
    if (high && json_is_number(v) && json_number_value(v) > json_number_value(high))
        return no(c, "too large", path);
    int found = !choice;
    size_t i;
    json_t *one;
    json_array_foreach(choice, i, one) found |= json_equal(one, v);
    return found ? 1 : no(c, "none of the values allowed", path);
}

static int holds(const check *c, const json_t *schema, const json_t *v, const char *path) {
    static const char *const known[] = { "$schema",    "title",    "description",
                                         "type",       "required", "additionalProperties",
                                         "properties", "minimum",  "maximum",
                                         "minItems",   "maxItems", "items",
                                         "enum" };
    const char *key;
    json_t *unused;
    json_object_foreach((json_t *)schema, key, unused) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key) != 0) i++;
        if (i == sizeof known / sizeof *known)
            return no(c, key, "a keyword that the test does not know");
    }
    if (!value_holds(c, schema, v, path)) return 0;
    if (json_is_object(v)) return object_holds(c, schema, v, path);
    if (json_is_array(v)) return array_holds(c, schema, v, path);
    return 1;
}

int schema_holds(const json_t *schema, const json_t *value, char *why, size_t size) {
    const check c = { why, size };
    return holds(&c, schema, value, "$");
}
