/* reply.c: answers, and the headers that every one of them bears. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "http/server.h"

enum { DETAIL = 1000 };

void heed__http_answer(heed_request *rq, unsigned status, struct MHD_Response *response) {
    struct MHD_Connection *connection = rq->connection;
    rq->status = status;
    rq->response = response;
    /* from here on the reading thread may send the answer and free rq, unless it is suspended */
    if (atomic_exchange(&rq->state, HEED_ANSWERED) == HEED_PARKED)
        MHD_resume_connection(connection);
}

/* A page of the server's own origin may do what it likes there and nothing elsewhere; nobody else
 * may frame, embed or guess the kind of what is answered. */
static const struct {
    const char *name, *value;
} worn[] = {
    { "Content-Security-Policy",
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
      "object-src 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
};

static bool has(const struct MHD_Response *response, const char *name) {
    return MHD_get_response_header((struct MHD_Response *)(uintptr_t)response, name) != NULL;
}

struct MHD_Response *heed__http_dress(heed_request *rq, struct MHD_Response *response,
                                      const char *type) {
    if (!response) return NULL;
    bool ok = !type || MHD_add_response_header(response, "Content-Type", type) == MHD_YES;
    for (size_t i = 0; ok && i < sizeof worn / sizeof *worn; i++)
        ok = MHD_add_response_header(response, worn[i].name, worn[i].value) == MHD_YES;
    if (ok && !has(response, "Cache-Control"))
        ok = MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES;
    if (ok && rq->origin)
        ok = MHD_add_response_header(response, "Access-Control-Allow-Origin", rq->origin) ==
             MHD_YES;
    if (ok && rq->http->cors) ok = MHD_add_response_header(response, "Vary", "Origin") == MHD_YES;
    if (ok && (rq->closes || atomic_load(&rq->http->stopping)))
        ok = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (ok) return response;
    MHD_destroy_response(response);
    return NULL;
}

/* The block that libmicrohttpd gives back begins with the hooks that release it. */
typedef struct block {
    heed_hooks hooks;
} block;

static void release(void *cls) {
    block *b = cls;
    const heed_hooks hooks = b->hooks;
    heed__free(&hooks, b);
}

struct MHD_Response *heed__http_response(const heed_hooks *hooks, const void *data, size_t size) {
    block *b = size < SIZE_MAX - sizeof *b ? heed__malloc(hooks, sizeof *b + size) : NULL;
    if (!b) return NULL;
    b->hooks = *hooks;
    if (size > 0) memcpy(b + 1, data, size);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        size, b + 1, release, b);
    if (!response) release(b);
    return response;
}

/* Answers with a copy of data; the response NULL, and so the connection closed, where memory is
 * short. */
static struct MHD_Response *make(heed_request *rq, const char *type, const void *data,
                                 size_t size) {
    rq->answer_size = (int64_t)size;
    return heed__http_dress(rq, heed__http_response(&rq->http->hooks, data, size), type);
}

/* Takes tree. */
static struct MHD_Response *make_json(heed_request *rq, const char *type, json_t *tree) {
    size_t size = 0;
    char *text = tree ? heed__json_text(&rq->http->hooks, tree, false, &size, NULL) : NULL;
    struct MHD_Response *response = text ? make(rq, type, text, size) : NULL;
    heed__free(&rq->http->hooks, text);
    json_decref(tree);
    return response;
}

void heed_reply_json(heed_request *rq, int status, json_t *tree) {
    if (!tree) {
        heed_reply_problem(rq, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer could not be made");
        return;
    }
    struct MHD_Response *response = make_json(rq, "application/json", tree);
    heed__http_answer(rq, (unsigned)status, response);
}

/* Whether text is a header's name: the characters that RFC 9110 calls a token. */
static bool is_token(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] >= 127 || strchr("\"(),/:;<=>?@[\\]{}", text[i]))
            return false;
    return size > 0;
}

/* Names and values in turn. What is no header is left out, and so cannot become another one. */
static bool add_headers(struct MHD_Response *response, const char *const *headers) {
    for (const char *const *at = headers; at && at[0] && at[1]; at += 2) {
        const size_t size = strlen(at[1]);
        if (!is_token(at[0], strlen(at[0])) || heed__control_at(at[1], size) != size) continue;
        if (MHD_add_response_header(response, at[0], at[1]) != MHD_YES) return false;
    }
    return true;
}

void heed_reply_data(heed_request *rq, int status, const char *type, const void *data, size_t size,
                     const char *const *headers) {
    const heed_hooks *hooks = &rq->http->hooks;
    struct MHD_Response *response = heed__http_response(hooks, data, size);
    rq->answer_size = (int64_t)size;
    if (response && !add_headers(response, headers)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    heed__http_answer(rq, (unsigned)status, heed__http_dress(rq, response, type));
}

static struct MHD_Response *problem(heed_request *rq, int status, char *detail) {
    detail[heed__utf8_check(detail, strlen(detail))] = 0;
    const char *title = MHD_get_reason_phrase_for((unsigned)status);
    json_t *tree = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", title,
                             "status", status, "detail", detail);
    return make_json(rq, "application/problem+json", tree);
}

/* Answers with response and one header more. */
static void answer_with(heed_request *rq, int status, struct MHD_Response *response,
                        const char *name, const char *value) {
    if (response && MHD_add_response_header(response, name, value) != MHD_YES) {
        MHD_destroy_response(response);
        response = NULL;
    }
    heed__http_answer(rq, (unsigned)status, response);
}

void heed_reply_problem(heed_request *rq, int status, const char *format, ...) {
    char detail[DETAIL];
    va_list args;
    va_start(args, format);
    heed__vformat(detail, sizeof detail, format, args);
    va_end(args);
    struct MHD_Response *response = problem(rq, status, detail);
    if (status == MHD_HTTP_UNAUTHORIZED)
        answer_with(rq, status, response, "WWW-Authenticate", "Bearer");
    else
        heed__http_answer(rq, (unsigned)status, response);
}

void heed__http_refuse_method(heed_request *rq, const char *allow) {
    char detail[] = "this path does not take that method";
    struct MHD_Response *response = problem(rq, MHD_HTTP_METHOD_NOT_ALLOWED, detail);
    answer_with(rq, MHD_HTTP_METHOD_NOT_ALLOWED, response, "Allow", allow);
}

void heed_reply_error(heed_request *rq, const heed_error *err) {
    int status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    switch (err->code) {
    case HEED_EINVALID:
    case HEED_EFORMAT:
    case HEED_ESHAPE:
        status = MHD_HTTP_BAD_REQUEST;
        break;
    case HEED_ENOTFOUND:
        status = MHD_HTTP_NOT_FOUND;
        break;
    case HEED_EIO:
    case HEED_ENOMEM:
    case HEED_ECANCELLED:
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
        break;
    case HEED_EUNSUPPORTED:
        status = MHD_HTTP_NOT_IMPLEMENTED;
        break;
    default:
        break;
    }
    heed_reply_problem(rq, status, "%s", err->msg);
}

static void reply_later(heed_request *rq, int status, int seconds, char *detail) {
    char wait[HEED_NUMBER_SIZE];
    struct MHD_Response *response = problem(rq, status, detail);
    heed__format(wait, sizeof wait, "%d", seconds > 0 ? seconds : 1);
    answer_with(rq, status, response, "Retry-After", wait);
}

void heed_reply_busy(heed_request *rq, int seconds) {
    char detail[] = "too many requests; come again later";
    reply_later(rq, MHD_HTTP_TOO_MANY_REQUESTS, seconds, detail);
}

void heed_reply_unready(heed_request *rq, int seconds) {
    char detail[] = "not ready yet; GET /ready tells when";
    reply_later(rq, MHD_HTTP_SERVICE_UNAVAILABLE, seconds, detail);
}
