/* flow_schema.c: the JSON schema of flow files, for editors and for other programs, from the very
 * tables that read them. */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "flow/flow_decode.h"
#include "flow/flow_print.h"

/* jansson's functions give NULL where memory is out and take NULL: what is missing shows at the end
 * in `bad`. */
typedef struct maker {
    bool bad;
} maker;

static void put(maker *m, json_t *object, const char *key, json_t *value) {
    m->bad |= json_object_set_new(object, key, value) != 0;
}

static void add(maker *m, json_t *array, json_t *value) {
    m->bad |= json_array_append_new(array, value) != 0;
}

/* "a b c" as a list. */
static json_t *words(maker *m, const char *text) {
    json_t *list = json_array();
    while (*text) {
        const size_t n = strcspn(text, " ");
        add(m, list, json_stringn(text, n));
        text += n + (text[n] == ' ');
    }
    return list;
}

static json_t *of_type(maker *m, const char *type) {
    json_t *s = json_object();
    put(m, s, "type", json_string(type));
    return s;
}

static json_t *struct_schema(maker *m, const flow_struct *s);

static json_t *either(maker *m, json_t *a, json_t *b, json_t *c) {
    json_t *s = json_object(), *list = json_array();
    add(m, list, a);
    add(m, list, b);
    if (c) add(m, list, c);
    put(m, s, "anyOf", list);
    return s;
}

static json_t *text_schema(maker *m, const flow_field *f) {
    json_t *s = of_type(m, "string");
    if (f->choice) put(m, s, "enum", words(m, f->choice));
    return s;
}

static json_t *texts_schema(maker *m, const flow_field *f) {
    json_t *list = of_type(m, "array");
    put(m, list, "items", text_schema(m, f));
    return either(m, text_schema(m, f), list, NULL);
}

static json_t *number_schema(maker *m, const flow_field *f) {
    json_t *s = of_type(m, f->type == FLOW_NUMBER ? "number" : "integer");
    if (f->type == FLOW_NUMBER) {
        put(m, s, "minimum", json_real(f->least));
        if (f->most > 0) put(m, s, "maximum", json_real(f->most));
    } else {
        put(m, s, "minimum", json_integer((json_int_t)f->least));
        if (f->most > 0) put(m, s, "maximum", json_integer((json_int_t)f->most));
    }
    return s;
}

static json_t *pattern(maker *m, const char *regex) {
    json_t *s = of_type(m, "string");
    put(m, s, "pattern", json_string(regex));
    return s;
}

/* Names to what `each` says. */
static json_t *named(maker *m, json_t *each) {
    json_t *s = of_type(m, "object");
    put(m, s, "additionalProperties", each);
    return s;
}

static json_t *field_schema(maker *m, const flow_field *f) {
    static const flow_field labels = { .type = FLOW_TEXTS };
    json_t *zero;
    switch (f->type) {
    case FLOW_TEXT:
    case FLOW_PATH:
    case FLOW_SWITCH:
        return text_schema(m, f);
    case FLOW_BOOL:
        return of_type(m, "boolean");
    case FLOW_INT:
    case FLOW_SEED:
    case FLOW_NUMBER:
        return number_schema(m, f);
    case FLOW_TIME:
        zero = json_object();
        put(m, zero, "const", json_integer(0));
        return either(m, pattern(m, "^([0-9.]+ *(ms|s|m|min|h|d|w) *)+$|^0$"), zero, NULL);
    case FLOW_SIZE:
        return pattern(m, "^[0-9.]+ *(B|kB|KB|MB|GB|KiB|MiB|GiB)$");
    case FLOW_RATE:
    case FLOW_PER_HOUR:
        return pattern(m, "^[0-9.]+ */ *(s|m|min|h|d)$");
    case FLOW_TEXTS:
        return texts_schema(m, f);
    case FLOW_WHEN:
        return named(m,
                     either(m, texts_schema(m, &labels), struct_schema(m, &flow_condition), NULL));
    case FLOW_PART:
        return either(m, of_type(m, "boolean"), struct_schema(m, f->of), NULL);
    case FLOW_ONE:
        return struct_schema(m, f->of);
    case FLOW_NAMED:
        return named(m, struct_schema(m, f->of));
    }
    return NULL;
}

/* What a kind needs, and what is of no use to it. */
static json_t *kind_schema(maker *m, const flow_struct *s, const char *kind, size_t n) {
    char word[32];
    heed__format(word, sizeof word, "%.*s", (int)n, kind);
    json_t *needs = json_array(), *refused = json_object();
    for (const flow_field *f = s->field; f->key; f++) {
        if (f->needs && flow__has_word(f->needs, word)) add(m, needs, json_string(f->key));
        if (f->kinds && !flow__has_word(f->kinds, word)) put(m, refused, f->key, json_false());
    }
    json_t *then = json_object(), *rule = json_object();
    put(m, then, "required", needs);
    put(m, then, "properties", refused);
    put(m, rule, "if", json_pack("{s:{s:{s:s}}}", "properties", "kind", "const", word));
    put(m, rule, "then", then);
    return rule;
}

static json_t *struct_schema(maker *m, const flow_struct *s) {
    json_t *object = of_type(m, "object"), *properties = json_object(), *needs = json_array(),
           *kinds = json_array();
    put(m, object, "additionalProperties", json_false());
    for (const flow_field *f = s->field; f->key; f++) {
        json_t *field = field_schema(m, f);
        put(m, field, "description", json_string(f->says));
        if (f->usual) put(m, field, "default", json_string(f->usual));
        put(m, properties, f->key, field);
        if (f->needs && strcmp(f->needs, "*") == 0) add(m, needs, json_string(f->key));
        const char *kind = strcmp(f->key, "kind") == 0 ? f->choice : "";
        for (size_t n; *kind; kind += n + (kind[n] == ' ')) {
            n = strcspn(kind, " ");
            add(m, kinds, kind_schema(m, s, kind, n));
        }
    }
    put(m, object, "properties", properties);
    if (json_array_size(needs) > 0)
        put(m, object, "required", needs);
    else
        json_decref(needs);
    if (json_array_size(kinds) > 0)
        put(m, object, "allOf", kinds);
    else
        json_decref(kinds);
    return object;
}

char *heed_flow_schema(const heed_hooks *hooks, heed_error *err) {
    maker m = { false };
    size_t len;
    json_t *whole = json_object(), *flow = struct_schema(&m, &flow_top);
    put(&m, whole, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    put(&m, whole, "title", json_string("a flow file of heed serve (docs/flow.md)"));
    m.bad |= json_object_update(whole, flow) != 0;
    json_decref(flow);
    char *text = m.bad ? NULL : heed__json_text(hooks, whole, true, &len, err);
    if (m.bad) heed__error(err, HEED_ENOMEM, "out of memory for the schema of flows");
    json_decref(whole);
    return text;
}
