/* stream.c: an event stream of one request: a handler writes, libmicrohttpd reads, and whichever of
 * the two ends last frees the request. Where there is nothing to read the connection is suspended,
 * and resumed by the next write. */
#include <string.h>

#include "base/alloc.h"
#include "http/server.h"

enum { MOST_BEHIND = 4 << 20, AT_ONCE = 16 << 10 };

static ssize_t read_stream(void *cls, uint64_t at, char *to, size_t most) {
    (void)at;
    heed_request *rq = cls;
    heed_stream *s = &rq->stream;
    heed__lock_enter(rq->http->streams);
    const int64_t left = s->end - s->begin;
    ssize_t n = left < (int64_t)most ? left : (ssize_t)most;
    if (s->lost) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (n > 0) {
        memcpy(to, s->data + s->begin, (size_t)n);
        s->begin += n;
    } else if (s->ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->parked = true;
        MHD_suspend_connection(rq->connection);
    }
    heed__lock_leave(rq->http->streams);
    return n;
}

void heed_reply_stream(heed_request *rq, const char *type) {
    rq->streams = true;
    /* libmicrohttpd 0.9.75 would send the end of a chunked body after the headers of a HEAD */
    struct MHD_Response *response = strcmp(rq->method, "HEAD") == 0
                                        ? heed__http_response(&rq->http->hooks, "", 0)
                                        : MHD_create_response_from_callback(
                                              MHD_SIZE_UNKNOWN, AT_ONCE, read_stream, rq, NULL);
    heed__http_answer(rq, MHD_HTTP_OK, heed__http_dress(rq, response, type));
}

/* Under the lock. */
static void resume(heed_request *rq) {
    if (rq->stream.parked) MHD_resume_connection(rq->connection);
    rq->stream.parked = false;
}

bool heed_stream_write(heed_request *rq, const void *data, size_t size) {
    heed_http *http = rq->http;
    heed_stream *s = &rq->stream;
    heed__lock_enter(http->streams);
    if (s->begin > 0) {
        memmove(s->data, s->data + s->begin, (size_t)(s->end - s->begin));
        s->end -= s->begin;
        s->begin = 0;
    }
    const bool keeps_up = size <= (size_t)(MOST_BEHIND - s->end);
    if (!keeps_up || atomic_load(&http->closing) ||
        heed__grow(&http->hooks, &s->data, &s->cap, s->end + (int64_t)size, 1) != HEED_OK)
        s->lost = true;
    const bool taken = !s->gone && !s->lost;
    if (taken && size > 0) {
        memcpy(s->data + s->end, data, size);
        s->end += (int64_t)size;
    }
    if (!s->gone) resume(rq);
    heed__lock_leave(http->streams);
    return taken;
}

void heed_stream_end(heed_request *rq) {
    heed_http *http = rq->http;
    heed__lock_enter(http->streams);
    const bool gone = rq->stream.gone;
    rq->stream.ended = true;
    if (!gone) resume(rq);
    heed__lock_leave(http->streams);
    if (gone) heed__request_free(rq);
}

bool heed__stream_gone(heed_request *rq) {
    heed__lock_enter(rq->http->streams);
    rq->stream.gone = true;
    const bool ended = rq->stream.ended;
    heed__lock_leave(rq->http->streams);
    return ended;
}
