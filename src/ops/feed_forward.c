/* feed_forward.c: two linear layers with activation, dropout and residual as one operation.
 * x [..,C], U [F,C], D [O,F] -> y [..,O]
 *
 *   forward    z  = x·Uᵀ + b₁;   h = act(z) · m₁/(1 − p₁);   y = (h·Dᵀ + b₂) · m₂/(1 − p₂) + r
 *   backward   dr += dy
 *              dv  = dy · m₂/(1 − p₂);                  dD += dvᵀ·h,  db₂ += Σ dv
 *              dz  = (dv·D) · m₁/(1 − p₁) · act'(z);    dU += dzᵀ·x,  db₁ += Σ dz,  dx += dz·U
 *
 * Bits are those of affine_act, dropout and affine_drop in a row. What is one operation here knows
 * that nothing else reads h, so that its gradient becomes dz part by part as the product makes it,
 * and after a rectifier h itself says both where z was above 0 and what was dropped.
 */
#include "ops/affine.h"

#include <string.h>

typedef struct feed {
    const heed_kernels *k;
    heed_act act;
    heed__drop inner, outer;
    heed_tensor *h; /* [..,F] */
    float *z;       /* [..,F], or NULL where h stands for it */
    float *dz;      /* backward */
} feed;

enum { X, UP_W, UP_B, DOWN_W, DOWN_B, RESIDUAL, SOURCES };

/* The gradient of h becomes that of z, for other activations than the rectifier, which is a gate.
 * `after` of the product that makes it. */
static void turn_part(const void *arg, const int64_t range[4]) {
    enum { BLOCK = 512 };
    const feed *f = arg;
    const heed_map1_grad slope = heed__act_grad(f->k->math, f->act);
    const int64_t F = heed__cols(f->h), n = range[HEED_COLS];
    float part[BLOCK];
    for (int64_t i = range[HEED_ROW]; i < range[HEED_ROW] + range[HEED_ROWS]; i++) {
        const int64_t at = i * F + range[HEED_COL];
        if (f->inner.on) heed__drop_apply(&f->inner, f->dz + at, f->dz + at, n, at, false);
        for (int64_t j = 0; slope && j < n; j += BLOCK) {
            const int64_t some = n - j < BLOCK ? n - j : BLOCK;
            memset(part, 0, (size_t)some * sizeof *part);
            slope(part, f->z + at + j, f->dz + at + j, some);
            memcpy(f->dz + at + j, part, (size_t)some * sizeof *part);
        }
    }
}

/* dz of f from dv; false when memory is short. */
static bool hidden_backward(heed_ctx *cx, feed *f, const heed_tensor *down, const float *dv) {
    const int64_t rows = heed__rows(f->h), F = heed__cols(f->h), O = down->shape[0];
    f->dz = heed__alloc(cx, rows * F, sizeof(float));
    if (!f->dz) return false;
    heed_gemm g = { .m = rows, .n = F, .k = O, .a = dv, .lda = O, .ldb = F, .ldc = F };
    g.b = down->data;
    g.c = f->dz;
    if (f->act == HEED_ACT_RELU) {
        g.gate = f->h->data;
        g.gate_scale = f->inner.on ? f->inner.scale : 1;
    } else {
        g.after = turn_part;
        g.after_arg = f;
    }
    return heed__product(cx, &g);
}

static void feed_forward_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *const *src = n->src;
    feed f = *(const feed *)n->saved;
    const bool below = heed__wanted(src, DOWN_W);
    if (below || heed__wanted(src + DOWN_W, 2)) {
        const float *dv = heed__drop_back(cx, &f.outer, src[DOWN_B], n->out);
        if (!dv || !heed__affine_grads(cx, f.h, src[DOWN_W], dv)) return;
        if (below && !hidden_backward(cx, &f, src[DOWN_W], dv)) return;
    }
    heed__pass_grad(cx, src[RESIDUAL], n->out);
    if (!below) return;
    if (!heed__bias_grad(cx, src[UP_B], f.dz, heed__rows(f.h), heed__cols(f.h))) return;
    heed__affine_grads(cx, src[X], src[UP_W], f.dz);
}

static const heed_op feed_forward_op = { .name = "feed_forward",
                                         .backward = feed_forward_backward };

/* h, and z where backward will want it. */
static bool up(heed_ctx *cx, feed *f, heed_tensor *const *src) {
    heed_gemm g = heed__affine_product(src[X], src[UP_W]);
    g.bias = src[UP_B] ? src[UP_B]->data : NULL;
    g.act = f->act;
    if (f->act != HEED_ACT_NONE && f->act != HEED_ACT_RELU && heed__wants_grad(cx, DOWN_W, src)) {
        f->z = heed__alloc(cx, f->h->len, sizeof(float));
        if (!f->z) return false;
    }
    g.pre = f->z;
    heed__count(cx, src[UP_W], "matmul", 2.0 * (double)f->h->len * (double)g.k);
    return heed__affine_join(cx, &g, &f->inner, f->h, NULL);
}

static bool down(heed_ctx *cx, const feed *f, heed_tensor *y, heed_tensor *const *src) {
    heed_gemm g = heed__affine_product(f->h, src[DOWN_W]);
    g.bias = src[DOWN_B] ? src[DOWN_B]->data : NULL;
    heed__count(cx, src[DOWN_W], "matmul", 2.0 * (double)y->len * (double)g.k);
    return heed__affine_join(cx, &g, &f->outer, y, src[RESIDUAL]);
}

heed_tensor *heed_feed_forward(heed_ctx *cx, heed_tensor *x, const heed_feed_forward_cfg *cfg) {
    const heed_op *op = &feed_forward_op;
    if (!x || !cfg || !cfg->up_w || !cfg->down_w) return NULL;
    heed_tensor *const src[SOURCES] = { x,           cfg->up_w,   cfg->up_b,
                                        cfg->down_w, cfg->down_b, cfg->residual };
    feed *f = heed__alloc(cx, 1, sizeof *f);
    if (!f || !heed__act_fits(cx, op, cfg->act) ||
        !heed__affine_fits(cx, op, x, cfg->up_w, cfg->up_b))
        return NULL;
    *f = (feed){ .k = cx->k, .act = cfg->act };
    f->h = heed__affine_out(cx, op, x, cfg->up_w);
    if (!f->h || !heed__affine_fits(cx, op, f->h, cfg->down_w, cfg->down_b)) return NULL;
    heed_tensor *y = heed__affine_out(cx, op, f->h, cfg->down_w);
    if (!y || !heed__residual_fits(cx, op, y, cfg->residual) ||
        !heed__drop_begin(cx, op, cfg->dropout, &f->inner) ||
        !heed__drop_begin(cx, op, cfg->out_dropout, &f->outer) || !up(cx, f, src) ||
        !down(cx, f, y, src))
        return NULL;
    return heed_record(cx, op, y, SOURCES, src, f);
}
