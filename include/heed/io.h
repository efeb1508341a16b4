/* io.h: weights in files. The format is safetensors: a JSON header with names, types, shapes and
 * offsets, then the numbers; every framework reads and writes it.
 *
 *     heed_error err;
 *     if (heed_params_save(ps, "m/model.safetensors", NULL, &err)) puts(err.msg);
 *     if (heed_params_load(ps, "m/model.safetensors", &err)) puts(err.msg);
 *
 *     heed_safetensors *st = heed_safetensors_open("m/model.safetensors", NULL, &err);
 *     const heed_entry *e = heed_safetensors_find(st, "head.w");   // data lies in the file's map
 *     heed_safetensors_close(st);
 *
 * Reading trusts nothing: each length, offset, shape and name is checked against the file before it
 * is used. Writing gives the same bytes for the same contents, and replaces a file whole or not at
 * all.
 */
#ifndef HEED_IO_H
#define HEED_IO_H

#include <heed/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types of a file: name, bytes. */
#define HEED_FILE_DTYPE_LIST(X)                                                                    \
    X(BOOL, 1)                                                                                     \
    X(U8, 1)                                                                                       \
    X(I8, 1)                                                                                       \
    X(F8_E5M2, 1)                                                                                  \
    X(F8_E4M3, 1)                                                                                  \
    X(I16, 2)                                                                                      \
    X(U16, 2)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I32, 4)                                                                                      \
    X(U32, 4)                                                                                      \
    X(F32, 4)                                                                                      \
    X(F64, 8)                                                                                      \
    X(I64, 8)                                                                                      \
    X(U64, 8)

typedef enum heed_file_dtype {
#define X(name, size) HEED_FILE_##name,
    HEED_FILE_DTYPE_LIST(X)
#undef X
        HEED_FILE_DTYPES
} heed_file_dtype;

enum { HEED_ENTRY_MAX_NDIM = 8 };

/* A tensor in a file, or on its way into one. Numbers are little-endian. */
typedef struct heed_entry {
    const char *name; /* UTF-8 */
    heed_file_dtype dtype;
    int ndim;
    int64_t shape[HEED_ENTRY_MAX_NDIM];
    int64_t len;      /* elements; when writing it is not read */
    const void *data; /* in a file that others wrote it may lie at any address, even an odd one */
    size_t size;      /* bytes; when writing it is not read */
} heed_entry;

/* A pair of texts in a file's header. */
typedef struct heed_meta {
    const char *key, *value;
} heed_meta;

/* A file open for reading, mapped into memory. It never changes: threads may share it. What it
 * hands out lives until it is closed. */
typedef struct heed_safetensors heed_safetensors;

/* Opens a file. NULL and *err: HEED_ENOTFOUND, HEED_EIO, HEED_ENOMEM, or HEED_EFORMAT, which names
 * the file and the tensor. */
HEED_API heed_safetensors *heed_safetensors_open(const char *path, const heed_hooks *hooks,
                                                 heed_error *err);
/* The same from memory, which the caller keeps until the close; name stands for the path in
 * messages. */
HEED_API heed_safetensors *heed_safetensors_from(const void *data, size_t size, const char *name,
                                                 const heed_hooks *hooks, heed_error *err);
HEED_API void heed_safetensors_close(heed_safetensors *st);             /* NULL is fine */
HEED_API const char *heed_safetensors_name(const heed_safetensors *st); /* path */
HEED_API int64_t heed_safetensors_count(const heed_safetensors *st);
/* Entries in the byte order of their names; NULL past the end. */
HEED_API const heed_entry *heed_safetensors_at(const heed_safetensors *st, int64_t i);
HEED_API const heed_entry *heed_safetensors_find(const heed_safetensors *st, const char *name);
/* The value of a key of the header's metadata, or NULL. */
HEED_API const char *heed_safetensors_meta(const heed_safetensors *st, const char *key);

/* The numbers of a floating entry (F32, F16, BF16, F64; F64 is rounded) as len floats; of an
 * integer or BOOL entry as len 64-bit integers (U64 above 2^63-1 is an error). out is the caller's,
 * len numbers. 0 or HEED_EINVALID, which names the entry. */
HEED_API int heed_entry_f32(const heed_entry *e, float *out, heed_error *err);
HEED_API int heed_entry_i64(const heed_entry *e, int64_t *out, heed_error *err);
HEED_API const char *heed_file_dtype_name(heed_file_dtype dtype);
HEED_API size_t heed_file_dtype_size(heed_file_dtype dtype);

/* Writes entries, given in any order, and metadata: pairs, ended by one whose key is NULL; or NULL.
 * In the file wider types come first and names are in byte order, so that every tensor is aligned
 * and the same contents are the same bytes. 0 or a status; the file that was there stays until the
 * new one is whole. */
HEED_API int heed_safetensors_save(const char *path, const heed_entry *entries, int64_t count,
                                   const heed_meta *meta, const heed_hooks *hooks, heed_error *err);

/* Writes every parameter as F32. meta as above. */
HEED_API int heed_params_save(const heed_params *ps, const char *path, const heed_meta *meta,
                              heed_error *err);
/* Reads every parameter. Strict: a missing tensor, one too many, or another shape or kind of number
 * is HEED_EFORMAT, with file and tensor; then nothing has changed. */
HEED_API int heed_params_load(heed_params *ps, const char *path, heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
