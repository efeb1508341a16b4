/* route.c: what handlers share: bodies and queries read, problems told, entries of the log made. */
#include "serve/route.h"

#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/json.h"
#include "base/text.h"

bool heed__route_ready(heed_server *s, heed_request *rq) {
    if (atomic_load(&s->ready)) return true;
    heed_reply_unready(rq, 1);
    return false;
}

heed_setup *heed__route_setup(heed_server *s, heed_request *rq) {
    return heed__route_ready(s, rq) ? heed_pipeline_setup(s->pipeline) : NULL;
}

json_t *heed__route_object(heed_request *rq) {
    json_t *body = heed_request_json(rq);
    if (!body || json_is_object(body)) return body;
    json_decref(body);
    heed_reply_problem(rq, 400, "the body is not a JSON object");
    return NULL;
}

bool heed__member_text(heed_request *rq, const json_t *body, const char *name, const char **to) {
    const json_t *value = json_object_get(body, name);
    if (!value || json_is_null(value)) return true;
    if (json_is_string(value)) *to = json_string_value(value);
    if (json_is_string(value)) return true;
    heed_reply_problem(rq, 400, "%s is not a string", name);
    return false;
}

bool heed__member_int(heed_request *rq, const json_t *body, const char *name, int64_t low,
                      int64_t high, int64_t *to) {
    const json_t *value = json_object_get(body, name);
    if (!value || json_is_null(value)) return true;
    const bool whole = json_is_integer(value) ||
                       (json_is_real(value) && json_real_value(value) >= -9e15 &&
                        json_real_value(value) <= 9e15 &&
                        json_real_value(value) == (double)(int64_t)json_real_value(value));
    const int64_t n = json_is_integer(value) ? json_integer_value(value)
                      : whole                ? (int64_t)json_real_value(value)
                                             : 0;
    if (whole && n >= low && n <= high) {
        *to = n;
        return true;
    }
    heed_reply_problem(rq, 400, "%s is not a whole number from %lld to %lld", name, (long long)low,
                       (long long)high);
    return false;
}

int64_t heed__letters(const char *text) {
    int64_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void heed__route_reply(heed_request *rq, json_t *tree, const heed_error *err) {
    const heed_error none = { HEED_ENOMEM, "out of memory" };
    if (tree)
        heed_reply_json(rq, 200, tree);
    else
        heed_reply_error(rq, err->code ? err : &none);
}

bool heed__route_number(heed_request *rq, const char *name, int64_t *value) {
    const char *text = heed_request_part(rq, name);
    if (text && heed__parse_int(text, strlen(text), value) && *value > 0) return true;
    heed_reply_problem(rq, 404, "'%.100s' is not the number of anything here", text ? text : "");
    return false;
}

bool heed__route_time(heed_request *rq, const char *name, int64_t otherwise, int64_t *ms) {
    const char *text = heed_request_query(rq, name);
    *ms = otherwise;
    if (!text || heed__date_read(text, strlen(text), ms)) return true;
    heed_reply_problem(rq, 400, "%s is '%.100s', which is no time such as 2026-01-31T12:00:00Z",
                       name, text);
    return false;
}

/* Until what followed from the entry can be seen, at most 5 s. */
static void wait_for(heed_server *s, int64_t seq) {
    for (int i = 0; i < 1000 && heed_store_decided(s->store) < seq; i++) heed__sleep_ms(5);
}

int64_t heed__route_enter(heed_server *s, heed_request *rq, heed_entry_kind kind, json_t *body) {
    heed_error err = { 0 };
    size_t len;
    const char *key = heed_request_key(rq);
    if (body && key) json_object_set_new(body, "by", json_string(key));
    char *text = body ? heed__json_text(&s->hooks, body, false, &len, &err) : NULL;
    json_decref(body);
    heed_entry e = { .kind = kind, .body = text };
    int rc = text ? heed_pipeline_take(s->pipeline, &e, 1, false, &err) : HEED_ENOMEM;
    heed__free(&s->hooks, text);
    if (rc == HEED_ECANCELLED)
        heed_reply_busy(rq, 1);
    else if (rc)
        heed__route_reply(rq, NULL, &err);
    if (rc) return 0;
    wait_for(s, e.seq);
    return e.seq;
}
