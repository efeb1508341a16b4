/* affine_drop.c: a linear layer, dropout, and a residual, in one pass: how every part of a
 * Transformer ends.   x [..,I], w [O,I], b [O] or NULL, residual [..,O] or NULL -> y [..,O]
 *
 *   forward    y  = (x·Wᵀ + b) · m/(1 − p) + r
 *   backward   dr += dy
 *              dz  = dy · m/(1 − p);   dx += dz·W,  dW += dzᵀ·x,  db += Σ dz
 *
 * m is that of heed_dropout, and so are the bits; each part of the product gets it as soon as it is
 * finished.
 */
#include "ops/affine.h"

static void affine_drop_backward(heed_ctx *cx, const heed_node *n) {
    if (heed__wanted(n->src, 3)) {
        const float *dz = heed__drop_back(cx, n->saved, n->src[2], n->out);
        if (!dz || !heed__affine_grads(cx, n->src[0], n->src[1], dz)) return;
    }
    heed__pass_grad(cx, n->src[3], n->out);
}

static const heed_op affine_drop_op = { .name = "affine_drop", .backward = affine_drop_backward };

heed_tensor *heed_affine_drop(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b, float p,
                              heed_tensor *residual) {
    heed__drop d;
    if (!x || !w || !heed__affine_fits(cx, &affine_drop_op, x, w, b)) return NULL;
    heed_tensor *y = heed__affine_out(cx, &affine_drop_op, x, w);
    if (!y || !heed__residual_fits(cx, &affine_drop_op, y, residual) ||
        !heed__drop_begin(cx, &affine_drop_op, p, &d))
        return NULL;
    heed__drop *kept = heed__alloc(cx, 1, sizeof *kept);
    if (!kept) return NULL;
    *kept = d;
    heed_gemm g = heed__affine_product(x, w);
    g.bias = b ? b->data : NULL;
    if (!heed__affine_join(cx, &g, kept, y, residual)) return NULL;
    heed__count(cx, w, "matmul", 2.0 * (double)y->len * (double)g.k);
    return heed_record(cx, &affine_drop_op, y, 4, (heed_tensor *[]){ x, w, b, residual }, kept);
}
