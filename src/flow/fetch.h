/* fetch.h: a document of the web, asked for only where it has changed. */
#ifndef HEED_FLOW_FETCH_H
#define HEED_FLOW_FETCH_H

#include "base/buffer.h"
#include "flow/net.h"

enum { HEED_FETCH_TEXT = 512 };

typedef struct heed_fetch {
    CURL *curl; /* heed__net_new's */
    heed_net *net;
    size_t most; /* bytes of a document, unpacked */
    /* what the server said of the document that we have, given back to it; "" none */
    char etag[HEED_FETCH_TEXT], modified[128];
    /* the answer */
    long status;                /* 200, 304 ... */
    heed_text body;             /* its hooks are the caller's */
    char type[HEED_FETCH_TEXT]; /* Content-Type; "" none */
    int64_t retry_ms;           /* Retry-After; -1: none */
    bool large;                 /* cut off after `most` bytes */
} heed_fetch;

/* One call. 0: f->status is 200 with a body, or 304 without. HEED_EIO: another status, too large,
 * too slow, no connection ...; or heed__net_error's. etag and modified change with a 200 alone, and
 * are to be kept once the body has been taken. */
int heed__fetch(heed_fetch *f, const char *url, heed_error *err);

#endif
