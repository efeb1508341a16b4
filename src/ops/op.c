/* op.c: checks and functions of each element; see op.h. */
#include "ops/op.h"

#include <string.h>

enum { BLOCK = 2048 }; /* floats: two or three blocks stay in the first-level cache */

bool heed__is_dtype(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *t,
                    heed_dtype dtype) {
    char text[96];
    if (!cx) return false;
    if (t->dtype == dtype) return true;
    heed_fail(cx, HEED_ESHAPE, "%s: %s must be %s, not %s %s", op->name, what,
              heed_dtype_name(dtype), heed_dtype_name(t->dtype), heed_shape_text(t, text));
    return false;
}

bool heed__is_f32(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *t) {
    return heed__is_dtype(cx, op, what, t, HEED_F32);
}

bool heed__are_alike(heed_ctx *cx, const heed_op *op, const heed_tensor *a, const heed_tensor *b) {
    char ta[96], tb[96];
    if (!heed__is_f32(cx, op, "the first", a) || !heed__is_f32(cx, op, "the second", b))
        return false;
    if (heed__same_shape(a, b)) return true;
    heed_fail(cx, HEED_ESHAPE, "%s: %s and %s differ in shape", op->name, heed_shape_text(a, ta),
              heed_shape_text(b, tb));
    return false;
}

heed_tensor *heed__out(heed_ctx *cx, const heed_op *op, int ndim, const int64_t *shape) {
    int64_t len = 1;
    for (int d = 0; d < ndim; d++)
        if (!shape[d]) return heed_new(cx, HEED_F32, ndim, shape);
    for (int d = 0; d < ndim; d++)
        if (__builtin_mul_overflow(len, shape[d], &len) || len > INT64_MAX / 8)
            return heed_fail(cx, HEED_ESHAPE, "%s: the result would be too large", op->name);
    return heed_new(cx, HEED_F32, ndim, shape);
}

bool heed__wanted(heed_tensor *const *src, int count) {
    for (int i = 0; i < count; i++)
        if (src[i] && src[i]->needs_grad) return true;
    return false;
}

/* -- functions of each element */

typedef struct map_arg {
    heed_map1 f1;
    heed_map2 f2;
    float *y;
    const float *a, *b;
} map_arg;

static void map1_range(void *arg, int64_t begin, int64_t end, int worker) {
    const map_arg *m = arg;
    (void)worker;
    m->f1(m->y + begin, m->a + begin, end - begin);
}

static void map2_range(void *arg, int64_t begin, int64_t end, int worker) {
    const map_arg *m = arg;
    (void)worker;
    m->f2(m->y + begin, m->a + begin, m->b + begin, end - begin);
}

void heed__map1(heed_ctx *cx, heed_map1 f, int64_t cost, float *y, const float *x, int64_t n) {
    heed__parallel(cx, n, cost, map1_range, &(map_arg){ .f1 = f, .y = y, .a = x });
}

void heed__map2(heed_ctx *cx, heed_map2 f, float *y, const float *a, const float *b, int64_t n) {
    heed__parallel(cx, n, 1, map2_range, &(map_arg){ .f2 = f, .y = y, .a = a, .b = b });
}

static void map_grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const heed_map_grad *g = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        if (g->beta == 0) memset(g->dx + i, 0, (size_t)n * sizeof *g->dx);
        g->f(g->dx + i, g->a + i, g->b + i, n);
    }
}

void heed__map_grad(heed_ctx *cx, const heed_map_grad *g) {
    heed_map_grad copy = *g;
    heed__parallel(cx, g->n, g->cost ? g->cost : 1, map_grad_range, &copy);
}

typedef struct axpy_arg {
    const heed_math_kernels *k;
    float *dx, beta, a;
    const float *dy;
} axpy_arg;

static void axpy_range(void *arg, int64_t begin, int64_t end, int worker) {
    const axpy_arg *g = arg;
    const size_t size = (size_t)(end - begin) * sizeof(float);
    (void)worker;
    if (g->beta != 0)
        g->k->axpy(g->dx + begin, g->a, g->dy + begin, end - begin);
    else if (g->a == 1)
        memcpy(g->dx + begin, g->dy + begin, size);
    else
        g->k->axpby(g->dx + begin, g->a, g->dy + begin, 0, end - begin);
}

void heed__axpy_grad(heed_ctx *cx, float *dx, float beta, float a, const float *dy, int64_t n) {
    heed__parallel(cx, n, 1, axpy_range,
                   &(axpy_arg){ .k = cx->k->math, .dx = dx, .beta = beta, .a = a, .dy = dy });
}

void heed__pass_grad(heed_ctx *cx, heed_tensor *x, heed_tensor *out) {
    if (heed__grad_pass(x, out)) return;
    float beta, *dx = heed__grad_beta(cx, x, &beta);
    if (dx) heed__axpy_grad(cx, dx, beta, 1, out->grad, out->len);
}

heed_tensor *heed__unary(heed_ctx *cx, const heed_op *op, heed_tensor *x, heed_map1 f,
                         int64_t cost) {
    if (!x || !heed__is_f32(cx, op, "x", x)) return NULL;
    heed_tensor *y = heed__like(cx, x);
    if (!y) return NULL;
    heed__map1(cx, f, cost, y->data, x->data, x->len);
    return heed__record1(cx, op, y, x, NULL);
}

void heed__unary_backward(heed_ctx *cx, const heed_node *n, heed_map1_grad f, const void *at) {
    float beta, *dx = heed__grad_beta(cx, n->src[0], &beta);
    if (!dx) return;
    heed__map_grad(cx, &(heed_map_grad){ .f = f,
                                         .dx = dx,
                                         .beta = beta,
                                         .a = at,
                                         .b = n->out->grad,
                                         .n = n->out->len,
                                         .cost = 4 });
}
