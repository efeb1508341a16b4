/* sub.c: cases of heed_sub. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_sub(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t period = heed_case_len(c, 1);
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) {
        const double x = in[0][i], y = in[1][i % period];
        out[i] = x - y;
    }
}

static heed_tensor *apply_itself(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_sub(cx, in[0], in[0]);
}

static void reference_itself(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) {
        const double x = in[0][i], y = x;
        out[i] = x - y;
    }
}

void heed_cases_sub(heed_case_list *l) {
    heed_case c = { .apply = apply, .reference = reference };
    heed_cases_broadcast(l, &c, -2, 2);
    heed_case_add(l, &(heed_case){ .name = "with itself",
                                   .apply = apply_itself,
                                   .reference = reference_itself,
                                   .count = 1,
                                   .in = { { HEED_DIMS(3, 17), .lo = -2, .hi = 2 } },
                                   .out = { HEED_DIMS(3, 17) } });
}
