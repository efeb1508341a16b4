/* affine_act.c: cases of heed_affine_act. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_affine_act(cx, in[0], in[1], in[2], (heed_act)c->i[0], in[3]);
}

static double activate(int64_t act, double z) {
    const double u = sqrt(2 / acos(-1)) * (z + 0.044715 * z * z * z);
    if (act == HEED_ACT_RELU) return z > 0 ? z : 0;
    if (act == HEED_ACT_GELU) return z / 2 * (1 + erf(z / sqrt(2)));
    if (act == HEED_ACT_GELU_TANH) return z / 2 * (1 + tanh(u));
    if (act == HEED_ACT_SILU) return z / (1 + exp(-z));
    return z;
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t I = heed_case_cols(c, 0), O = heed_case_rows(c, 1);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++)
        for (int64_t o = 0; o < O; o++) {
            double z = in[2] ? in[2][o] : 0;
            for (int64_t i = 0; i < I; i++) z += in[0][r * I + i] * in[1][o * I + i];
            out[r * O + o] = activate(c->i[0], z) + (in[3] ? in[3][r * O + o] : 0);
        }
}

static heed_case sized(int64_t rows, int64_t in, int64_t out, heed_act act) {
    heed_case c = { .apply = apply, .reference = reference, .count = 4, .i = { act } };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, in) };
    c.in[1] = (heed_case_input){ HEED_DIMS(out, in), .lo = -0.5, .hi = 0.5 };
    c.in[2] = (heed_case_input){ HEED_DIMS(out), .optional = true };
    c.in[3] = (heed_case_input){ HEED_DIMS(rows, out), .optional = true };
    c.out = (heed_case_shape){ HEED_DIMS(rows, out) };
    c.flops = 2.0 * (double)rows * (double)in * (double)out;
    c.bench = c.flops > 1e8;
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    return c;
}

static void add(heed_case_list *l, heed_case c, bool bias, bool residual) {
    c.in[2].absent = !bias;
    c.in[3].absent = !residual;
    heed_case_add(l, &c);
}

void heed_cases_affine_act(heed_case_list *l) {
    for (int act = HEED_ACT_NONE; act <= HEED_ACT_SILU; act++)
        for (int with = 0; with < 4; with++)
            add(l, sized(5, 17, 19, (heed_act)act), with & 1, with & 2);
    add(l, sized(2100, 5, 33, HEED_ACT_GELU), true, true);
    heed_case relu = sized(2100, 5, 33, HEED_ACT_RELU);
    relu.step = 1e-8;
    relu.grad_tolerance = 1e-4;
    add(l, relu, true, false);
    add(l, sized(70, 40, 600, HEED_ACT_SILU), true, true);
    add(l, sized(0, 4, 3, HEED_ACT_GELU), true, true);
    add(l, sized(3, 0, 4, HEED_ACT_RELU), true, true);
    heed_case bad = sized(2, 3, 4, HEED_ACT_RELU);
    bad.in[3] = (heed_case_input){ HEED_DIMS(4) };
    bad.refuse = "residual [4] is not of the result's shape [2,4]";
    heed_case_add(l, &bad);
    bad = sized(2, 3, 4, (heed_act)9);
    bad.refuse = "there is no activation 9";
    bad.code = HEED_EINVALID;
    heed_case_add(l, &bad);
    bad = sized(2, 3, 4, HEED_ACT_RELU);
    bad.in[1].shape[1] = 5;
    bad.refuse = "x [2,3] and w [4,5] do not chain";
    heed_case_add(l, &bad);
    add(l, sized(1024, 256, 1024, HEED_ACT_RELU), true, false);
    add(l, sized(1024, 256, 1024, HEED_ACT_GELU), true, false);
    add(l, sized(1024, 1024, 256, HEED_ACT_NONE), true, true);
}
