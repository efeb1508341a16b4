/* rms_norm.c: cases of heed_rms_norm. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_rms_norm(cx, in[0], in[1], (float)c->f[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const double *x = in[0] + r * N;
        double square = 0;
        for (int64_t i = 0; i < N; i++) square += x[i] * x[i] / (double)N;
        for (int64_t i = 0; i < N; i++)
            out[r * N + i] = x[i] / sqrt(square + (double)(float)c->f[0]) * (in[1] ? in[1][i] : 1);
    }
}

static void add(heed_case_list *l, int64_t rows, int64_t n, bool gain) {
    heed_case c = { .apply = apply, .reference = reference, .count = 2, .f = { 1e-5 } };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, n), .lo = -1, .hi = 3 };
    c.in[1] = (heed_case_input){ HEED_DIMS(n), .optional = true, .absent = !gain };
    c.out = (heed_case_shape){ HEED_DIMS(rows, n) };
    c.bench = rows * n >= 1024 * 256;
    c.bytes = 8.0 * (double)(rows * n);
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case_input x, heed_case_input gain, double eps,
                   const char *message) {
    heed_case c = { .apply = apply, .count = 2, .in = { x, gain }, .f = { eps } };
    c.code = eps < 0 ? HEED_EINVALID : 0;
    c.refuse = message;
    heed_case_add(l, &c);
}

void heed_cases_rms_norm(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(3, 5) }, gain = { HEED_DIMS(5) };
    add(l, 5, 17, true);
    add(l, 5, 17, false);
    add(l, 3, 2, true);
    add(l, 0, 5, true);
    add(l, 4, 0, true);
    add(l, 2100, 33, true);
    add(l, 2, 4099, true);
    refuse(l, x, (heed_case_input){ HEED_DIMS(3) }, 0, "gain [3] does not belong to x [3,5]");
    refuse(l, (heed_case_input){ 0 }, gain, 0, "a scalar has no last axis");
    refuse(l, x, (heed_case_input){ HEED_DIMS(5), .dtype = HEED_I32 }, 0, "gain must be f32");
    refuse(l, x, gain, -1, "eps = -1 is negative");
    add(l, 1024, 256, true);
}
