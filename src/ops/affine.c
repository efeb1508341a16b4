/* affine.c: a linear layer's arithmetic.   x [..,I], w [O,I], b [O] or NULL -> y [..,O]
 *
 *   forward    y  = x·Wᵀ + b
 *   backward   dx += dy·W
 *              dW += dyᵀ·x   shards of 1024 rows, see gemm.h
 *              db += Σ dy    the same
 */
#include "ops/affine.h"

bool heed__affine_fits(heed_ctx *cx, const heed_op *op, const heed_tensor *x, const heed_tensor *w,
                       const heed_tensor *b) {
    char tx[96], tw[96];
    if (!heed__is_f32(cx, op, "x", x) || !heed__is_f32(cx, op, "w", w) ||
        (b && !heed__is_f32(cx, op, "b", b)))
        return false;
    if (x->ndim < 1 || w->ndim != 2 || w->shape[1] != heed__cols(x)) {
        heed_fail(cx, HEED_ESHAPE, "%s: x %s and w %s do not chain: x is [..,I], w [O,I]", op->name,
                  heed_shape_text(x, tx), heed_shape_text(w, tw));
        return false;
    }
    if (b && (b->ndim != 1 || b->shape[0] != w->shape[0])) {
        heed_fail(cx, HEED_ESHAPE, "%s: b %s does not belong to w %s", op->name,
                  heed_shape_text(b, tx), heed_shape_text(w, tw));
        return false;
    }
    return true;
}

bool heed__residual_fits(heed_ctx *cx, const heed_op *op, const heed_tensor *y,
                         const heed_tensor *residual) {
    char ty[96], tr[96];
    if (!residual) return true;
    if (!heed__is_f32(cx, op, "residual", residual)) return false;
    if (heed__same_shape(y, residual)) return true;
    heed_fail(cx, HEED_ESHAPE, "%s: residual %s is not of the result's shape %s", op->name,
              heed_shape_text(residual, tr), heed_shape_text(y, ty));
    return false;
}

heed_tensor *heed__affine_out(heed_ctx *cx, const heed_op *op, const heed_tensor *x,
                              const heed_tensor *w) {
    int64_t shape[HEED_MAX_NDIM];
    for (int d = 0; d < x->ndim; d++) shape[d] = x->shape[d];
    shape[x->ndim - 1] = w->shape[0];
    return heed__out(cx, op, x->ndim, shape);
}

heed_gemm heed__affine_product(const heed_tensor *x, const heed_tensor *w) {
    const int64_t out = w->shape[0], in = w->shape[1];
    return (heed_gemm){ .m = heed__rows(x),
                        .n = out,
                        .k = in,
                        .a = x->data,
                        .lda = in,
                        .b = w->data,
                        .ldb = in,
                        .tb = true,
                        .packed = w->packed,
                        .ldc = out };
}

bool heed__affine_join(heed_ctx *cx, heed_gemm *g, const heed__drop *drop, heed_tensor *y,
                       const heed_tensor *residual) {
    const float *r = residual ? residual->data : NULL;
    const heed__join join = { drop, y->data, r, heed__cols(y) };
    g->c = y->data;
    if (drop->on) {
        g->after = heed__join_part;
        g->after_arg = &join;
    } else {
        g->residual = r;
        g->ldr = g->ldc;
    }
    return heed__product(cx, g);
}

/* dW first: dx is what the walk reads next, and so it is still in the caches. */
bool heed__affine_grads(heed_ctx *cx, heed_tensor *x, heed_tensor *w, const float *dz) {
    const int64_t rows = heed__rows(x), out = w->shape[0], in = w->shape[1];
    float beta, *dw = heed__grad_beta(cx, w, &beta);
    heed_gemm g = { .a = dz, .lda = out, .ldb = in, .ldc = in, .n = in };
    if (dw) { // dW = dzᵀ·x
        g.m = out;
        g.k = rows;
        g.b = x->data;
        g.ta = true;
        g.c = dw;
        g.accumulate = beta != 0;
        g.shard = HEED_GEMM_SHARD;
        if (!heed__product(cx, &g)) return false;
    }
    float *dx = heed__grad_beta(cx, x, &beta);
    if (!dx) return true;
    g.m = rows; // dx = dz·W
    g.k = out;
    g.b = w->data;
    g.ta = false;
    g.c = dx;
    g.accumulate = beta != 0;
    g.shard = 0;
    return heed__product(cx, &g);
}

static void affine_backward(heed_ctx *cx, const heed_node *n) {
    const float *dy = n->out->grad;
    if (!heed__bias_grad(cx, n->src[2], dy, heed__rows(n->out), heed__cols(n->out))) return;
    heed__affine_grads(cx, n->src[0], n->src[1], dy);
}

static const heed_op affine_op = { .name = "affine", .backward = affine_backward };

heed_tensor *heed_affine(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b) {
    if (!x || !w || !heed__affine_fits(cx, &affine_op, x, w, b)) return NULL;
    heed_tensor *y = heed__affine_out(cx, &affine_op, x, w);
    if (!y) return NULL;
    heed_gemm g = heed__affine_product(x, w);
    g.c = y->data;
    g.bias = b ? b->data : NULL;
    heed__count(cx, w, "matmul", 2.0 * (double)y->len * (double)g.k);
    if (!heed__product(cx, &g)) return NULL;
    return heed__record3(cx, &affine_op, y, x, w, b, NULL);
}
