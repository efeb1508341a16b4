/* html.c: a scanner of tags that keeps what lies between them. It follows the tokenizer of HTML
 * (WHATWG, section 13.2.5) in what is a tag and where it ends, without building a tree. */
#include "flow/html.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "flow/html_data.h"

static const char replacement[] = "\xef\xbf\xbd";

/* -- writing: tidy text ----------------------------------------------------------------------- */

/* What separates the last character from the next. */
enum { NOTHING, SPACE, LINE };

typedef struct writer {
    heed_text *to;
    int gap;
    bool begun;
} writer;

static void add_gap(writer *w, int gap) {
    if (gap > w->gap) w->gap = gap;
}

static void add_char(writer *w, const char *bytes, size_t n) {
    if (w->begun && w->gap) heed__text_put(w->to, w->gap == LINE ? '\n' : ' ');
    w->gap = NOTHING;
    w->begun = true;
    heed__text_add(w->to, bytes, n);
}

static bool is_space(uint32_t c) {
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* Characters that a reader cannot see, or that turn the direction of what follows, are left out:
 * controls, soft hyphen, zero width space, marks of direction, byte order mark. */
static bool is_hidden(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x200b || c == 0x200e ||
           c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
           c == 0xfeff;
}

/* A character as UTF-8, and how many bytes it has. */
static size_t put_code(uint32_t c, char text[9]) {
    /* windows-1252, as browsers read the numbers of C1 */
    static const uint16_t c1[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178
    };
    if (c >= 0x80 && c < 0xa0) c = c1[c - 0x80];
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    unsigned char *t = (unsigned char *)text;
    size_t n = 0;
    if (c < 0x80) {
        t[n++] = (unsigned char)c;
    } else if (c < 0x800) {
        t[n++] = (unsigned char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        t[n++] = (unsigned char)(0xe0 | c >> 12);
        t[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
    } else {
        t[n++] = (unsigned char)(0xf0 | c >> 18);
        t[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
        t[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) t[n++] = (unsigned char)(0x80 | (c & 0x3f));
    t[n] = 0;
    return n;
}

/* One character at text; how many bytes it had. lines: a line feed ends a line. */
static size_t add_text(writer *w, const char *text, size_t size, bool lines) {
    uint32_t c = 0;
    const size_t n = heed__utf8_next(text, size, &c);
    if (n == 0) {
        add_char(w, replacement, 3);
        return 1;
    }
    char shown[9];
    if (c >= 0x80 && c < 0xa0 && c != 0x85) { /* as browsers read the numbers of C1 */
        const size_t m = put_code(c, shown);
        if (m > 2) {
            add_char(w, shown, m);
            return n;
        }
    }
    if (is_space(c))
        add_gap(w, lines && (c == '\n' || c == 0x2028 || c == 0x2029) ? LINE : SPACE);
    else if (!is_hidden(c))
        add_char(w, text, n);
    return n;
}

void heed__plain_text(heed_text *to, const char *text, size_t size) {
    writer w = { .to = to };
    for (size_t at = 0; at < size;) at += add_text(&w, text + at, size - at, true);
}

/* -- names of characters ---------------------------------------------------------------------- */

static int compare(const void *key, const void *entity) {
    const heed_entity *e = entity;
    return strcmp(key, e->name);
}

/* The value of a digit; 99: none. */
static uint32_t digit_value(unsigned d, unsigned low, bool hex) {
    if (d >= '0' && d <= '9') return d - '0';
    return hex && low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

static bool numeric(const char *at, size_t size, size_t *used, char text[9]) {
    const bool hex = size > 2 && (at[2] == 'x' || at[2] == 'X');
    size_t i = hex ? 3 : 2;
    const size_t first = i;
    uint32_t c = 0;
    for (; i < size; i++) {
        const unsigned char d = (unsigned char)at[i], low = d | 32;
        const uint32_t v = digit_value(d, low, hex);
        if (v == 99) break;
        c = c > 0x10ffff ? c : c * (hex ? 16 : 10) + v;
    }
    if (i == first) return false;
    *used = i + (i < size && at[i] == ';');
    put_code(c, text);
    return true;
}

bool heed__html_entity(const char *at, size_t size, size_t *used, char text[9]) {
    /* those that HTML reads without a semicolon too, as old pages write them */
    static const char *const bare[] = { "amp", "lt", "gt", "quot", "nbsp", "copy", "reg" };
    if (size < 3) return false;
    if (at[1] == '#') return numeric(at, size, used, text);
    char name[40];
    size_t n = 0;
    while (n + 1 < size && n < sizeof name - 1) {
        const unsigned char c = (unsigned char)at[n + 1], low = c | 32;
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9'))) break;
        name[n++] = (char)c;
    }
    name[n] = 0;
    const bool closed = n > 0 && n + 1 < size && at[n + 1] == ';';
    if (!closed) {
        bool known = false;
        for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) known |= strcmp(name, bare[i]) == 0;
        if (!known) return false;
    }
    const heed_entity *e = bsearch(name, heed__html_entities, heed__html_entities_len, sizeof *e,
                                   compare);
    if (!e) return false;
    *used = n + 1 + closed;
    memcpy(text, e->text, strlen(e->text) + 1);
    return true;
}

/* -- tags ------------------------------------------------------------------------------------- */

static bool is_letter(char c) {
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

enum { NAME_MOST = 16 };

typedef struct tag {
    char name[NAME_MOST]; /* lower case; "" where it is longer, or none (a comment, <!doctype>) */
    bool closing, empty;  /* </p>, <p/> */
    size_t end;           /* behind its '>' */
} tag;

/* Where the tag that begins at html[at] == '<' ends, quotes respected. False: never. */
static bool tag_end(const char *html, size_t size, size_t at, size_t *end) {
    char quote = 0;
    for (size_t i = at; i < size; i++) {
        const char c = html[i];
        if (quote) {
            if (c == quote) quote = 0;
        } else if ((c == '"' || c == '\'') && html[i - 1] == '=') {
            quote = c;
        } else if (c == '>') {
            *end = i + 1;
            return true;
        }
    }
    return false;
}

/* What ends with a text, as "-->", from `at` on. */
static bool ends_with(const char *html, size_t size, size_t at, const char *mark, size_t *end) {
    const char *found = at < size ? memmem(html + at, size - at, mark, strlen(mark)) : NULL;
    if (found) *end = (size_t)(found - html) + strlen(mark);
    return found != NULL;
}

/* Is there a tag, comment or declaration at html[at] == '<'? none: what was searched for in vain
 * before, so that it is not searched for again at every '<' that follows. */
static bool read_tag(const char *html, size_t size, size_t at, tag *t, bool none[2]) {
    *t = (tag){ 0 };
    if (at + 1 >= size) return false;
    const char c = html[at + 1];
    if (c == '!' || c == '?') {
        if (size - at >= 4 && memcmp(html + at, "<!--", 4) == 0) {
            if (none[0]) return false;
            /* <!--> and <!---> are whole comments */
            if (ends_with(html, size, at + 2, "-->", &t->end)) return true;
            return none[0] = true, false;
        }
        return !none[1] && (ends_with(html, size, at, ">", &t->end) || (none[1] = true, false));
    }
    size_t i = at + 1;
    if (c == '/') {
        t->closing = true;
        i++;
    }
    if (i >= size || !is_letter(html[i]) || none[1]) return false;
    size_t n = 0;
    for (; i < size && html[i] != '>' && html[i] != '/' && (unsigned char)html[i] > ' '; i++, n++)
        if (n < NAME_MOST - 1)
            t->name[n] = (char)(html[i] >= 'A' && html[i] <= 'Z' ? html[i] + 32 : html[i]);
    if (n >= NAME_MOST) t->name[0] = 0;
    /* where quotes are not closed, the next '>' will do */
    if (!tag_end(html, size, i, &t->end) && !ends_with(html, size, i, ">", &t->end))
        return none[1] = true, false;
    t->empty = html[t->end - 2] == '/';
    return true;
}

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static const char *const lines[] = {
    "address", "article", "aside",  "blockquote", "br",     "caption", "center",   "dd",
    "details", "dialog",  "dir",    "div",        "dl",     "dt",      "fieldset", "figcaption",
    "figure",  "footer",  "form",   "h1",         "h2",     "h3",      "h4",       "h5",
    "h6",      "header",  "hgroup", "hr",         "legend", "li",      "main",     "menu",
    "nav",     "ol",      "option", "p",          "pre",    "section", "summary",  "table",
    "tbody",   "tfoot",   "thead",  "title",      "tr",     "ul",      NULL
};
static const char *const cells[] = { "td", "th", "img", "button", "input", NULL };
/* their content is not text, and no tag in it but their own end counts */
static const char *const raw[] = { "script", "style", "iframe", "noembed", "noframes", NULL };
enum { RAW_UNSAFE = 2 }; /* of the first two the rest of the document too, where they never end */
/* nor is theirs, but it has tags */
static const char *const hidden[] = { "template", "svg", "math", NULL };

/* Behind the end of what the raw element t holds. One that never ends is a tag like others, unless
 * it is unsafe; endless: those of which that is known. */
static size_t raw_end(const char *html, size_t size, const tag *t, unsigned *endless) {
    const size_t n = strlen(t->name);
    unsigned index = 0;
    while (strcmp(raw[index], t->name) != 0) index++;
    for (size_t at = t->end; !(*endless >> index & 1);) {
        const char *found = at < size ? memmem(html + at, size - at, "</", 2) : NULL;
        if (!found) break;
        at = (size_t)(found - html) + 2;
        if (size - at <= n || strncasecmp(html + at, t->name, n) != 0) continue;
        const char after = html[at + n];
        if (after != '>' && after != '/' && (unsigned char)after > ' ') continue;
        const char *close = memchr(html + at, '>', size - at);
        if (close) return (size_t)(close - html) + 1;
        break;
    }
    *endless |= 1u << index;
    return index < RAW_UNSAFE ? size : t->end;
}

void heed__html_text(heed_text *to, const char *html, size_t size) {
    writer w = { .to = to };
    bool none[2] = { false, false };
    unsigned endless = 0;
    char inside[NAME_MOST] = ""; /* a hidden element */
    int64_t depth = 0;           /* how often it stands within itself */
    for (size_t at = 0; at < size;) {
        tag t;
        size_t used;
        char text[9];
        if (html[at] == '<' && read_tag(html, size, at, &t, none)) {
            at = t.end;
            if (depth > 0) {
                if (strcmp(t.name, inside) == 0 && !t.empty) depth += t.closing ? -1 : 1;
            } else if (is_one_of(t.name, raw) && !t.closing) {
                at = raw_end(html, size, &t, &endless);
                add_gap(&w, SPACE);
            } else if (is_one_of(t.name, hidden) && !t.closing && !t.empty) {
                memcpy(inside, t.name, sizeof inside);
                depth = 1;
            } else if (is_one_of(t.name, lines)) {
                add_gap(&w, LINE);
            } else if (is_one_of(t.name, cells)) {
                add_gap(&w, SPACE);
            }
        } else if (depth > 0) {
            at++;
        } else if (html[at] == '&' && heed__html_entity(html + at, size - at, &used, text)) {
            const size_t n = strlen(text);
            for (size_t i = 0; i < n;) i += add_text(&w, text + i, n - i, false);
            at += used;
        } else {
            at += add_text(&w, html + at, size - at, false);
        }
    }
}
