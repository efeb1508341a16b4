/* mean.c: cases of heed_mean. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_mean(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t n = heed_case_len(c, 0);
    *out = 0;
    for (int64_t i = 0; i < n; i++) *out += in[0][i];
    if (n) *out /= (double)n;
}

void heed_cases_mean(heed_case_list *l) {
    static const heed_case_input shapes[] = { { HEED_DIMS(3, 17), .lo = -1, .hi = 2 },
                                              { 0 },
                                              { HEED_DIMS(4, 0) },
                                              { HEED_DIMS(5000), .lo = -1, .hi = 2 },
                                              { HEED_DIMS(301, 333), .lo = -1, .hi = 2 } };
    heed_case c = { .apply = apply, .reference = reference, .count = 1 };
    for (int s = 0; s < 5; s++) {
        c.in[0] = shapes[s];
        heed_case_add(l, &c);
    }
    c.bench = true;
    c.in[0] = (heed_case_input){ HEED_DIMS(1024, 1024) };
    c.bytes = 4.0 * 1024 * 1024;
    heed_case_add(l, &c);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 1,
                                   .in = { { HEED_DIMS(3), .dtype = HEED_I32 } },
                                   .refuse = "must be f32, not i32 [3]" });
}
