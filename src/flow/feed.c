/* feed.c: a feed of any form: which one it is, and what makes an item. */
#include "flow/feed.h"

#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/charset.h"
#include "flow/feed_impl.h"
#include "flow/html.h"

void heed__feed_begin(feed_sink *s) {
    for (int f = 0; f < FEED_FIELDS; f++) heed__text_reset(&s->value[f]);
}

void heed__feed_set(feed_sink *s, feed_field field, const char *bytes, size_t size, bool html) {
    heed_text *to = &s->value[field];
    heed__text_reset(to);
    (html ? heed__html_text : heed__plain_text)(to, bytes, size);
}

static const char *text_of(const feed_sink *s, feed_field field) {
    return s->value[field].len > 0 ? s->value[field].bytes : NULL;
}

static int64_t time_of(const feed_sink *s, feed_field field) {
    const heed_text *v = &s->value[field];
    int64_t ms = 0;
    return v->len > 0 && heed__date_read(v->bytes, (size_t)v->len, &ms) ? ms : 0;
}

static int out_of_memory(feed_sink *s) {
    return s->status = heed__error(s->err, HEED_ENOMEM, "%s: out of memory", s->cfg->name);
}

int heed__feed_give(feed_sink *s) {
    char hash[2 * HEED_SHA256_SIZE + 1];
    for (int f = 0; f < FEED_FIELDS; f++)
        if (s->value[f].failed) return out_of_memory(s);
    heed_feed_item item = { .id = text_of(s, FEED_ID),
                            .title = text_of(s, FEED_TITLE),
                            .author = text_of(s, FEED_AUTHOR),
                            .url = text_of(s, FEED_LINK),
                            .time_ms = time_of(s, FEED_PUBLISHED) };
    item.text = text_of(s, FEED_CONTENT) ? text_of(s, FEED_CONTENT) : text_of(s, FEED_SUMMARY);
    if (!item.time_ms) item.time_ms = time_of(s, FEED_UPDATED);
    if (!item.id) item.id = item.url;
    if (!item.url && item.id &&
        (strncmp(item.id, "http://", 7) == 0 || strncmp(item.id, "https://", 8) == 0))
        item.url = item.id; /* a guid that is a permanent link */
    if (!item.id) {
        unsigned char sum[HEED_SHA256_SIZE];
        heed_sha256 h;
        heed__sha256_init(&h);
        if (item.title) heed__sha256_add(&h, item.title, strlen(item.title));
        heed__sha256_add(&h, "\n", 1);
        if (item.text) heed__sha256_add(&h, item.text, strlen(item.text));
        heed__sha256_end(&h, sum);
        item.id = heed__hex(sum, 16, hash);
    }
    if (!item.title && !item.text) return 0; /* nothing to read */
    if (s->items == HEED_FEED_ITEMS)
        return s->status = heed__error(s->err, HEED_EFORMAT, "%s: more than %d items", s->cfg->name,
                                       HEED_FEED_ITEMS);
    s->items++;
    return s->status = s->fn(s->user, &item);
}

int64_t heed__feed_read(const char *bytes, size_t size, const heed_feed_cfg *cfg, heed_feed_fn fn,
                        void *user, heed_error *err) {
    feed_sink s = { .cfg = cfg, .fn = fn, .user = user, .err = err };
    for (int f = 0; f < FEED_FIELDS; f++) s.value[f].hooks = cfg->hooks;
    heed_text utf8 = { .hooks = cfg->hooks }, xml = { .hooks = cfg->hooks };
    char declared[64];
    const bool has = heed__charset_of_xml(bytes, size, declared, sizeof declared);
    heed__charset_document(&utf8, cfg->charset, has ? declared : NULL, bytes, size);
    size_t first = 0;
    while (!utf8.failed && (int64_t)first < utf8.len && (unsigned char)utf8.bytes[first] <= ' ')
        first++;
    if (utf8.failed) {
        out_of_memory(&s);
    } else if ((int64_t)first == utf8.len) {
        s.status = heed__error(err, HEED_EFORMAT, "%s: is empty, not a feed", cfg->name);
    } else if (utf8.bytes[first] == '{') {
        heed__feed_json(&s, utf8.bytes, (size_t)utf8.len);
    } else {
        s.status = heed__feed_repair(&xml, utf8.bytes, (size_t)utf8.len, cfg, err);
        heed__text_free(&utf8);
        if (!s.status) heed__feed_xml(&s, xml.bytes, (size_t)xml.len);
    }
    heed__text_free(&utf8);
    heed__text_free(&xml);
    for (int f = 0; f < FEED_FIELDS; f++) heed__text_free(&s.value[f]);
    return s.status ? s.status : s.items;
}
