/* route_web.c: the page's files over HTTP. A file is asked for again each time and answered with
 * 304 as long as it is the same: a new program has a new page at once, an old one costs a line. */
#include "serve/web_files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "http/http.h"

#define MOST_FILE (4u << 20)

/* Scripts, styles, pictures and requests from here alone, no text that becomes a script; in nobody
 * else's frame. */
#define SAFE                                                                                       \
    "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; "            \
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "             \
    "trusted-types 'none'\n"                                                                       \
    "X-Content-Type-Options: nosniff\n"                                                            \
    "Referrer-Policy: no-referrer\n"                                                               \
    "Cross-Origin-Opener-Policy: same-origin\n"

const heed_web_file *heed__web_find(const char *path) {
    for (int i = 0; i < heed__web_files_len; i++)
        if (strcmp(heed__web_files[i].path, path) == 0) return &heed__web_files[i];
    return NULL;
}

const char *heed__web_type(const char *path) {
    static const char *const types[][2] = {
        { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },   { ".svg", "image/svg+xml" },
        { ".json", "application/json" },         { ".png", "image/png" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

/* One of ours: letters, digits, '_', '-' and '.', no part that begins with a point. */
static bool plain(const char *path) {
    if (!*path || strlen(path) > 120) return false;
    for (const char *p = path; *p; p++) {
        const bool first = p == path || p[-1] == '/';
        const bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                            (*p >= '0' && *p <= '9') || *p == '_' || *p == '-';
        if (!letter && (first || (*p != '.' && *p != '/'))) return false;
    }
    return true;
}

static void answer_from(heed_request *rq, const char *folder, const char *path) {
    char full[1024], *data = NULL;
    size_t size = 0;
    heed_error err;
    const size_t n = heed__format(full, sizeof full, "%s/%s", folder, path);
    if (n >= sizeof full)
        heed_reply_problem(rq, 404, "no such page: %s", path);
    else if (heed__file_read(NULL, full, MOST_FILE, &data, &size, &err))
        heed_reply_problem(rq, 404, "%s", err.msg);
    else
        heed_reply_data(rq, 200, heed__web_type(path), data, size,
                        SAFE "Cache-Control: no-store\n");
    heed__free(NULL, data);
}

void heed__web_answer(struct heed_request *rq, const char *folder) {
    const char *path = heed_request_path(rq);
    if (strcmp(path, "/") == 0)
        path = "index.html";
    else if (strcmp(path, "/favicon.ico") == 0)
        path = "icon.svg";
    else
        path = heed_request_part(rq, "rest");
    if (!path || !plain(path)) {
        heed_reply_problem(rq, 404, "no such page");
        return;
    }
    if (folder) {
        answer_from(rq, folder, path);
        return;
    }
    const heed_web_file *file = heed__web_find(path);
    if (!file) {
        heed_reply_problem(rq, 404, "no such page: %s", path);
        return;
    }
    /* Both forms bear one tag, a weak one: they say the same. */
    char headers[1024];
    heed__format(headers, sizeof headers,
                 SAFE "Cache-Control: no-cache\nVary: Accept-Encoding\nETag: W/%s\n", file->etag);
    const char *known = heed_request_header(rq, "If-None-Match");
    if (known && strstr(known, file->etag)) {
        heed_reply_data(rq, 304, heed__web_type(path), "", 0, headers);
        return;
    }
    const char *can = heed_request_header(rq, "Accept-Encoding");
    if (file->gzip && can && strstr(can, "gzip")) {
        const size_t used = strlen(headers);
        heed__format(headers + used, sizeof headers - used, "Content-Encoding: gzip\n");
        heed_reply_data(rq, 200, heed__web_type(path), file->gzip, file->gzip_size, headers);
        return;
    }
    heed_reply_data(rq, 200, heed__web_type(path), file->data, file->size, headers);
}
