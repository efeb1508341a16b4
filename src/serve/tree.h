/* tree.h: JSON objects built member by member. json_pack loses what it was given where memory runs
 * out in its middle (jansson 2.14); this does not. */
#ifndef HEED_SERVE_TREE_H
#define HEED_SERVE_TREE_H

#include <jansson.h>

/* Puts a value, which is taken, into *tree; where either is NULL, or memory is short, *tree goes
 * and is NULL from then on. */
static inline void heed__tree_put(json_t **tree, const char *key, json_t *value) {
    if (*tree && value && json_object_set_new(*tree, key, value) == 0) return;
    if (!*tree || !value) json_decref(value); /* else json_object_set_new took it */
    json_decref(*tree);
    *tree = NULL;
}

/* The same at the end of a list. */
static inline void heed__list_put(json_t **list, json_t *value) {
    if (*list && value && json_array_append_new(*list, value) == 0) return;
    if (!*list || !value) json_decref(value);
    json_decref(*list);
    *list = NULL;
}

static inline json_t *heed__text_or_null(const char *text) {
    return text ? json_string(text) : json_null();
}

#endif
