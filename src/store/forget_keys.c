/* forget_keys.c: alerts are counted and told by what was found in events, names of people among it:
 * {"who":"Mina Quill"}. What only the forgotten events had goes out of the keys, the titles and the
 * messages of such alerts; what others have too stays, for it follows from what remains. */
#include "store/forget.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "store/impl.h"

/* -- what alerts are about --------------------------------------------------------------------- */

static heed_keyed *find(const heed_keys *k, const char *name, const char *value) {
    for (int64_t i = 0; i < k->n; i++)
        if (strcmp(k->at[i].value, value) == 0 && strcmp(k->at[i].name, name) == 0)
            return &k->at[i];
    return NULL;
}

static int add(heed_store *s, heed_keys *k, const char *name, const char *value) {
    if (!*value || find(k, name, value)) return HEED_OK;
    if (heed__grow(&s->hooks, &k->at, &k->cap, k->n + 1, sizeof *k->at)) return HEED_ENOMEM;
    heed_keyed *to = &k->at[k->n];
    *to = (heed_keyed){ .name = heed__strdup(&s->hooks, name),
                        .value = heed__strdup(&s->hooks, value) };
    k->n++; /* freed even where one of them is missing */
    return to->name && to->value ? HEED_OK : HEED_ENOMEM;
}

void heed__told_free(heed_store *s, heed_keys *k) {
    for (int64_t i = 0; i < k->n; i++) {
        heed__free(&s->hooks, k->at[i].name);
        heed__free(&s->hooks, k->at[i].value);
    }
    heed__free(&s->hooks, k->at);
    *k = (heed_keys){ 0 };
}

static int out_of_memory(heed_store *s, heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "%s: out of memory", s->path);
}

/* A column of JSON; NULL: none, or *failed: no memory. */
static json_t *tree_of(const char *text, bool *failed) {
    heed_error said = { 0 };
    json_t *tree = text && *text ? heed__json_parse(text, strlen(text), "", &said) : NULL;
    if (!tree && said.code == HEED_ENOMEM) *failed = true;
    return tree;
}

int heed__told_read(heed_store *s, heed_keys *k, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer,
                                   "SELECT DISTINCT key FROM alert WHERE key IS NOT NULL", err);
    if (!q) return heed__db_error(s->writer, err);
    int row;
    bool failed = false;
    while (!failed && (row = heed__db_step(s->writer, q, err)) == 1) {
        json_t *key = tree_of(heed__db_column(q, 0), &failed), *value;
        const char *name;
        json_object_foreach(key, name, value) if (json_is_string(value) && !failed)
            failed = add(s, k, name, json_string_value(value)) != HEED_OK;
        json_decref(key);
    }
    heed__db_done(q);
    return failed ? out_of_memory(s, err) : row;
}

/* -- who has it -------------------------------------------------------------------------------- */

/* Whether an entity of a finding's detail (a list, or in "entities") is this one. */
static bool has_entity(const json_t *detail, const char *text) {
    const json_t *list = json_is_object(detail) ? json_object_get(detail, "entities") : detail;
    json_t *entity;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, entity) {
        const char *is = json_string_value(json_object_get(entity, "text"));
        if (is && strcmp(is, text) == 0) return true;
    }
    return false;
}

int heed__told_note(heed_store *s, heed_keys *k, int64_t seq, heed_error *err) {
    if (k->n == 0) return HEED_OK;
    sqlite3_stmt *q = heed__db_sql(
        s->writer, "SELECT name, detail FROM finding WHERE seq = ?1 AND detail IS NOT NULL", err);
    if (!q) return heed__db_error(s->writer, err);
    sqlite3_bind_int64(q, 1, seq);
    int row;
    bool failed = false;
    while (!failed && (row = heed__db_step(s->writer, q, err)) == 1) {
        const char *name = heed__db_column(q, 0);
        json_t *detail = tree_of(heed__db_column(q, 1), &failed);
        for (int64_t i = 0; detail && i < k->n; i++)
            if (!k->at[i].gone && strcmp(k->at[i].name, name) == 0)
                k->at[i].gone = has_entity(detail, k->at[i].value);
        json_decref(detail);
    }
    heed__db_done(q);
    return failed ? out_of_memory(s, err) : row;
}

void heed__told_user(heed_keys *k, const char *user) {
    heed_keyed *own = find(k, "user", user);
    if (own) own->gone = true;
}

/* Whether an event that is left has it; the text as it stands in JSON narrows the search. */
static int look_for_others(heed_store *s, heed_keyed *k, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        s->writer, "SELECT detail FROM finding WHERE name = ?1 AND instr(detail, ?2)", err);
    if (!q) return heed__db_error(s->writer, err);
    heed__db_text(q, 1, k->name);
    const size_t size = strlen(k->value);
    const bool plain = !strpbrk(k->value, "\"\\/") && heed__control_at(k->value, size) == size;
    heed__db_text(q, 2, plain ? k->value : "");
    int row;
    bool failed = false;
    while (k->gone && !failed && (row = heed__db_step(s->writer, q, err)) == 1) {
        json_t *detail = tree_of(heed__db_column(q, 0), &failed);
        if (has_entity(detail, k->value)) k->gone = false;
        json_decref(detail);
    }
    heed__db_done(q);
    return failed ? out_of_memory(s, err) : k->gone ? row : HEED_OK;
}

/* -- cleaning ---------------------------------------------------------------------------------- */

/* Strings that hold a text become "", keys of objects aside. */
static void clean(json_t *tree, const char *text) {
    json_t *item;
    size_t i;
    if (json_is_string(tree) && strstr(json_string_value(tree), text)) json_string_set(tree, "");
    if (json_is_object(tree))
        for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at))
            clean(json_object_iter_value(at), text);
    if (json_is_array(tree)) json_array_foreach(tree, i, item) clean(item, text);
}

/* What is told under a key, in whole: {"key":{..},"title":..,"why":..}; true: something went. */
static bool clean_told(const heed_keys *k, json_t *told) {
    bool any = false;
    const json_t *key = json_object_get(told, "key");
    for (int64_t i = 0; i < k->n; i++) {
        if (!k->at[i].gone) continue;
        const char *is = json_string_value(json_object_get(key, k->at[i].name));
        if (!is || strcmp(is, k->at[i].value) != 0) continue;
        clean(told, k->at[i].value);
        any = true;
    }
    return any;
}

static char *text_of(heed_store *s, const json_t *tree, const char *name) {
    const json_t *value = json_object_get(tree, name);
    if (json_is_string(value)) return heed__strdup(&s->hooks, json_string_value(value));
    return heed__json_text(&s->hooks, value, false, NULL, NULL);
}

static int put_alert(heed_store *s, int64_t id, const json_t *told, heed_error *err) {
    static const char *const name[] = { "key", "title", "why" };
    sqlite3_stmt *u = heed__db_sql(
        s->writer, "UPDATE alert SET key = ?2, title = ?3, why = ?4 WHERE id = ?1", err);
    if (!u) return heed__db_error(s->writer, err);
    char *text[3] = { NULL };
    bool failed = false;
    for (int i = 0; i < 3; i++) {
        if (json_is_null(json_object_get(told, name[i]))) continue;
        text[i] = text_of(s, told, name[i]);
        failed |= !text[i];
        heed__db_text(u, i + 2, text[i]);
    }
    sqlite3_bind_int64(u, 1, id);
    const int row = failed ? out_of_memory(s, err) : heed__db_step(s->writer, u, err);
    heed__db_done(u);
    for (int i = 0; i < 3; i++) heed__free(&s->hooks, text[i]);
    return row;
}

static int clean_alerts(heed_store *s, const heed_keys *k, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer, "SELECT id, key, title, why FROM alert", err);
    if (!q) return heed__db_error(s->writer, err);
    int row;
    bool failed = false;
    while (!failed && (row = heed__db_step(s->writer, q, err)) == 1) {
        json_t *key = tree_of(heed__db_column(q, 1), &failed);
        json_t *why = tree_of(heed__db_column(q, 3), &failed);
        json_t *told = json_pack("{s:o?,s:s?,s:o?}", "key", key, "title", heed__db_column(q, 2),
                                 "why", why);
        failed |= !told;
        if (!failed && clean_told(k, told))
            row = put_alert(s, sqlite3_column_int64(q, 0), told, err);
        json_decref(told);
        if (row < 0) break;
    }
    heed__db_done(q);
    return failed ? out_of_memory(s, err) : row;
}

static int clean_messages(heed_store *s, const heed_keys *k, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer, "SELECT id, body FROM message WHERE phase <> 1", err);
    sqlite3_stmt *u = q ? heed__db_sql(s->writer, "UPDATE message SET body = ?2 WHERE id = ?1", err)
                        : NULL;
    if (!u) return heed__db_error(s->writer, err);
    int row;
    bool failed = false;
    while (!failed && (row = heed__db_step(s->writer, q, err)) == 1) {
        json_t *told = tree_of(heed__db_column(q, 1), &failed);
        if (told && clean_told(k, told)) {
            char *text = heed__json_text(&s->hooks, told, false, NULL, NULL);
            failed = !text;
            sqlite3_bind_int64(u, 1, sqlite3_column_int64(q, 0));
            heed__db_text(u, 2, text);
            if (!failed) row = heed__db_step(s->writer, u, err);
            heed__db_done(u);
            heed__free(&s->hooks, text);
        }
        json_decref(told);
        if (row < 0) break;
    }
    heed__db_done(q);
    return failed ? out_of_memory(s, err) : row;
}

int heed__told_clean(heed_store *s, heed_keys *k, heed_error *err) {
    int status = HEED_OK;
    bool any = false;
    for (int64_t i = 0; i < k->n && !status; i++) {
        if (!k->at[i].gone) continue;
        status = look_for_others(s, &k->at[i], err);
        any |= k->at[i].gone;
    }
    if (status || !any) return status;
    status = clean_alerts(s, k, err);
    return status ? status : clean_messages(s, k, err);
}
