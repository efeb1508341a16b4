/* route_web.c: the page's files over HTTP. A file is asked for again each time and answered with
 * 304 as long as it is the same: a new program has a new page at once, an old one costs a line. */
#include "serve/web_files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "http/http.h"

#define MOST_FILE (4u << 20)

/* Beside what every answer has: no text becomes a script, whatever the page's code does, and no
 * other window has a hand in it. */
#define SAFE                                                                                       \
    "Content-Security-Policy",                                                                     \
        "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",            \
        "Cross-Origin-Opener-Policy", "same-origin"

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
                        (const char *const[]){ SAFE, "Cache-Control", "no-store", NULL });
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
    char tag[64];
    heed__format(tag, sizeof tag, "W/%s", file->etag);
    const char *type = heed__web_type(path);
    const char *known = heed_request_header(rq, "If-None-Match");
    const char *can = heed_request_header(rq, "Accept-Encoding");
    const bool same = known && strstr(known, file->etag);
    const bool packed = !same && file->gzip && can && strstr(can, "gzip");
    const char *const headers[] = { SAFE,
                                    "Cache-Control",
                                    "no-cache",
                                    "Vary",
                                    "Accept-Encoding",
                                    "ETag",
                                    tag,
                                    packed ? "Content-Encoding" : NULL,
                                    "gzip",
                                    NULL };
    if (same)
        heed_reply_data(rq, 304, type, "", 0, headers);
    else if (packed)
        heed_reply_data(rq, 200, type, file->gzip, file->gzip_size, headers);
    else
        heed_reply_data(rq, 200, type, file->data, file->size, headers);
}
