/* sink_webhook.c: a message as the body of an HTTP POST.
 *
 *     Idempotency-Key: KEY                the same however often it is tried
 *     X-Heed-Timestamp: 1795270000        seconds since 1970, of this try
 *     X-Heed-Signature: sha256=HEX        HMAC-SHA-256 with the secret, over TIMESTAMP.BODY
 *
 * 2xx: delivered. 408, 425, 429, 5xx and no answer: tried again, not before Retry-After. Anything
 * else, redirects too, would be the same the next time: dead at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/net.h"
#include "flow/sink_impl.h"

enum { MOST_ANSWER = 64 << 10, MOST_RETRY_S = 24 * 3600, KEY_SIZE = 3 * 255 + 1 };

typedef struct webhook {
    heed_net net;
    CURL *curl;
    const char *secret; /* of the environment; NULL: none */
    size_t answered;    /* bytes of this answer */
} webhook;

static size_t discard(char *data, size_t size, size_t n, void *user) {
    webhook *w = user;
    (void)data;
    w->answered += size * n;
    return w->answered > MOST_ANSWER ? 0 : size * n;
}

static int open_webhook(heed__sink *s, heed_error *err) {
    webhook *w = heed__calloc(&s->all->hooks, 1, sizeof *w);
    if (!w) return heed__error(err, HEED_ENOMEM, "out of memory for sink %s", s->name);
    s->own = w;
    w->net = (heed_net){ .allow_private = s->cfg->allow_private,
                         .connect_ms = s->all->cfg.call_ms / 3 + 1,
                         .whole_ms = s->all->cfg.call_ms,
                         .stop = heed__sink_stopping,
                         .user = s };
    if (s->cfg->secret_env) {
        w->secret = getenv(s->cfg->secret_env);
        if (!w->secret || !w->secret[0])
            return heed__error(err, HEED_EINVALID,
                               "sink %s: the environment variable %s, which holds its secret, is "
                               "not set",
                               s->name, s->cfg->secret_env);
    }
    w->curl = heed__net_new(&w->net, err);
    if (!w->curl) return HEED_ENOMEM;
    return heed__net_url(w->curl, s->cfg->url, err);
}

static void close_webhook(heed__sink *s) {
    webhook *w = s->own;
    if (!w) return;
    curl_easy_cleanup(w->curl);
    heed__free(&s->all->hooks, w);
    s->own = NULL;
}

/* A key as a header may hold it: visible ASCII, other bytes as %XX. */
static void header_key(const char *key, char text[KEY_SIZE]) {
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; key[i] && i < 255; i++) {
        const unsigned char c = (unsigned char)key[i];
        if (c > ' ' && c < 0x7F && c != '%') {
            text[len++] = (char)c;
        } else {
            text[len++] = '%';
            text[len++] = digits[c >> 4];
            text[len++] = digits[c & 15];
        }
    }
    text[len] = 0;
}

static bool add(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* NULL: out of memory. */
static struct curl_slist *headers(const webhook *w, const heed_message *m, const char *body,
                                  size_t size) {
    char line[KEY_SIZE + 64], key[KEY_SIZE], stamp[HEED_NUMBER_SIZE];
    struct curl_slist *list = NULL;
    header_key(m->key, key);
    heed__format(stamp, sizeof stamp, "%lld", (long long)(heed__now_ms() / 1000));
    bool ok = add(&list, "Content-Type: application/json") && add(&list, "Expect:");
    heed__format(line, sizeof line, "Idempotency-Key: %s", key);
    ok = ok && add(&list, line);
    heed__format(line, sizeof line, "X-Heed-Timestamp: %s", stamp);
    ok = ok && add(&list, line);
    if (w->secret) {
        unsigned char sum[HEED_SHA256_SIZE];
        char hex[2 * HEED_SHA256_SIZE + 1];
        heed_hmac h;
        heed__hmac_init(&h, w->secret, strlen(w->secret));
        heed__hmac_add(&h, stamp, strlen(stamp));
        heed__hmac_add(&h, ".", 1);
        heed__hmac_add(&h, body, size);
        heed__hmac_end(&h, sum);
        heed__format(line, sizeof line, "X-Heed-Signature: sha256=%s",
                     heed__hex(sum, sizeof sum, hex));
        ok = ok && add(&list, line);
    }
    if (ok) return list;
    curl_slist_free_all(list);
    return NULL;
}

static void judge(heed__sink *s, CURLcode code, heed__outcome *o) {
    webhook *w = s->own;
    long status = 0;
    curl_off_t after = 0;
    curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
    const bool cut = code == CURLE_WRITE_ERROR && w->answered > MOST_ANSWER;
    if (code && !cut) {
        heed_error err = { 0 };
        if (code == CURLE_UNSUPPORTED_PROTOCOL) { /* the address is http: so is its answer not */
            heed__sink_say(o, HEED_SINK_AGAIN, "%s: answers what is no HTTP", s->cfg->url);
            return;
        }
        const int why = heed__net_error(&w->net, code, s->cfg->url, &err);
        heed__sink_say(o, why == HEED_EINVALID ? HEED_SINK_DEAD : HEED_SINK_AGAIN, "%s", err.msg);
        if (why == HEED_ECANCELLED) o->what = HEED_SINK_WAIT;
        return;
    }
    if (status >= 200 && status < 300) return;
    const bool again = status == 408 || status == 425 || status == 429 || status >= 500;
    heed__sink_say(o, again ? HEED_SINK_AGAIN : HEED_SINK_DEAD, "%s: answers %ld%s", s->cfg->url,
                   status, status >= 300 && status < 400 ? "; redirects are not followed" : "");
    if (!again || curl_easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &after) != CURLE_OK) return;
    if (after <= 0) return;
    o->after_ms = 1000 * (int64_t)(after > MOST_RETRY_S ? MOST_RETRY_S : after);
}

static void deliver_webhook(heed__sink *s, const heed_message *m, heed__outcome *o) {
    webhook *w = s->own;
    size_t size = 0;
    char *body = heed__sink_text(&s->all->hooks, m, &size);
    struct curl_slist *list = body ? headers(w, m, body, size) : NULL;
    w->answered = 0;
    w->net.refused[0] = w->net.why[0] = 0;
    CURLcode code = list ? CURLE_OK : CURLE_OUT_OF_MEMORY;
#define SET(option, value)                                                                         \
    if (!code) code = curl_easy_setopt(w->curl, CURLOPT_##option, value)
    SET(POST, 1L);
    SET(POSTFIELDSIZE_LARGE, (curl_off_t)size);
    SET(POSTFIELDS, body);
    SET(HTTPHEADER, list);
    SET(WRITEFUNCTION, discard);
    SET(WRITEDATA, w);
#undef SET
    if (!code) code = curl_easy_perform(w->curl);
    if (code == CURLE_OUT_OF_MEMORY)
        heed__sink_say(o, HEED_SINK_WAIT, "out of memory");
    else
        judge(s, code, o);
    curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    heed__free(&s->all->hooks, body);
}

const heed__sink_kind heed__sink_webhook = {
    .name = "webhook",
    .open = open_webhook,
    .deliver = deliver_webhook,
    .close = close_webhook,
};

/* -- page -------------------------------------------------------------------------------------- */

static void deliver_page(heed__sink *s, const heed_message *m, heed__outcome *o) {
    (void)o;
    if (s->all->cfg.publish) s->all->cfg.publish(s->all->cfg.user, m);
}

const heed__sink_kind heed__sink_page = { .name = "page", .deliver = deliver_page };
