/* info_nce.c: cases of heed_info_nce. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_info_nce(cx, in[0], in[c->count - 1], (float)c->f[0]);
}

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = c->in[0].shape[0], C = c->in[0].shape[1];
    const double *a = in[0], *b = in[c->count - 1], tau = (double)(float)c->f[0];
    *out = 0;
    for (int64_t i = 0; i < N; i++) {
        double row = 0, column = 0;
        for (int64_t j = 0; j < N; j++) {
            row += exp(dot(a + i * C, b + j * C, C) / tau);
            column += exp(dot(a + j * C, b + i * C, C) / tau);
        }
        *out += log(row) + log(column) - 2 * dot(a + i * C, b + i * C, C) / tau;
    }
    if (N) *out /= 2 * (double)N;
}

static void add(heed_case_list *l, heed_case_input a, double temperature, int count) {
    heed_case c = { .apply = apply, .reference = reference, .count = count, .in = { a, a } };
    c.f[0] = temperature;
    c.tolerance = 4e-6;
    c.grad_tolerance = 4e-5;
    heed_case_add(l, &c);
}

void heed_cases_info_nce(heed_case_list *l) {
    add(l, (heed_case_input){ HEED_DIMS(5, 17) }, 2, 2);
    add(l, (heed_case_input){ HEED_DIMS(19, 8) }, 1, 2);
    add(l, (heed_case_input){ HEED_DIMS(1, 3) }, 1, 2);
    add(l, (heed_case_input){ HEED_DIMS(0, 3) }, 1, 2);
    add(l, (heed_case_input){ HEED_DIMS(4, 0) }, 1, 2);
    add(l, (heed_case_input){ HEED_DIMS(70, 12), .lo = -0.3, .hi = 0.3 }, 0.1, 2);
    add(l, (heed_case_input){ HEED_DIMS(6, 5) }, 1, 1); /* a with itself */
    heed_case bad = { .apply = apply, .count = 2, .f = { 1 } };
    bad.in[0] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.in[1] = (heed_case_input){ HEED_DIMS(3, 3) };
    bad.refuse = "[2,3] and [3,3] differ in shape";
    heed_case_add(l, &bad);
    bad.in[0] = bad.in[1] = (heed_case_input){ HEED_DIMS(3) };
    bad.refuse = "[3] is not [N,C]";
    heed_case_add(l, &bad);
    bad.in[0] = bad.in[1] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.f[0] = 0;
    bad.code = HEED_EINVALID;
    bad.refuse = "temperature = 0 is not above 0";
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(256, 256), .lo = -0.1, .hi = 0.1 },
                                           { HEED_DIMS(256, 256), .lo = -0.1, .hi = 0.1 } },
                                   .f = { 0.1 },
                                   .flops = 2 * 2.0 * 256 * 256 * 256 });
}
