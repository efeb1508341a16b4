/* yaml.c: libyaml's events as a tree. libyaml itself uses malloc; the tree lives in an arena. */
#include "flow/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/text.h"

typedef struct reader {
    yaml_parser_t parser;
    heed_yaml_doc *doc;
    heed_error *err;
    const char *bytes;
    size_t size;
    int64_t nodes;
    int status;
} reader;

static int fail(reader *r, yaml_mark_t at, int code, const char *what) {
    if (!r->status)
        r->status = code == HEED_ENOMEM
                        ? heed__error(r->err, code, "%s: out of memory", r->doc->name)
                        : heed__error(r->err, code, "%s:%zu:%zu: %s", r->doc->name, at.line + 1,
                                      at.column + 1, what);
    return r->status;
}

/* The place of a byte: libyaml reads ahead, its mark is before what it cannot read. */
static yaml_mark_t mark_of(const reader *r, size_t offset) {
    yaml_mark_t m = { 0 };
    for (size_t i = 0; i < offset && i < r->size; i++) {
        const unsigned char c = (unsigned char)r->bytes[i];
        if (c == '\n') {
            m.line++;
            m.column = 0;
        } else {
            m.column += (c & 0xC0u) != 0x80u;
        }
    }
    return m;
}

/* libyaml's own sentence, at the place that it names. */
static int parser_failed(reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return fail(r, p->mark, HEED_ENOMEM, "");
    if (p->error == YAML_READER_ERROR)
        return fail(r, mark_of(r, p->problem_offset), HEED_EFORMAT,
                    p->problem ? p->problem : "not UTF-8");
    char what[256];
    heed__format(what, sizeof what, "%s%s%s", p->problem ? p->problem : "not YAML",
                 p->context ? ", " : "", p->context ? p->context : "");
    return fail(r, p->problem_mark, HEED_EFORMAT, what);
}

static int next_event(reader *r, yaml_event_t *e) {
    if (!yaml_parser_parse(&r->parser, e)) return parser_failed(r);
    return 0;
}

static void *take(reader *r, size_t size, yaml_mark_t at) {
    void *memory = heed__arena_alloc(&r->doc->arena, size);
    if (!memory) fail(r, at, HEED_ENOMEM, "");
    return memory;
}

/* A scalar's text: whole, or an error where a zero byte stands in it. */
static const char *scalar_text(reader *r, const yaml_event_t *e) {
    const char *from = (const char *)e->data.scalar.value;
    const size_t size = e->data.scalar.length;
    if (memchr(from, 0, size)) {
        fail(r, e->start_mark, HEED_EFORMAT, "a text with a zero byte in it");
        return NULL;
    }
    char *text = take(r, size + 1, e->start_mark);
    if (!text) return NULL;
    memcpy(text, from, size);
    text[size] = 0;
    return text;
}

/* What is refused of a node's properties, or NULL. */
static const char *refused(const yaml_event_t *e) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return "an alias (*name), which settings do without; write the value again, or quote a "
               "text that begins with *";
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
        break;
    default:
        break;
    }
    return anchor ? "an anchor (&name), which settings do without; quote a text that begins with &"
           : tag  ? "a tag (!name), which settings do without; quote a text that begins with !"
                  : NULL;
}

static heed_yaml *read_node(reader *r, yaml_event_t *e, int depth);

/* Items until the end event of the list or mapping. 0 or a status. */
static int read_items(reader *r, heed_yaml *parent, int depth) {
    heed_yaml **end = &parent->first;
    for (;;) {
        yaml_event_t e;
        if (next_event(r, &e)) return r->status;
        if (e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&e);
            return 0;
        }
        const char *key = NULL;
        const yaml_mark_t at = e.start_mark;
        if (parent->kind == HEED_YAML_MAP) {
            if (e.type != YAML_SCALAR_EVENT || refused(&e))
                fail(r, at, HEED_EFORMAT, refused(&e) ? refused(&e) : "a key that is not a word");
            else
                key = scalar_text(r, &e);
            yaml_event_delete(&e);
            if (!key) return r->status;
            if (parent->len == HEED_YAML_KEYS)
                return fail(r, at, HEED_EFORMAT, "a mapping of more than 2000 keys");
            const heed_yaml *twin = heed__yaml_get(parent, key);
            if (twin) {
                char what[200];
                heed__format(what, sizeof what, "key '%.100s' stands here again; line %d has it",
                             key, twin->key_line);
                return fail(r, at, HEED_EFORMAT, what);
            }
            if (next_event(r, &e)) return r->status;
        }
        heed_yaml *item = read_node(r, &e, depth + 1);
        if (!item) return r->status;
        item->key = key;
        item->key_line = (int)at.line + 1;
        item->key_column = (int)at.column + 1;
        *end = item;
        end = &item->next;
        parent->len++;
    }
}

/* The node that event e begins; e is deleted. NULL: r->status. */
static heed_yaml *read_node(reader *r, yaml_event_t *e, int depth) {
    const yaml_mark_t at = e->start_mark;
    heed_yaml *node = NULL;
    if (refused(e))
        fail(r, at, HEED_EFORMAT, refused(e));
    else if (depth > HEED_YAML_DEPTH)
        fail(r, at, HEED_EFORMAT, "nested more than 16 deep");
    else if (++r->nodes > HEED_YAML_NODES)
        fail(r, at, HEED_EFORMAT, "more than 100000 values");
    else
        node = take(r, sizeof *node, at);
    if (node) {
        *node = (heed_yaml){ .line = (int)at.line + 1, .column = (int)at.column + 1 };
        if (e->type == YAML_SCALAR_EVENT) {
            node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
            node->text = scalar_text(r, e);
            if (!node->text) node = NULL;
        } else {
            node->kind = e->type == YAML_MAPPING_START_EVENT ? HEED_YAML_MAP : HEED_YAML_LIST;
        }
    }
    yaml_event_delete(e);
    if (node && node->kind != HEED_YAML_SCALAR && read_items(r, node, depth)) return NULL;
    return node;
}

/* The stream: at most one document. */
static void read_stream(reader *r) {
    heed_yaml_doc *doc = r->doc;
    yaml_event_t e;
    for (bool more = true; more && !next_event(r, &e);) {
        switch (e.type) {
        case YAML_STREAM_END_EVENT:
            more = false;
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (doc->root) {
                fail(r, e.start_mark, HEED_EFORMAT, "a second document");
                more = false;
            }
            break;
        default:
            doc->root = read_node(r, &e, 0); /* deletes e */
            if (!doc->root) return;
            continue;
        }
        yaml_event_delete(&e);
    }
    if (r->status || doc->root) return;
    doc->root = take(r, sizeof *doc->root, (yaml_mark_t){ 0 });
    if (doc->root) *doc->root = (heed_yaml){ .kind = HEED_YAML_MAP, .line = 1, .column = 1 };
}

static heed_yaml_doc *new_doc(const char *name, const heed_hooks *hooks, heed_error *err) {
    heed_yaml_doc *doc = heed__calloc(hooks, 1, sizeof *doc);
    char *copy = NULL;
    if (doc) {
        heed__arena_init(&doc->arena, hooks);
        copy = heed__arena_alloc(&doc->arena, strlen(name) + 1);
    }
    if (!copy) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        heed__yaml_free(doc);
        return NULL;
    }
    memcpy(copy, name, strlen(name) + 1);
    doc->name = copy;
    return doc;
}

heed_yaml_doc *heed__yaml_parse(const char *bytes, size_t size, const char *name,
                                const heed_hooks *hooks, heed_error *err) {
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) bytes += 3, size -= 3;
    if (size > HEED_YAML_MOST) {
        heed__error(err, HEED_EFORMAT, "%s: larger than the %d bytes that are read of it", name,
                    HEED_YAML_MOST);
        return NULL;
    }
    heed_yaml_doc *doc = new_doc(name, hooks, err);
    if (!doc) return NULL;
    reader r = { .doc = doc, .err = err, .bytes = bytes, .size = size };
    if (!yaml_parser_initialize(&r.parser)) {
        fail(&r, (yaml_mark_t){ 0 }, HEED_ENOMEM, "");
    } else {
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, size);
        read_stream(&r);
        yaml_parser_delete(&r.parser);
    }
    if (!r.status) return doc;
    heed__yaml_free(doc);
    return NULL;
}

heed_yaml_doc *heed__yaml_read(const char *path, const heed_hooks *hooks, heed_error *err) {
    char *bytes;
    size_t size;
    if (heed__file_read(hooks, path, HEED_YAML_MOST + 3, &bytes, &size, err)) return NULL;
    heed_yaml_doc *doc = heed__yaml_parse(bytes, size, path, hooks, err);
    heed__free(hooks, bytes);
    return doc;
}

void heed__yaml_free(heed_yaml_doc *doc) {
    if (!doc) return;
    const heed_hooks hooks = doc->arena.hooks;
    heed__arena_free(&doc->arena);
    heed__free(&hooks, doc);
}

const heed_yaml *heed__yaml_get(const heed_yaml *map, const char *key) {
    for (const heed_yaml *n = map->kind == HEED_YAML_MAP ? map->first : NULL; n; n = n->next)
        if (strcmp(n->key, key) == 0) return n;
    return NULL;
}

bool heed__yaml_is_null(const heed_yaml *node) {
    return node->kind == HEED_YAML_SCALAR && !node->quoted &&
           (node->text[0] == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}
