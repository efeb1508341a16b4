/* schema.c: JSON Schema, as much of it as the table of routes uses. */
#include "http/schema.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { DEEPEST = 32, SHOWN = 40 };

/* -- schemas themselves ----------------------------------------------------------------------- */

static const char *const types[] = { "object", "array",   "string", "integer",
                                     "number", "boolean", "null" };

static bool is_type_name(const json_t *t) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (json_is_string(t) && strcmp(json_string_value(t), types[i]) == 0) return true;
    return false;
}

/* What the value of a keyword must be: s schema, S list of schemas, P object of schemas, t type or
 * list of types, a list, n number, f false, x anything. */
static const struct {
    const char *name;
    char kind;
} keywords[] = {
    { "type", 't' },        { "enum", 'a' },       { "const", 'x' },
    { "required", 'a' },    { "properties", 'P' }, { "additionalProperties", 'f' },
    { "items", 's' },       { "minItems", 'n' },   { "maxItems", 'n' },
    { "minLength", 'n' },   { "maxLength", 'n' },  { "minimum", 'n' },
    { "maximum", 'n' },     { "anyOf", 'S' },      { "oneOf", 'S' },
    { "contains", 's' },    { "not", 's' },        { "title", 'x' },
    { "description", 'x' }, { "default", 'x' },    { "examples", 'x' },
    { "format", 'x' },
};

static bool all_valid(const json_t *list, int depth, heed_error *err);

static bool valid(const json_t *schema, int depth, heed_error *err);

static bool keyword_valid(char kind, const json_t *value, int depth, heed_error *err) {
    size_t i;
    json_t *one;
    switch (kind) {
    case 's':
        return valid(value, depth + 1, err);
    case 'S':
        return json_array_size(value) > 0 && all_valid(value, depth + 1, err);
    case 'P':
        return json_is_object(value) && all_valid(value, depth + 1, err);
    case 't':
        if (!json_is_array(value)) return is_type_name(value);
        json_array_foreach(value, i, one) {
            if (!is_type_name(one)) return false;
        }
        return true;
    case 'a':
        return json_is_array(value);
    case 'n':
        return json_is_number(value);
    case 'f':
        return json_is_false(value);
    default:
        return true;
    }
}

static bool all_valid(const json_t *list, int depth, heed_error *err) {
    size_t i;
    const char *key;
    json_t *one;
    json_array_foreach(list, i, one) {
        if (!valid(one, depth, err)) return false;
    }
    json_object_foreach((json_t *)(uintptr_t)list, key, one) {
        if (!valid(one, depth, err)) return false;
    }
    return true;
}

static bool valid(const json_t *schema, int depth, heed_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(schema) || depth > DEEPEST) {
        heed__error(err, HEED_EINVALID, "a schema that is none");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)schema, key, value) {
        size_t i = 0;
        const size_t n = sizeof keywords / sizeof *keywords;
        while (i < n && strcmp(keywords[i].name, key) != 0) i++;
        if (i == n) {
            heed__error(err, HEED_EINVALID, "'%s' is no keyword of schemas that is understood",
                        key);
            return false;
        }
        if (err) err->code = 0;
        if (keyword_valid(keywords[i].kind, value, depth, err)) continue;
        if (err && !err->code)
            heed__error(err, HEED_EINVALID, "a schema's '%s' is not what it must be", key);
        return false;
    }
    return true;
}

int heed__schema_valid(const json_t *schema, heed_error *err) {
    heed_error own;
    return valid(schema, 0, err ? err : &own) ? HEED_OK : HEED_EINVALID;
}

/* -- values ----------------------------------------------------------------------------------- */

static bool no(heed_fault *f, const char *where, const char *format, ...) HEED_PRINTF(3, 4);

static bool no(heed_fault *f, const char *where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    heed__format(f->where, sizeof f->where, "%s", where);
    heed__vformat(f->what, sizeof f->what, format, args);
    va_end(args);
    return false;
}

static bool is_type(const json_t *v, const char *type) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_NULL:
        return strcmp(type, "null") == 0;
    default:
        return strcmp(type, "boolean") == 0;
    }
}

static bool type_holds(const json_t *want, const json_t *v, const char *where, heed_fault *f) {
    size_t i;
    json_t *one;
    if (!want) return true;
    if (json_is_string(want))
        return is_type(v, json_string_value(want)) ||
               no(f, where, "is no %s", json_string_value(want));
    json_array_foreach(want, i, one) {
        if (is_type(v, json_string_value(one))) return true;
    }
    return no(f, where, "is of a type that it cannot have");
}

static bool choice_holds(const json_t *schema, const json_t *v, const char *where, heed_fault *f) {
    const json_t *list = json_object_get(schema, "enum"), *one = json_object_get(schema, "const");
    size_t i;
    json_t *item;
    char all[120] = "";
    if (one && !json_equal(one, v))
        return json_is_string(one) ? no(f, where, "is not %s", json_string_value(one))
                                   : no(f, where, "is not what it must be");
    if (!list) return true;
    json_array_foreach(list, i, item) {
        if (json_equal(item, v)) return true;
        const size_t len = strlen(all);
        const char *text = json_is_string(item) ? json_string_value(item) : "?";
        heed__format(all + len, sizeof all - len, "%s%.*s", i ? ", " : "", SHOWN, text);
    }
    return no(f, where, "is none of %s", all);
}

/* unit: what is counted; NULL: the value itself is compared. */
static bool within(const json_t *schema, const char *const names[2], double size, const char *unit,
                   const char *where, heed_fault *f) {
    const json_t *low = json_object_get(schema, names[0]),
                 *high = json_object_get(schema, names[1]);
    char number[HEED_NUMBER_SIZE];
    const bool few = low && size < json_number_value(low);
    if (!few && !(high && size > json_number_value(high))) return true;
    heed__double_text(json_number_value(few ? low : high), number);
    if (!unit) return no(f, where, "is %s than %s", few ? "less" : "more", number);
    return no(f, where, "has %s than %s %s", few ? "fewer" : "more", number, unit);
}

static int64_t characters(const json_t *text) {
    const char *at = json_string_value(text);
    int64_t n = 0;
    for (size_t left = json_string_length(text); left > 0; at++, left--)
        n += ((unsigned char)*at & 0xC0u) != 0x80u;
    return n;
}

static bool holds(const json_t *schema, json_t *v, const char *where, heed_fault *f);

/* The integer that a real number is and the schema asks for; NULL: leave it. New reference. */
static json_t *as_integer(const json_t *schema, const json_t *v) {
    const char *type = json_string_value(json_object_get(schema, "type"));
    if (!json_is_real(v) || !type || strcmp(type, "integer") != 0) return NULL;
    const double x = json_real_value(v);
    return x >= -0x1p53 && x <= 0x1p53 && x == (double)(int64_t)x ? json_integer((int64_t)x) : NULL;
}

static bool object_holds(const json_t *schema, json_t *v, const char *where, heed_fault *f) {
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *extra = json_object_get(schema, "additionalProperties");
    char deeper[sizeof f->where];
    size_t i;
    const char *key;
    json_t *one;
    json_array_foreach(json_object_get(schema, "required"), i, one) {
        if (!json_object_get(v, json_string_value(one)))
            return no(f, where, "has no '%s'", json_string_value(one));
    }
    json_object_foreach(v, key, one) {
        const json_t *its = json_object_get(properties, key);
        if (!its && !extra) continue;
        heed__format(deeper, sizeof deeper, "%.100s.%.*s", where, SHOWN, key);
        if (!its) return no(f, deeper, "is not known");
        json_t *whole = as_integer(its, one);
        if (whole) {
            if (json_object_set_new(v, key, whole) != 0) return no(f, deeper, "fits no memory");
            one = json_object_get(v, key);
        }
        if (!holds(its, one, deeper, f)) return false;
    }
    return true;
}

static bool array_holds(const json_t *schema, json_t *v, const char *where, heed_fault *f) {
    static const char *const names[2] = { "minItems", "maxItems" };
    const json_t *items = json_object_get(schema, "items");
    char deeper[sizeof f->where];
    size_t i;
    json_t *one;
    if (!within(schema, names, (double)json_array_size(v), "items", where, f)) return false;
    const json_t *some = json_object_get(schema, "contains");
    bool found = false;
    heed_fault ignored;
    json_array_foreach(v, i, one) {
        found = found || (some && holds(some, one, where, &ignored));
    }
    if (some && !found) return no(f, where, "has not the item that it must have");
    if (!items) return true;
    json_array_foreach(v, i, one) {
        heed__format(deeper, sizeof deeper, "%.100s[%zu]", where, i);
        json_t *whole = as_integer(items, one);
        if (whole) {
            if (json_array_set_new(v, i, whole) != 0) return no(f, deeper, "fits no memory");
            one = json_array_get(v, i);
        }
        if (!holds(items, one, deeper, f)) return false;
    }
    return true;
}

/* anyOf and oneOf; of those that do not hold, the one that fails deepest is told of. */
static bool one_holds(const json_t *schema, json_t *v, const char *where, heed_fault *f) {
    const json_t *any = json_object_get(schema, "anyOf"), *one = json_object_get(schema, "oneOf");
    const json_t *list = any ? any : one;
    int good = 0;
    size_t i;
    json_t *s;
    heed_fault deepest = { "", "" }, this;
    json_array_foreach(list, i, s) {
        if (holds(s, v, where, &this))
            good++;
        else if (strlen(this.where) > strlen(deepest.where))
            deepest = this;
    }
    if (!list || good == 1 || (any && good > 0)) return true;
    if (good > 1) return no(f, where, "is more than one of the things that it could be");
    *f = deepest;
    return false;
}

static bool holds(const json_t *schema, json_t *v, const char *where, heed_fault *f) {
    static const char *const numbers[2] = { "minimum", "maximum" };
    static const char *const lengths[2] = { "minLength", "maxLength" };
    heed_fault ignored;
    const json_t *other = json_object_get(schema, "not");
    if (!type_holds(json_object_get(schema, "type"), v, where, f) ||
        !choice_holds(schema, v, where, f))
        return false;
    if (json_is_object(v) && !object_holds(schema, v, where, f)) return false;
    if (json_is_array(v) && !array_holds(schema, v, where, f)) return false;
    if (json_is_number(v) && !within(schema, numbers, json_number_value(v), NULL, where, f))
        return false;
    if (json_is_string(v) &&
        !within(schema, lengths, (double)characters(v), "characters", where, f))
        return false;
    if (other && holds(other, v, where, &ignored)) return no(f, where, "is what it must not be");
    return one_holds(schema, v, where, f);
}

bool heed__schema_holds(const json_t *schema, json_t *value, const char *name, heed_fault *fault) {
    return holds(schema, value, name, fault);
}

json_t *heed__schema_value(const json_t *schema, const char *text) {
    const char *type = json_string_value(json_object_get(schema, "type"));
    const size_t size = strlen(text);
    int64_t whole;
    double number;
    if (type && strcmp(type, "integer") == 0 && heed__parse_int(text, size, &whole))
        return json_integer(whole);
    if (type && strcmp(type, "number") == 0 && heed__parse_double(text, size, &number))
        return json_real(number);
    if (type && strcmp(type, "boolean") == 0) {
        if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0) return json_true();
        if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0) return json_false();
    }
    return json_string(text);
}
