/* openapi.c: the table of routes as an OpenAPI 3.1 document. Schemas stand in the table as JSON, so
 * the document says what the handlers' authors say, once. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "http/server.h"

static const char problem_schema[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"detail\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"}}}";

typedef struct writer {
    const heed_http *http;
    const heed_route *route;
    heed_error *err;
    bool failed;
} writer;

/* A schema of the table as a tree; an empty one after a failure. */
static json_t *schema_of(writer *w, const char *text, const char *what) {
    heed_error why;
    json_t *tree = heed__json_parse(text, strlen(text), what, &why);
    if (tree) return tree;
    if (!w->failed)
        heed__error(w->err, why.code == HEED_ENOMEM ? HEED_ENOMEM : HEED_EINVALID,
                    "route %s %s: %s", w->route->method, w->route->path, why.msg);
    w->failed = true;
    return json_object();
}

static json_t *content(const char *type, json_t *schema) {
    return schema ? json_pack("{s:{s:o}}", type, "schema", schema) : NULL;
}

static json_t *answers_of(writer *w) {
    const heed_route *r = w->route;
    char status[HEED_NUMBER_SIZE];
    heed__format(status, sizeof status, "%d", r->status ? r->status : MHD_HTTP_OK);
    const bool streams = (r->flags & HEED_ROUTE_STREAM) != 0;
    const bool media = r->answer && r->answer[0] != '{';
    const char *type = media ? r->answer : "application/json";
    json_t *good = json_object();
    if (!streams || r->answer) {
        json_decref(good);
        good = content(type,
                       media || !r->answer ? json_object() : schema_of(w, r->answer, "answer"));
    }
    if (streams && json_object_update_new(good, content("text/event-stream", json_object())) != 0)
        w->failed = true;
    json_t *bad = json_pack("{s:s}", "$ref", "#/components/schemas/Problem");
    return json_pack("{s:{s:s,s:o}, s:{s:s,s:o}}", status, "description", "well", "content", good,
                     "default", "description", "a problem", "content",
                     content("application/problem+json", bad));
}

static bool add_parameter(json_t *list, const char *name, size_t size, const char *where,
                          json_t *schema) {
    json_t *given = json_object_get(schema, "required");
    const bool must = strcmp(where, "path") == 0 || json_is_true(given);
    if (json_is_boolean(given)) json_object_del(schema, "required");
    return json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:O}", "name", name, size, "in",
                                                 where, "required", must, "schema", schema)) == 0;
}

static json_t *parameters_of(writer *w) {
    const heed_route *r = w->route;
    json_t *list = json_array(), *any = json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
    json_t *query = r->query ? schema_of(w, r->query, "query") : json_object();
    bool ok = list && any && query;
    for (const char *at = strchr(r->path, '{'); at && ok; at = strchr(at, '{')) {
        char name[100];
        const size_t size = strcspn(++at, ".}");
        heed__format(name, sizeof name, "%.*s", (int)size, at);
        json_t *schema = json_object_get(query, name);
        ok = add_parameter(list, name, strlen(name), "path", schema ? schema : any);
        if (schema) json_object_del(query, name);
    }
    const char *name;
    json_t *schema;
    json_object_foreach(query, name, schema) {
        ok = ok && add_parameter(list, name, strlen(name), "query", schema);
    }
    json_decref(query);
    json_decref(any);
    if (ok) return list;
    json_decref(list);
    return NULL;
}

static json_t *operation_of(writer *w) {
    const heed_route *r = w->route;
    char id[200];
    size_t len = heed__format(id, sizeof id, "%s", r->method);
    for (const char *at = r->path; *at && len + 2 < sizeof id; at++)
        id[len++] = strchr("/{}.-", *at) ? '_' : *at;
    id[len] = 0;
    json_t *op = json_pack("{s:s, s:s, s:o, s:o}", "operationId", id, "summary",
                           r->summary ? r->summary : "", "parameters", parameters_of(w),
                           "responses", answers_of(w));
    if (op && r->body &&
        json_object_set_new(
            op, "requestBody",
            json_pack("{s:b, s:o}", "required", 1, "content",
                      content("application/json", schema_of(w, r->body, "body")))) != 0)
        w->failed = true;
    if (op && w->http->keys) {
        json_t *security = r->flags & HEED_ROUTE_OPEN ? json_array() : json_pack("[{s:[]}]", "key");
        if (json_object_set_new(op, "security", security) != 0) w->failed = true;
    }
    return op;
}

/* Adds each route under its path and method. */
static json_t *paths_of(writer *w) {
    json_t *paths = json_object();
    for (int i = 0; paths && i < w->http->routes_len; i++) {
        char path[200], method[16];
        size_t len = 0;
        w->route = &w->http->routes[i];
        if (w->route->flags & HEED_ROUTE_HIDDEN) continue;
        for (const char *at = w->route->path; *at && len + 1 < sizeof path; at++)
            if (*at != '.' || at[1] != '.') path[len++] = *at;
        path[len] = 0;
        heed__format(method, sizeof method, "%s", w->route->method);
        for (char *c = method; *c; c++) *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        json_t *item = json_object_get(paths, path);
        if (!item && json_object_set_new(paths, path, json_object()) == 0)
            item = json_object_get(paths, path);
        if (json_object_set_new(item, method, operation_of(w)) != 0) w->failed = true;
    }
    return paths;
}

char *heed__openapi(const heed_http *http, size_t *size, heed_error *err) {
    writer w = { .http = http, .err = err };
    json_t *schemes = http->keys
                          ? json_pack("{s:{s:s,s:s}}", "key", "type", "http", "scheme", "bearer")
                          : json_object();
    json_t *problem = heed__json_parse(problem_schema, sizeof problem_schema - 1, "problem", err);
    json_t *paths = paths_of(&w);
    json_t *tree = json_pack("{s:s, s:{s:s,s:s}, s:o, s:{s:{s:o},s:o}}", "openapi", "3.1.0", "info",
                             "title", http->cfg.title, "version", http->cfg.version, "paths", paths,
                             "components", "schemas", "Problem", problem, "securitySchemes",
                             schemes);
    char *text = NULL;
    if (tree && !w.failed) text = heed__json_text(&http->hooks, tree, false, size, err);
    if (!text && !(w.failed && err->code))
        heed__error(err, HEED_ENOMEM, "out of memory for the document of routes");
    json_decref(tree);
    return text;
}
