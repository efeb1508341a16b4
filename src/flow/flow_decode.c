/* flow_decode.c: a mapping and a table of keys into a struct. Every mistake becomes a note, and
 * reading goes on, so that one look tells of all of them. */
#include "flow/flow_decode.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { NAME_MOST = 64, WORDS_SIZE = 1024 };

void flow__note(flow_reader *r, int line, int column, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    size_t len = heed__format(text, sizeof text, "%s:%d:%d: ", r->name, line, column);
    len += heed__vformat(text + len, sizeof text - len, format, args);
    va_end(args);
    if (r->notes == FLOW_NOTES) return;
    if (!r->note) r->note = heed__arena_alloc(&r->arena, FLOW_NOTES * sizeof *r->note);
    char *copy = r->note ? heed__arena_alloc(&r->arena, len + 1) : NULL;
    if (!copy) {
        r->no_memory = true;
        return;
    }
    memcpy(copy, text, len + 1);
    r->note[r->notes++] = (flow_note){ line, column, copy };
}

void *flow__take(flow_reader *r, int64_t count, size_t size) {
    const size_t bytes = (size_t)count * size; /* at most HEED_YAML_NODES small structs */
    void *memory = r->no_memory ? NULL : heed__arena_alloc(&r->arena, bytes);
    if (memory)
        memset(memory, 0, bytes);
    else
        r->no_memory = true;
    return memory;
}

static const char *copy_text(flow_reader *r, const char *text) {
    char *copy = flow__take(r, 1, strlen(text) + 1);
    if (copy) memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static const char *kind_of(const heed_yaml *node) {
    return node->kind == HEED_YAML_MAP    ? "a mapping"
           : node->kind == HEED_YAML_LIST ? "a list"
           : heed__yaml_is_null(node)     ? "nothing"
                                          : "a text";
}

/* A scalar with something in it; else a note. */
static bool is_scalar(flow_reader *r, const flow_field *f, const heed_yaml *node,
                      const char *want) {
    if (node->kind == HEED_YAML_SCALAR && !heed__yaml_is_null(node)) return true;
    flow__note(r, node->line, node->column, "'%s' wants %s, not %s", f->key, want, kind_of(node));
    return false;
}

static bool one_of(flow_reader *r, const flow_field *f, const heed_yaml *node) {
    char meant[96];
    if (!f->choice || flow__has_word(f->choice, node->text)) return true;
    flow__note(r, node->line, node->column, "'%s' is '%.60s', which is none of: %s%s", f->key,
               node->text, f->choice, flow__meant(node->text, f->choice, meant, sizeof meant));
    return false;
}

/* -- values ----------------------------------------------------------------------------------- */

static void take_path(flow_reader *r, const flow_field *f, const heed_yaml *node, const char **to) {
    const size_t before = node->text[0] == '/' ? 0 : strlen(r->folder), len = strlen(node->text);
    char *path = flow__take(r, 1, before + len + 1);
    if (!path) return;
    memcpy(path, r->folder, before);
    memcpy(path + before, node->text, len + 1);
    *to = path;
    if (!f->look || r->no_look) return;
    struct stat st;
    const bool there = stat(path, &st) == 0;
    if (!there)
        flow__note(r, node->line, node->column, "'%s': there is no %s %s", f->key,
                   f->look == 'd' ? "folder" : "file", path);
    else if (f->look == 'd' && !S_ISDIR(st.st_mode))
        flow__note(r, node->line, node->column, "'%s': %s is not a folder", f->key, path);
    else if (f->look == 'f' && S_ISDIR(st.st_mode))
        flow__note(r, node->line, node->column, "'%s': %s is a folder, not a file", f->key, path);
}

/* A number of any type, and its bounds as they would be written. */
static bool number_of(const flow_field *f, const char *text, double *x, const char **example) {
    int64_t whole;
    switch (f->type) {
    case FLOW_TIME:
        *example = "a time such as 500ms, 10m, 1h30m or 7d";
        if (!flow__time(text, &whole)) return false;
        *x = (double)whole;
        return true;
    case FLOW_SIZE:
        *example = "a size such as 512KiB or 8MB";
        return flow__size(text, x);
    case FLOW_RATE:
    case FLOW_PER_HOUR:
        *example = "a rate such as 20/s, 5/m or 100/h";
        if (!flow__rate(text, x)) return false;
        if (f->type == FLOW_PER_HOUR) *x *= 3600;
        return true;
    case FLOW_NUMBER:
        *example = "a number";
        return heed__parse_double(text, strlen(text), x);
    default:
        *example = "a whole number";
        if (!heed__parse_int(text, strlen(text), &whole)) return false;
        *x = (double)whole;
        return true;
    }
}

static void bound_text(const flow_field *f, double x, char *room, size_t size) {
    if (f->type == FLOW_TIME && x >= 86400e3)
        heed__format(room, size, "%.10gd", x / 86400e3);
    else if (f->type == FLOW_TIME)
        heed__format(room, size, x >= 1000 ? "%.10gs" : "%.10gms", x >= 1000 ? x / 1000 : x);
    else
        heed__format(room, size, "%.10g%s", x,
                     f->type == FLOW_SIZE       ? "B"
                     : f->type == FLOW_RATE     ? "/s"
                     : f->type == FLOW_PER_HOUR ? "/h"
                                                : "");
}

static void take_number(flow_reader *r, const flow_field *f, const heed_yaml *node, void *to) {
    double x;
    const char *example;
    if (f->type == FLOW_SEED) {
        int64_t seed;
        if (!heed__parse_int(node->text, strlen(node->text), &seed) || seed < 0)
            flow__note(r, node->line, node->column,
                       "'%s' wants a whole number from 0 on, not '%.60s'", f->key, node->text);
        else
            *(uint64_t *)to = (uint64_t)seed;
        return;
    }
    if (!number_of(f, node->text, &x, &example)) {
        flow__note(r, node->line, node->column, "'%s' wants %s, not '%.60s'", f->key, example,
                   node->text);
        return;
    }
    const double most = f->most > 0 ? f->most : 1e15;
    if (x < f->least || x > most) {
        char low[40], high[40];
        bound_text(f, f->least, low, sizeof low);
        bound_text(f, most, high, sizeof high);
        flow__note(r, node->line, node->column, "'%s' is %.60s, not from %s to %s", f->key,
                   node->text, low, high);
        return;
    }
    if (f->type == FLOW_NUMBER || f->type == FLOW_RATE)
        *(double *)to = x;
    else if (f->type == FLOW_SIZE)
        *(size_t *)to = (size_t)x;
    else
        *(int64_t *)to = (int64_t)(x + 0.5);
}

/* A list of texts, or one alone. */
static void take_texts(flow_reader *r, const flow_field *f, const heed_yaml *node,
                       const char *const **to, int64_t *len) {
    const heed_yaml *item = node->kind == HEED_YAML_LIST ? node->first : node;
    const int64_t n = node->kind == HEED_YAML_LIST ? node->len : 1;
    const char **text = n > 0 ? flow__take(r, n, sizeof *text) : NULL;
    for (int64_t i = 0; text && i < n; i++, item = item->next) {
        if (!is_scalar(r, f, item, "texts") || !one_of(r, f, item)) return;
        text[i] = copy_text(r, item->text);
    }
    *to = text;
    *len = text ? n : 0;
}

/* -- conditions ------------------------------------------------------------------------------- */

#define STRUCT heed_condition
static const flow_field condition_fields[] = {
    { "is", FLOW_TEXTS, .at = offsetof(STRUCT, label), .len_at = offsetof(STRUCT, labels),
      .says = "any of these labels" },
    { "least", FLOW_NUMBER, .at = offsetof(STRUCT, least), .most = 1,
      .says = "confidence at least" },
    { "of", FLOW_TEXT, .at = offsetof(STRUCT, of), .says = "entities of this type" },
    { .key = NULL },
};
const flow_struct flow_condition = { "a condition", sizeof(STRUCT), .field = condition_fields };
#undef STRUCT

/* { sentiment: negative, topic: [a, b], intent: { is: c, least: 0.8 }, entities: { of: ORG } } */
static void take_when(flow_reader *r, const flow_field *f, const heed_yaml *node,
                      const heed_condition **to, int64_t *len) {
    if (node->kind != HEED_YAML_MAP) {
        flow__note(r, node->line, node->column,
                   "'%s' wants a mapping of analyses to labels, not %s", f->key, kind_of(node));
        return;
    }
    heed_condition *c = node->len > 0 ? flow__take(r, node->len, sizeof *c) : NULL;
    if (!c) return;
    *to = c;
    *len = node->len;
    for (const heed_yaml *item = node->first; item; item = item->next, c++) {
        c->analysis = copy_text(r, item->key);
        if (item->kind == HEED_YAML_MAP)
            flow__decode(r, &flow_condition, item, c);
        else
            take_texts(r, &condition_fields[0], item, &c->label, &c->labels);
    }
}

/* -- structs ---------------------------------------------------------------------------------- */

/* A name of the flow's: it stands in messages, in metrics and in addresses. */
static void check_name(flow_reader *r, const flow_struct *s, const heed_yaml *item) {
    const size_t len = strlen(item->key);
    if (len == 0 || len > NAME_MOST || strcspn(item->key, " \"'\\/,=:") < len ||
        heed__control_at(item->key, len) < len)
        flow__note(
            r, item->key_line, item->key_column,
            "'%.80s' cannot be the name of %s: 1 to %d bytes without spaces, quotes or any of "
            "\\ / , = :",
            item->key, s->what, NAME_MOST);
}

static void take_named(flow_reader *r, const flow_field *f, const heed_yaml *node, void *to,
                       int64_t *len) {
    const flow_struct *s = f->of;
    if (node->kind != HEED_YAML_MAP) {
        if (!heed__yaml_is_null(node))
            flow__note(r, node->line, node->column,
                       "'%s' wants a mapping of names, each with the keys of %s, not %s", f->key,
                       s->what, kind_of(node));
        return;
    }
    char *array = node->len > 0 ? flow__take(r, node->len, s->size) : NULL;
    if (!array) return;
    memcpy(to, &array, sizeof array);
    *len = node->len;
    for (const heed_yaml *item = node->first; item; item = item->next, array += s->size) {
        check_name(r, s, item);
        *(const char **)(void *)(array + s->name_at) = copy_text(r, item->key);
        if (s->has_line) *(int *)(void *)(array + s->line_at) = item->key_line;
        if (item->kind == HEED_YAML_MAP)
            flow__decode(r, s, item, array);
        else
            flow__note(r, item->line, item->column, "'%s' wants the keys of %s, not %s", item->key,
                       s->what, kind_of(item));
    }
}

static void take_bool(flow_reader *r, const flow_field *f, const heed_yaml *node, bool *to) {
    if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
        *to = node->text[0] == 't';
    else
        flow__note(r, node->line, node->column, "'%s' wants true or false, not '%.60s'", f->key,
                   node->text);
}

/* Keys of their own within the same struct, or true. */
static void take_part(flow_reader *r, const flow_field *f, const heed_yaml *node, char *to) {
    bool *on = (bool *)(void *)(to + f->at);
    if (node->kind == HEED_YAML_MAP) {
        *on = true;
        flow__decode(r, f->of, node, to);
    } else if (is_scalar(r, f, node, "true, false or a mapping")) {
        take_bool(r, f, node, on);
    }
}

static void take_one(flow_reader *r, const flow_field *f, const heed_yaml *node, void *to) {
    if (node->kind != HEED_YAML_MAP) {
        flow__note(r, node->line, node->column, "'%s' wants the keys of %s, not %s", f->key,
                   f->of->what, kind_of(node));
        return;
    }
    char *made = flow__take(r, 1, f->of->size);
    if (!made) return;
    memcpy(to, &made, sizeof made);
    if (f->of->has_line) *(int *)(void *)(made + f->of->line_at) = node->key_line;
    flow__decode(r, f->of, node, made);
}

static void take_field(flow_reader *r, const flow_field *f, const heed_yaml *node, char *to) {
    void *at = to + f->at;
    int64_t *len = (int64_t *)(void *)(to + f->len_at);
    switch (f->type) {
    case FLOW_TEXT:
        if (is_scalar(r, f, node, "a text") && one_of(r, f, node))
            *(const char **)at = copy_text(r, node->text);
        break;
    case FLOW_PATH:
        if (is_scalar(r, f, node, "a path")) take_path(r, f, node, at);
        break;
    case FLOW_BOOL:
        if (is_scalar(r, f, node, "true or false")) take_bool(r, f, node, at);
        break;
    case FLOW_SWITCH:
        if (is_scalar(r, f, node, f->choice) && one_of(r, f, node))
            *(bool *)at = strncmp(f->choice, node->text, strlen(node->text)) != 0;
        break;
    case FLOW_TEXTS:
        take_texts(r, f, node, at, len);
        break;
    case FLOW_WHEN:
        take_when(r, f, node, at, len);
        break;
    case FLOW_PART:
        take_part(r, f, node, to);
        break;
    case FLOW_ONE:
        take_one(r, f, node, at);
        break;
    case FLOW_NAMED:
        take_named(r, f, node, at, len);
        break;
    default:
        if (is_scalar(r, f, node, "a number")) take_number(r, f, node, at);
    }
}

/* The keys that are of use to a kind (NULL: all), with spaces between. */
static void known_keys(const flow_struct *s, const char *kind, char *words, size_t size) {
    size_t len = 0;
    words[0] = 0;
    for (const flow_field *f = s->field; f->key; f++)
        if (!kind || !f->kinds || flow__has_word(f->kinds, kind))
            len += heed__format(words + len, size - len, "%s%s", len ? " " : "", f->key);
}

static const flow_field *field_of(const flow_struct *s, const char *key) {
    for (const flow_field *f = s->field; f->key; f++)
        if (strcmp(f->key, key) == 0) return f;
    return NULL;
}

/* What was not written gets its usual value, or is missed. */
static void take_usual(flow_reader *r, const flow_struct *s, const heed_yaml *map, const char *kind,
                       char *to) {
    for (const flow_field *f = s->field; f->key; f++) {
        if (heed__yaml_get(map, f->key)) continue;
        if (f->needs && (strcmp(f->needs, "*") == 0 || (kind && flow__has_word(f->needs, kind))))
            flow__note(r, map->key ? map->key_line : map->line,
                       map->key ? map->key_column : map->column, "%s%s%s needs '%s'%s%s", s->what,
                       f->needs[0] != '*' ? " of kind " : "", f->needs[0] != '*' ? kind : "",
                       f->key, f->choice ? ": one of " : "", f->choice ? f->choice : "");
        if (!f->usual || (kind && f->kinds && !flow__has_word(f->kinds, kind))) continue;
        const heed_yaml usual = { .text = f->usual, .line = map->line, .column = map->column };
        take_field(r, f, &usual, to);
    }
    for (const flow_field *f = s->field; f->key; f++) /* a part that is off has its values too */
        if (f->type == FLOW_PART) {
            const heed_yaml *node = heed__yaml_get(map, f->key);
            const heed_yaml none = { .kind = HEED_YAML_MAP };
            if (!node || node->kind != HEED_YAML_MAP) take_usual(r, f->of, &none, NULL, to);
        }
}

void flow__decode(flow_reader *r, const flow_struct *s, const heed_yaml *map, void *to) {
    char words[WORDS_SIZE], meant[96];
    const heed_yaml *kind_node = field_of(s, "kind") ? heed__yaml_get(map, "kind") : NULL;
    const char *kind = NULL;
    if (kind_node && kind_node->kind == HEED_YAML_SCALAR &&
        flow__has_word(field_of(s, "kind")->choice, kind_node->text))
        kind = kind_node->text;
    known_keys(s, kind, words, sizeof words);
    for (const heed_yaml *item = map->first; item; item = item->next) {
        const flow_field *f = field_of(s, item->key);
        if (!f)
            flow__note(r, item->key_line, item->key_column, "unknown key '%.60s'%s", item->key,
                       flow__meant(item->key, words, meant, sizeof meant));
        else if (kind && f->kinds && !flow__has_word(f->kinds, kind))
            flow__note(r, item->key_line, item->key_column,
                       "'%s' is of no use to %s of kind %s, only to: %s", f->key, s->what, kind,
                       f->kinds);
        else
            take_field(r, f, item, to);
    }
    take_usual(r, s, map, kind, to);
}
