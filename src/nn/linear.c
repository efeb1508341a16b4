/* linear.c: the linear layer, norms, and feed-forward. */
#include "nn/part.h"
#include "tensor/params.h"

int heed_linear_init_cfg(heed_linear *l, heed_params *ps, const char *name,
                         const heed_linear_cfg *cfg) {
    const heed_init plain = { HEED_INIT_UNIFORM, heed__bound(cfg->in) };
    *l = (heed_linear){ 0 };
    if (cfg->in < 1 || cfg->out < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: a linear layer from %lld to %lld is none",
                                name, (long long)cfg->in, (long long)cfg->out);
    l->w = heed__part_param(ps, name, "weight", cfg->weight ? *cfg->weight : plain, 2,
                            (int64_t[]){ cfg->out, cfg->in });
    if (l->w) heed__param_is_weight(l->w);
    if (!cfg->no_bias)
        l->b = heed__part_param(ps, name, "bias", cfg->bias ? *cfg->bias : plain, 1, &cfg->out);
    return heed__part_status(ps);
}

int heed_linear_init(heed_linear *l, heed_params *ps, const char *name, int64_t in, int64_t out) {
    return heed_linear_init_cfg(l, ps, name, &(heed_linear_cfg){ .in = in, .out = out });
}

heed_tensor *heed_linear_apply(heed_ctx *cx, const heed_linear *l, heed_tensor *x) {
    return heed_affine(cx, x, l->w, l->b);
}

int heed_norm_init(heed_norm *n, heed_params *ps, const char *name, const heed_norm_cfg *cfg) {
    *n = (heed_norm){ .rms = cfg->rms, .eps = cfg->eps > 0 ? cfg->eps : 1e-5f };
    if (cfg->dim < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: a norm over %lld numbers is none", name,
                                (long long)cfg->dim);
    if (!(cfg->eps >= 0 && cfg->eps < 1e30F))
        return heed_params_fail(ps, HEED_EINVALID, "%s: eps = %g is negative or no number", name,
                                (double)cfg->eps);
    n->gain = heed__part_param(ps, name, "weight", (heed_init){ HEED_INIT_ONES, 0 }, 1, &cfg->dim);
    if (!cfg->rms && !cfg->no_bias)
        n->bias = heed__part_param(ps, name, "bias", (heed_init){ HEED_INIT_ZEROS, 0 }, 1,
                                   &cfg->dim);
    return heed__part_status(ps);
}

heed_tensor *heed_norm_apply(heed_ctx *cx, const heed_norm *n, heed_tensor *x) {
    return n->rms ? heed_rms_norm(cx, x, n->gain, n->eps)
                  : heed_layer_norm(cx, x, n->gain, n->bias, n->eps);
}

int heed_ff_init(heed_ff *f, heed_params *ps, const char *name, const heed_ff_cfg *cfg) {
    char part[HEED_PART_SIZE];
    *f = (heed_ff){ .act = cfg->act, .gated = cfg->gated, .dropout = cfg->dropout };
    if (!f->gated && f->act == HEED_ACT_NONE) f->act = HEED_ACT_RELU;
    if ((unsigned)f->act > HEED_ACT_SILU)
        return heed_params_fail(ps, HEED_EINVALID, "%s: there is no activation %d", name,
                                (int)f->act);
    if (f->gated && f->act != HEED_ACT_NONE && f->act != HEED_ACT_SILU)
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: a gated feed-forward exists with SiLU only", name);
    const heed_linear_cfg up = { .in = cfg->dim, .out = cfg->hidden, .no_bias = cfg->no_bias };
    const heed_linear_cfg down = { .in = cfg->hidden, .out = cfg->dim, .no_bias = cfg->no_bias };
    heed_linear_init_cfg(&f->up, ps, heed__part(ps, part, name, "up"), &up);
    if (f->gated) heed_linear_init_cfg(&f->gate, ps, heed__part(ps, part, name, "gate"), &up);
    return heed_linear_init_cfg(&f->down, ps, heed__part(ps, part, name, "down"), &down);
}

heed_tensor *heed__ff_join(heed_ctx *cx, const heed_ff *f, heed_tensor *x, heed_tensor *residual,
                           float p) {
    if (!f->gated)
        return heed_feed_forward(cx, x,
                                 &(heed_feed_forward_cfg){ .up_w = f->up.w,
                                                           .up_b = f->up.b,
                                                           .down_w = f->down.w,
                                                           .down_b = f->down.b,
                                                           .residual = residual,
                                                           .act = f->act,
                                                           .dropout = f->dropout,
                                                           .out_dropout = p });
    /* two statements: the order on the tape is the order in which x's gradients are summed, and
     * compilers differ in which of two arguments they compute first */
    heed_tensor *up = heed_linear_apply(cx, &f->up, x);
    heed_tensor *gate = heed_linear_apply(cx, &f->gate, x);
    heed_tensor *h = heed_dropout(cx, heed_swiglu(cx, gate, up), f->dropout);
    return heed_affine_drop(cx, h, f->down.w, f->down.b, p, residual);
}

heed_tensor *heed_ff_apply(heed_ctx *cx, const heed_ff *f, heed_tensor *x) {
    return heed__ff_join(cx, f, x, NULL, 0);
}
