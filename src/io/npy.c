/* npy.c: reads NumPy's .npy format.
 *
 *     \x93NUMPY, version (2 bytes), size of the header (2 bytes little-endian; version 2: 4)
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }          spaces, a line's end
 *     numbers
 *
 * The header is a Python literal; what numpy.save writes is read, and no more of the language. */
#include "io/npy.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "heed/io.h"

enum { DIMS = 3, HEADER_MOST = 1 << 16 };

typedef struct header {
    const char *at, *end, *name;
    heed_file_dtype dtype;
    int64_t shape[DIMS];
    int dims;
    bool descr, order, shaped; /* seen */
    heed_error *err;
} header;

static int bad(const header *h, const char *what) {
    return heed__error(h->err, HEED_EFORMAT, "%.300s: its header: %s", h->name, what);
}

static void skip_blanks(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t')) h->at++;
}

/* Whether `text` stands next, which is then passed. */
static bool take(header *h, const char *text) {
    const size_t n = strlen(text);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, text, n) != 0) return false;
    h->at += n;
    return true;
}

static int take_descr(header *h) {
    static const struct {
        const char *text;
        heed_file_dtype dtype;
    } known[] = { { "'<f4'", HEED_FILE_F32 },
                  { "'<f8'", HEED_FILE_F64 },
                  { "'<f2'", HEED_FILE_F16 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (take(h, known[i].text)) {
            h->dtype = known[i].dtype;
            return 0;
        }
    return bad(h, "the numbers are none of '<f2', '<f4', '<f8' (numpy: x.astype('<f4'))");
}

static int take_order(header *h) {
    if (take(h, "False")) return 0;
    if (take(h, "True")) return bad(h, "columns first (numpy: numpy.ascontiguousarray(x))");
    return bad(h, "fortran_order is neither True nor False");
}

static int take_size(header *h, int64_t *size) {
    const char *const from = h->at;
    int64_t x = 0;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
        if (x > (INT64_MAX - 9) / 10) return bad(h, "a dimension is too large");
        x = 10 * x + (*h->at - '0');
    }
    *size = x;
    return h->at > from ? 0 : bad(h, "shape is no list of sizes");
}

static int take_shape(header *h) {
    if (!take(h, "(")) return bad(h, "shape is no list of sizes");
    while (!take(h, ")")) {
        if (h->dims == DIMS) return bad(h, "more than three dimensions");
        int rc = take_size(h, &h->shape[h->dims]);
        if (rc) return rc;
        h->dims++;
        if (!take(h, ",")) {
            if (!take(h, ")")) return bad(h, "shape is no list of sizes");
            break;
        }
    }
    return h->dims < 2 ? bad(h, "fewer than two dimensions") : 0;
}

static int take_field(header *h) {
    const struct {
        const char *name;
        bool *seen;
        int (*take)(header *);
    } fields[] = { { "'descr'", &h->descr, take_descr },
                   { "'fortran_order'", &h->order, take_order },
                   { "'shape'", &h->shaped, take_shape } };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!take(h, fields[i].name)) continue;
        if (*fields[i].seen) return bad(h, "a key stands there twice");
        *fields[i].seen = true;
        return take(h, ":") ? fields[i].take(h) : bad(h, "a key without a value");
    }
    return bad(h, "a key that is none of descr, fortran_order, shape");
}

static int parse_header(header *h) {
    if (!take(h, "{")) return bad(h, "it is no dictionary");
    while (!take(h, "}")) {
        const int rc = take_field(h);
        if (rc) return rc;
        if (take(h, ",")) continue;
        if (!take(h, "}")) return bad(h, "it does not end");
        break;
    }
    skip_blanks(h);
    if (h->at < h->end) return bad(h, "more stands after its end");
    return h->descr && h->order && h->shaped ? 0
                                             : bad(h, "descr, fortran_order or shape is missing");
}

/* Where the header lies; the numbers follow it. 0 or HEED_EFORMAT. */
static int find_header(header *h, const unsigned char *bytes, size_t size) {
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return heed__error(h->err, HEED_EFORMAT, "%.300s: is no .npy file", h->name);
    const int version = bytes[6];
    if (version != 1 && version != 2)
        return heed__error(h->err, HEED_EUNSUPPORTED,
                           "%.300s: is of .npy version %d; 1 and 2 are read", h->name, version);
    const size_t begin = version == 1 ? 10 : 12;
    size_t len = bytes[8] | (size_t)bytes[9] << 8;
    if (version == 2 && size >= begin) len |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (size < begin || len > size - begin || len > HEADER_MOST)
        return heed__error(h->err, HEED_EFORMAT, "%.300s: is cut short within its header", h->name);
    h->at = (const char *)bytes + begin;
    h->end = h->at + len;
    return 0;
}

/* The numbers of the shape, if no product of it is too large; -1 otherwise. */
static int64_t count_of(const header *h) {
    int64_t count = 1;
    for (int d = 0; d < h->dims; d++) {
        if (h->shape[d] > 0 && count > INT64_MAX / 8 / h->shape[d]) return -1;
        count *= h->shape[d];
    }
    return count;
}

static int check_finite(const heed_npy *n, const char *name, heed_error *err) {
    const int64_t each = n->steps * n->dim;
    for (int64_t i = 0; i < n->len * each; i++)
        if (!isfinite(n->data[i]))
            return heed__error(err, HEED_EFORMAT,
                               "%.300s: row %lld, number %lld: is not finite as a float", name,
                               (long long)(i / each + 1), (long long)(i % each + 1));
    return 0;
}

int heed__npy_parse(heed_npy *n, const unsigned char *bytes, size_t size, const char *name,
                    const heed_hooks *hooks, heed_error *err) {
    header h = { .name = name, .err = err };
    *n = (heed_npy){ .data = NULL };
    if (hooks) n->hooks = *hooks;
    int rc = find_header(&h, bytes, size);
    const char *const numbers = h.end;
    if (rc == 0) rc = parse_header(&h);
    if (rc) return rc;
    const size_t left = size - (size_t)(numbers - (const char *)bytes);
    const int64_t count = count_of(&h), width = (int64_t)heed_file_dtype_size(h.dtype);
    if (count < 1) return bad(&h, count ? "a dimension is too large" : "a dimension is 0");
    if ((uint64_t)count * (uint64_t)width != left)
        return heed__error(err, HEED_EFORMAT,
                           "%.300s: %lld bytes of numbers where its shape takes %lld", name,
                           (long long)left, (long long)(count * width));
    const heed_entry e = { .name = "numbers", .dtype = h.dtype, .len = count, .data = numbers };
    n->data = heed__calloc(hooks, (size_t)count, sizeof *n->data);
    if (!n->data) return heed__error(err, HEED_ENOMEM, "%.300s: out of memory", name);
    n->len = h.shape[0];
    n->sequence = h.dims == 3;
    n->steps = n->sequence ? h.shape[1] : 1;
    n->dim = h.shape[h.dims - 1];
    rc = heed_entry_f32(&e, n->data, err);
    if (rc == 0) rc = check_finite(n, name, err);
    if (rc) heed__npy_free(n);
    return rc;
}

int heed__npy_read(heed_npy *n, const char *path, const heed_hooks *hooks, heed_error *err) {
    heed_map map;
    *n = (heed_npy){ .data = NULL };
    int rc = heed__map_open(&map, path, SIZE_MAX / 2, err);
    if (rc) return rc;
    rc = heed__npy_parse(n, map.data, map.size, path, hooks, err);
    heed__map_close(&map);
    return rc;
}

void heed__npy_free(heed_npy *n) {
    heed__free(&n->hooks, n->data);
    *n = (heed_npy){ .data = NULL };
}
