/* docs.c: the table of routes as a page for people, and the three routes that tell of the table:
 * /openapi.json, /docs and its style. No script, nothing from elsewhere. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/server.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--back:#fbfbfa;--line:#dfe3e8;"
    "--get:#1f6f54;--post:#8a4b08}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa5b4;--back:#14181d;"
    "--line:#2c333c;--get:#67c7a3;--post:#e3a868}}\n"
    "body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back);"
    "max-width:56rem;margin:2.5rem auto;padding:0 1.25rem}\n"
    "h1{font-size:1.6rem;margin:0 0 .25rem}p{color:var(--dim);margin:.2rem 0 .6rem}\n"
    "a{color:inherit}details{border-top:1px solid var(--line);padding:.55rem 0}\n"
    "summary{cursor:pointer;display:flex;gap:.8rem;flex-wrap:wrap;align-items:baseline}\n"
    "summary b{font:600 .8rem/1 ui-monospace,monospace;min-width:3.2rem;color:var(--get)}\n"
    "summary b.POST{color:var(--post)}code,pre{font:.88rem/1.5 ui-monospace,monospace}\n"
    "pre{overflow:auto;border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "h2{font-size:.8rem;color:var(--dim);margin:.9rem 0 .3rem;font-weight:600}\n";

typedef struct page {
    const heed_hooks *hooks;
    char *text;
    int64_t len, cap;
    bool failed;
} page;

static void put_bytes(page *p, const char *data, size_t size) {
    p->failed |= heed__grow(p->hooks, &p->text, &p->cap, p->len + (int64_t)size + 1, 1) != HEED_OK;
    if (p->failed) return;
    memcpy(p->text + p->len, data, size);
    p->len += (int64_t)size;
    p->text[p->len] = 0;
}

static void put(page *p, const char *html) {
    put_bytes(p, html, strlen(html));
}

static void put_text(page *p, const char *text) {
    for (const char *at = text; *at; at++) {
        switch (*at) {
        case '&':
            put(p, "&amp;");
            break;
        case '<':
            put(p, "&lt;");
            break;
        case '>':
            put(p, "&gt;");
            break;
        case '"':
            put(p, "&quot;");
            break;
        default:
            put_bytes(p, at, 1);
        }
    }
}

static void put_part(page *p, const char *name, const char *text) {
    if (!text) return;
    put(p, "<h2>");
    put(p, name);
    put(p, "</h2><pre>");
    put_text(p, text);
    put(p, "</pre>");
}

static void put_route(page *p, const heed_route *r, bool keys) {
    put(p, "<details><summary><b class=\"");
    put_text(p, r->method);
    put(p, "\">");
    put_text(p, r->method);
    put(p, "</b><code>");
    put_text(p, r->path);
    put(p, "</code><span>");
    put_text(p, r->summary ? r->summary : "");
    put(p, "</span></summary>");
    if (keys && !(r->flags & HEED_ROUTE_OPEN))
        put_part(p, "scope of key", r->scope ? r->scope : "read");
    put_part(p, "parameters", r->query);
    put_part(p, "body", r->body);
    put_part(p, "answer",
             r->flags & HEED_ROUTE_STREAM && !r->answer ? "text/event-stream" : r->answer);
    put(p, "</details>\n");
}

char *heed__docs(const heed_http *http, size_t *size, heed_error *err) {
    page p = { .hooks = &http->hooks };
    put(&p, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    put_text(&p, http->cfg.title);
    put(&p, "</title><meta name=\"viewport\" content=\"width=device-width\">"
            "<link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><h1>");
    put_text(&p, http->cfg.title);
    put(&p, "</h1><p>version ");
    put_text(&p, http->cfg.version);
    put(&p, ". The same for programs: <a href=\"/openapi.json\">/openapi.json</a>. "
            "Errors are application/problem+json (RFC 9457).</p>\n");
    for (int i = 0; i < http->routes_len; i++)
        if (!(http->routes[i].flags & HEED_ROUTE_HIDDEN))
            put_route(&p, &http->routes[i], http->keys != NULL);
    put(&p, "</body></html>\n");
    *size = (size_t)p.len;
    if (!p.failed) return p.text;
    heed__free(p.hooks, p.text);
    heed__error(err, HEED_ENOMEM, "out of memory for the page of routes");
    return NULL;
}

static void answer_openapi(void *user, heed_request *rq) {
    (void)user;
    heed_reply_data(rq, MHD_HTTP_OK, "application/json", rq->http->openapi, rq->http->openapi_size,
                    NULL);
}

static void answer_docs(void *user, heed_request *rq) {
    (void)user;
    heed_reply_data(rq, MHD_HTTP_OK, "text/html; charset=utf-8", rq->http->docs,
                    rq->http->docs_size, NULL);
}

static void answer_style(void *user, heed_request *rq) {
    (void)user;
    heed_reply_data(rq, MHD_HTTP_OK, "text/css; charset=utf-8", style, sizeof style - 1, NULL);
}

enum { OWN = HEED_ROUTE_INLINE | HEED_ROUTE_OPEN };

const heed_route heed__own_routes[HEED_OWN_ROUTES] = {
    { .method = "GET",
      .path = "/openapi.json",
      .fn = answer_openapi,
      .flags = OWN,
      .summary = "this interface as an OpenAPI 3.1 document",
      .answer = "{\"type\":\"object\",\"required\":[\"openapi\",\"paths\"]}" },
    { .method = "GET",
      .path = "/docs",
      .fn = answer_docs,
      .flags = OWN | HEED_ROUTE_HIDDEN,
      .summary = "this interface as a page" },
    { .method = "GET",
      .path = "/docs/style.css",
      .fn = answer_style,
      .flags = OWN | HEED_ROUTE_HIDDEN },
};
