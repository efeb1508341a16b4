/* dropout.c: inverted dropout (Srivastava et al. 2014).   x [..] -> y [..]
 *
 *   forward    y  = x · m / (1 − p),  m is 0 with probability p, else 1
 *   backward   dx += dy · m / (1 − p)
 *
 * m is a function of (seed, stream, element), see math.h, and is made again in backward.
 */
#include "ops/drop.h"

enum { BLOCK = 4096 }; /* a multiple of 128: no block of random bits is made twice */

typedef struct pass {
    const heed__drop *drop;
    float *y;
    const float *x;
    int64_t len;
    bool accumulate;
} pass;

static void pass_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const pass *p = arg;
    const int64_t first = begin * BLOCK, past = end * BLOCK < p->len ? end * BLOCK : p->len;
    (void)worker;
    heed__drop_apply(p->drop, p->y + first, p->x + first, past - first, first, p->accumulate);
}

static void run(heed_ctx *cx, pass *p) {
    heed__parallel(cx, (p->len + BLOCK - 1) / BLOCK, 4 * BLOCK, pass_blocks, p);
}

static void dropout_backward(heed_ctx *cx, const heed_node *n) {
    float beta, *dx = heed__grad_beta(cx, n->src[0], &beta);
    pass p = { .drop = n->saved, .y = dx, .x = n->out->grad, .len = n->out->len };
    p.accumulate = beta != 0;
    if (dx) run(cx, &p);
}

static const heed_op dropout_op = { .name = "dropout", .backward = dropout_backward };

heed_tensor *heed_dropout(heed_ctx *cx, heed_tensor *x, float p) {
    heed__drop d;
    if (!x || !heed__is_f32(cx, &dropout_op, "x", x) || !heed__drop_begin(cx, &dropout_op, p, &d))
        return NULL;
    if (!d.on) return x;
    heed_tensor *y = heed__like(cx, x);
    heed__drop *kept = y ? heed__alloc(cx, 1, sizeof *kept) : NULL;
    if (!kept) return NULL;
    *kept = d;
    run(cx, &(pass){ .drop = kept, .y = y->data, .x = x->data, .len = x->len });
    return heed__record1(cx, &dropout_op, y, x, kept);
}
