/* safetensors_save.c: writes the safetensors format: the same contents give the same bytes.
 *
 * Numbers of wider types come first, within a type in the byte order of names, and the header is
 * padded to a multiple of 64 bytes: every tensor is aligned though none are padded, which the
 * format does not allow. */
#include "heed/io.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { ALIGN = 64 };

/* An entry with what was found out about it. */
typedef struct item {
    heed_entry e;
    size_t at; /* offset of its numbers */
} item;

static int by_place(const void *a, const void *b) {
    const item *x = a, *y = b;
    const size_t wide_x = heed_file_dtype_size(x->e.dtype),
                 wide_y = heed_file_dtype_size(y->e.dtype);
    if (wide_x != wide_y) return wide_x > wide_y ? -1 : 1;
    return strcmp(x->e.name, y->e.name);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const item *)a)->e.name, ((const item *)b)->e.name);
}

static int by_key(const void *a, const void *b) {
    return strcmp((*(const heed_meta *const *)a)->key, (*(const heed_meta *const *)b)->key);
}

static int check_entry(heed_entry *e, const char *path, heed_error *err) {
    if (!e->name || !strcmp(e->name, "__metadata__"))
        return heed__error(err, HEED_EINVALID, "%s: a tensor without a name of its own", path);
    const size_t width = heed_file_dtype_size(e->dtype);
    if (!width || e->ndim < 0 || e->ndim > HEED_ENTRY_MAX_NDIM)
        return heed__error(err, HEED_EINVALID,
                           "%s: tensor '%.80s' has an unknown type or %d "
                           "dimensions",
                           path, e->name, e->ndim);
    int64_t len = 1;
    bool empty = false;
    for (int i = 0; i < e->ndim; i++) {
        if (e->shape[i] == 0) {
            empty = true;
        } else if (e->shape[i] < 0 || __builtin_mul_overflow(len, e->shape[i], &len) ||
                   len > PTRDIFF_MAX / 16) {
            return heed__error(err, HEED_EINVALID, "%s: tensor '%.80s' has no possible shape", path,
                               e->name);
        }
    }
    e->len = empty ? 0 : len;
    e->size = (size_t)e->len * width;
    if (e->len && !e->data)
        return heed__error(err, HEED_EINVALID, "%s: tensor '%.80s' has no numbers", path, e->name);
    return 0;
}

/* Checks all, gives each its offset and leaves them sorted by name. */
static int place(item *items, int64_t count, const char *path, heed_error *err) {
    for (int64_t i = 0; i < count; i++)
        if (check_entry(&items[i].e, path, err)) return HEED_EINVALID;
    if (count) qsort(items, (size_t)count, sizeof *items, by_place);
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        items[i].at = at;
        if (__builtin_add_overflow(at, items[i].e.size, &at) || at > PTRDIFF_MAX)
            return heed__error(err, HEED_EINVALID, "%s: more bytes than a file can hold", path);
    }
    if (count) qsort(items, (size_t)count, sizeof *items, by_name);
    for (int64_t i = 1; i < count; i++)
        if (!strcmp(items[i - 1].e.name, items[i].e.name))
            return heed__error(err, HEED_EINVALID, "%s: two tensors have the name '%.80s'", path,
                               items[i].e.name);
    return 0;
}

static json_t *describe(const item *it) {
    json_t *shape = json_array();
    for (int i = 0; i < it->e.ndim; i++) {
        if (json_array_append_new(shape, json_integer(it->e.shape[i])) == 0) continue;
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s,s:o,s:[I,I]}", "dtype", heed_file_dtype_name(it->e.dtype), "shape",
                     shape, "data_offsets", (json_int_t)it->at, (json_int_t)(it->at + it->e.size));
}

/* Metadata in the order of keys. NULL on failure. */
static json_t *describe_meta(const heed_meta *meta, int64_t count, const heed_hooks *hooks) {
    const heed_meta **sorted = heed__calloc(hooks, (size_t)count, sizeof *sorted);
    json_t *object = json_object();
    bool ok = sorted && object;
    for (int64_t i = 0; ok && i < count; i++) {
        sorted[i] = &meta[i];
        ok = meta[i].value != NULL;
    }
    if (ok) qsort(sorted, (size_t)count, sizeof *sorted, by_key);
    for (int64_t i = 0; ok && i < count; i++)
        ok = !json_object_set_new(object, sorted[i]->key, json_string(sorted[i]->value));
    heed__free(hooks, sorted);
    if (ok) return object;
    json_decref(object);
    return NULL;
}

static bool is_utf8(const char *text) {
    return text && heed__utf8_check(text, strlen(text)) == strlen(text);
}

static bool is_pair(const heed_meta *m) {
    return is_utf8(m->key) && is_utf8(m->value);
}

/* Why jansson would not take these texts: not UTF-8, or no memory. */
static int refused(heed_error *err, const char *path, const char *a, const char *b,
                   const char *what) {
    if (is_utf8(a) && is_utf8(b))
        return heed__error(err, HEED_ENOMEM, "%s: out of memory for the header", path);
    return heed__error(err, HEED_EINVALID, "%s: %s", path, what);
}

static json_t *make_header(const item *items, int64_t count, const heed_meta *meta,
                           const heed_hooks *hooks, const char *path, heed_error *err) {
    int64_t pairs = 0;
    while (meta && meta[pairs].key) pairs++;
    json_t *header = json_object();
    if (!header) {
        heed__error(err, HEED_ENOMEM, "out of memory for the header of %s", path);
        return NULL;
    }
    if (pairs && json_object_set_new(header, "__metadata__", describe_meta(meta, pairs, hooks))) {
        int64_t bad = 0;
        while (bad + 1 < pairs && is_pair(&meta[bad])) bad++;
        refused(err, path, meta[bad].key, meta[bad].value,
                "metadata that are not pairs of UTF-8 texts");
        json_decref(header);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        if (json_object_set_new(header, items[i].e.name, describe(&items[i]))) {
            char what[80];
            heed__format(what, sizeof what, "tensor number %lld by name: the name is not UTF-8",
                         (long long)i);
            refused(err, path, items[i].e.name, "", what);
            json_decref(header);
            return NULL;
        }
    return header;
}

/* header and items to the file that w writes. */
static int write_all(heed_writer *w, const char *header, size_t len, item *items, int64_t count,
                     heed_error *err) {
    static const char spaces[ALIGN + 1] =
        "                                                                ";
    const size_t padding = (ALIGN - (8 + len) % ALIGN) % ALIGN;
    unsigned char size[8];
    for (int i = 0; i < 8; i++) size[i] = (unsigned char)((uint64_t)(len + padding) >> 8 * i);
    heed__writer_write(w, size, sizeof size);
    heed__writer_write(w, header, len);
    heed__writer_write(w, spaces, padding);
    if (count) qsort(items, (size_t)count, sizeof *items, by_place);
    for (int64_t i = 0; i < count; i++) heed__writer_write(w, items[i].e.data, items[i].e.size);
    return heed__writer_commit(w, err);
}

int heed_safetensors_save(const char *path, const heed_entry *entries, int64_t count,
                          const heed_meta *meta, const heed_hooks *hooks, heed_error *err) {
    if (heed__lacks(path, "safetensors", "path", err) ||
        heed__lacks_list(entries, count, "safetensors", "entries", err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    *err = (heed_error){ 0 };
    if ((uint64_t)count > PTRDIFF_MAX / sizeof(item))
        return heed__error(err, HEED_EINVALID, "%s: an impossible count", path);
    item *items = heed__calloc(hooks, (size_t)count, sizeof *items);
    if (!items) return heed__error(err, HEED_ENOMEM, "out of memory for the header of %s", path);
    for (int64_t i = 0; i < count; i++) items[i].e = entries[i];
    int rc = place(items, count, path, err);
    json_t *header = rc ? NULL : make_header(items, count, meta, hooks, path, err);
    size_t len = 0;
    char *text = header ? heed__json_text(hooks, header, false, &len, err) : NULL;
    json_decref(header);
    heed_writer *w = text ? heed__writer_new(hooks, path, err) : NULL;
    rc = w ? write_all(w, text, len, items, count, err) : err->code;
    heed__free(hooks, text);
    heed__free(hooks, items);
    return rc;
}
