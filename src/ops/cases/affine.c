/* affine.c: cases of heed_affine. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_affine(cx, in[0], in[1], in[2]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t I = heed_case_cols(c, 0), O = heed_case_rows(c, 1);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++)
        for (int64_t o = 0; o < O; o++) {
            double y = in[2] ? in[2][o] : 0;
            for (int64_t i = 0; i < I; i++) y += in[0][r * I + i] * in[1][o * I + i];
            out[r * O + o] = y;
        }
}

static void add(heed_case_list *l, int64_t rows, int64_t in, int64_t out, bool bias) {
    heed_case c = { .apply = apply, .reference = reference, .count = 3 };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, in) };
    c.in[1] = (heed_case_input){ HEED_DIMS(out, in) };
    c.in[2] = (heed_case_input){ HEED_DIMS(out), .optional = true, .absent = !bias };
    c.out = (heed_case_shape){ HEED_DIMS(rows, out) };
    c.flops = 2.0 * (double)rows * (double)in * (double)out;
    c.bench = c.flops > 1e8;
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case_input x, heed_case_input w, heed_case_input b,
                   const char *message) {
    heed_case_add(l,
                  &(heed_case){ .apply = apply, .count = 3, .in = { x, w, b }, .refuse = message });
}

void heed_cases_affine(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(2, 8) }, none = { .absent = true, .optional = true };
    add(l, 3, 17, 5, true);
    add(l, 33, 48, 65, true);
    add(l, 33, 48, 65, false);
    add(l, 1, 1, 1, true);
    add(l, 0, 5, 3, true);
    add(l, 5, 0, 3, true);
    add(l, 4, 5, 0, true);
    add(l, 2100, 9, 19, true); /* three shards of rows */
    add(l, 130, 96, 70, true);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .reference = reference,
                                   .count = 3,
                                   .in = { { HEED_DIMS(2, 3, 7) },
                                           { HEED_DIMS(5, 7) },
                                           { HEED_DIMS(5), .optional = true } },
                                   .out = { HEED_DIMS(2, 3, 5) } });
    refuse(l, x, (heed_case_input){ HEED_DIMS(5, 4) }, none, "x [2,8] and w [5,4] do not chain");
    refuse(l, x, (heed_case_input){ HEED_DIMS(8) }, none, "x [2,8] and w [8] do not chain");
    refuse(l, (heed_case_input){ 0 }, (heed_case_input){ HEED_DIMS(5, 8) }, none, "do not chain");
    refuse(l, x, (heed_case_input){ HEED_DIMS(5, 8) }, (heed_case_input){ HEED_DIMS(8) },
           "b [8] does not belong to w [5,8]");
    refuse(l, (heed_case_input){ HEED_DIMS(2, 8), .dtype = HEED_I32 },
           (heed_case_input){ HEED_DIMS(5, 8) }, none, "x must be f32, not i32 [2,8]");
    refuse(l, (heed_case_input){ HEED_DIMS(INT64_C(1) << 40, 0) },
           (heed_case_input){ HEED_DIMS(INT64_C(1) << 40, 0) }, none, "would be too large");
    add(l, 1024, 256, 1024, true);
    add(l, 1024, 1024, 256, true);
    add(l, 1024, 384, 1536, true);
}
