/* json.c: strict JSON over jansson. */
#include "base/json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

const char *heed__json_why(const json_error_t *e, char to[HEED_JSON_WHY]) {
    static const struct {
        const char *theirs, *ours;
    } known[] = {
        { "'}' expected", "needs a comma or '}'" },
        { "']' expected", "needs a comma or ']'" },
        { "':' expected", "needs a ':'" },
        { "string or '}' expected", "needs a key or '}'" },
        { "'[' or '{' expected", "neither an object nor a list" },
        { "unexpected token", "needs a value" },
        { "invalid token", "no value of JSON" },
        { "premature end of input", "a text without its end" },
        { "unexpected newline", "a text without its end in this line" },
        { "control character", "a control character within a text" },
        { "invalid escape", "an escape that JSON does not have" },
        { "invalid Unicode", "an escape that is no character" },
        { "unable to decode byte", "not UTF-8" },
        { "duplicate object key", "a key stands there twice" },
        { "real number overflow", "a number too large" },
        { "too big", "a whole number too large" },
        { "\\u0000 is not allowed", "a zero byte within a text" },
        { "NUL byte", "a zero byte within a key" },
        { "end of file expected", "more stands after its end" },
        { "maximum parsing depth", "nested too deep" },
    };
    const char *what = e->text, *near = strstr(e->text, " near ");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(e->text, known[i].theirs, strlen(known[i].theirs)) == 0) what = known[i].ours;
    if (what == e->text || !near)
        heed__format(to, HEED_JSON_WHY, "%s", what);
    else if (strcmp(near, " near end of file") == 0)
        heed__format(to, HEED_JSON_WHY, "at its end: %s", what);
    else
        heed__format(to, HEED_JSON_WHY, "at %.60s: %s", near + strlen(" near "), what);
    return to;
}

/* jansson tells of some failed allocations as if they were errors of the text. A second look tells
 * them apart: an error of the text is there again, word for word. */
json_t *heed__json_parse_as(const char *text, size_t len, size_t flags, const char *name,
                            heed_error *err) {
    json_error_t first, e;
    char why[HEED_JSON_WHY];
    const locale_t before = heed__c_locale_enter();
    json_t *tree = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES, &first);
    if (!tree) tree = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES, &e);
    heed__c_locale_leave(before);
    if (tree) return tree;
    if (!e.text[0] || strcmp(e.text, first.text) != 0 || e.position != first.position)
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    else
        heed__error(err, HEED_EFORMAT, "%s:%d:%d: %s", name, e.line, e.column,
                    heed__json_why(&e, why));
    return NULL;
}

json_t *heed__json_parse(const char *text, size_t len, const char *name, heed_error *err) {
    return heed__json_parse_as(text, len, 0, name, err);
}

json_t *heed__json_read(const heed_hooks *hooks, const char *path, size_t most, heed_error *err) {
    char *text;
    size_t size;
    if (heed__file_regular(path, err) ||
        heed__file_read(hooks, path, most, &text, &size, err) != HEED_OK)
        return NULL;
    json_t *tree = heed__json_parse(text, size, path, err);
    heed__free(hooks, text);
    return tree;
}

typedef struct sink {
    const heed_hooks *hooks;
    char *text;
    int64_t len, cap;
    bool failed; /* kept here too, since jansson forgets some failures of its callback */
} sink;

static int append(const char *bytes, size_t size, void *arg) {
    sink *s = arg;
    s->failed |= size > INT32_MAX ||
                 heed__grow(s->hooks, &s->text, &s->cap, s->len + (int64_t)size + 2, 1) != HEED_OK;
    if (s->failed) return -1;
    memcpy(s->text + s->len, bytes, size);
    s->len += (int64_t)size;
    return 0;
}

char *heed__json_text(const heed_hooks *hooks, const json_t *tree, bool pretty, size_t *len,
                      heed_error *err) {
    sink s = { .hooks = hooks };
    const size_t flags = JSON_ENCODE_ANY | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
    const locale_t before = heed__c_locale_enter();
    const int failed = json_dump_callback(tree, append, &s, flags);
    heed__c_locale_leave(before);
    if (failed || s.failed || !s.text) {
        heed__free(hooks, s.text);
        heed__error(err, HEED_ENOMEM, "json: out of memory");
        return NULL;
    }
    if (pretty) s.text[s.len++] = '\n';
    s.text[s.len] = 0;
    if (len) *len = (size_t)s.len;
    return s.text;
}

/* -- fields ----------------------------------------------------------------------------------- */

static const json_t *field(heed_fields *f, const char *key) {
    if (f->status) return NULL;
    const json_t *value = json_object_get(f->object, key);
    if (!json_is_object(f->object))
        f->status = heed__error(f->err, HEED_EFORMAT, "%s: is not an object", f->name);
    else if (!value)
        f->status = heed__error(f->err, HEED_EFORMAT, "%s: %s is missing", f->name, key);
    return value;
}

static void wrong_kind(heed_fields *f, const char *key, const char *kind) {
    f->status = heed__error(f->err, HEED_EFORMAT, "%s: %s is not %s", f->name, key, kind);
}

bool heed__field_has(const heed_fields *f, const char *key) {
    return json_object_get(f->object, key) != NULL;
}

int64_t heed__field_int(heed_fields *f, const char *key, int64_t least, int64_t most) {
    const json_t *value = field(f, key);
    if (!value) return least;
    if (!json_is_integer(value)) return wrong_kind(f, key, "a whole number"), least;
    const int64_t v = json_integer_value(value);
    if (v >= least && v <= most) return v;
    f->status = heed__error(f->err, HEED_EFORMAT, "%s: %s is %lld, not %lld to %lld", f->name, key,
                            (long long)v, (long long)least, (long long)most);
    return least;
}

double heed__field_number(heed_fields *f, const char *key) {
    const json_t *value = field(f, key);
    if (value && !json_is_number(value)) wrong_kind(f, key, "a number");
    return value ? json_number_value(value) : 0;
}

bool heed__field_bool(heed_fields *f, const char *key) {
    const json_t *value = field(f, key);
    if (value && !json_is_boolean(value)) wrong_kind(f, key, "true or false");
    return value && json_is_true(value);
}

const char *heed__field_text(heed_fields *f, const char *key) {
    const json_t *value = field(f, key);
    if (value && !json_is_string(value)) wrong_kind(f, key, "a text");
    return value && json_is_string(value) ? json_string_value(value) : "";
}

void heed__fields_only(heed_fields *f, const char *const *names) {
    const char *key;
    json_t *value, *object = (json_t *)(uintptr_t)f->object;
    json_object_foreach(object, key, value) {
        if (f->status) return;
        const char *const *name = names;
        while (*name && strcmp(*name, key) != 0) name++;
        if (!*name)
            f->status = heed__error(f->err, HEED_EFORMAT, "%s: unknown field %s", f->name, key);
    }
}
