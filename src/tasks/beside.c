/* beside.c: numbers beside a text as a vector beside the body's. */
#include "tasks/beside.h"

#include <math.h>

#include "base/alloc.h"
#include "base/json.h"
#include "heed/ops.h"

enum { WIDTH = 128, HEADS = 4, STEPS_MOST = HEED_BESIDE_MOST };

static heed_tensor *vector_of(heed_params *ps, const char *name, heed_init_kind kind, int64_t len) {
    return heed_param(ps, name, (heed_init){ .kind = kind }, 1, &len);
}

int heed__beside_init(heed_beside *b, heed_params *ps, heed_error *err) {
    if (!b->in) return 0;
    if (!b->width) b->width = WIDTH;
    const int64_t F = b->in, D = b->width, C = heed__beside_dim(b);
    b->mean = vector_of(ps, "array.mean", HEED_INIT_ZEROS, F);
    b->spread = vector_of(ps, "array.spread", HEED_INIT_ONES, F);
    int rc = heed_linear_init(&b->first, ps, "array.first", F, D);
    if (rc == 0 && b->sequence) {
        rc = heed_linear_init(&b->near, ps, "array.near", 3 * D, D);
        if (rc == 0)
            rc = heed_linear_init_cfg(&b->query, ps, "array.query",
                                      &(heed_linear_cfg){ .in = D, .out = HEADS, .no_bias = true });
    }
    b->gain = vector_of(ps, "array.norm.weight", HEED_INIT_ONES, C);
    b->bias = vector_of(ps, "array.norm.bias", HEED_INIT_ZEROS, C);
    const heed_error *why = heed_params_error(ps);
    if (rc || why)
        return heed__error(err, why ? why->code : rc, "%s",
                           why ? why->msg : "the layer of numbers cannot be made");
    heed_params_set_trainable(ps, "array.mean", false);
    heed_params_set_trainable(ps, "array.spread", false);
    return 0;
}

void heed__beside_measure(heed_beside *b, const heed_array *x, int64_t len) {
    const int64_t F = b->in, rows = len * x->steps;
    for (int64_t k = 0; k < F; k++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < rows; i++) sum += (double)x->data[i * F + k];
        const double mean = sum / (double)rows;
        for (int64_t i = 0; i < rows; i++) {
            const double d = (double)x->data[i * F + k] - mean;
            squares += d * d;
        }
        const double spread = sqrt(squares / (double)rows);
        HEED_F32_DATA(b->mean)[k] = (float)mean;
        HEED_F32_DATA(b->spread)[k] = spread > 1e-12 && spread < 1e30 ? (float)spread : 1;
    }
}

int64_t heed__beside_dim(const heed_beside *b) {
    return !b->in ? 0 : b->sequence ? (HEADS + 1) * b->width : b->width;
}

int heed__array_check(const heed_array *x, int64_t len, heed_error *err) {
    if (x->dim < 1 || x->dim > HEED_BESIDE_MOST || x->steps < 1 || x->steps > STEPS_MOST)
        return heed__error(err, HEED_EINVALID,
                           "features: %lld in each of %lld steps, where 1 to %d of either can be "
                           "read",
                           (long long)x->dim, (long long)x->steps, HEED_BESIDE_MOST);
    if (!x->sequence && x->steps > 1)
        return heed__error(err, HEED_EINVALID,
                           "features: %lld steps of them, which are to be read as one sequence",
                           (long long)x->steps);
    if (heed__lacks_list(x->data, len, "features", "numbers", err)) return HEED_EINVALID;
    const int64_t each = x->steps * x->dim;
    for (int64_t i = 0; i < len * each; i++)
        if (!isfinite(x->data[i]))
            return heed__error(err, HEED_EINVALID,
                               "features: number %lld of text %lld is not finite",
                               (long long)(i % each), (long long)(i / each));
    return 0;
}

int heed__beside_check(const heed_beside *b, const heed_array *x, int64_t len, heed_error *err) {
    if (!b->in && !x) return 0;
    if (!b->in)
        return heed__error(err, HEED_EINVALID,
                           "classifier: this model reads texts alone, no features beside them");
    if (!x)
        return heed__error(err, HEED_EINVALID,
                           "classifier: this model reads %lld features beside each text, and none "
                           "are given",
                           (long long)b->in);
    if (x->dim != b->in)
        return heed__error(err, HEED_EINVALID,
                           "classifier: %lld features are given for a model that reads %lld",
                           (long long)x->dim, (long long)b->in);
    if (x->sequence != b->sequence)
        return heed__error(err, HEED_EINVALID,
                           b->sequence ? "classifier: this model reads features in steps"
                                       : "classifier: this model reads features without steps");
    return heed__array_check(x, len, err);
}

/* The rows, with mean 0 and spread 1: [n·T,F] */
static heed_tensor *standard(heed_ctx *cx, const heed_beside *b, const heed_array *x,
                             const int64_t *row, int64_t n) {
    const int64_t F = b->in, T = x->steps;
    const float *mean = HEED_F32_DATA(b->mean), *spread = HEED_F32_DATA(b->spread);
    heed_tensor *s = heed_new(cx, HEED_F32, 2, (int64_t[]){ n * T, F });
    for (int64_t i = 0; s && i < n * T; i++) {
        const float *from = x->data + ((row ? row[i / T] : i / T) * T + i % T) * F;
        float *to = HEED_F32_DATA(s) + i * F;
        for (int64_t k = 0; k < F; k++) {
            const float z = (from[k] - mean[k]) / spread[k];
            to[k] = z > 1e6f ? 1e6f : z < -1e6f ? -1e6f : z; /* numbers as the training had none */
        }
    }
    return heed_dropout(cx, s, (float)b->dropout);
}

/* x [n,T,D] with the sinusoids of its places */
static heed_tensor *placed(heed_ctx *cx, heed_tensor *x) {
    if (!x) return NULL;
    heed_tensor *at = heed_new(cx, HEED_F32, 2, &x->shape[1]);
    if (!at) return NULL;
    heed_sinusoids(HEED_F32_DATA(at), x->shape[1], x->shape[2], 10000);
    return heed_add(cx, x, at);
}

/* h [n,T,D] of steps x [n,T,D] */
static heed_tensor *contextual(heed_ctx *cx, const heed_beside *b, heed_tensor *x) {
    if (!x) return NULL;
    const int64_t n = x->shape[0], T = x->shape[1], D = b->width;
    heed_tensor *edge = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ n, 1, D });
    if (!edge) return NULL;
    heed_tensor *const framed[3] = { edge, x, edge };
    heed_tensor *wide = heed_concat(cx, framed, 3, 1);
    heed_tensor *const part[3] = { heed_slice(cx, wide, 1, 0, T), x,
                                   heed_slice(cx, wide, 1, 2, T + 2) };
    if (!part[0] || !part[2]) return NULL;
    wide = heed_concat(cx, part, 3, 2);
    return heed_affine_act(cx, wide, b->near.w, b->near.b, HEED_ACT_GELU, x);
}

/* [n,(H+1)·D] */
static heed_tensor *pooled(heed_ctx *cx, const heed_beside *b, heed_tensor *x) {
    heed_tensor *h = contextual(cx, b, x);
    if (!h) return NULL;
    const int64_t n = h->shape[0], T = h->shape[1];
    heed_tensor *lengths = heed_new(cx, HEED_I32, 1, &n);
    for (int64_t i = 0; lengths && i < n; i++) HEED_I32_DATA(lengths)[i] = (int32_t)T;
    heed_tensor *s = heed_softmax(cx,
                                  heed_transpose(cx, heed_linear_apply(cx, &b->query, h), 1, 2));
    heed_tensor *p = heed_matmul(cx, s, h, false, false);
    heed_tensor *const part[2] = { heed_reshape(cx, p, 2, (int64_t[]){ n, HEADS * b->width }),
                                   heed_max_pool(cx, h, lengths) };
    return part[0] && part[1] ? heed_concat(cx, part, 2, 1) : NULL;
}

heed_tensor *heed__beside_apply(heed_ctx *cx, const heed_beside *b, const heed_array *x,
                                const int64_t *row, int64_t n) {
    const int64_t T = x->steps;
    heed_tensor *y = heed_linear_apply(cx, &b->first, standard(cx, b, x, row, n));
    if (b->sequence) {
        y = heed_reshape(cx, y, 3, (int64_t[]){ n, T, b->width });
        y = pooled(cx, b, placed(cx, y));
    } else {
        y = heed_gelu(cx, y);
    }
    return heed_layer_norm(cx, y, b->gain, b->bias, 1e-5f);
}

heed_tensor *heed__beside_join(heed_ctx *cx, const heed_beside *b, const heed_array *x,
                               const int64_t *row, heed_tensor *y) {
    if (!b->in || !y) return y;
    heed_tensor *const part[2] = { y, heed__beside_apply(cx, b, x, row, y->shape[0]) };
    return part[1] ? heed_concat(cx, part, 2, 1) : NULL;
}

json_t *heed__beside_config(const heed_beside *b) {
    if (!b->in) return NULL;
    return json_pack("{s:I, s:I, s:b, s:f}", "features", (json_int_t)b->in, "width",
                     (json_int_t)b->width, "sequence", (int)b->sequence, "dropout", b->dropout);
}

int heed__beside_read(heed_beside *b, const json_t *object, const char *path, heed_error *err) {
    *b = (heed_beside){ .in = 0 };
    if (!object) return 0;
    static const char *const keys[] = { "features", "width", "sequence", "dropout", NULL };
    if (!json_is_object(object))
        return heed__error(err, HEED_EFORMAT, "%s: array is no object", path);
    heed_fields f = { .object = object, .name = path, .err = err };
    heed__fields_only(&f, keys);
    b->in = heed__field_int(&f, "features", 1, HEED_BESIDE_MOST);
    b->width = heed__field_int(&f, "width", 1, 65536);
    b->sequence = heed__field_bool(&f, "sequence");
    b->dropout = heed__field_number(&f, "dropout");
    if (!f.status && !(b->dropout >= 0 && b->dropout < 1))
        return heed__error(err, HEED_EFORMAT, "%s: array.dropout is not from 0 to below 1", path);
    return f.status;
}
