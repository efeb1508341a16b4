/* pooling.c: a sequence as one vector: mean, max, first step, or attention with one learned vector,
 * α = softmax(x·w), y = Σ α_t x_t. */
#include "nn/part.h"
#include "tensor/ctx.h"

#include <math.h>

int heed_pooling_init(heed_pooling *p, heed_params *ps, const char *name, heed_pooling_kind kind,
                      int64_t dim) {
    *p = (heed_pooling){ .kind = kind };
    if ((unsigned)kind > HEED_POOLING_ATTENTION)
        return heed_params_fail(ps, HEED_EINVALID, "%s: there is no kind %d of pooling", name,
                                (int)kind);
    if (kind != HEED_POOLING_ATTENTION) return 0;
    if (dim < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: pooling over width %lld is none", name,
                                (long long)dim);
    const heed_init u = { HEED_INIT_UNIFORM, heed__bound(dim) };
    p->w = heed__part_param(ps, name, "weight", u, 2, (int64_t[]){ 1, dim });
    return heed__part_status(ps);
}

/* 0 where step t is valid, minus infinity past each length: [B,T]. */
static heed_tensor *length_mask(heed_ctx *cx, const heed_tensor *lengths, int64_t B, int64_t T) {
    heed_tensor *mask = heed_new(cx, HEED_F32, 2, (int64_t[]){ B, T });
    if (!mask) return NULL;
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = HEED_I32_DATA(lengths)[b];
        if (n < 0 || n > T)
            return heed_fail(cx, HEED_EINVALID,
                             "pooling: length %lld of row %lld is outside 0..%lld", (long long)n,
                             (long long)b, (long long)T);
        for (int64_t t = 0; t < T; t++) HEED_F32_DATA(mask)[b * T + t] = t < n ? 0 : -INFINITY;
    }
    return mask;
}

static heed_tensor *attend(heed_ctx *cx, const heed_pooling *p, heed_tensor *x,
                           heed_tensor *lengths, heed_tensor **weights) {
    const int64_t B = x->shape[0], T = x->shape[1], C = x->shape[2];
    heed_tensor *score = heed_reshape(cx, heed_affine(cx, x, p->w, NULL), 2, (int64_t[]){ B, T });
    if (lengths) score = heed_add(cx, score, length_mask(cx, lengths, B, T));
    heed_tensor *a = heed_softmax(cx, score);
    if (weights) *weights = a;
    heed_tensor *row = heed_reshape(cx, a, 3, (int64_t[]){ B, 1, T });
    return heed_reshape(cx, heed_matmul(cx, row, x, false, false), 2, (int64_t[]){ B, C });
}

heed_tensor *heed_pooling_apply(heed_ctx *cx, const heed_pooling *p, heed_tensor *x,
                                heed_tensor *lengths, heed_tensor **weights) {
    char a[96], b[96];
    if (weights) *weights = NULL;
    if (!x) return NULL;
    if (x->ndim != 3 || (lengths && (lengths->dtype != HEED_I32 || lengths->len != x->shape[0])))
        return heed_fail(cx, HEED_ESHAPE, "pooling: x %s and lengths %s are not [B,T,C], i32 [B]",
                         heed_shape_text(x, a), lengths ? heed_shape_text(lengths, b) : "none");
    switch (p->kind) {
    case HEED_POOLING_MEAN:
        return heed_mean_pool(cx, x, lengths);
    case HEED_POOLING_MAX:
        return heed_max_pool(cx, x, lengths);
    case HEED_POOLING_ATTENTION:
        return attend(cx, p, x, lengths, weights);
    case HEED_POOLING_CLS:
        break;
    }
    return heed_reshape(cx, heed_slice(cx, x, 1, 0, 1), 2, (int64_t[]){ x->shape[0], x->shape[2] });
}
