/* context.c: what texts attend to, from a file. */
#include "app/context.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/input.h"
#include "base/text.h"

bool context_is_file(const char *name) {
    return access(name, F_OK) == 0;
}

static int keep(context *c, const char *line, size_t size, heed_error *err) {
    if (memchr(line, 0, size) || heed__utf8_check(line, size) != size)
        return heed__error(err, HEED_EFORMAT, "%.300s:%lld: %s", c->path, (long long)c->len + 1,
                           memchr(line, 0, size) ? "a zero byte" : "not UTF-8");
    if (heed__grow(NULL, &c->line, &c->cap, c->len + 1, sizeof *c->line))
        return heed__error(err, HEED_ENOMEM, "%.300s: out of memory", c->path);
    c->line[c->len] = strdup(line);
    if (!c->line[c->len]) return heed__error(err, HEED_ENOMEM, "%.300s: out of memory", c->path);
    c->len++;
    return 0;
}

int context_read(context *c, const char *path, heed_error *err) {
    char *line;
    size_t size;
    int got = 0;
    *c = (context){ .path = path };
    if (!path) return 0;
    heed_input *in = heed__input_open(path, NULL, err);
    if (!in) return err->code;
    while ((got = heed__input_line(in, &line, &size, err)) == HEED_LINE_ONE)
        if ((got = keep(c, line, size, err))) break;
    if (got == HEED_LINE_LONG)
        got = heed__error(err, HEED_EFORMAT, "%.300s: a line is too long", path);
    heed__input_close(in);
    if (got == 0 && c->len == 0) got = heed__error(err, HEED_EFORMAT, "%.300s: is empty", path);
    return got;
}

const char *context_of(const context *c, int64_t i, heed_error *err) {
    if (c->len == 1) return c->line[0];
    if (i < c->len) return c->line[i];
    heed__error(err, HEED_EFORMAT, "%.300s: %lld lines, and more texts than that", c->path,
                (long long)c->len);
    return NULL;
}

int context_put(const context *c, heed_dataset *d, const char *file, heed_error *err) {
    if (!c->path) return 0;
    if (c->len != 1 && c->len != d->len)
        return heed__error(err, HEED_EFORMAT, "%.300s: %lld lines for the %lld texts of %.160s",
                           c->path, (long long)c->len, (long long)d->len, file);
    heed__free(NULL, (void *)d->text2);
    d->text2 = heed__calloc(NULL, (size_t)d->len, sizeof *d->text2);
    if (!d->text2) return heed__error(err, HEED_ENOMEM, "%.300s: out of memory", c->path);
    for (int64_t i = 0; i < d->len; i++) d->text2[i] = c->line[c->len == 1 ? 0 : i];
    return 0;
}

void context_free(context *c) {
    for (int64_t i = 0; i < c->len; i++) free(c->line[i]);
    heed__free(NULL, (void *)c->line);
    *c = (context){ .path = NULL };
}
