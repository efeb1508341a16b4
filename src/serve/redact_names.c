/* redact_names.c: entities that are persons, replaced. */
#include "serve/redact_names.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "serve/analyst_impl.h"

static bool is_person(const char *type) {
    static const char *const types[] = { "PER", "PERSON", "PERS", "NAME", "NR" };
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(type, types[i]) == 0) return true;
    return false;
}

static int no_persons(heed_error *err) {
    return heed__error(err, HEED_EINVALID,
                       "redact: 'name' needs an analysis of the kind tag whose model knows persons "
                       "(PER, PERSON, NAME or NR)");
}

int heed__names_check(heed_analyst *a, heed_error *err) {
    heed_error none;
    const analysis *k = heed__analysis_find(a, NULL, ANALYSIS_TAG, &none);
    json_t *types = k ? heed_analyst_labels(a, k->cfg->name) : NULL, *type;
    bool found = false;
    size_t i;
    json_array_foreach(types, i, type) found |= is_person(json_string_value(type));
    json_decref(types);
    return found ? HEED_OK : no_persons(err);
}

char *heed__redact_names(void *analyst, const char *text, int64_t *count, heed_error *err) {
    heed_analyst *a = analyst;
    const analysis *k = heed__analysis_find(a, NULL, ANALYSIS_TAG, err);
    *count = 0;
    if (!k) return NULL;
    if (!*text) return heed__strdup(&a->hooks, text);
    heed_arena arena;
    heed__arena_init(&arena, &a->hooks);
    heed_entity *e = NULL;
    const int64_t n = heed__entities(a, k, text, &arena, &e, err);
    heed_text b = { .hooks = &a->hooks };
    size_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!is_person(e[i].type) || e[i].begin < at) continue;
        heed__text_add(&b, text + at, e[i].begin - at);
        heed__text_puts(&b, "[name]");
        at = e[i].end;
        ++*count;
    }
    heed__text_puts(&b, text + at);
    heed__arena_free(&arena);
    char *own = n < 0 ? NULL : heed__text_take(&b, NULL);
    heed__text_free(&b);
    if (!own && n >= 0) heed__error(err, HEED_ENOMEM, "out of memory for a text without names");
    return own;
}
