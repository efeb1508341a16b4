/* web_files.h: the page: the files of web/, which are part of the program, and the answer to a
 * request for one of them. They hold nothing secret, so that they need no key; what they ask for
 * does. */
#ifndef HEED_SERVE_WEB_FILES_H
#define HEED_SERVE_WEB_FILES_H

#include <stddef.h>

struct heed_request;

typedef struct heed_web_file {
    const char *path;          /* "index.html", "js/main.js" */
    const unsigned char *data; /* [size], and a 0 byte after the last */
    size_t size;
    const unsigned char *gzip; /* [gzip_size]; NULL: no smaller than data */
    size_t gzip_size;
    const char *etag; /* of data, with its quotes */
} heed_web_file;

/* Made when the program is built, by tools/web_files.cmake; sorted by path. */
extern const heed_web_file heed__web_files[];
extern const int heed__web_files_len;

/* NULL: there is none. */
const heed_web_file *heed__web_find(const char *path);
/* By the end of its name: "text/html; charset=utf-8". */
const char *heed__web_type(const char *path);

/* Answers GET / (index.html), /favicon.ico (icon.svg) and /app/{rest...}, with an ETag, 304 where
 * the asker has it, gzip where it can, and headers by which a browser runs nothing but these files.
 * folder: read from there at each request (for who works on the page); NULL: those built in.
 * The routes' flags: HEED_ROUTE_INLINE | HEED_ROUTE_OPEN | HEED_ROUTE_HIDDEN. */
void heed__web_answer(struct heed_request *rq, const char *folder);

#endif
