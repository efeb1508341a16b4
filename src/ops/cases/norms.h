/* norms.h: what the cases of layer_norm and rms_norm share. */
#ifndef HEED_OPS_CASES_NORMS_H
#define HEED_OPS_CASES_NORMS_H

#include "ops/cases/cases.h"

/* plain: apply, reference and count; x [rows,n], then gain and, with a count of 3, a bias, of which
 * bit 0 and 1 of `with` say whether they are there. */
static inline void norm_add(heed_case_list *l, const heed_case *plain, int64_t rows, int64_t n,
                            int with) {
    heed_case c = *plain;
    c.f[0] = 1e-5;
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, n), .lo = -1, .hi = 3 };
    for (int i = 1; i < c.count; i++)
        c.in[i] = (heed_case_input){ HEED_DIMS(n), .optional = true, .absent = !(with & i) };
    c.out = (heed_case_shape){ HEED_DIMS(rows, n) };
    c.bench = rows * n >= 1024 * 256;
    c.bytes = 8.0 * (double)(rows * n);
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    heed_case_add(l, &c);
}

static inline void norm_refuse(heed_case_list *l, const heed_case *plain, heed_case_input x,
                               heed_case_input gain, const char *message) {
    heed_case c = *plain;
    c.in[0] = x, c.in[1] = gain, c.in[2] = gain;
    c.refuse = message;
    heed_case_add(l, &c);
}

/* What both refuse. */
static inline void norm_refusals(heed_case_list *l, const heed_case *plain) {
    const heed_case_input x = { HEED_DIMS(3, 5) }, gain = { HEED_DIMS(5) };
    const heed_case_input x_i32 = { HEED_DIMS(3, 5), .dtype = HEED_I32 };
    const heed_case_input gain_i32 = { HEED_DIMS(5), .dtype = HEED_I32 };
    norm_refuse(l, plain, x, (heed_case_input){ HEED_DIMS(3) },
                "gain [3] does not belong to x [3,5]");
    norm_refuse(l, plain, (heed_case_input){ 0 }, gain, "a scalar has no last axis");
    norm_refuse(l, plain, x_i32, gain, "x must be f32");
    norm_refuse(l, plain, x, gain_i32, "gain must be f32");
    heed_case negative = *plain;
    negative.f[0] = -1;
    negative.code = HEED_EINVALID;
    norm_refuse(l, &negative, x, gain, "eps = -1 is negative");
}

#endif
