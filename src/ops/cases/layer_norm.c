/* layer_norm.c: cases of heed_layer_norm. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_layer_norm(cx, in[0], in[1], in[2], (float)c->f[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const double *x = in[0] + r * N;
        double mean = 0, var = 0;
        for (int64_t i = 0; i < N; i++) mean += x[i] / (double)N;
        for (int64_t i = 0; i < N; i++) var += (x[i] - mean) * (x[i] - mean) / (double)N;
        for (int64_t i = 0; i < N; i++)
            out[r * N + i] = (x[i] - mean) / sqrt(var + (double)(float)c->f[0]) *
                                 (in[1] ? in[1][i] : 1) +
                             (in[2] ? in[2][i] : 0);
    }
}

static void add(heed_case_list *l, int64_t rows, int64_t n, int with) {
    heed_case c = { .apply = apply, .reference = reference, .count = 3, .f = { 1e-5 } };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, n), .lo = -1, .hi = 3 };
    c.in[1] = (heed_case_input){ HEED_DIMS(n), .optional = true, .absent = !(with & 1) };
    c.in[2] = (heed_case_input){ HEED_DIMS(n), .optional = true, .absent = !(with & 2) };
    c.out = (heed_case_shape){ HEED_DIMS(rows, n) };
    c.bench = rows * n >= 1024 * 256;
    c.bytes = 8.0 * (double)(rows * n);
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case_input x, heed_case_input gain, double eps,
                   const char *message) {
    heed_case c = { .apply = apply, .count = 3, .in = { x, gain, gain }, .f = { eps } };
    c.code = eps < 0 ? HEED_EINVALID : 0;
    c.refuse = message;
    heed_case_add(l, &c);
}

void heed_cases_layer_norm(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(3, 5) }, gain = { HEED_DIMS(5) };
    for (int with = 0; with < 4; with++) add(l, 5, 17, with);
    add(l, 2, 3, 3);
    add(l, 0, 5, 3);
    add(l, 4, 0, 3);
    add(l, 2100, 33, 3); /* three shards of rows */
    add(l, 2, 4099, 3);
    heed_case deep = { .apply = apply, .reference = reference, .count = 3, .f = { 0.1 } };
    deep.in[0] = (heed_case_input){ HEED_DIMS(2, 3, 33) };
    deep.in[1] = deep.in[2] = (heed_case_input){ HEED_DIMS(33), .optional = true };
    deep.out = (heed_case_shape){ HEED_DIMS(2, 3, 33) };
    heed_case_add(l, &deep);
    refuse(l, x, (heed_case_input){ HEED_DIMS(3) }, 0, "gain [3] does not belong to x [3,5]");
    refuse(l, (heed_case_input){ 0 }, gain, 0, "a scalar has no last axis");
    refuse(l, (heed_case_input){ HEED_DIMS(3, 5), .dtype = HEED_I32 }, gain, 0, "x must be f32");
    refuse(l, x, gain, -1, "eps = -1 is negative");
    add(l, 1024, 256, 3);
    add(l, 1024, 384, 3);
    add(l, 1024, 768, 3);
}
