/* fuzz_http.c: any bytes as the target of a request, matched with routes of every kind; as a file
 * of keys; as a schema with a value. What comes of them must hold what its header promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/key_file.h"
#include "http/route.h"
#include "http/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static bool is_utf8(const char *text) {
    return heed__utf8_check(text, strlen(text)) == strlen(text);
}

static void handler(void *user, heed_request *rq) {
    (void)user, (void)rq;
}

static const heed_route routes[] = {
    { .method = "GET", .path = "/", .fn = handler },
    { .method = "GET", .path = "/a", .fn = handler },
    { .method = "GET", .path = "/a/{one}", .fn = handler },
    { .method = "GET", .path = "/a/{one}/b/{two}", .fn = handler },
    { .method = "GET", .path = "/f/{rest...}", .fn = handler },
    { .method = "GET", .path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", .fn = handler },
};

static bool has_dots(const char *path) {
    for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
        if ((at == path || at[-1] == '/') && (at[2] == 0 || at[2] == '/')) return true;
    return false;
}

static void read_target(const char *target) {
    heed_target t;
    const size_t size = strlen(target);
    char *text = malloc(2 * size + 2);
    if (!heed__target_parse(&t, target, text)) {
        check(t.problem != NULL, "refused without a word");
        free(text);
        return;
    }
    check(!t.problem && is_utf8(t.path) && !has_dots(t.path), "a path");
    check(t.queries <= HEED_QUERIES, "too many queries");
    for (int i = 0; i < t.queries; i++)
        check(is_utf8(t.query[i].name) && is_utf8(t.query[i].value), "a query");
    int matched = 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        check(heed__route_valid(&routes[i]), "a route");
        if (!heed__target_match(&t, &routes[i])) continue;
        matched++;
    }
    check(matched <= 2, "many routes");
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!heed__target_match(&t, &routes[i])) continue;
        if (heed__target_bind(&t))
            for (int k = 0; k < t.parts; k++)
                check(t.part[k].value[0] && is_utf8(t.part[k].value) &&
                          strlen(t.part[k].value) <= t.part[k].value_size,
                      "a part");
        break;
    }
    free(text);
}

static void read_keys(const char *text, size_t size) {
    heed_keys keys;
    heed_error err = { 0 };
    const int status = heed__keys_parse(&keys, text, size, "k", NULL, &err);
    check(status == 0 || (status == err.code && err.msg[0] && !keys.key), "keys");
    for (int64_t i = 0; i < keys.len; i++) {
        char scopes[32];
        const heed_key *k = &keys.key[i];
        check(heed__key_name_valid(k->name, strlen(k->name)) && k->rate >= 0, "a key");
        heed__scopes_text(k->scopes, scopes);
        check(heed__scopes_parse(scopes, strlen(scopes)) == k->scopes && k->scopes, "scopes");
    }
    heed__keys_free(&keys, NULL);
}

/* A schema and, after a line break, a value. */
static void read_schema(const char *text) {
    const char *line = strchr(text, '\n');
    json_t *schema = json_loadb(text, line ? (size_t)(line - text) : 0, JSON_DECODE_ANY, NULL);
    json_t *value = line ? json_loads(line + 1, JSON_DECODE_ANY, NULL) : NULL;
    heed_error err = { 0 };
    heed_fault fault;
    if (schema && value) {
        const int status = heed__schema_valid(schema, &err);
        check(status == 0 || err.msg[0], "a schema refused without a word");
        if (status == 0 && !heed__schema_holds(schema, value, "v", &fault))
            check(fault.where[0] && fault.what[0], "a value refused without a word");
    }
    if (schema && line) json_decref(heed__schema_value(schema, line + 1));
    json_decref(schema);
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    char *text = malloc(size); /* of its own, so that reading past it is seen */
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    if (data[0] % 3 == 0)
        read_schema(text);
    else if (data[0] % 3 == 1)
        read_target(text);
    else
        read_keys(text, size - 1);
    free(text);
    return 0;
}
