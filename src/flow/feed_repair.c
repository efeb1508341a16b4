/* feed_repair.c: from what feeds hold to what an XML parser takes, in one pass:
 *
 *     &nbsp; &eacute;       the character (a parser knows five names only)
 *     AT&T, &unknown;       &amp;
 *     &#0;, control bytes   U+FFFD, a space
 *     <!DOCTYPE ...>        left out: no entity but HTML's is known, and nothing is read for it
 *     before the first <    left out, and so is <?xml ...?>, wherever it stands
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "flow/feed_impl.h"
#include "flow/html.h"

typedef struct scan {
    const char *bytes;
    size_t size, at;
    heed_text *to;
} scan;

static bool begins(const scan *c, const char *mark) {
    const size_t n = strlen(mark);
    return c->size - c->at >= n && strncasecmp(c->bytes + c->at, mark, n) == 0;
}

static void put_escaped(heed_text *to, const char *text) {
    for (; *text; text++) {
        if (*text == '&')
            heed__text_puts(to, "&amp;");
        else if (*text == '<')
            heed__text_puts(to, "&lt;");
        else if (*text == '>')
            heed__text_puts(to, "&gt;");
        else if (*text == '"')
            heed__text_puts(to, "&quot;");
        else
            heed__text_put(to, *text);
    }
}

/* One character that XML allows, or what stands for it. */
static void put_char(scan *c) {
    const unsigned char b = (unsigned char)c->bytes[c->at];
    if (b < ' ' && b != '\t' && b != '\n' && b != '\r') {
        heed__text_put(c->to, ' ');
    } else if (b == 0xef && c->size - c->at >= 3 && (unsigned char)c->bytes[c->at + 1] == 0xbf &&
               (unsigned char)c->bytes[c->at + 2] >= 0xbe) { /* U+FFFE, U+FFFF */
        heed__text_puts(c->to, "\xef\xbf\xbd");
        c->at += 2;
    } else {
        heed__text_put(c->to, (char)b);
    }
    c->at++;
}

/* Through the end mark, or to the end. */
static void put_through(scan *c, const char *mark) {
    while (c->at < c->size && !begins(c, mark)) put_char(c);
    for (size_t n = strlen(mark); n > 0 && c->at < c->size; n--) put_char(c);
}

static void put_reference(scan *c) {
    static const char *const own[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
    size_t used;
    char text[9];
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (c->size - c->at >= strlen(own[i]) &&
            strncmp(c->bytes + c->at, own[i], strlen(own[i])) == 0) {
            heed__text_puts(c->to, own[i]);
            c->at += strlen(own[i]);
            return;
        }
    if (heed__html_entity(c->bytes + c->at, c->size - c->at, &used, text)) {
        const bool control = (unsigned char)text[0] < ' ' && !strchr("\t\n\r", text[0]);
        const bool none = strcmp(text, "\xef\xbf\xbe") == 0 || strcmp(text, "\xef\xbf\xbf") == 0;
        put_escaped(c->to, control || none ? "\xef\xbf\xbd" : text);
        c->at += used;
    } else {
        heed__text_puts(c->to, "&amp;");
        c->at++;
    }
}

/* Through the end mark, or to the end; lines keep their numbers. */
static void skip_through(scan *c, const char *mark) {
    for (; c->at < c->size && !begins(c, mark); c->at++)
        if (c->bytes[c->at] == '\n') heed__text_put(c->to, '\n');
    c->at += strlen(mark);
    if (c->at > c->size) c->at = c->size;
}

/* Passes over a declaration of the document's type. False: it declares entities. */
static bool skip_doctype(scan *c) {
    int depth = 0;
    for (; c->at < c->size; c->at++) {
        if (begins(c, "<!ENTITY")) return false;
        const char b = c->bytes[c->at];
        if (b == '\n') heed__text_put(c->to, '\n'); /* lines keep their numbers */
        if (b == '[') depth++;
        if (b == ']') depth--;
        if (b == '>' && depth <= 0) {
            c->at++;
            return true;
        }
    }
    return true;
}

int heed__feed_repair(heed_text *to, const char *bytes, size_t size, const heed_feed_cfg *cfg,
                      heed_error *err) {
    scan c = { .bytes = bytes, .size = size, .to = to };
    while (c.at < size && bytes[c.at] != '<') c.at++;
    while (c.at < size && !to->failed) {
        if (begins(&c, "<![CDATA["))
            put_through(&c, "]]>");
        else if (begins(&c, "<!--"))
            put_through(&c, "-->");
        else if (begins(&c, "<?xml "))
            skip_through(&c, "?>");
        else if (begins(&c, "<?"))
            put_through(&c, "?>");
        else if (begins(&c, "<!DOCTYPE")) {
            if (!skip_doctype(&c))
                return heed__error(err, HEED_EFORMAT,
                                   "%s: declares entities of its own, which no feed needs",
                                   cfg->name);
        } else if (bytes[c.at] == '&')
            put_reference(&c);
        else
            put_char(&c);
    }
    if (to->failed) return heed__error(err, HEED_ENOMEM, "%s: out of memory", cfg->name);
    return 0;
}
