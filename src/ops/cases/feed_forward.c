/* feed_forward.c: cases of heed_feed_forward. */
#include "ops/cases/affine.h"

enum { X, UP_W, UP_B, DOWN_W, DOWN_B, RESIDUAL, INPUTS };

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_feed_forward(cx, in[X],
                             &(heed_feed_forward_cfg){ .up_w = in[UP_W],
                                                       .up_b = in[UP_B],
                                                       .down_w = in[DOWN_W],
                                                       .down_b = in[DOWN_B],
                                                       .residual = in[RESIDUAL],
                                                       .act = (heed_act)c->i[0],
                                                       .dropout = (float)c->f[0],
                                                       .out_dropout = (float)c->f[1] });
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    enum { MOST = 300 };
    const int64_t C = heed_case_cols(c, X), F = heed_case_rows(c, UP_W);
    const int64_t O = heed_case_rows(c, DOWN_W);
    const double p = (double)(float)c->f[0], q = (double)(float)c->f[1];
    const uint64_t inner = heed_case_stream(0), outer = heed_case_stream(p > 0);
    double h[MOST];
    for (int64_t r = 0; r < heed_case_rows(c, X); r++) {
        for (int64_t f = 0; f < F; f++) {
            double z = in[UP_B] ? in[UP_B][f] : 0;
            for (int64_t i = 0; i < C; i++) z += in[X][r * C + i] * in[UP_W][f * C + i];
            h[f] = heed_case_kept(inner, r * F + f, p) ? affine_activate(c->i[0], z) / (1 - p) : 0;
        }
        for (int64_t o = 0; o < O; o++) {
            double y = in[DOWN_B] ? in[DOWN_B][o] : 0;
            for (int64_t f = 0; f < F; f++) y += h[f] * in[DOWN_W][o * F + f];
            y = heed_case_kept(outer, r * O + o, q) ? y / (1 - q) : 0;
            out[r * O + o] = y + (in[RESIDUAL] ? in[RESIDUAL][r * O + o] : 0);
        }
    }
}

static heed_case sized(const int64_t size[4], heed_act act, double p, double q) {
    const int64_t rows = size[0], in = size[1], hidden = size[2], out = size[3];
    heed_case c = { .apply = apply, .reference = reference, .count = INPUTS, .i = { act } };
    c.f[0] = p;
    c.f[1] = q;
    c.in[X] = (heed_case_input){ HEED_DIMS(rows, in) };
    c.in[UP_W] = (heed_case_input){ HEED_DIMS(hidden, in), .lo = -0.5, .hi = 0.5 };
    c.in[UP_B] = (heed_case_input){ HEED_DIMS(hidden), .optional = true };
    c.in[DOWN_W] = (heed_case_input){ HEED_DIMS(out, hidden), .lo = -0.5, .hi = 0.5 };
    c.in[DOWN_B] = (heed_case_input){ HEED_DIMS(out), .optional = true };
    c.in[RESIDUAL] = (heed_case_input){ HEED_DIMS(rows, out), .optional = true };
    c.out = (heed_case_shape){ HEED_DIMS(rows, out) };
    c.flops = 2.0 * (double)rows * (double)hidden * (double)(in + out);
    c.bench = c.flops > 1e8;
    c.random = p > 0 || q > 0;
    c.tolerance = 4e-6;
    c.grad_tolerance = act == HEED_ACT_RELU ? 1e-4 : 2e-5;
    if (act == HEED_ACT_RELU) c.step = 1e-8;
    return c;
}

static void add(heed_case_list *l, heed_case c, bool bias, bool residual) {
    c.in[UP_B].absent = c.in[DOWN_B].absent = !bias;
    c.in[RESIDUAL].absent = !residual;
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case c, const char *what, int code) {
    c.refuse = what;
    c.code = code;
    heed_case_add(l, &c);
}

void heed_cases_feed_forward(heed_case_list *l) {
    const int64_t small[4] = { 5, 17, 33, 19 }, tall[4] = { 1100, 4, 9, 5 };
    const int64_t wide[4] = { 40, 9, 290, 21 }, big[4] = { 1024, 256, 1024, 256 };
    for (int act = HEED_ACT_NONE; act <= HEED_ACT_SILU; act++) {
        add(l, sized(small, (heed_act)act, 0, 0), true, true);
        add(l, sized(small, (heed_act)act, 0.3, 0.2), act & 1, act & 2);
    }
    add(l, sized(small, HEED_ACT_RELU, 0, 0.2), false, false);
    add(l, sized(small, HEED_ACT_GELU, 0.2, 0), false, true);
    add(l, sized(small, HEED_ACT_RELU, 1, 0), true, true);
    add(l, sized(tall, HEED_ACT_RELU, 0.1, 0.1), true, true);
    add(l, sized(wide, HEED_ACT_RELU, 0.1, 0.1), true, true);
    add(l, sized(wide, HEED_ACT_GELU, 0.1, 0.1), true, true);
    add(l, sized((int64_t[]){ 0, 4, 3, 2 }, HEED_ACT_RELU, 0.1, 0.1), true, true);
    add(l, sized((int64_t[]){ 3, 0, 4, 2 }, HEED_ACT_RELU, 0.1, 0.1), true, true);
    add(l, sized((int64_t[]){ 3, 4, 0, 2 }, HEED_ACT_GELU, 0.1, 0.1), true, true);
    heed_case bad = sized(small, HEED_ACT_RELU, 0, 0);
    bad.in[RESIDUAL] = (heed_case_input){ HEED_DIMS(4) };
    refuse(l, bad, "residual [4] is not of the result's shape [5,19]", 0);
    bad = sized(small, HEED_ACT_RELU, 0, 0);
    bad.in[DOWN_W].shape[1] = 5;
    refuse(l, bad, "x [5,33] and w [19,5] do not chain", 0);
    refuse(l, sized(small, (heed_act)9, 0, 0), "there is no activation 9", HEED_EINVALID);
    refuse(l, sized(small, HEED_ACT_RELU, 0, -1), "p = -1 is not within 0..1", HEED_EINVALID);
    add(l, sized(big, HEED_ACT_RELU, 0, 0), true, true);
    add(l, sized(big, HEED_ACT_RELU, 0.1, 0.1), true, true);
    add(l, sized(big, HEED_ACT_GELU, 0.1, 0.1), true, true);
}
