/* tok_json.c: JSON whose keys may hold U+0000. */
#include "text/tok_json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static const char carried[] = "\xf4\x8f\xbf\xbf\xef\xb7\x90"; /* U+10FFFF U+FDD0 */
static const char escaped[] = "\\udbff\\udfff\\ufdd0";
enum { CARRIED = sizeof carried - 1, ESCAPED = sizeof escaped - 1 };

/* The end of the string that begins after the quote at text[at]: the place of its last quote. */
static size_t string_end(const char *text, size_t size, size_t at) {
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at;
}

static bool is_key(const char *text, size_t size, size_t end) {
    for (end++; end < size; end++)
        if (!strchr(" \t\r\n", text[end])) return text[end] == ':';
    return false;
}

/* Copies text to out with \u0000 in keys replaced; out NULL: counts only. Returns the size. */
static size_t replace(const char *text, size_t size, char *out) {
    size_t n = 0;
    for (size_t at = 0; at < size;) {
        if (text[at] != '"') {
            if (out) out[n] = text[at];
            n++, at++;
            continue;
        }
        size_t end = string_end(text, size, at);
        const bool key = end < size && is_key(text, size, end);
        if (end < size) end++;
        if (end > size) end = size;
        while (at < end) {
            const size_t unit = text[at] == '\\' && end - at > 1 ? 2 : 1;
            if (key && end - at > 6 && memcmp(text + at, "\\u0000", 6) == 0) {
                if (out) memcpy(out + n, escaped, ESCAPED);
                n += ESCAPED, at += 6;
                continue;
            }
            if (out) memcpy(out + n, text + at, unit);
            n += unit, at += unit;
        }
    }
    return n;
}

static json_t *parse(const char *text, size_t size, const char *name, heed_error *err) {
    return heed__json_parse_as(text, size, JSON_ALLOW_NUL, name, err);
}

json_t *heed__tok_json_parse(const char *text, size_t size, const char *name,
                             const heed_hooks *hooks, heed_error *err) {
    if (!memmem(text, size, "\\u0000", 6)) return parse(text, size, name, err);
    const size_t need = replace(text, size, NULL);
    char *copy = heed__malloc(hooks, need);
    if (!copy) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        return NULL;
    }
    replace(text, size, copy);
    json_t *tree = parse(copy, need, name, err);
    heed__free(hooks, copy);
    return tree;
}

size_t heed__tok_json_key(const char *key, size_t len, char *token) {
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        if (len - at >= CARRIED && memcmp(key + at, carried, CARRIED) == 0) {
            token[n++] = 0;
            at += CARRIED;
        } else {
            token[n++] = key[at++];
        }
    }
    return n;
}

size_t heed__tok_json_key_put(const char *token, size_t size, char *key) {
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (token[i]) {
            key[n++] = token[i];
        } else {
            memcpy(key + n, carried, CARRIED);
            n += CARRIED;
        }
    }
    return n;
}

bool heed__tok_json_taken(const char *token, size_t size) {
    return memmem(token, size, carried, CARRIED) != NULL;
}

char *heed__tok_json_text(const heed_hooks *hooks, const json_t *tree, bool pretty, size_t *len,
                          heed_error *err) {
    size_t size;
    char *text = heed__json_text(hooks, tree, pretty, &size, err);
    if (!text) return NULL;
    size_t n = 0;
    for (size_t at = 0; at < size;) { /* six bytes in the place of seven */
        if (size - at >= CARRIED && memcmp(text + at, carried, CARRIED) == 0) {
            memcpy(text + n, "\\u0000", 6);
            n += 6, at += CARRIED;
        } else {
            text[n++] = text[at++];
        }
    }
    text[n] = 0;
    if (len) *len = n;
    return text;
}

const char *heed__tok_part_type(heed_fields *f, int depth) {
    enum { DEPTH = 32 };
    if (!json_is_object(f->object) || depth > DEPTH) {
        f->status = heed__error(f->err, HEED_EFORMAT, "%s is %s", f->name,
                                depth > DEPTH ? "nested too deep" : "no object");
        return NULL;
    }
    const char *type = heed__field_text(f, "type");
    return f->status ? NULL : type;
}
