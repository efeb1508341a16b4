/* feed_impl.h: what the readers of feeds share. */
#ifndef HEED_FLOW_FEED_IMPL_H
#define HEED_FLOW_FEED_IMPL_H

#include "base/buffer.h"
#include "flow/feed.h"

/* The fields of an item while it is read. Those of type html_or_text are tidy when they are set. */
typedef enum feed_field {
    FEED_NONE,
    FEED_ID,
    FEED_TITLE,
    FEED_LINK,
    FEED_CONTENT,
    FEED_SUMMARY,
    FEED_AUTHOR,
    FEED_PUBLISHED,
    FEED_UPDATED,
    FEED_FIELDS
} feed_field;

typedef struct feed_sink {
    const heed_feed_cfg *cfg;
    heed_feed_fn fn;
    void *user;
    heed_error *err;
    heed_text value[FEED_FIELDS]; /* their hooks are cfg's */
    int64_t items;
    int status;
} feed_sink;

/* A new item: all fields empty. */
void heed__feed_begin(feed_sink *s);
/* Gives the item that the fields make. 0 or s->status. */
int heed__feed_give(feed_sink *s);
/* Sets a field: as it is, or the text of HTML. */
void heed__feed_set(feed_sink *s, feed_field field, const char *bytes, size_t size, bool html);

/* Makes XML that expat takes of what is nearly XML, UTF-8: see feed_repair.c. HEED_EFORMAT: it
 * declares entities. */
int heed__feed_repair(heed_text *to, const char *bytes, size_t size, const heed_feed_cfg *cfg,
                      heed_error *err);

/* 0 or s->status. */
int heed__feed_xml(feed_sink *s, const char *bytes, size_t size);
int heed__feed_json(feed_sink *s, const char *bytes, size_t size);

#endif
