/* tensor.c: what tensors are, how a step's tensors are made, and views of them. */
#include "tensor/bins.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    size_t size;
    const char *name;
} dtypes[] = {
    [HEED_F32] = { 4, "f32" },   [HEED_I32] = { 4, "i32" }, [HEED_U8] = { 1, "u8" },
    [HEED_BF16] = { 2, "bf16" }, [HEED_I8] = { 1, "i8" },
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

size_t heed_dtype_size(heed_dtype dtype) {
    return (unsigned)dtype < DTYPES ? dtypes[dtype].size : 0;
}

const char *heed_dtype_name(heed_dtype dtype) {
    return (unsigned)dtype < DTYPES ? dtypes[dtype].name : "unknown";
}

/* -- shapes ----------------------------------------------------------------------------------- */

static char *shape_text(int ndim, const int64_t *shape, char text[96]) {
    size_t at = 0;
    text[at++] = '[';
    for (int i = 0; i < ndim && at < 92; i++) {
        const int n = snprintf(text + at, 94 - at, i ? ",%lld" : "%lld", (long long)shape[i]);
        at = n < 0 || (size_t)n >= 94 - at ? 93 : at + (size_t)n;
    }
    text[at++] = ']';
    text[at] = 0;
    return text;
}

char *heed_shape_text(const heed_tensor *t, char text[96]) {
    if (!t) return memcpy(text, "NULL", 5);
    return shape_text(t->ndim, t->shape, text);
}

int64_t heed__shape_len(int ndim, const int64_t *shape) {
    if (ndim < 0 || ndim > HEED_MAX_NDIM || (ndim && !shape)) return -1;
    int64_t len = 1; /* without the zeros, so that no part of the product can overflow either */
    bool empty = false;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0) return -1;
        if (shape[i] == 0)
            empty = true;
        else if (len > PTRDIFF_MAX / 16 / shape[i])
            return -1;
        else
            len *= shape[i];
    }
    return empty ? 0 : len;
}

int64_t heed__rows(const heed_tensor *t) {
    int64_t rows = 1;
    for (int i = 0; i + 1 < t->ndim; i++) rows *= t->shape[i];
    return rows;
}

int64_t heed__cols(const heed_tensor *t) {
    return t->ndim ? t->shape[t->ndim - 1] : 1;
}

bool heed__same_shape(const heed_tensor *a, const heed_tensor *b) {
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i]) return false;
    return true;
}

/* -- makers ----------------------------------------------------------------------------------- */

/* A tensor of the step without room for its numbers. */
static heed_tensor *make(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape) {
    if (!cx) return NULL;
    if ((unsigned)dtype >= DTYPES)
        return heed_fail(cx, HEED_EINVALID, "a tensor of unknown type %d", (int)dtype);
    const int64_t len = heed__shape_len(ndim, shape);
    if (len < 0) {
        char text[96] = "";
        if (ndim < 0 || ndim > HEED_MAX_NDIM)
            return heed_fail(cx, HEED_ESHAPE, "a tensor of %d dimensions; 0 to %d are allowed",
                             ndim, HEED_MAX_NDIM);
        if (!shape)
            return heed_fail(cx, HEED_EINVALID, "a tensor of %d dimensions without a shape", ndim);
        return heed_fail(cx, HEED_ESHAPE, "%s is no shape, or more than memory can hold",
                         shape_text(ndim, shape, text));
    }
    heed_tensor *t = heed__alloc(cx, 1, sizeof *t);
    if (!t) return NULL;
    memset(t, 0, sizeof *t);
    if (ndim) memcpy(t->shape, shape, (size_t)ndim * sizeof *shape);
    t->ndim = ndim;
    t->dtype = dtype;
    t->len = len;
    return t;
}

heed_tensor *heed_new(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape) {
    heed_tensor *t = make(cx, dtype, ndim, shape);
    if (!t) return NULL;
    t->data = heed__alloc(cx, t->len, heed_dtype_size(dtype));
    return t->data ? t : NULL;
}

heed_tensor *heed_zeros(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape) {
    heed_tensor *t = heed_new(cx, dtype, ndim, shape);
    if (t) memset(t->data, 0, (size_t)t->len * heed_dtype_size(dtype));
    return t;
}

static heed_tensor *from(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape,
                         const void *data) {
    heed_tensor *t = heed_new(cx, dtype, ndim, shape);
    if (!t) return NULL;
    if (!data && t->len) return heed_fail(cx, HEED_EINVALID, "a tensor from numbers that are NULL");
    if (t->len) memcpy(t->data, data, (size_t)t->len * heed_dtype_size(dtype));
    return t;
}

heed_tensor *heed_from_f32(heed_ctx *cx, int ndim, const int64_t *shape, const float *data) {
    return from(cx, HEED_F32, ndim, shape, data);
}

heed_tensor *heed_from_i32(heed_ctx *cx, int ndim, const int64_t *shape, const int32_t *data) {
    return from(cx, HEED_I32, ndim, shape, data);
}

heed_tensor *heed_scalar(heed_ctx *cx, float value) {
    return heed_from_f32(cx, 0, NULL, &value);
}

heed_tensor *heed__like(heed_ctx *cx, const heed_tensor *x) {
    return x ? heed_new(cx, HEED_F32, x->ndim, x->shape) : NULL;
}

float heed_item(const heed_tensor *t) {
    return t && t->len == 1 && t->dtype == HEED_F32 ? *(const float *)t->data : NAN;
}

/* -- views and marks -------------------------------------------------------------------------- */

heed_tensor *heed__view(heed_ctx *cx, heed_tensor *x, int64_t offset, int ndim,
                        const int64_t *shape) {
    if (!x) return NULL;
    heed_tensor *v = make(cx, x->dtype, ndim, shape);
    if (!v) return NULL;
    if (offset < 0 || offset > x->len || v->len > x->len - offset) {
        char of[96], as[96];
        return heed_fail(cx, HEED_ESHAPE, "a view of shape %s at %lld does not lie within %s",
                         heed_shape_text(v, as), (long long)offset, heed_shape_text(x, of));
    }
    v->data = (char *)x->data + (size_t)offset * heed_dtype_size(x->dtype);
    v->view_of = x->view_of ? x->view_of : x;
    v->view_offset = x->view_offset + offset;
    v->needs_grad = cx->record && x->needs_grad;
    return v;
}

heed_tensor *heed_detach(heed_ctx *cx, heed_tensor *t) {
    if (!t) return NULL;
    heed_tensor *d = make(cx, t->dtype, t->ndim, t->shape);
    if (!d) return NULL;
    d->data = t->data;
    d->packed = t->packed;
    return d;
}

heed_tensor *heed_want_grad(heed_ctx *cx, heed_tensor *t) {
    if (!cx || !t) return NULL;
    if (t->dtype != HEED_F32)
        return heed_fail(cx, HEED_EINVALID, "a gradient of a tensor of type %s; only f32 has one",
                         heed_dtype_name(t->dtype));
    heed_tensor *root = t->view_of ? t->view_of : t;
    if (root->name && !root->needs_grad)
        return heed_fail(cx, HEED_EINVALID,
                         "a gradient of the frozen parameter %s; thaw it instead", root->name);
    root->needs_grad = root->keep_grad = true;
    t->needs_grad = t->keep_grad = true;
    return t;
}
