/* yaml.h: a small YAML file as a tree whose every node knows its line and column. What settings
 * need and no more: one document of mappings, lists and scalars in UTF-8; anchors, aliases, tags,
 * merge keys and a key that stands twice are refused, and so are files that are large or deep, so
 * that no file takes more memory than its size says.
 *
 *     heed_yaml_doc *doc = heed__yaml_read("flow.yaml", NULL, err);
 *     for (const heed_yaml *n = doc->root->first; n; n = n->next) ... n->key, n->text
 *     heed__yaml_free(doc);
 */
#ifndef HEED_FLOW_YAML_H
#define HEED_FLOW_YAML_H

#include "base/arena.h"

enum {
    HEED_YAML_MOST = 1 << 20, /* bytes of a file */
    HEED_YAML_DEPTH = 16,     /* nodes above a node */
    HEED_YAML_NODES = 100000,
    HEED_YAML_KEYS = 2000 /* of one mapping */
};

typedef enum heed_yaml_kind { HEED_YAML_SCALAR, HEED_YAML_LIST, HEED_YAML_MAP } heed_yaml_kind;

typedef struct heed_yaml heed_yaml;
struct heed_yaml {
    heed_yaml_kind kind;
    int line, column;         /* where it begins, from 1; columns count characters */
    const char *key;          /* of a mapping's item; NULL: a list's */
    int key_line, key_column; /* where the key begins */
    const char *text;         /* of a scalar, zero-terminated, without zero bytes */
    bool quoted;              /* a scalar within quotes, or a block of lines */
    heed_yaml *first, *next;  /* items in their order; the item after this one */
    int64_t len;              /* items */
};

typedef struct heed_yaml_doc {
    heed_yaml *root;
    const char *name; /* as messages say it: the path */
    heed_arena arena; /* all of it */
} heed_yaml_doc;

/* NULL: HEED_EFORMAT "name:line:column: what", HEED_ENOMEM, and for a file what heed__file_read
 * says. An empty file is an empty mapping. */
heed_yaml_doc *heed__yaml_parse(const char *bytes, size_t size, const char *name,
                                const heed_hooks *hooks, heed_error *err);
heed_yaml_doc *heed__yaml_read(const char *path, const heed_hooks *hooks, heed_error *err);
void heed__yaml_free(heed_yaml_doc *doc); /* NULL is fine */

/* The item of a mapping with that key, or NULL. */
const heed_yaml *heed__yaml_get(const heed_yaml *map, const char *key);
/* An empty scalar, ~ or null without quotes. */
bool heed__yaml_is_null(const heed_yaml *node);

#endif
