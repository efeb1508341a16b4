/* guard.c: what a request must satisfy before its body is read: one meaning only (no two lengths,
 * no two hosts), a host that is ours, a route, a key, and an origin that may ask for it.
 *
 * A page from elsewhere in somebody's browser can send requests to a server on that person's
 * machine. It cannot read the answers (no CORS header), but could change things: so what changes
 * something is refused where the browser says that it comes from elsewhere. And it could point a
 * name of its own to 127.0.0.1 and so become our origin: so on loopback the Host header must be a
 * name of loopback.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/schema.h"
#include "http/server.h"

typedef struct headers {
    heed_request *rq;
    size_t size;
    int hosts, lengths, codings;
    const char *host, *length, *coding, *origin, *site, *authorization, *api_key, *cookie;
    bool broken;
} headers;

static enum MHD_Result see(void *cls, enum MHD_ValueKind kind, const char *name,
                           const char *value) {
    (void)kind;
    headers *h = cls;
    const char *v = value ? value : "";
    const size_t size = strlen(v);
    h->size += strlen(name) + size + 4;
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)v[i] < ' ' && v[i] != '\t') || v[i] == 127) h->broken = true;
    const struct {
        const char *name, **to;
        int *count;
    } known[] = { { "Host", &h->host, &h->hosts },
                  { "Content-Length", &h->length, &h->lengths },
                  { "Transfer-Encoding", &h->coding, &h->codings },
                  { "Origin", &h->origin, NULL },
                  { "Sec-Fetch-Site", &h->site, NULL },
                  { "Authorization", &h->authorization, NULL },
                  { "X-Api-Key", &h->api_key, NULL },
                  { "Cookie", &h->cookie, NULL } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(name, known[i].name) != 0) continue;
        if (known[i].count) ++*known[i].count;
        *known[i].to = v;
        break;
    }
    return MHD_YES;
}

static bool refuse(heed_request *rq, int status, const char *why) {
    heed_reply_problem(rq, status, "%s", why);
    return false;
}

/* One length, one host, one path. */
static bool has_one_meaning(heed_request *rq, const headers *h) {
    if (h->size > rq->http->cfg.most_header)
        return refuse(rq, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too large");
    if (h->broken) return refuse(rq, MHD_HTTP_BAD_REQUEST, "a header has a control character");
    if (h->hosts > 1 || h->lengths > 1 || h->codings > 1)
        return refuse(rq, MHD_HTTP_BAD_REQUEST,
                      "Host, Content-Length or Transfer-Encoding stands there twice");
    if (h->lengths && h->codings)
        return refuse(rq, MHD_HTTP_BAD_REQUEST,
                      "Content-Length beside Transfer-Encoding: where does the body end?");
    if (h->codings && strcasecmp(h->coding, "chunked") != 0)
        return refuse(rq, MHD_HTTP_NOT_IMPLEMENTED, "the only Transfer-Encoding read is chunked");
    const heed_target *t = &rq->target;
    if (t->problem)
        return refuse(rq, t->nowhere ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST, t->problem);
    if (t->authority && h->host &&
        (strlen(h->host) != t->authority_size ||
         strncasecmp(h->host, t->authority, t->authority_size) != 0))
        return refuse(rq, MHD_HTTP_BAD_REQUEST, "Host and the target's host differ");
    return true;
}

/* -- hosts and origins ------------------------------------------------------------------------ */

static bool same_name(const char *a, size_t size, const char *b) {
    return strlen(b) == size && strncasecmp(a, b, size) == 0;
}

/* The size of a host's name without its port; brackets belong to it. */
static size_t name_size(const char *host) {
    if (host[0] == '[') return strcspn(host, "]") + (strchr(host, ']') != NULL);
    return strcspn(host, ":");
}

static bool is_v4_loopback(const char *host, size_t size) {
    int dots = 0, digits = 0;
    for (size_t i = 0; i < size; i++) {
        if (host[i] == '.') {
            dots++;
            digits = 0;
        } else if (host[i] < '0' || host[i] > '9' || ++digits > 3) {
            return false;
        }
    }
    return dots == 3 && digits > 0 && strncmp(host, "127.", 4) == 0;
}

bool heed__http_is_loopback_name(const char *host) {
    const size_t size = name_size(host);
    const char *port = host + size;
    if (*port && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1))) return false;
    return same_name(host, size, "localhost") || same_name(host, size, "[::1]") ||
           is_v4_loopback(host, size) ||
           (size > 10 && strncasecmp(host + size - 10, ".localhost", 10) == 0);
}

static bool is_listed(char *const *list, int64_t len, const char *text, size_t size) {
    for (int64_t i = 0; i < len; i++)
        if (same_name(text, size, list[i])) return true;
    return false;
}

static bool is_our_host(heed_request *rq, const headers *h) {
    const heed_http *http = rq->http;
    const int64_t n = http->cfg.hosts_len;
    if (!h->host) return true; /* HTTP/1.0; for 1.1 libmicrohttpd has refused it */
    if (http->loopback ? heed__http_is_loopback_name(h->host) : n == 0) return true;
    if (is_listed(http->hosts, n, h->host, name_size(h->host))) return true;
    return refuse(rq, MHD_HTTP_MISDIRECTED_REQUEST,
                  "the Host header bears a name that is not this server's");
}

/* "https://host:port" of the Host header, whichever scheme: a proxy may speak TLS for us. */
static bool is_own_origin(const headers *h) {
    const char *at = strstr(h->origin, "://");
    return at && h->host && strcasecmp(at + 3, h->host) == 0;
}

static bool is_safe_method(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0;
}

/* Routes that need more than reading may cost much, even where they change nothing. */
static bool is_trusted(const heed_route *route) {
    return route && route->scope && strcmp(route->scope, "read") != 0;
}

static bool is_from_here(heed_request *rq, const headers *h) {
    const heed_http *http = rq->http;
    if (h->origin && is_listed(http->cors, http->cfg.cors_len, h->origin, strlen(h->origin))) {
        rq->origin = h->origin;
        return true;
    }
    if (is_safe_method(rq->method) && !is_trusted(rq->route)) return true;
    const bool elsewhere = h->origin ? !is_own_origin(h)
                                     : h->site && strcmp(h->site, "same-origin") != 0 &&
                                           strcmp(h->site, "none") != 0;
    if (!elsewhere && !(h->site && strcmp(h->site, "cross-site") == 0)) return true;
    return refuse(rq, MHD_HTTP_FORBIDDEN, "a page of another origin may not ask for this");
}

/* -- keys ------------------------------------------------------------------------------------- */

/* The key of "Authorization: Bearer K", "X-Api-Key: K", or the cookie heed_key, which is what an
 * EventSource can send. */
static const char *find_key(const headers *h, size_t *size) {
    const char *key = NULL;
    if (h->authorization && strncasecmp(h->authorization, "Bearer ", 7) == 0) {
        key = h->authorization + 7 + strspn(h->authorization + 7, " ");
    } else if (h->api_key) {
        key = h->api_key;
    } else if (h->cookie) {
        for (const char *at = h->cookie; at;) {
            at += strspn(at, " ;");
            if (strncmp(at, "heed_key=", 9) == 0) {
                *size = strcspn(at + 9, ";");
                return at + 9;
            }
            at = strchr(at, ';');
        }
    }
    *size = key ? strlen(key) : 0;
    return key;
}

static bool may_ask(heed_request *rq, const headers *h) {
    heed_keyring *ring = rq->http->keys;
    if (!ring || (rq->route && rq->route->flags & HEED_ROUTE_OPEN) ||
        strcmp(rq->method, "OPTIONS") == 0)
        return true;
    size_t size;
    int wait = 0;
    const char *scope = rq->route && rq->route->scope ? rq->route->scope : "read";
    const char *key = find_key(h, &size);
    switch (heed__keyring_ask(ring, key ? key : "", size, scope, rq->key, &wait)) {
    case HEED_KEY_GOOD:
        return true;
    case HEED_KEY_SCOPE:
        heed_reply_problem(rq, MHD_HTTP_FORBIDDEN, "this key may not %s", scope);
        return false;
    case HEED_KEY_RATE:
        heed_reply_busy(rq, wait);
        return false;
    default:
        return refuse(rq, MHD_HTTP_UNAUTHORIZED,
                      key ? "no such key" : "a key is asked for: Authorization: Bearer KEY");
    }
}

/* -- routes ----------------------------------------------------------------------------------- */

static void add_method(char *allow, size_t size, const char *method) {
    const size_t len = strlen(allow), n = strlen(method);
    if (strstr(allow, method) || len + n + 3 > size) return;
    heed__format(allow + len, size - len, "%s%s", len ? ", " : "", method);
}

/* Finds the route; allow: the methods that the path takes, "" where it is none of ours. */
static void find_route(heed_request *rq, char *allow, size_t size) {
    const heed_http *http = rq->http;
    const char *method = strcmp(rq->method, "HEAD") == 0 ? "GET" : rq->method;
    const bool all = strcmp(rq->target.path, "*") == 0 && strcmp(method, "OPTIONS") == 0;
    allow[0] = 0;
    for (int i = 0; i < http->routes_len; i++) {
        const heed_route *r = &http->routes[i];
        if (!all && !heed__target_match(&rq->target, r)) continue;
        if (strcmp(r->method, method) == 0) {
            rq->route = r;
            return;
        }
        add_method(allow, size, r->method);
        if (strcmp(r->method, "GET") == 0) add_method(allow, size, "HEAD");
    }
    if (allow[0]) add_method(allow, size, "OPTIONS");
}

static bool answer_options(heed_request *rq, const char *allow) {
    const char *const plain[] = { "Allow", allow, NULL };
    const char *const preflight[] = {
        "Allow",
        allow,
        "Access-Control-Allow-Methods",
        allow,
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Api-Key",
        "Access-Control-Max-Age",
        "600",
        NULL,
    };
    heed_reply_data(rq, MHD_HTTP_NO_CONTENT, NULL, "", 0, rq->origin ? preflight : plain);
    return false;
}

static bool has_route(heed_request *rq, const char *allow) {
    if (rq->route) {
        if (heed__target_bind(&rq->target)) return true;
        return refuse(rq, MHD_HTTP_BAD_REQUEST, "the path is not percent-encoded UTF-8");
    }
    if (!allow[0]) return refuse(rq, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    if (strcmp(rq->method, "OPTIONS") == 0) return answer_options(rq, allow);
    heed__http_refuse_method(rq, allow);
    return false;
}

/* The query, and parts of the path, against the route's schemas. */
static bool has_right_query(heed_request *rq) {
    const json_t *schemas = rq->http->schemas[rq->route - rq->http->routes].query;
    const char *name;
    json_t *schema;
    json_object_foreach((json_t *)(uintptr_t)schemas, name, schema) {
        const char *text = heed_request_part(rq, name);
        if (!text) text = heed_request_query(rq, name);
        if (!text && json_is_true(json_object_get(schema, "required"))) {
            heed_reply_problem(rq, MHD_HTTP_BAD_REQUEST, "the query has no %s", name);
            return false;
        }
        heed_fault fault;
        json_t *value = text ? heed__schema_value(schema, text) : NULL;
        const bool holds = !value || heed__schema_holds(schema, value, name, &fault);
        json_decref(value);
        if (holds) continue;
        heed_reply_problem(rq, MHD_HTTP_BAD_REQUEST, "%s %s", fault.where, fault.what);
        return false;
    }
    return true;
}

/* The body's length against what is taken. */
static bool has_right_size(heed_request *rq, const headers *h) {
    int64_t length = 0;
    if (h->length && !heed__parse_int(h->length, strlen(h->length), &length))
        return refuse(rq, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    if (!h->length && !h->coding && rq->route->body)
        return refuse(rq, MHD_HTTP_LENGTH_REQUIRED, "a body is asked for: Content-Length");
    if (length < 0 || (uint64_t)length > rq->most_body) {
        heed_reply_problem(rq, MHD_HTTP_CONTENT_TOO_LARGE, "the body has more than %zu bytes",
                           rq->most_body);
        return false;
    }
    return true;
}

bool heed__http_guard(heed_request *rq) {
    char allow[200];
    headers h = { .rq = rq };
    MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, see, &h);
    rq->most_body = rq->http->cfg.most_body;
    rq->has_body = rq->closes = h.coding || (h.length && strcmp(h.length, "0") != 0);
    if (!has_one_meaning(rq, &h) || !is_our_host(rq, &h)) return false;
    find_route(rq, allow, sizeof allow);
    if (rq->route && rq->route->most_body) rq->most_body = rq->route->most_body;
    if (!is_from_here(rq, &h) || !may_ask(rq, &h) || !has_route(rq, allow) ||
        !has_right_size(rq, &h) || !has_right_query(rq))
        return false;
    rq->closes = false;
    return true;
}
