/* reshape.c: the same numbers in another shape.   x [..] -> y [..]
 *
 *   forward    y is a view of x: nothing is copied, and its gradient is x's
 */
#include "ops/op.h"

static const heed_op reshape_op = { .name = "reshape" };

static heed_tensor *refuse(heed_ctx *cx, const heed_tensor *x, int ndim, const int64_t *shape) {
    char text[96], wanted[96];
    heed_tensor t = { .ndim = ndim };
    for (int d = 0; d < ndim; d++) t.shape[d] = shape[d];
    return heed_fail(cx, HEED_ESHAPE, "reshape: %s does not become %s", heed_shape_text(x, text),
                     heed_shape_text(&t, wanted));
}

/* Writes shape into full with its one -1 resolved; false where that cannot be. */
static bool resolve(int64_t len, int ndim, const int64_t *shape, int64_t *full) {
    int64_t rest = 1;
    int open = -1;
    for (int d = 0; d < ndim; d++) {
        full[d] = shape[d];
        if (shape[d] == -1 && open >= 0) return false;
        if (shape[d] == -1)
            open = d;
        else if (shape[d] < 0 || __builtin_mul_overflow(rest, shape[d], &rest))
            return false;
    }
    if (open < 0) return rest == len;
    if (!rest || len % rest) return false;
    full[open] = len / rest;
    return true;
}

heed_tensor *heed_reshape(heed_ctx *cx, heed_tensor *x, int ndim, const int64_t *shape) {
    int64_t full[HEED_MAX_NDIM];
    if (!x) return NULL;
    if (ndim < 0 || ndim > HEED_MAX_NDIM || (ndim && !shape))
        return heed_fail(cx, HEED_ESHAPE, "%s: a shape of %d axes; 0 to %d are allowed",
                         reshape_op.name, ndim, HEED_MAX_NDIM);
    if (!resolve(x->len, ndim, shape, full)) return refuse(cx, x, ndim, shape);
    return heed__view(cx, x, 0, ndim, full);
}
