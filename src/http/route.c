/* route.c: targets taken apart and matched, without trust in any byte. */
#include "http/route.h"

#include <string.h>

#include "base/text.h"

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool heed__decode(char *text, bool plus) {
    char *to = text;
    for (const char *at = text; *at; at++) {
        char c = *at == '+' && plus ? ' ' : *at;
        if (*at == '%') {
            const int high = digit_of(at[1]), low = high < 0 ? -1 : digit_of(at[2]);
            if (low < 0) return false;
            c = (char)(high * 16 + low);
            if (c == 0) return false;
            at += 2;
        }
        *to++ = c;
    }
    *to = 0;
    const size_t size = (size_t)(to - text);
    return heed__utf8_check(text, size) == size;
}

/* "http://host:80/path" as "/path", with the host kept. */
static const char *skip_authority(heed_target *t, const char *target) {
    const size_t size = strncmp(target, "http://", 7) == 0    ? 7
                        : strncmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (size == 0) return target;
    t->authority = target + size;
    t->authority_size = strcspn(t->authority, "/?#");
    return t->authority + t->authority_size;
}

static bool read_query(heed_target *t, char *text) {
    for (char *next; text; text = next) {
        next = strchr(text, '&');
        if (next) *next++ = 0;
        if (!*text) continue;
        if (t->queries == HEED_QUERIES) {
            t->problem = "too many parameters in the query";
            return false;
        }
        char *value = strchr(text, '=');
        if (value) *value++ = 0;
        if (!heed__decode(text, true) || (value && !heed__decode(value, true))) {
            t->problem = "the query is not percent-encoded UTF-8";
            return false;
        }
        t->query[t->queries++] = (heed_pair){ .name = text,
                                              .value = value ? value : text + strlen(text) };
    }
    return true;
}

static bool is_dots(const char *text, size_t size) {
    return (size == 1 && text[0] == '.') || (size == 2 && text[0] == '.' && text[1] == '.');
}

/* A path that names no folder above and has no control character. */
static bool is_plain(const char *path) {
    if (heed__control_at(path, strlen(path)) != strlen(path)) return false;
    for (const char *at = path; at;) {
        const char *end = strchr(at, '/');
        if (is_dots(at, end ? (size_t)(end - at) : strlen(at)) || strchr(path, '\\')) return false;
        at = end ? end + 1 : NULL;
    }
    return true;
}

bool heed__target_parse(heed_target *t, const char *target, char *text) {
    t->path = text; /* field by field: the arrays are large and need no zeros */
    t->parts = t->queries = 0;
    t->authority = t->problem = NULL;
    t->nowhere = false;
    const char *path = skip_authority(t, target);
    const size_t size = strlen(path);
    if (path[0] != '/' && !(path[0] == 0 && t->authority) && strcmp(path, "*") != 0) {
        t->problem = "the target is no path";
        return false;
    }
    /* the first copy is decoded as a whole, the second cut where the undecoded path has slashes */
    memcpy(text, path, size + 1);
    t->text = text + size + 1;
    memcpy(t->text, path, size + 1);
    char *mark = strpbrk(t->text, "?#");
    text[mark ? mark - t->text : (ptrdiff_t)size] = 0;
    char *query = mark && *mark == '?' ? mark + 1 : NULL;
    if (mark) *mark = 0;
    if (query) query[strcspn(query, "#")] = 0;
    if (!heed__decode(t->path, false)) {
        t->problem = "the path is not percent-encoded UTF-8";
        return false;
    }
    if (!is_plain(t->path)) {
        t->problem = "there is nothing at a path with '.', '..', '\\' or a control character";
        t->nowhere = true;
        return false;
    }
    return read_query(t, query);
}

/* Takes `size` bytes at `at` for the {name} of name_size bytes. */
static bool take_part(heed_target *t, const char *name, size_t name_size, const char *at,
                      size_t size) {
    if (t->parts == HEED_PARTS || size == 0) return false;
    t->part[t->parts++] = (heed_part){
        .name = name, .name_size = name_size, .value = at, .value_size = size
    };
    return true;
}

static bool is_rest(const char *segment, size_t size) {
    return size > 5 && strncmp(segment + size - 4, "...}", 4) == 0;
}

bool heed__target_match(heed_target *t, const heed_route *route) {
    const char *want = route->path, *at = t->text;
    t->parts = 0;
    while (*want == '/' && *at == '/') {
        want++, at++;
        const size_t want_size = strcspn(want, "/");
        if (*want == '{' && is_rest(want, want_size))
            return take_part(t, want + 1, want_size - 5, at, strlen(at));
        const size_t size = strcspn(at, "/");
        if (*want == '{' ? !take_part(t, want + 1, want_size - 2, at, size)
                         : size != want_size || memcmp(want, at, size) != 0)
            return false;
        want += want_size, at += size;
    }
    return !*want && !*at;
}

bool heed__target_bind(heed_target *t) {
    for (int i = 0; i < t->parts; i++) {
        char *value = (char *)(uintptr_t)t->part[i].value; /* within t->text, which is ours */
        value[t->part[i].value_size] = 0;
        if (!heed__decode(value, false)) return false;
    }
    return true;
}

bool heed__route_valid(const heed_route *route) {
    if (!route->method || !route->fn || !route->path || route->path[0] != '/') return false;
    int parts = 0;
    for (const char *at = route->path; *at == '/';) {
        const char *segment = at + 1;
        const size_t size = strcspn(segment, "/");
        at = segment + size;
        if (segment[0] != '{') continue;
        if (size < 3 || segment[size - 1] != '}' || ++parts > HEED_PARTS) return false;
        if (is_rest(segment, size) && *at) return false;
    }
    return true;
}
