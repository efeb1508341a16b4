/* fetch.c: conditional GET (RFC 9110, section 13) over libcurl, with every size bounded. */
#include "flow/fetch.h"

#include <string.h>

#include "base/text.h"
#include "base/thread.h"
#include "base/date.h"

typedef struct answer {
    heed_fetch *f;
    char etag[HEED_FETCH_TEXT], modified[128];
    bool no_memory;
} answer;

/* The value of a header with that name (lower case), without the spaces around it; what does not
 * fit, or holds control characters, is as if it were not there. */
static void take_header(const char *line, size_t size, const char *name, char *to, size_t room) {
    const size_t n = strlen(name);
    if (size <= n || line[n] != ':' || strncasecmp(line, name, n) != 0) return;
    const char *at = line + n + 1, *end = line + size;
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    while (end > at && (unsigned char)end[-1] <= ' ') end--;
    to[0] = 0;
    const size_t len = (size_t)(end - at);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)at[i] < ' ' || at[i] == 0x7f) return;
    if (len < room) {
        memcpy(to, at, len);
        to[len] = 0;
    }
}

static size_t on_header(char *line, size_t one, size_t size, void *user) {
    answer *a = user;
    size *= one;
    if (size >= 5 && strncmp(line, "HTTP/", 5) == 0) { /* of the redirect before */
        a->etag[0] = a->modified[0] = a->f->type[0] = 0;
        a->f->retry_ms = -1;
    }
    char retry[64] = "";
    take_header(line, size, "etag", a->etag, sizeof a->etag);
    take_header(line, size, "last-modified", a->modified, sizeof a->modified);
    take_header(line, size, "content-type", a->f->type, sizeof a->f->type);
    take_header(line, size, "retry-after", retry, sizeof retry);
    int64_t seconds, when;
    if (retry[0] && heed__parse_int(retry, strlen(retry), &seconds) && seconds >= 0)
        a->f->retry_ms = seconds < 1000000 ? seconds * 1000 : 1000000000;
    else if (retry[0] && heed__date_read(retry, strlen(retry), &when))
        a->f->retry_ms = when > heed__now_ms() ? when - heed__now_ms() : 0;
    return size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *user) {
    answer *a = user;
    heed_text *body = &a->f->body;
    size *= one;
    if (size > a->f->most || (size_t)body->len > a->f->most - size) {
        a->f->large = true;
        return 0;
    }
    heed__text_add(body, bytes, size);
    return body->failed ? 0 : size;
}

/* Adds "name: value" where there is a value. */
static bool add_header(struct curl_slist **list, const char *name, const char *value) {
    char line[HEED_FETCH_TEXT + 32];
    if (!value[0]) return true;
    heed__format(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

static CURLcode call(heed_fetch *f, answer *a, struct curl_slist *headers) {
    CURLcode bad = CURLE_OK;
#define SET(option, value)                                                                         \
    if (!bad) bad = curl_easy_setopt(f->curl, CURLOPT_##option, value)
    SET(HTTPHEADER, headers);
    SET(ACCEPT_ENCODING, "gzip, deflate");
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, a);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, a);
#undef SET
    if (!bad) bad = curl_easy_perform(f->curl);
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, NULL);
    return bad;
}

int heed__fetch(heed_fetch *f, const char *url, heed_error *err) {
    answer a = { .f = f };
    heed__text_reset(&f->body);
    f->status = 0;
    f->type[0] = 0;
    f->retry_ms = -1;
    f->large = false;
    f->net->refused[0] = f->net->why[0] = 0;
    int status = heed__net_url(f->curl, url, err);
    if (status) return status;
    struct curl_slist *headers = NULL;
    CURLcode bad = CURLE_OUT_OF_MEMORY;
    if (add_header(&headers, "If-None-Match", f->etag) &&
        add_header(&headers, "If-Modified-Since", f->modified) &&
        add_header(&headers, "Accept",
                   "application/atom+xml, application/rss+xml, application/feed+json, "
                   "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"))
        bad = call(f, &a, headers);
    curl_slist_free_all(headers);
    if (f->large)
        return heed__error(err, HEED_EIO, "%s: larger than the %zu bytes that are read of it", url,
                           f->most);
    if (f->body.failed) {
        heed__text_free(&f->body);
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", url);
    }
    if (bad) return heed__net_error(f->net, bad, url, err);
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->status);
    if (f->status == 304) return HEED_OK;
    if (f->status != 200)
        return heed__error(err, HEED_EIO, "%s: the server says %ld", url, f->status);
    memcpy(f->etag, a.etag, sizeof f->etag);
    memcpy(f->modified, a.modified, sizeof f->modified);
    return HEED_OK;
}
