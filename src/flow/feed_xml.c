/* feed_xml.c: RSS and Atom, by expat. Elements are known by their local name and by what their
 * prefix stands for; a prefix that the document does not declare stands for what it usually does.
 *
 *     <rss>|<rdf:RDF>|<feed>  ...  <item>|<entry>   a field: <title>text or markup</title>   ...
 */
#include <expat.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/base64.h"
#include "flow/feed_impl.h"
#include "flow/mail.h"

enum { PREFIXES = 32, PREFIX_SIZE = 24 };

/* What a prefix stands for. */
typedef enum vocabulary { CORE, CONTENT, DC, OTHER } vocabulary;

typedef struct prefix {
    char name[PREFIX_SIZE];
    vocabulary is;
} prefix;

typedef struct reader {
    feed_sink *sink;
    XML_Parser parser;
    prefix prefixes[PREFIXES];
    int prefix_len;
    int depth, item_depth; /* item_depth 0: not within an item */
    feed_field field;      /* being read, at field_depth */
    int field_depth;
    bool html;   /* its text is HTML, once escaped */
    bool markup; /* its elements are */
    bool base64; /* its text is packed (Atom 0.3; Atom 1.0 of types that are no text) */
    bool begun;  /* the root element was seen */
    bool atom;   /* the item is an Atom entry */
    heed_text text;
} reader;

static void stop(reader *r, int code, const char *what) {
    feed_sink *s = r->sink;
    if (!s->status)
        s->status = heed__error(s->err, code, "%s:%lu:%lu: %s", s->cfg->name,
                                (unsigned long)XML_GetCurrentLineNumber(r->parser),
                                (unsigned long)XML_GetCurrentColumnNumber(r->parser) + 1, what);
    XML_StopParser(r->parser, XML_FALSE);
}

/* -- names ------------------------------------------------------------------------------------ */

static vocabulary vocabulary_of(const char *uri) {
    static const struct {
        const char *begins;
        vocabulary is;
    } known[] = { { "http://www.w3.org/2005/Atom", CORE },
                  { "http://purl.org/atom/ns", CORE },
                  { "http://purl.org/rss/1.0/modules/content", CONTENT },
                  { "http://purl.org/rss/1.0/modules", OTHER },
                  { "http://purl.org/rss/1.0/", CORE },
                  { "http://my.netscape.com/rdf/simple/0.9", CORE },
                  { "http://channel.netscape.com/rdf/simple/0.9", CORE },
                  { "http://backend.userland.com/rss", CORE },
                  { "http://blogs.law.harvard.edu/tech/rss", CORE },
                  { "http://purl.org/dc/", DC } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(uri, known[i].begins, strlen(known[i].begins)) == 0) return known[i].is;
    return OTHER;
}

static void declare(reader *r, const char *name, const char *uri) {
    if (strlen(name) >= PREFIX_SIZE) return;
    prefix *p = NULL;
    for (int i = 0; i < r->prefix_len; i++)
        if (strcmp(r->prefixes[i].name, name) == 0) p = &r->prefixes[i];
    if (!p && r->prefix_len == PREFIXES) return;
    if (!p) p = &r->prefixes[r->prefix_len++];
    heed__format(p->name, sizeof p->name, "%s", name);
    p->is = vocabulary_of(uri);
}

/* The local name, and what its prefix stands for. */
static const char *local_name(const reader *r, const char *name, vocabulary *is) {
    const char *colon = strchr(name, ':');
    *is = CORE;
    if (!colon) return name;
    const size_t n = (size_t)(colon - name);
    *is = n == 7 && strncmp(name, "content", n) == 0 ? CONTENT
          : n == 2 && strncmp(name, "dc", n) == 0    ? DC
          : (n == 4 && strncmp(name, "atom", n) == 0) || (n == 3 && strncmp(name, "rss", n) == 0)
              ? CORE
              : OTHER;
    for (int i = 0; i < r->prefix_len; i++)
        if (strlen(r->prefixes[i].name) == n && strncmp(r->prefixes[i].name, name, n) == 0)
            *is = r->prefixes[i].is;
    return colon + 1;
}

static const char *attribute(const char **attributes, const char *name) {
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0) return attributes[1];
    return NULL;
}

static feed_field field_of(const char *local, vocabulary is) {
    static const struct {
        const char *name;
        vocabulary is;
        feed_field field;
    } known[] = { { "title", CORE, FEED_TITLE },
                  { "link", CORE, FEED_LINK },
                  { "guid", CORE, FEED_ID },
                  { "id", CORE, FEED_ID },
                  { "encoded", CONTENT, FEED_CONTENT },
                  { "content", CORE, FEED_CONTENT },
                  { "description", CORE, FEED_SUMMARY },
                  { "summary", CORE, FEED_SUMMARY },
                  { "description", DC, FEED_SUMMARY },
                  { "title", DC, FEED_TITLE },
                  { "body", CORE, FEED_CONTENT },
                  { "fullitem", CORE, FEED_CONTENT },
                  { "author", CORE, FEED_AUTHOR },
                  { "creator", DC, FEED_AUTHOR },
                  { "pubDate", CORE, FEED_PUBLISHED },
                  { "published", CORE, FEED_PUBLISHED },
                  { "issued", CORE, FEED_PUBLISHED },
                  { "date", DC, FEED_PUBLISHED },
                  { "issued", DC, FEED_PUBLISHED },
                  { "created", DC, FEED_PUBLISHED },
                  { "modified", DC, FEED_UPDATED },
                  { "updated", CORE, FEED_UPDATED },
                  { "modified", CORE, FEED_UPDATED } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].is == is && strcmp(known[i].name, local) == 0) return known[i].field;
    return FEED_NONE;
}

/* -- events ----------------------------------------------------------------------------------- */

/* How the text of a field is written: RSS is HTML, escaped; Atom says. */
static void begin_field(reader *r, feed_field field, const char **attributes) {
    const char *type = attribute(attributes, "type"), *mode = attribute(attributes, "mode");
    r->field = field;
    r->field_depth = r->depth;
    r->markup = type && (strcasestr(type, "xhtml") || strcasestr(type, "xml")) &&
                !(mode && strcmp(mode, "escaped") == 0);
    r->html = field == FEED_TITLE || field == FEED_CONTENT || field == FEED_SUMMARY;
    const bool text = !type || strcmp(type, "text") == 0 || strcmp(type, "text/plain") == 0;
    if (text && !mode && (type || r->atom)) r->html = false;
    r->base64 = (mode && strcmp(mode, "base64") == 0) ||
                (field == FEED_CONTENT && type && !mode && !r->markup && strchr(type, '/') &&
                 strncmp(type, "text/", 5) != 0);
    heed__text_reset(&r->text);
}

static void begin_in_item(reader *r, const char *name, const char **attributes) {
    vocabulary is;
    const char *local = local_name(r, name, &is);
    if (r->depth != r->item_depth + 1) return;
    const feed_field field = field_of(local, is);
    const char *href = field == FEED_LINK ? attribute(attributes, "href") : NULL;
    if (href) {
        const char *rel = attribute(attributes, "rel");
        if (r->sink->value[FEED_LINK].len == 0 && (!rel || strcmp(rel, "alternate") == 0))
            heed__feed_set(r->sink, FEED_LINK, href, strlen(href), false);
    } else if (field && !(field == FEED_CONTENT && attribute(attributes, "src"))) {
        begin_field(r, field, attributes);
    }
}

static void begin_root(reader *r, const char *local) {
    r->begun = true;
    if (strcmp(local, "rss") == 0 || strcmp(local, "RDF") == 0 || strcmp(local, "feed") == 0 ||
        strcmp(local, "channel") == 0)
        return;
    char what[120];
    heed__format(what, sizeof what, "is no feed: its first element is <%.40s>", local);
    stop(r, HEED_EFORMAT, what);
}

static void on_start(void *user, const char *name, const char **attributes) {
    reader *r = user;
    if (r->sink->status) return;
    if (++r->depth > HEED_FEED_DEPTH) {
        stop(r, HEED_EFORMAT, "elements within elements more than 100 deep");
        return;
    }
    for (const char **a = attributes; a[0]; a += 2)
        if (strncmp(a[0], "xmlns:", 6) == 0) declare(r, a[0] + 6, a[1]);
    vocabulary is;
    const char *local = local_name(r, name, &is);
    if (!r->begun) {
        begin_root(r, local);
    } else if (r->field) {
        if (r->field == FEED_AUTHOR && strcmp(local, "name") == 0) {
            heed__text_reset(&r->text);
        } else {
            if (!r->html && r->field != FEED_AUTHOR)
                r->markup = true; /* said to be text, and is not */
            heed__text_put(&r->text, '<');
            heed__text_puts(&r->text, local);
            heed__text_put(&r->text, '>');
        }
    } else if (r->item_depth) {
        begin_in_item(r, name, attributes);
    } else if (is == CORE && (strcmp(local, "item") == 0 || strcmp(local, "entry") == 0)) {
        r->item_depth = r->depth;
        r->atom = local[0] == 'e';
        heed__feed_begin(r->sink);
        const char *about = attribute(attributes, "rdf:about");
        if (about) heed__feed_set(r->sink, FEED_ID, about, strlen(about), false);
    }
}

/* A field's text, at its end. What stands twice: the first title, link and date, but the longer
 * content. */
static void end_field(reader *r) {
    feed_sink *s = r->sink;
    const feed_field field = r->field;
    r->field = FEED_NONE;
    if (r->text.failed) return;
    if (r->base64) {
        heed_text packed = r->text;
        r->text = (heed_text){ .hooks = packed.hooks };
        heed__base64_add(&r->text, packed.len ? packed.bytes : "", (size_t)packed.len);
        heed__text_free(&packed);
        const size_t good = heed__utf8_check(r->text.len ? r->text.bytes : "", (size_t)r->text.len);
        if (r->text.failed || good < (size_t)r->text.len) return; /* a picture, a sound */
    }
    const bool longer = field == FEED_CONTENT && r->text.len > s->value[field].len;
    if (s->value[field].len > 0 && !longer && field != FEED_ID) return;
    if (r->text.len > 0)
        heed__feed_set(s, field, r->text.bytes, (size_t)r->text.len, r->html || r->markup);
}

static void on_end(void *user, const char *name) {
    reader *r = user;
    if (r->sink->status) return;
    vocabulary is;
    const char *local = local_name(r, name, &is);
    if (r->field && r->depth == r->field_depth) {
        end_field(r);
    } else if (r->field == FEED_AUTHOR && strcmp(local, "name") == 0) {
        end_field(r); /* what follows, an address, is not the name */
    } else if (r->field) {
        heed__text_puts(&r->text, "</");
        heed__text_puts(&r->text, local);
        heed__text_put(&r->text, '>');
    } else if (r->item_depth && r->depth == r->item_depth) {
        r->item_depth = 0;
        if (heed__feed_give(r->sink)) XML_StopParser(r->parser, XML_FALSE);
    }
    r->depth--;
    if (r->text.failed) stop(r, HEED_ENOMEM, "out of memory");
}

static void on_text(void *user, const char *text, int len) {
    reader *r = user;
    if (!r->field || r->sink->status) return;
    if (!r->markup) {
        heed__text_add(&r->text, text, (size_t)len);
        return;
    }
    for (int i = 0; i < len; i++) { /* text between markup is no markup */
        if (text[i] == '<')
            heed__text_puts(&r->text, "&lt;");
        else if (text[i] == '&')
            heed__text_puts(&r->text, "&amp;");
        else
            heed__text_put(&r->text, text[i]);
    }
}

int heed__feed_xml(feed_sink *s, const char *bytes, size_t size) {
    reader *r = heed__calloc(s->cfg->hooks, 1, sizeof *r);
    XML_Parser parser = r ? XML_ParserCreate("UTF-8") : NULL;
    if (!parser || size > INT32_MAX) {
        heed__free(s->cfg->hooks, r);
        return s->status = heed__error(s->err, HEED_ENOMEM, "%s: out of memory", s->cfg->name);
    }
    *r = (reader){ .sink = s, .parser = parser, .text = { .hooks = s->cfg->hooks } };
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    if (XML_Parse(parser, bytes, (int)size, 1) == XML_STATUS_ERROR && !s->status) {
        const enum XML_Error code = XML_GetErrorCode(parser);
        stop(r, code == XML_ERROR_NO_MEMORY ? HEED_ENOMEM : HEED_EFORMAT,
             XML_ErrorString(code) ? XML_ErrorString(code) : "is not XML");
    }
    heed__text_free(&r->text);
    XML_ParserFree(parser);
    heed__free(s->cfg->hooks, r);
    return s->status;
}
