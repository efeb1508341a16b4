/* source_feed.c: a feed looked at from time to time: asked for only where it has changed, politely
 * after failures, its items given in the order in which they appeared, each once.
 *
 * Kept: {"etag","modified","seen"}: what the server said of the last document, and sums of the ids
 * of its items, so that an item that is older than what the store keeps does not come again. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/charset.h"
#include "flow/feed.h"
#include "flow/fetch.h"
#include "flow/source_impl.h"

enum { REDIRECTS = 5, ID_MOST = 400, PAUSE_MOST_MS = 4 * 3600000, RETRY_MOST_MS = 24 * 3600000 };

typedef struct post {
    const char *id, *title, *text, *url, *author;
    int64_t time_ms, at; /* at: its place in the document */
} post;

typedef struct feed {
    heed_net net;
    heed_fetch fetch;
    heed_arena arena; /* of one document */
    post *item;       /* [items] */
    int64_t items, cap;
    uint64_t *seen; /* [seen_len] ascending: of the last document */
    int64_t seen_len;
    char base[2048]; /* where the document came from */
    bool known;
} feed;

/* -- what is kept ----------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static bool was_seen(const feed *f, uint64_t sum) {
    return f->seen_len > 0 &&
           bsearch(&sum, f->seen, (size_t)f->seen_len, sizeof sum, by_value) != NULL;
}

static uint64_t sum_of(const char *id) {
    return heed__hash_spread(heed__hash_text(HEED_HASH_BEGIN, id));
}

static int find_place(heed_source *s, feed *f, heed_error *err) {
    if (f->known) return 0;
    char *kept = heed__source_get(s, "feed", err);
    if (!kept && err->code) return err->code;
    f->known = true;
    json_t *place = kept ? heed__json_parse(kept, strlen(kept), "kept", NULL) : NULL;
    heed__free(&s->hooks, kept);
    const char *etag = json_string_value(json_object_get(place, "etag"));
    const char *modified = json_string_value(json_object_get(place, "modified"));
    const char *seen = json_string_value(json_object_get(place, "seen"));
    const char *url = json_string_value(json_object_get(place, "url"));
    int status = 0;
    if (url && strcmp(url, s->cfg->url) == 0) {
        heed__format(f->fetch.etag, sizeof f->fetch.etag, "%s", etag ? etag : "");
        heed__format(f->fetch.modified, sizeof f->fetch.modified, "%s", modified ? modified : "");
        const size_t n = seen ? strlen(seen) / 16 : 0;
        f->seen = heed__calloc(&s->hooks, n + 1, sizeof *f->seen);
        if (!f->seen) status = heed__source_no_memory(s, err);
        for (size_t i = 0; i < n * 16 && !status; i++) {
            const char c = seen[i];
            const unsigned v = (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0');
            f->seen[i / 16] = f->seen[i / 16] << 4 | (v & 15u);
        }
        f->seen_len = status ? 0 : (int64_t)n;
    }
    json_decref(place);
    return status;
}

/* The ids of this document are those that were seen, from now on. */
static int keep_place(heed_source *s, feed *f, heed_error *err) {
    uint64_t *seen = heed__calloc(&s->hooks, (size_t)f->items + 1, sizeof *seen);
    heed_text hex = { .hooks = &s->hooks };
    if (!seen) return heed__source_no_memory(s, err);
    for (int64_t i = 0; i < f->items; i++) seen[i] = sum_of(f->item[i].id);
    qsort(seen, (size_t)f->items, sizeof *seen, by_value);
    heed__text_puts(&hex, "");
    for (int64_t i = 0; i < f->items; i++)
        heed__text_format(&hex, "%016llx", (unsigned long long)seen[i]);
    heed__free(&s->hooks, f->seen);
    f->seen = seen;
    f->seen_len = f->items;
    json_t *place = hex.failed
                        ? NULL
                        : json_pack("{s:s,s:s,s:s,s:s}", "url", s->cfg->url, "etag", f->fetch.etag,
                                    "modified", f->fetch.modified, "seen", hex.bytes);
    heed__text_free(&hex);
    size_t len;
    char *text = place ? heed__json_text(&s->hooks, place, false, &len, err) : NULL;
    json_decref(place);
    const int status = text ? heed__source_set(s, "feed", text, err)
                            : heed__source_no_memory(s, err);
    heed__free(&s->hooks, text);
    return status;
}

/* -- items ------------------------------------------------------------------------------------ */

static const char *copy(feed *f, const char *text, bool *failed) {
    if (!text) return NULL;
    char *to = heed__arena_alloc(&f->arena, strlen(text) + 1);
    if (to)
        memcpy(to, text, strlen(text) + 1);
    else
        *failed = true;
    return to;
}

/* An address of http or https, made whole; NULL: it is none (javascript:, mailto: ...). */
static const char *whole_url(feed *f, const char *url, bool *failed) {
    const char *result = NULL;
    char *whole = NULL, *scheme = NULL;
    CURLU *u = url ? curl_url() : NULL;
    if (u && curl_url_set(u, CURLUPART_URL, f->base, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_URL, url, CURLU_URLENCODE) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
        result = copy(f, whole, failed);
    curl_free(whole);
    curl_free(scheme);
    if (u) curl_url_cleanup(u);
    return result;
}

static int on_item(void *user, const heed_feed_item *item) {
    heed_source *s = user;
    feed *f = s->own;
    bool bad = heed__grow(&s->hooks, &f->item, &f->cap, f->items + 1, sizeof *f->item) != 0;
    if (bad) return HEED_ENOMEM;
    post p = { .time_ms = item->time_ms, .at = f->items };
    char sum[2 * HEED_SHA256_SIZE + 1];
    const char *id = item->id;
    if (strlen(id) > ID_MOST) {
        unsigned char bytes[HEED_SHA256_SIZE];
        heed__sha256(id, strlen(id), bytes);
        id = heed__hex(bytes, sizeof bytes, sum);
    }
    p.id = copy(f, id, &bad);
    p.title = copy(f, item->title, &bad);
    p.text = copy(f, item->text, &bad);
    p.author = copy(f, item->author, &bad);
    p.url = whole_url(f, item->url, &bad);
    if (bad) return HEED_ENOMEM;
    f->item[f->items++] = p;
    return 0;
}

/* The oldest first; those of one time, or of none, as a feed has them: the newest first. */
static int by_time(const void *a, const void *b) {
    const post *x = a, *y = b;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? -1 : 1;
    return x->at > y->at ? -1 : 1;
}

/* by_time is an order only where all have times; else the document's is turned around. */
static void sort_items(feed *f) {
    bool all = true;
    for (int64_t i = 0; i < f->items; i++) all = all && f->item[i].time_ms;
    if (all && f->items > 0) {
        qsort(f->item, (size_t)f->items, sizeof *f->item, by_time);
        return;
    }
    for (int64_t i = 0; i < f->items / 2; i++) {
        const post p = f->item[i];
        f->item[i] = f->item[f->items - 1 - i];
        f->item[f->items - 1 - i] = p;
    }
}

static int add_event(heed_source *s, const post *p, heed_error *err) {
    bool bad = false;
    char *body = NULL;
    if (p->author) {
        size_t len;
        json_t *fields = json_pack("{s:s}", "author", p->author);
        body = fields ? heed__json_text(&s->hooks, fields, false, &len, err) : NULL;
        json_decref(fields);
        if (!body) return heed__source_no_memory(s, err);
    }
    heed_entry *e = heed__batch_add(s);
    e->id = heed__batch_text(s, p->id, &bad);
    e->title = heed__batch_text(s, p->title, &bad);
    e->text = heed__batch_text(s, p->text ? p->text : "", &bad);
    e->url = heed__batch_text(s, p->url, &bad);
    e->body = heed__batch_text(s, body, &bad);
    e->happened_ms = p->time_ms;
    heed__free(&s->hooks, body);
    return bad ? heed__source_no_memory(s, err) : 0;
}

static int give_items(heed_source *s, feed *f, heed_error *err) {
    int status = 0;
    for (int64_t i = 0; i < f->items && !status; i++) {
        if (was_seen(f, sum_of(f->item[i].id))) continue;
        if (heed__batch_full(s)) status = heed__source_give(s, err);
        if (!status) status = add_event(s, &f->item[i], err);
    }
    return status ? status : heed__source_give(s, err);
}

/* Reads the document that was fetched, and gives its new items. */
static int read_document(heed_source *s, feed *f, heed_error *err) {
    char charset[64], *effective = NULL;
    heed_error why = { 0 };
    const heed_feed_cfg cfg = { .name = s->cfg->url,
                                .charset = heed__charset_of(f->fetch.type, charset, sizeof charset)
                                               ? charset
                                               : NULL,
                                .hooks = &s->hooks };
    curl_easy_getinfo(f->fetch.curl, CURLINFO_EFFECTIVE_URL, &effective);
    heed__format(f->base, sizeof f->base, "%s", effective ? effective : s->cfg->url);
    f->items = 0;
    heed__arena_reset(&f->arena);
    const heed_text *body = &f->fetch.body;
    const int64_t n = heed__feed_read(body->len ? body->bytes : "", (size_t)body->len, &cfg,
                                      on_item, s, &why);
    if (n == HEED_ENOMEM) return heed__source_no_memory(s, err);
    sort_items(f);
    const int status = give_items(s, f, err);
    if (status) return status;
    if (n >= 0) return keep_place(s, f, err);
    *err = why;
    return (int)n;
}

/* -- steps ------------------------------------------------------------------------------------ */

/* A little more than ms, drawn from the name and n, so that many feeds of one server, or many
 * readers of one feed, do not ask at once. */
static int64_t spread(const heed_source *s, int64_t ms, int64_t n) {
    heed_rng rng = { .seed = heed__hash_text(HEED_HASH_BEGIN, s->cfg->name),
                     .stream = (uint64_t)n };
    return ms + (int64_t)heed_rng_below(&rng, (uint64_t)ms / 10 + 1);
}

static int feed_step(heed_source *s, heed_error *err) {
    feed *f = s->own;
    int status = find_place(s, f, err);
    if (status) return status;
    status = heed__fetch(&f->fetch, s->cfg->url, err);
    if (!status && f->fetch.status == 200) {
        status = read_document(s, f, err);
        if (status) f->fetch.etag[0] = f->fetch.modified[0] = 0; /* it is to be given once more */
    }
    if (status == 0) {
        s->wait_ms = spread(s, s->cfg->every_ms, 0);
        if (f->fetch.retry_ms > s->wait_ms && f->fetch.retry_ms <= RETRY_MOST_MS)
            s->wait_ms = f->fetch.retry_ms;
        return HEED_SOURCE_IDLE;
    }
    if (status == HEED_ECANCELLED) return status;
    /* asked again after the usual time, then twice that, up to 4 h; or when the server says */
    int64_t ms = s->cfg->every_ms;
    for (int64_t i = 0; i < s->failures && ms < PAUSE_MOST_MS; i++) ms *= 2;
    if (ms > PAUSE_MOST_MS && ms > s->cfg->every_ms)
        ms = s->cfg->every_ms > PAUSE_MOST_MS ? s->cfg->every_ms : PAUSE_MOST_MS;
    s->retry_ms = spread(s, ms, s->failures + 1);
    const int64_t asked = f->fetch.status == 410 ? RETRY_MOST_MS : f->fetch.retry_ms;
    if (asked > s->retry_ms) s->retry_ms = asked < RETRY_MOST_MS ? asked : RETRY_MOST_MS;
    return status;
}

static bool stop(void *user) {
    return heed__source_stopping(user);
}

static int feed_open(heed_source *s, heed_error *err) {
    feed *f = s->own;
    heed__arena_init(&f->arena, &s->hooks);
    f->net = (heed_net){
        .allow_private = s->cfg->allow_private, .redirects = REDIRECTS, .stop = stop, .user = s
    };
    f->fetch = (heed_fetch){ .net = &f->net,
                             .most = s->cfg->most ? s->cfg->most : 8 << 20,
                             .body = { .hooks = &s->hooks } };
    f->fetch.curl = heed__net_new(&f->net, err);
    return f->fetch.curl ? 0 : HEED_ENOMEM;
}

static void feed_close(heed_source *s) {
    feed *f = s->own;
    if (f->fetch.curl) curl_easy_cleanup(f->fetch.curl);
    heed__text_free(&f->fetch.body);
    heed__arena_free(&f->arena);
    heed__free(&s->hooks, f->item);
    heed__free(&s->hooks, f->seen);
}

const heed_source_kind heed__source_feed = {
    .name = "feed", .size = sizeof(feed), .open = feed_open, .step = feed_step, .close = feed_close
};
