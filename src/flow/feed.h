/* feed.h: the items of a feed: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed. Made for what
 * the web holds: names of HTML characters, stray ampersands and control characters do no harm;
 * nothing outside the document is ever read, and one that declares entities is refused. */
#ifndef HEED_FLOW_FEED_H
#define HEED_FLOW_FEED_H

#include "heed/base.h"

enum { HEED_FEED_DEPTH = 100, HEED_FEED_ITEMS = 10000 };

/* Plain text throughout (flow/html.h); NULL: the item has none. */
typedef struct heed_feed_item {
    const char *id; /* guid, id, rdf:about; else the link; else a hash of title and text */
    const char *title, *author;
    const char *text; /* the whole content where there is one, else the summary */
    const char *url;  /* as it stands; may be relative */
    int64_t time_ms;  /* published, else changed; 0: not said */
} heed_feed_item;

/* What an item is given to lives during the call; another return than 0 ends the reading. */
typedef int (*heed_feed_fn)(void *user, const heed_feed_item *item);

typedef struct heed_feed_cfg {
    const char *name;    /* before an error: the URL */
    const char *charset; /* as the server said; NULL */
    const heed_hooks *hooks;
} heed_feed_cfg;

/* How many items, or a status: HEED_EFORMAT "name:line:column: what", after the items before that
 * place; HEED_ENOMEM; fn's. */
int64_t heed__feed_read(const char *bytes, size_t size, const heed_feed_cfg *cfg, heed_feed_fn fn,
                        void *user, heed_error *err);

#endif
