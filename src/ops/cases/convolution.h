/* convolution.h: a plain convolution in double, for the references of conv1d and conv2d. */
#ifndef HEED_OPS_CASES_CONVOLUTION_H
#define HEED_OPS_CASES_CONVOLUTION_H

#include "ops/cases/cases.h"

/* in: x, w, b (or absent); cfg: heed_conv_cfg or NULL; dims 1 or 2. */
static inline void convolution_reference(const heed_case *c, const double *const *in, double *out,
                                         int dims) {
    const heed_conv_cfg none = { 0 }, *g = c->cfg ? c->cfg : &none;
    const int64_t *xs = c->in[0].shape, *ws = c->in[1].shape, *os = c->out.shape;
    const int64_t I = ws[1], O = ws[0], groups = g->groups ? g->groups : 1;
    const int64_t h = dims == 2 ? xs[2] : 1, w = xs[dims + 1], kh = dims == 2 ? ws[2] : 1;
    const int64_t kw = ws[dims + 1], oh = dims == 2 ? os[2] : 1, ow = os[dims + 1];
    const int64_t sy = dims == 2 && g->stride[0] ? g->stride[0] : 1;
    const int64_t sx = g->stride[1] ? g->stride[1] : 1;
    const int64_t dy = dims == 2 && g->dilation[0] ? g->dilation[0] : 1;
    const int64_t dx = g->dilation[1] ? g->dilation[1] : 1;
    const int64_t py = dims == 2 ? g->padding[0] : 0, px = g->padding[1];
    for (int64_t n = 0; n < xs[0] * O * oh * ow; n++) {
        const int64_t u = n / ow % oh, v = n % ow, o = n / ow / oh % O, b = n / ow / oh / O;
        double sum = in[2] ? in[2][o] : 0;
        for (int64_t k = 0; k < I * kh * kw; k++) {
            const int64_t i = k / kw / kh + o / (O / groups) * I;
            const int64_t y = u * sy + k / kw % kh * dy - py, x = v * sx + k % kw * dx - px;
            if (y >= 0 && y < h && x >= 0 && x < w)
                sum += in[1][o * I * kh * kw + k] * in[0][((b * I * groups + i) * h + y) * w + x];
        }
        out[n] = sum;
    }
}

#endif
