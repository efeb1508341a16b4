/* regex_translate.c: Oniguruma's Ruby syntax as PCRE2's.
 *
 * What differs, and becomes: classes and properties, whose tables are of another age (sets, written
 * out); \h, a hexadecimal digit; (?m), where the dot takes line ends (?s); x{2,3}+, which repeats
 * the repetition instead of being possessive; x{,3}; a set of options in the middle of a group,
 * which reaches over its alternatives; \b, by another idea of a word; (?~x), as much text as there
 * is without an x in it; \cA and \C-A, control characters; \o{101}. What exists in one of them
 * only is an error that names it. Not done: under (?i) two letters that equal one (ss and U+00DF).
 */
#include <string.h>

#include "base/text.h"
#include "text/letters.h"
#include "text/regex.h"

enum { DEPTH = 200 };

typedef struct reader {
    const char *p, *end;
    const char *name;
    const heed_hooks *hooks;
    heed_error *err;
    heed__out out;
    int64_t atom;           /* where in out the last item that can be repeated begins; -1: none */
    int depth;              /* of groups */
    int64_t opened[DEPTH];  /* where in out each began */
    uint8_t closers[DEPTH]; /* groups that an option in the middle has opened */
    bool spaced[DEPTH];     /* white space and comments in it count for nothing, (?x) */
    bool absent[DEPTH];     /* it is a (?~ */
    int status;
} reader;

static int fail(reader *r, int code, const char *what) {
    if (r->status == 0)
        r->status = heed__error(r->err, code, "%s: the regular expression %s", r->name, what);
    return r->status;
}

static void put(reader *r, const char *text) {
    heed__out_put(&r->out, text, strlen(text));
}

static bool next_is(const reader *r, const char *text) {
    const size_t n = strlen(text);
    return (size_t)(r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}

static bool accept(reader *r, const char *text) {
    if (!next_is(r, text)) return false;
    r->p += strlen(text);
    return true;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t read_hex(reader *r, int least, int most) {
    uint32_t v = 0;
    int n = 0;
    for (; n < most && r->p < r->end && hex(*r->p) >= 0; n++) v = v * 16 + (uint32_t)hex(*r->p++);
    if (n < least || v > 0x10FFFF) fail(r, HEED_EFORMAT, "has a wrong code in it");
    return v;
}

/* {name} after \p or \P: its set. */
static void read_property(reader *r, bool inverted, heed__set *to) {
    if (!accept(r, "{")) {
        fail(r, HEED_EFORMAT, "has \\p without {name}");
        return;
    }
    if (accept(r, "^")) inverted = !inverted;
    const char *name = r->p;
    while (r->p < r->end && *r->p != '}') r->p++;
    heed__set s = { .hooks = r->hooks };
    if (r->p == r->end || !heed__set_property(&s, name, (size_t)(r->p - name))) {
        char what[96];
        heed__format(what, sizeof what, "asks for the property %.*s, which is not known",
                     (int)(r->p - name < 40 ? r->p - name : 40), name);
        fail(r, HEED_EUNSUPPORTED, what);
    } else {
        r->p++;
        if (inverted) heed__set_invert(&s);
        heed__set_join(to, &s);
    }
    heed__set_free(&s);
}

/* The set of \d, \w, \s, \h and their opposites. False: it is another escape. */
static bool short_set(reader *r, char c, bool in_class, heed__set *to) {
    const char small = (char)(c | 32);
    const char *name = small == 'd'   ? "Nd"
                       : small == 'w' ? "word"
                       : small == 's' ? "White_Space"
                       : small == 'h' ? "ASCII_Hex_Digit"
                                      : NULL;
    if (!name) return false;
    heed__set s = { .hooks = r->hooks };
    if (in_class)
        heed__set_bracket(&s, name, strlen(name));
    else
        heed__set_property(&s, name, strlen(name));
    if (c != small) heed__set_invert(&s);
    heed__set_join(to, &s);
    heed__set_free(&s);
    return true;
}

/* {101} after \o. */
static uint32_t read_octal(reader *r) {
    uint32_t v = 0;
    const char *p = r->p + 1;
    for (; p < r->end && *p >= '0' && *p <= '7' && v <= 0x10FFFF; p++)
        v = v * 8 + (uint32_t)(*p - '0');
    if (p == r->p + 1 || p == r->end || *p != '}' || v > 0x10FFFF)
        fail(r, HEED_EFORMAT, "has a wrong code in it");
    else
        r->p = p + 1;
    return v;
}

/* A after \c or \C-. */
static uint32_t read_control(reader *r) {
    const unsigned char c = r->p < r->end ? (unsigned char)*r->p : 0;
    if (c == 0 || c == '\\' || c >= 0x80) {
        fail(r, HEED_EUNSUPPORTED, "has \\c without a character of ASCII after it");
        return 0;
    }
    r->p++;
    return c == '?' ? 0x7F : c & 0x1Fu;
}

/* The single code point of an escape, *r->p after the backslash and its letter. */
static bool escaped_code(reader *r, char c, uint32_t *code) {
    static const char from[] = "tnrfvae", to[] = "\t\n\r\f\v\a\033";
    const char *at = strchr(from, c);
    if (c && at) {
        *code = (uint32_t)to[at - from];
    } else if (c == 'x' && accept(r, "{")) {
        *code = read_hex(r, 1, 8);
        if (!accept(r, "}")) fail(r, HEED_EFORMAT, "has \\x{ without }");
    } else if (c == 'x') {
        *code = read_hex(r, 1, 2);
        if (*code > 0x7F) fail(r, HEED_EUNSUPPORTED, "has a byte above \\x7f in it");
    } else if (c == 'u') {
        *code = read_hex(r, 4, 4);
    } else if (c == 'o' && next_is(r, "{")) {
        *code = read_octal(r);
    } else if (c == 'c' || (c == 'C' && accept(r, "-"))) {
        *code = read_control(r);
    } else if (c >= '0' && c <= '7') {
        *code = (uint32_t)(c - '0');
        for (int n = 1; n < 3 && r->p < r->end && *r->p >= '0' && *r->p <= '7'; n++)
            *code = *code * 8 + (uint32_t)(*r->p++ - '0');
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        if (strchr("CMyYXRkgGKAZzBbNO", c)) return false;
        *code = (uint32_t)c;
    } else {
        uint32_t n;
        r->p--;
        *code = heed__char_at(r->p, &n);
        r->p += n;
    }
    if (*code >= 0xD800 && *code < 0xE000) fail(r, HEED_EFORMAT, "has a surrogate in it");
    return true;
}

/* One item of a class: a set (true) or a single code point (false). */
static bool class_item(reader *r, heed__set *to, uint32_t *code) {
    if (*r->p != '\\') {
        uint32_t n;
        *code = heed__char_at(r->p, &n);
        r->p += n;
        return false;
    }
    if (++r->p == r->end) {
        fail(r, HEED_EFORMAT, "ends in a backslash");
        return true;
    }
    const char c = *r->p++;
    if (c == 'p' || c == 'P') {
        read_property(r, c == 'P', to);
        return true;
    }
    if (short_set(r, c, true, to)) return true;
    if (c == 'b') {
        *code = 8;
        return false;
    }
    if (!escaped_code(r, c, code)) fail(r, HEED_EUNSUPPORTED, "has an escape in a class");
    return r->status != 0;
}

static bool posix_class(reader *r, heed__set *to) {
    const char *p = r->p + 2;
    const bool inverted = p < r->end && *p == '^';
    p += inverted;
    const char *name = p;
    while (p < r->end && *p >= 'a' && *p <= 'z') p++;
    if (r->end - p < 2 || p[0] != ':' || p[1] != ']') return false;
    heed__set s = { .hooks = r->hooks };
    if (!heed__set_bracket(&s, name, (size_t)(p - name)))
        fail(r, HEED_EUNSUPPORTED, "has a POSIX class that is not known");
    if (inverted) heed__set_invert(&s);
    heed__set_join(to, &s);
    heed__set_free(&s);
    r->p = p + 2;
    return true;
}

/* After '[': all up to its ']', into *to; *inverted: it began with ^ and is nothing but a union. */
static void read_class(reader *r, heed__set *to, bool *inverted, int depth) {
    *inverted = accept(r, "^");
    bool first = true, met = false;
    heed__set meet = { .hooks = r->hooks };
    if (depth > 50) fail(r, HEED_EUNSUPPORTED, "has classes nested too deep");
    for (; r->status == 0; first = false) {
        if (r->p >= r->end) {
            fail(r, HEED_EFORMAT, "has [ without ]");
            break;
        }
        if (*r->p == ']' && !first) break;
        if (accept(r, "&&")) {
            if (met)
                heed__set_meet(&meet, to);
            else
                heed__set_join(&meet, to);
            met = true;
            heed__set_free(to);
            *to = (heed__set){ .hooks = r->hooks };
            continue;
        }
        if (*r->p == '[') {
            if (next_is(r, "[:") && posix_class(r, to)) continue;
            r->p++;
            heed__set inner = { .hooks = r->hooks };
            bool not ;
            read_class(r, &inner, &not, depth + 1);
            if (not ) heed__set_invert(&inner);
            heed__set_join(to, &inner);
            heed__set_free(&inner);
            continue;
        }
        uint32_t low = 0, high = 0;
        if (class_item(r, to, &low)) continue;
        high = low;
        if (r->end - r->p >= 2 && r->p[0] == '-' && r->p[1] != ']') {
            const char *dash = r->p++;
            heed__set s = { .hooks = r->hooks };
            if (*r->p == '[' || class_item(r, &s, &high)) {
                r->p = dash; /* a dash before a set is itself */
                high = low;
                if (r->status == 0) heed__set_add(to, '-', '-'), r->p++;
            } else if (high < low) {
                fail(r, HEED_EFORMAT, "has an empty range in a class");
            }
            heed__set_free(&s);
        }
        heed__set_add(to, low, high);
    }
    if (r->status == 0) r->p++;
    if (met) {
        heed__set_meet(to, &meet);
    }
    heed__set_free(&meet);
}

static void print_set(reader *r, heed__set *s, bool inverted) {
    r->atom = r->out.len;
    if (r->status == 0) heed__set_print(s, inverted, &r->out);
    heed__set_free(s);
}

static void print_code(reader *r, uint32_t code) {
    char text[24];
    r->atom = r->out.len;
    if (code < 0x80 && !(code >= '0' && code <= '9') && !((code | 32) >= 'a' && (code | 32) <= 'z'))
        heed__out_put(&r->out, text, heed__format(text, sizeof text, "\\x{%x}", code));
    else
        heed__out_put(&r->out, text, heed__utf8_put(code, text));
}

static void read_boundary(reader *r, bool inside) {
    int64_t begin = 0, size = 0; /* of the set of a word's characters, once it is written */
    for (int side = 0; side < 4; side++) {
        static const char *const is[] = { "(?:(?<=", "(?!", "|(?<!", "(?=" };
        static const char *const same[] = { "(?:(?<=", "(?=", "|(?<!", "(?!" };
        put(r, inside ? same[side] : is[side]);
        if (side == 0) {
            begin = r->out.len;
            heed__set s = { .hooks = r->hooks };
            heed__set_property(&s, "word", 4);
            print_set(r, &s, false);
            size = r->out.len - begin;
        } else {
            heed__out_repeat(&r->out, begin, size);
        }
        put(r, side == 3 ? "))" : ")");
    }
}

static void read_escape(reader *r) {
    if (r->p == r->end) {
        fail(r, HEED_EFORMAT, "ends in a backslash");
        return;
    }
    const char c = *r->p++;
    heed__set s = { .hooks = r->hooks };
    uint32_t code = 0;
    const int64_t begin = r->out.len;
    if (c == 'p' || c == 'P') {
        read_property(r, false, &s);
        print_set(r, &s, c == 'P');
    } else if (strchr("dwsh", c | 32) && c) {
        short_set(r, (char)(c | 32), false, &s);
        print_set(r, &s, c != (c | 32));
    } else if (c == 'b' || c == 'B') {
        read_boundary(r, c == 'B');
        r->atom = begin;
    } else if (c == 'N' || c == 'O') {
        put(r, c == 'N' ? "[^\\n]" : "(?s:.)");
        r->atom = begin;
    } else if (c == 'R') {
        put(r, "(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
        r->atom = begin;
    } else if (c && strchr("AZzGK", c)) {
        heed__out_put(&r->out, (char[2]){ '\\', c }, 2);
        r->atom = begin;
    } else if (c == 'k' || c == 'g' || (c >= '1' && c <= '9')) {
        heed__out_put(&r->out, (char[2]){ '\\', c }, 2); /* the rest is copied as it stands */
        if (c == 'k' || c == 'g') {
            const char close = r->p < r->end && *r->p == '\'' ? '\'' : '>';
            do {
                if (r->p == r->end) break;
                heed__out_put(&r->out, r->p, 1);
            } while (*r->p++ != close);
        }
        r->atom = begin;
    } else if (escaped_code(r, c, &code)) {
        print_code(r, code);
    } else {
        char what[64];
        heed__format(what, sizeof what, "has \\%c, which is not supported", c);
        fail(r, HEED_EUNSUPPORTED, what);
    }
}

/* (?imx-imx) and (?imx-imx: after "(?". In Ruby's syntax m is what PCRE2 calls s. */
static void read_options(reader *r) {
    char text[16] = "(?";
    size_t n = 2;
    bool spaced = r->spaced[r->depth], off = false;
    const char *first = r->p;
    while (r->p < r->end && *r->p != ')' && *r->p != ':') {
        const char c = *r->p++;
        if (!strchr("imx-", c) || n > 10) {
            fail(r, HEED_EUNSUPPORTED, "has an option in (?..) that is not supported");
            return;
        }
        off |= c == '-';
        if (c == 'x')
            spaced = !off;
        else
            text[n++] = c == 'm' ? 's' : c;
    }
    if (r->p == r->end || r->p == first) {
        fail(r, HEED_EFORMAT, "has (? without what follows");
        return;
    }
    const bool group = *r->p++ == ':';
    text[n++] = ':';
    if (!group) {
        if (r->closers[r->depth] == UINT8_MAX) {
            fail(r, HEED_EUNSUPPORTED, "sets options too often");
            return;
        }
        r->closers[r->depth]++;
    }
    const int64_t begin = r->out.len;
    heed__out_put(&r->out, text, n);
    r->atom = -1;
    if (group) {
        r->opened[++r->depth] = begin;
        r->closers[r->depth] = 0;
        r->absent[r->depth] = false;
    }
    r->spaced[r->depth] = spaced;
}

static void read_open(reader *r) {
    static const char *const plain[] = { "?:", "?=", "?!", "?>", "?<=", "?<!" };
    const int64_t begin = r->out.len;
    if (r->depth + 1 >= DEPTH) {
        fail(r, HEED_EUNSUPPORTED, "nests groups deeper than 200");
        return;
    }
    if (next_is(r, "*") || next_is(r, "+") || (next_is(r, "?") && r->end - r->p < 2)) {
        fail(r, HEED_EFORMAT, "repeats nothing");
        return;
    }
    if (accept(r, "?#")) {
        while (r->p < r->end && *r->p != ')') r->p += *r->p == '\\' && r->end - r->p > 1 ? 2 : 1;
        if (r->p == r->end)
            fail(r, HEED_EFORMAT, "has a comment without its end");
        else
            r->p++;
        return;
    }
    put(r, "(");
    bool absent = false;
    if (next_is(r, "?")) {
        size_t i = 0;
        while (i < 6 && !accept(r, plain[i])) i++;
        if (i < 6) {
            put(r, plain[i]);
        } else if (next_is(r, "?<") || next_is(r, "?'")) {
            const char close = r->p[1] == '<' ? '>' : '\'';
            const char *name = r->p;
            r->p += 2;
            while (r->p < r->end && *r->p != close) r->p++;
            if (r->p < r->end) r->p++;
            heed__out_put(&r->out, name, (size_t)(r->p - name));
        } else if (next_is(r, "?~|") || next_is(r, "?(") || next_is(r, "?y")) {
            fail(r, HEED_EUNSUPPORTED, "has a group that begins with (?~|, (?( or (?y");
            return;
        } else if (accept(r, "?~")) {
            for (int d = 1; d <= r->depth; d++)
                if (r->absent[d]) fail(r, HEED_EUNSUPPORTED, "has (?~ within (?~");
            put(r, "?:(?:(?!(?:"); /* to be closed by read_close */
            absent = true;
        } else {
            r->out.len = begin;
            r->p++;
            read_options(r);
            return;
        }
    }
    r->opened[++r->depth] = begin;
    r->closers[r->depth] = 0;
    r->absent[r->depth] = absent;
    r->spaced[r->depth] = r->spaced[r->depth - 1];
    r->atom = -1;
}

static void close_options(reader *r) {
    while (r->closers[r->depth] > 0) {
        put(r, ")");
        r->closers[r->depth]--;
    }
}

static void read_close(reader *r) {
    if (r->depth == 0) {
        fail(r, HEED_EFORMAT, "has ) without (");
        return;
    }
    close_options(r);
    put(r, r->absent[r->depth] ? "))(?s:.))*)" : ")");
    r->atom = r->opened[r->depth--];
}

/* {n,m} at r->p: moves past it and fills low and high (-1: no limit); false: it is no interval. */
static bool read_interval(reader *r, int *low, int *high) {
    const char *p = r->p + 1;
    int n[2] = { -1, -1 };
    bool comma = false;
    for (int i = 0; i < 2; i++) {
        for (; p < r->end && *p >= '0' && *p <= '9'; p++) {
            n[i] = (n[i] < 0 ? 0 : n[i]) * 10 + (*p - '0');
            if (n[i] > 65535) {
                fail(r, HEED_EUNSUPPORTED, "repeats more than 65535 times");
                return false;
            }
        }
        if (i == 0) {
            comma = p < r->end && *p == ',';
            p += comma;
            if (!comma) break;
        }
    }
    if (p >= r->end || *p != '}' || (n[0] < 0 && n[1] < 0)) return false;
    r->p = p + 1;
    *low = n[0] < 0 ? 0 : n[0];
    *high = comma ? n[1] : n[0];
    return true;
}

/* One or several quantifiers after an atom; each but the first repeats what is there already. */
static void read_quantifier(reader *r) {
    for (int count = 0; r->status == 0 && r->p < r->end; count++) {
        int low = 0, high = 0;
        const char c = *r->p;
        bool interval = false;
        if (c == '{') {
            interval = read_interval(r, &low, &high);
            if (!interval) return;
        } else if (c == '*' || c == '+' || c == '?') {
            r->p++;
        } else {
            return;
        }
        if (r->atom < 0) {
            fail(r, HEED_EFORMAT, "repeats nothing");
            return;
        }
        if (count > 0) {
            heed__out_insert(&r->out, r->atom, "(?:", 3);
            put(r, ")");
        }
        if (!interval) {
            heed__out_put(&r->out, &c, 1);
            if (accept(r, "?"))
                put(r, "?");
            else if (accept(r, "+"))
                put(r, "+");
            continue;
        }
        char text[40];
        size_t n;
        if (high < 0)
            n = heed__format(text, sizeof text, "{%d,}", low);
        else
            n = heed__format(text, sizeof text, "{%d,%d}", low, high);
        if (high >= 0 && high < low) fail(r, HEED_EUNSUPPORTED, "has an interval that falls");
        heed__out_put(&r->out, text, n);
        if (low != high && accept(r, "?")) put(r, "?");
    }
}

/* White space and comments where they count for nothing. */
static void pass_spaces(reader *r) {
    while (r->spaced[r->depth] && r->p < r->end) {
        if (*r->p == '#')
            while (r->p < r->end && *r->p != '\n') r->p++;
        else if (strchr(" \t\n\v\f\r", *r->p))
            r->p++;
        else
            return;
    }
}

static void read_item(reader *r) {
    const char c = *r->p;
    uint32_t n = 1;
    r->p++;
    switch (c) {
    case '\\':
        read_escape(r);
        break;
    case '[': {
        heed__set s = { .hooks = r->hooks };
        bool inverted;
        read_class(r, &s, &inverted, 0);
        print_set(r, &s, inverted);
        break;
    }
    case '(':
        read_open(r);
        break;
    case ')':
        read_close(r);
        break;
    case '|':
        put(r, "|");
        r->atom = -1;
        break;
    case '*':
    case '+':
    case '?':
        fail(r, HEED_EFORMAT, "repeats nothing");
        break;
    case '.':
    case '^':
    case '$':
        r->atom = r->out.len;
        heed__out_put(&r->out, &c, 1);
        break;
    default:
        r->atom = r->out.len;
        if (strchr("]{}", c)) put(r, "\\");
        heed__char_at(r->p - 1, &n);
        heed__out_put(&r->out, r->p - 1, n);
        r->p += n - 1;
    }
}

char *heed__regex_translate(const char *pattern, size_t size, const char *name,
                            const heed_hooks *hooks, heed_error *err) {
    reader r = { .p = pattern, .end = pattern + size, .name = name, .hooks = hooks, .err = err };
    r.out.hooks = hooks;
    r.atom = -1;
    put(&r, "");
    if (memchr(pattern, 0, size)) fail(&r, HEED_EUNSUPPORTED, "has a zero byte in it");
    while (r.status == 0 && !r.out.failed && r.p < r.end) {
        pass_spaces(&r);
        if (r.p == r.end) break;
        read_item(&r);
        pass_spaces(&r);
        read_quantifier(&r);
        if (r.out.len > 4 << 20) fail(&r, HEED_EUNSUPPORTED, "is too long");
    }
    if (r.depth > 0) fail(&r, HEED_EFORMAT, "has ( without )");
    close_options(&r);
    if (r.out.failed && r.status == 0)
        r.status = heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    if (r.status == 0) return r.out.text;
    heed__free(hooks, r.out.text);
    return NULL;
}
