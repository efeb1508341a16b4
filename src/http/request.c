/* request.c: what a handler may ask of a request. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "http/schema.h"
#include "http/server.h"

const char *heed_request_method(const heed_request *rq) {
    return rq->method;
}

const char *heed_request_path(const heed_request *rq) {
    return rq->target.path;
}

const char *heed_request_part(const heed_request *rq, const char *name) {
    const size_t size = strlen(name);
    for (int i = 0; i < rq->target.parts; i++) {
        const heed_part *p = &rq->target.part[i];
        if (p->name_size == size && memcmp(p->name, name, size) == 0) return p->value;
    }
    return NULL;
}

const char *heed_request_query(const heed_request *rq, const char *name) {
    for (int i = 0; i < rq->target.queries; i++)
        if (strcmp(rq->target.query[i].name, name) == 0) return rq->target.query[i].value;
    return NULL;
}

bool heed_request_int(heed_request *rq, const char *name, int64_t low, int64_t high,
                      int64_t otherwise, int64_t *value) {
    const char *text = heed_request_query(rq, name);
    *value = otherwise;
    if (!text) return true;
    if (heed__parse_int(text, strlen(text), value) && *value >= low && *value <= high) return true;
    heed_reply_problem(rq, MHD_HTTP_BAD_REQUEST, "%s is no whole number from %lld to %lld", name,
                       (long long)low, (long long)high);
    return false;
}

const char *heed_request_header(const heed_request *rq, const char *name) {
    return MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name);
}

const char *heed_request_body(const heed_request *rq, size_t *size) {
    *size = (size_t)rq->body_size;
    return rq->body ? rq->body : "";
}

/* "application/json; charset=utf-8", "application/problem+json", in any case. */
static bool is_json(const char *type) {
    const size_t len = strcspn(type, " ;\t");
    if ((len != 16 || strncasecmp(type, "application/json", 16) != 0) &&
        (len < 18 || strncasecmp(type, "application/", 12) != 0 ||
         strncasecmp(type + len - 5, "+json", 5) != 0))
        return false;
    const char *charset = strcasestr(type + len, "charset=");
    if (!charset) return true;
    charset += 8 + (charset[8] == '"');
    return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "utf8", 4) == 0;
}

json_t *heed_request_json(heed_request *rq) {
    const char *type = heed_request_header(rq, "Content-Type");
    heed_error err;
    if (!type || !is_json(type)) {
        heed_reply_problem(rq, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                           "the body is sent as JSON: Content-Type: application/json");
        return NULL;
    }
    const char *body = rq->body ? rq->body : "";
    json_t *tree = heed__json_parse(body, (size_t)rq->body_size, "body", &err);
    if (!tree && strstr(err.msg, "integer")) /* a whole number beyond 64 bits: all are reals then */
        tree = json_loadb(body, (size_t)rq->body_size,
                          JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    if (!tree) {
        heed_reply_error(rq, &err);
        return NULL;
    }
    heed_fault fault;
    const json_t *schema = rq->http->schemas[rq->route - rq->http->routes].body;
    if (!schema || heed__schema_holds(schema, tree, "body", &fault)) return tree;
    json_decref(tree);
    heed_reply_problem(rq, MHD_HTTP_BAD_REQUEST, "%s %s", fault.where, fault.what);
    return NULL;
}

const char *heed_request_key(const heed_request *rq) {
    return rq->key[0] ? rq->key : NULL;
}
