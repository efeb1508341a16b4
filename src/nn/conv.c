/* conv.c: convolution layers; first values uniform within 1/sqrt(fan in), as nn.Conv1d and 2d. */
#include "nn/part.h"

int heed_conv_init(heed_conv *c, heed_params *ps, const char *name,
                   const heed_conv_layer_cfg *cfg) {
    *c = (heed_conv){ .cfg = *cfg };
    const int64_t groups = cfg->conv.groups > 0 ? cfg->conv.groups : 1;
    if (cfg->dims != 1 && cfg->dims != 2)
        return heed_params_fail(ps, HEED_EUNSUPPORTED, "%s: convolution over %d dimensions", name,
                                cfg->dims);
    const int64_t ky = cfg->dims == 2 ? cfg->kernel[0] : 1, kx = cfg->kernel[1];
    const int64_t most = 1 << 15; /* in·ky·kx fits in int64_t */
    if (!heed__width_ok(cfg->in) || !heed__width_ok(cfg->out) || ky < 1 || ky > most || kx < 1 ||
        kx > most || cfg->in % groups || cfg->out % groups)
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: %lld to %lld channels in %lld groups, kernel %lldx%lld", name,
                                (long long)cfg->in, (long long)cfg->out, (long long)groups,
                                (long long)ky, (long long)kx);
    const int64_t in = cfg->in / groups;
    const int64_t shape2[4] = { cfg->out, in, ky, kx }, shape1[3] = { cfg->out, in, kx };
    const heed_init u = { HEED_INIT_UNIFORM, heed__bound(in * ky * kx) };
    c->w = heed__part_param(ps, name, "weight", u, cfg->dims + 2, cfg->dims == 2 ? shape2 : shape1);
    if (!cfg->no_bias) c->b = heed__part_param(ps, name, "bias", u, 1, &cfg->out);
    return heed__part_status(ps);
}

heed_tensor *heed_conv_apply(heed_ctx *cx, const heed_conv *c, heed_tensor *x) {
    return c->cfg.dims == 2 ? heed_conv2d(cx, x, c->w, c->b, &c->cfg.conv)
                            : heed_conv1d(cx, x, c->w, c->b, &c->cfg.conv);
}
