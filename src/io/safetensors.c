/* safetensors.c: reads the safetensors format.
 *
 *     [ header size, 8 bytes little-endian ][ JSON header, padded by spaces ][ numbers ]
 *     {"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},...}
 *
 * Offsets count from the end of the header. As in the reference implementation the tensors must
 * cover the numbers exactly: no overlap, no gap, nothing after the last. */
#include "heed/io.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "io/prefix.h"

enum { HEADER_MOST = 100 << 20 };

struct heed_safetensors {
    heed_hooks hooks;
    heed_map map; /* data NULL: the memory is the caller's */
    char *name;
    json_t *header; /* names and metadata point into it */
    heed_entry *entry;
    int64_t count;
};

/* What the checks below speak of. */
typedef struct reading {
    const char *file;
    const unsigned char *data; /* the numbers */
    size_t size;
    heed_error *err;
} reading;

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
#define X(name, size) { #name, size },
    HEED_FILE_DTYPE_LIST(X)
#undef X
};

const char *heed_file_dtype_name(heed_file_dtype dtype) {
    return (unsigned)dtype < HEED_FILE_DTYPES ? dtypes[dtype].name : "unknown";
}

size_t heed_file_dtype_size(heed_file_dtype dtype) {
    return (unsigned)dtype < HEED_FILE_DTYPES ? dtypes[dtype].size : 0;
}

/* -- one entry of the header ------------------------------------------------------------------ */

static int bad(const reading *r, const heed_entry *e, const char *what) {
    return heed__error(r->err, HEED_EFORMAT, "%s: tensor '%.80s': %s", r->file, e->name, what);
}

static int parse_dtype(const reading *r, heed_entry *e, const json_t *value) {
    const char *text = json_string_value(value);
    if (!text) return bad(r, e, "its dtype is missing or no text");
    for (int i = 0; i < HEED_FILE_DTYPES; i++)
        if (!strcmp(text, dtypes[i].name)) {
            e->dtype = (heed_file_dtype)i;
            return 0;
        }
    return heed__error(r->err, HEED_EFORMAT, "%s: tensor '%.80s': unknown dtype '%.20s'", r->file,
                       e->name, text);
}

static int parse_shape(const reading *r, heed_entry *e, const json_t *value) {
    if (!json_is_array(value)) return bad(r, e, "its shape is missing or no list");
    const size_t ndim = json_array_size(value);
    if (ndim > HEED_ENTRY_MAX_NDIM) return bad(r, e, "its shape has more than 8 dimensions");
    e->ndim = (int)ndim;
    e->len = 1;
    bool empty = false;
    for (size_t i = 0; i < ndim; i++) {
        const json_t *dim = json_array_get(value, i);
        const int64_t n = json_integer_value(dim);
        if (!json_is_integer(dim) || n < 0) return bad(r, e, "its shape is no list of sizes");
        e->shape[i] = n;
        if (n == 0)
            empty = true;
        else if (__builtin_mul_overflow(e->len, n, &e->len) || e->len > PTRDIFF_MAX / 8)
            return bad(r, e, "its shape is larger than any file");
    }
    if (empty) e->len = 0;
    return 0;
}

static int parse_offsets(const reading *r, heed_entry *e, const json_t *value) {
    const json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return bad(r, e, "its data_offsets are missing or no two whole numbers");
    const int64_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > r->size)
        return heed__error(r->err, HEED_EFORMAT,
                           "%s: tensor '%.80s': offsets %lld to %lld, but there are %zu bytes",
                           r->file, e->name, (long long)begin, (long long)end, r->size);
    e->size = (size_t)e->len * heed_file_dtype_size(e->dtype);
    if ((uint64_t)(end - begin) != e->size)
        return heed__error(r->err, HEED_EFORMAT,
                           "%s: tensor '%.80s': %lld bytes, but its shape and dtype %s take %zu",
                           r->file, e->name, (long long)(end - begin),
                           heed_file_dtype_name(e->dtype), e->size);
    e->data = r->data + begin;
    return 0;
}

static int parse_entry(const reading *r, heed_entry *e, const json_t *value) {
    if (!json_is_object(value)) return bad(r, e, "its description is no object");
    int rc = parse_dtype(r, e, json_object_get(value, "dtype"));
    if (!rc) rc = parse_shape(r, e, json_object_get(value, "shape"));
    if (!rc) rc = parse_offsets(r, e, json_object_get(value, "data_offsets"));
    return rc;
}

static int check_metadata(const reading *r, json_t *meta) {
    if (!json_is_object(meta))
        return heed__error(r->err, HEED_EFORMAT, "%s: __metadata__ is no object", r->file);
    const char *key;
    json_t *value;
    json_object_foreach(meta, key, value) {
        if (!json_is_string(value))
            return heed__error(r->err, HEED_EFORMAT, "%s: __metadata__ '%.80s' is no text", r->file,
                               key);
    }
    return 0;
}

/* -- the whole -------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b) {
    const heed_entry *x = a, *y = b;
    if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return x->size < y->size ? -1 : x->size > y->size; /* empty ones first */
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const heed_entry *)a)->name, ((const heed_entry *)b)->name);
}

/* The tensors must follow each other without gap or overlap to the end of the file. */
static int check_cover(const reading *r, heed_entry *entry, int64_t count) {
    if (count) qsort(entry, (size_t)count, sizeof *entry, by_place);
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const size_t begin = (size_t)((const unsigned char *)entry[i].data - r->data);
        if (begin != at)
            return bad(r, &entry[i],
                       begin < at ? "it overlaps the tensor before it"
                                  : "there are bytes before it that belong to no tensor");
        at += entry[i].size;
    }
    if (at != r->size)
        return heed__error(r->err, HEED_EFORMAT, "%s: %zu bytes at the end belong to no tensor",
                           r->file, r->size - at);
    if (count) qsort(entry, (size_t)count, sizeof *entry, by_name);
    return 0;
}

static int parse(heed_safetensors *st, const unsigned char *data, size_t size, heed_error *err) {
    if (size < 8)
        return heed__error(err, HEED_EFORMAT, "%s: %zu bytes are too few for a safetensors file",
                           st->name, size);
    uint64_t header = 0;
    for (int i = 7; i >= 0; i--) header = header << 8 | data[i];
    if (header > size - 8 || header > HEADER_MOST)
        return heed__error(err, HEED_EFORMAT,
                           "%s: a header of %llu bytes, but the file has %zu (no safetensors file, "
                           "or cut short)",
                           st->name, (unsigned long long)header, size);
    st->header = heed__json_parse((const char *)data + 8, (size_t)header, st->name, err);
    if (!st->header) return HEED_EFORMAT;
    if (!json_is_object(st->header))
        return heed__error(err, HEED_EFORMAT, "%s: its header is no object", st->name);
    const reading r = { st->name, data + 8 + header, size - 8 - (size_t)header, err };
    st->entry = heed__calloc(&st->hooks, json_object_size(st->header), sizeof *st->entry);
    if (!st->entry) return heed__error(err, HEED_ENOMEM, "out of memory for %s", st->name);
    const char *key;
    json_t *value;
    json_object_foreach(st->header, key, value) {
        int rc;
        if (!strcmp(key, "__metadata__")) {
            rc = check_metadata(&r, value);
        } else {
            heed_entry *e = &st->entry[st->count++];
            e->name = key;
            rc = parse_entry(&r, e, value);
        }
        if (rc) return rc;
    }
    return check_cover(&r, st->entry, st->count);
}

static heed_safetensors *make(const char *name, const heed_hooks *hooks, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    heed_safetensors *st = heed__calloc(hooks, 1, sizeof *st);
    if (st && hooks) st->hooks = *hooks;
    if (st) st->name = heed__strdup(hooks, name);
    if (st && st->name) return st;
    heed_safetensors_close(st);
    heed__error(err, HEED_ENOMEM, "out of memory for %s", name);
    return NULL;
}

heed_safetensors *heed_safetensors_from(const void *data, size_t size, const char *name,
                                        const heed_hooks *hooks, heed_error *err) {
    if ((size > 0 && heed__lacks(data, "safetensors", "data", err)) ||
        heed__lacks(name, "safetensors", "name", err))
        return NULL;
    if (err) *err = (heed_error){ 0 };
    heed_safetensors *st = make(name, hooks, err);
    if (st && parse(st, data, size, err)) {
        heed_safetensors_close(st);
        return NULL;
    }
    return st;
}

heed_safetensors *heed_safetensors_open(const char *path, const heed_hooks *hooks,
                                        heed_error *err) {
    if (heed__lacks(path, "safetensors", "path", err)) return NULL;
    if (err) *err = (heed_error){ 0 };
    heed_safetensors *st = make(path, hooks, err);
    if (st && (heed__map_open(&st->map, path, PTRDIFF_MAX, err) ||
               parse(st, st->map.data, st->map.size, err))) {
        heed_safetensors_close(st);
        return NULL;
    }
    return st;
}

void heed_safetensors_close(heed_safetensors *st) {
    if (!st) return;
    const heed_hooks hooks = st->hooks;
    json_decref(st->header);
    heed__map_close(&st->map);
    heed__free(&hooks, st->entry);
    heed__free(&hooks, st->name);
    heed__free(&hooks, st);
}

const char *heed_safetensors_name(const heed_safetensors *st) {
    return st ? st->name : NULL;
}

int64_t heed_safetensors_count(const heed_safetensors *st) {
    return st ? st->count : 0;
}

const heed_entry *heed_safetensors_at(const heed_safetensors *st, int64_t i) {
    return st && i >= 0 && i < st->count ? &st->entry[i] : NULL;
}

const heed_entry *heed__find_prefixed(const heed_safetensors *st, const char *prefix,
                                      const char *name) {
    const size_t skip = strlen(prefix);
    int64_t low = 0, high = heed_safetensors_count(st);
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        const char *here = st->entry[mid].name;
        int order = strncmp(prefix, here, skip);
        if (order == 0) order = strcmp(name, here + skip);
        if (order == 0) return &st->entry[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const heed_entry *heed_safetensors_find(const heed_safetensors *st, const char *name) {
    return heed__find_prefixed(st, "", name);
}

const char *heed_safetensors_meta(const heed_safetensors *st, const char *key) {
    return st ? json_string_value(json_object_get(json_object_get(st->header, "__metadata__"), key))
              : NULL;
}
