/* redact_json.c: personal data out of the strings and numbers of a JSON text, which stays JSON. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/redact_impl.h"

typedef struct way {
    const heed_hooks *hooks;
    heed_redact_fn fn;
    void *user;
} way;

/* What stands in the place of a value; NULL: it stays, or *status is set. */
static json_t *instead(const way *w, const json_t *value, int64_t *count, int *status,
                       heed_error *err) {
    char number[HEED_NUMBER_SIZE];
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        heed__format(number, sizeof number, "%lld", (long long)json_integer_value(value));
        text = number;
    }
    if (!text) return NULL;
    int64_t found = 0;
    char *clean = w->fn(w->user, text, &found, err);
    json_t *other = clean && found ? json_string(clean) : NULL;
    if (!clean || (found && !other))
        *status = heed__error(err, HEED_ENOMEM, "out of memory for a text without personal data");
    heed__free(w->hooks, clean);
    *count += found;
    return other;
}

static int walk(const way *w, json_t *tree, int64_t *count, heed_error *err) {
    const char *key;
    json_t *value, *other;
    size_t i;
    int status = HEED_OK;
    json_object_foreach(tree, key, value) {
        status = walk(w, value, count, err);
        other = status ? NULL : instead(w, value, count, &status, err);
        if (other && json_object_set_new_nocheck(tree, key, other)) status = HEED_ENOMEM;
        if (status) return status;
    }
    json_array_foreach(tree, i, value) {
        status = walk(w, value, count, err);
        other = status ? NULL : instead(w, value, count, &status, err);
        if (other && json_array_set_new(tree, i, other)) status = HEED_ENOMEM;
        if (status) return status;
    }
    return status;
}

char *heed_redact_json_by(const heed_hooks *hooks, heed_redact_fn fn, void *user, const char *json,
                          int64_t *count, heed_error *err) {
    int64_t found = 0;
    heed_error no_json;
    const way w = { hooks, fn, user };
    json_t *tree = heed__json_parse(json, strlen(json), "fields", &no_json);
    if (!tree) return fn(user, json, count, err);
    char *text = NULL;
    if (walk(&w, tree, &found, err) == 0)
        text = found ? heed__json_text(hooks, tree, false, NULL, err) : heed__strdup(hooks, json);
    if (!text) heed__error(err, HEED_ENOMEM, "out of memory for fields without personal data");
    json_decref(tree);
    if (count) *count = text ? found : 0;
    return text;
}

static char *by_patterns(void *user, const char *text, int64_t *count, heed_error *err) {
    return heed_redact(user, text, count, err);
}

char *heed_redact_json(const heed_redactor *r, const char *json, int64_t *count, heed_error *err) {
    return heed_redact_json_by(heed__redactor_hooks(r), by_patterns, (void *)(uintptr_t)r, json,
                               count, err);
}
