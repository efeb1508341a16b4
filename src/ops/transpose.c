/* transpose.c: two axes change places.   x [P,A,Q,B,N] -> y [P,B,Q,A,N]   (P, Q, N: axes around)
 *
 *   forward    y[p,b,q,a,:] = x[p,a,q,b,:]
 *   backward   dx[p,a,q,b,:] += dy[p,b,q,a,:]
 */
#include "ops/op.h"

#include <string.h>

enum { TILE = 16 };

/* y [p,b,q,a,n] = x [p,a,q,b,n] */
typedef struct swap {
    const heed_math_kernels *k;
    int64_t p, a, q, b, n;
    float *y, beta;
    const float *x;
} swap;

static void put(const swap *s, float *y, const float *x) {
    if (s->n == 1)
        *y = s->beta != 0 ? *y + *x : *x;
    else if (s->beta != 0)
        s->k->add(y, y, x, s->n);
    else
        memcpy(y, x, (size_t)s->n * sizeof *y);
}

/* One unit is a row (p,b,q) of tiles of TILE b's; within, all a's: reads run along b in a tile. */
static void swap_units(void *arg, int64_t begin, int64_t end, int worker) {
    const swap *s = arg;
    const int64_t tiles = (s->b + TILE - 1) / TILE;
    (void)worker;
    for (int64_t u = begin; u < end; u++) {
        const int64_t p = u / (s->q * tiles), q = u / tiles % s->q, b0 = u % tiles * TILE;
        const int64_t b1 = b0 + TILE < s->b ? b0 + TILE : s->b;
        for (int64_t a0 = 0; a0 < s->a; a0 += TILE) {
            const int64_t a1 = a0 + TILE < s->a ? a0 + TILE : s->a;
            for (int64_t b = b0; b < b1; b++)
                for (int64_t a = a0; a < a1; a++)
                    put(s, s->y + (((p * s->b + b) * s->q + q) * s->a + a) * s->n,
                        s->x + (((p * s->a + a) * s->q + q) * s->b + b) * s->n);
        }
    }
}

static void run(heed_ctx *cx, swap *s) {
    const int64_t tiles = (s->b + TILE - 1) / TILE;
    s->k = cx->k->math;
    if (s->a && s->b && s->q && s->n)
        heed__parallel(cx, s->p * s->q * tiles, 2 * TILE * s->a * s->n, swap_units, s);
}

static void transpose_backward(heed_ctx *cx, const heed_node *n) {
    swap s = *(const swap *)n->saved;
    const int64_t a = s.a;
    s.a = s.b;
    s.b = a;
    s.x = n->out->grad;
    s.y = heed__grad_beta(cx, n->src[0], &s.beta);
    if (s.y) run(cx, &s);
}

static const heed_op transpose_op = { .name = "transpose", .backward = transpose_backward };

heed_tensor *heed_transpose(heed_ctx *cx, heed_tensor *x, int axis_a, int axis_b) {
    char text[96];
    if (!cx || !x || !heed__is_f32(cx, &transpose_op, "x", x)) return NULL;
    const int first = axis_a < axis_b ? axis_a : axis_b, last = axis_a < axis_b ? axis_b : axis_a;
    if (first < 0 || last >= x->ndim)
        return heed_fail(cx, HEED_EINVALID, "transpose: %s has no axis %d",
                         heed_shape_text(x, text), first < 0 ? first : last);
    if (first == last) return x;
    int64_t shape[HEED_MAX_NDIM];
    swap s = { .p = 1, .a = x->shape[first], .q = 1, .b = x->shape[last], .n = 1 };
    for (int d = 0; d < x->ndim; d++) {
        shape[d] = x->shape[d == first ? last : d == last ? first : d];
        if (d < first) s.p *= x->shape[d];
        if (d > first && d < last) s.q *= x->shape[d];
        if (d > last) s.n *= x->shape[d];
    }
    heed_tensor *y = heed__out(cx, &transpose_op, x->ndim, shape);
    swap *saved = y ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    s.x = x->data;
    s.y = y->data;
    *saved = s;
    run(cx, &s);
    return heed__record1(cx, &transpose_op, y, x, saved);
}
