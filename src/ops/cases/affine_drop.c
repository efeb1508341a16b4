/* affine_drop.c: cases of heed_affine_drop. */
#include "ops/cases/affine.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_affine_drop(cx, in[0], in[1], in[2], (float)c->f[0], in[3]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t O = heed_case_rows(c, 1);
    const double p = (double)(float)c->f[0];
    const uint64_t stream = heed_case_stream(0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++)
        for (int64_t o = 0; o < O; o++) {
            const double z = affine_at(c, in, r, o);
            out[r * O + o] = heed_case_kept(stream, r * O + o, p) ? z / (1 - p) : 0;
            if (in[3]) out[r * O + o] += in[3][r * O + o];
        }
}

static heed_case sized(int64_t rows, int64_t in, int64_t out, double p) {
    const heed_case plain = { .apply = apply, .reference = reference, .f = { p }, .random = p > 0 };
    return affine_sized(&plain, rows, in, out);
}

void heed_cases_affine_drop(heed_case_list *l) {
    for (int with = 0; with < 4; with++) {
        affine_add(l, sized(5, 17, 19, 0.3), with & 1, with & 2);
        affine_add(l, sized(5, 17, 19, 0), with & 1, with & 2);
    }
    affine_add(l, sized(3, 7, 130, 1), true, true);
    affine_add(l, sized(40, 3, 300, 0.1), true, true);
    affine_add(l, sized(600, 4, 130, 0.5), true, true);
    affine_add(l, sized(1100, 5, 33, 0.2), true, false);
    affine_add(l, sized(0, 4, 3, 0.1), true, true);
    affine_add(l, sized(3, 0, 4, 0.1), true, true);
    heed_case bad = sized(2, 3, 4, 0.1);
    bad.in[3] = (heed_case_input){ HEED_DIMS(4) };
    bad.refuse = "residual [4] is not of the result's shape [2,4]";
    heed_case_add(l, &bad);
    bad = sized(2, 3, 4, 1.5);
    bad.refuse = "p = 1.5 is not within 0..1";
    bad.code = HEED_EINVALID;
    heed_case_add(l, &bad);
    bad = sized(2, 3, 4, 0.1);
    bad.in[1].shape[1] = 5;
    bad.refuse = "x [2,3] and w [4,5] do not chain";
    heed_case_add(l, &bad);
    affine_add(l, sized(1024, 256, 256, 0.1), true, true);
    affine_add(l, sized(1024, 1024, 256, 0), true, true);
}
