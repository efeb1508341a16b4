/* affine_act.c: cases of heed_affine_act. */
#include "ops/cases/affine.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_affine_act(cx, in[0], in[1], in[2], (heed_act)c->i[0], in[3]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t O = heed_case_rows(c, 1);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++)
        for (int64_t o = 0; o < O; o++)
            out[r * O + o] = affine_activate(c->i[0], affine_at(c, in, r, o)) +
                             (in[3] ? in[3][r * O + o] : 0);
}

static heed_case sized(int64_t rows, int64_t in, int64_t out, heed_act act) {
    const heed_case plain = { .apply = apply, .reference = reference, .i = { act } };
    return affine_sized(&plain, rows, in, out);
}

void heed_cases_affine_act(heed_case_list *l) {
    for (int act = HEED_ACT_NONE; act <= HEED_ACT_SILU; act++)
        for (int with = 0; with < 4; with++)
            affine_add(l, sized(5, 17, 19, (heed_act)act), with & 1, with & 2);
    affine_add(l, sized(2100, 5, 33, HEED_ACT_GELU), true, true);
    heed_case relu = sized(2100, 5, 33, HEED_ACT_RELU);
    relu.step = 1e-8;
    relu.grad_tolerance = 1e-4;
    affine_add(l, relu, true, false);
    affine_add(l, sized(70, 40, 600, HEED_ACT_SILU), true, true);
    affine_add(l, sized(0, 4, 3, HEED_ACT_GELU), true, true);
    affine_add(l, sized(3, 0, 4, HEED_ACT_RELU), true, true);
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
    affine_add(l, sized(1024, 256, 1024, HEED_ACT_RELU), true, false);
    affine_add(l, sized(1024, 256, 1024, HEED_ACT_GELU), true, false);
    affine_add(l, sized(1024, 1024, 256, HEED_ACT_NONE), true, true);
}
