/* dropout.c: inverted dropout (Srivastava et al. 2014).   x [..] -> y [..]
 *
 *   forward    y  = x · m / (1 − p),  m is 0 with probability p, else 1
 *   backward   dx += dy · m / (1 − p)
 *
 * m is a function of (seed, stream, element), see math.h, and is made again in backward.
 */
#include "ops/op.h"

enum { BLOCK = 4096 }; /* a multiple of 128, as the kernel wants its first element to be */

typedef struct drop {
    const heed_math_kernels *k;
    float *y;
    const float *x;
    int64_t len;
    uint64_t seed, stream;
    uint32_t limit;
    float scale;
    bool accumulate;
} drop;

static void dropout_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const drop *d = arg;
    const int64_t first = begin * BLOCK, past = end * BLOCK < d->len ? end * BLOCK : d->len;
    (void)worker;
    d->k->dropout(d->y + first, d->x + first, past - first, d->seed, d->stream, first, d->limit,
                  d->scale, d->accumulate);
}

static void run(heed_ctx *cx, drop *d) {
    heed__parallel(cx, (d->len + BLOCK - 1) / BLOCK, 4 * BLOCK, dropout_blocks, d);
}

static void dropout_backward(heed_ctx *cx, const heed_node *n) {
    drop d = *(const drop *)n->saved;
    float beta;
    d.x = n->out->grad;
    d.y = heed__grad_beta(cx, n->src[0], &beta);
    d.accumulate = beta != 0;
    if (d.y) run(cx, &d);
}

static const heed_op dropout_op = { .name = "dropout", .backward = dropout_backward };

heed_tensor *heed_dropout(heed_ctx *cx, heed_tensor *x, float p) {
    if (!x || !heed__is_f32(cx, &dropout_op, "x", x)) return NULL;
    if (!(p >= 0 && p <= 1))
        return heed_fail(cx, HEED_EINVALID, "dropout: p = %g is not within 0..1", (double)p);
    if (!cx->train || p == 0) return x;
    heed_tensor *y = heed__like(cx, x);
    drop *d = y ? heed__alloc(cx, 1, sizeof *d) : NULL;
    if (!d) return NULL;
    *d = (drop){ .k = cx->k->math, .y = y->data, .x = x->data, .len = x->len, .seed = cx->seed };
    d->stream = heed__stream(cx);
    d->limit = (uint32_t)(p * 65536.0F + 0.5F);
    d->scale = p < 1 ? 1 / (1 - p) : 0;
    run(cx, d);
    return heed__record1(cx, &dropout_op, y, x, d);
}
