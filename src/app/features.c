/* features.c: ready features beside texts. */
#include "app/features.h"

#include <string.h>

#include "base/alloc.h"

int features_read(features *f, const char *path, int64_t len, const char *file, heed_error *err) {
    *f = (features){ .array = { .data = NULL } };
    if (!path) return 0;
    const int rc = heed__npy_read(&f->npy, path, NULL, err);
    if (rc) return rc;
    f->array = (heed_array){ f->npy.data, f->npy.steps, f->npy.dim, f->npy.sequence };
    if (!file || f->npy.len == len) return 0;
    return heed__error(err, HEED_EFORMAT,
                       "%.300s: %lld rows of features for the %lld texts of %.160s", path,
                       (long long)f->npy.len, (long long)len, file);
}

const heed_array *features_array(const features *f) {
    return f->array.data ? &f->array : NULL;
}

heed_array features_row(const features *f, int64_t i) {
    heed_array row = f->array;
    if (row.data) row.data += i * row.steps * row.dim;
    return row;
}

void features_free(features *f) {
    heed__npy_free(&f->npy);
}

bool features_alone(const char *path, const char *text) {
    return path && text && strcmp(text, "none") == 0;
}
