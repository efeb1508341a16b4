/* softmax.c: cases of heed_softmax. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_softmax(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const double *x = in[0] + r * N;
        const double log_sum = heed_case_log_sum(x, N);
        for (int64_t i = 0; i < N; i++) out[r * N + i] = exp(x[i] - log_sum);
    }
}

void heed_cases_softmax(heed_case_list *l) {
    static const float hidden[] = { -INFINITY, -INFINITY, -INFINITY, 1, -INFINITY, 2 };
    static const float wild[] = { 1e4F, -1e4F, 9999, 0, 0, 1e-3F };
    const heed_case c = { .apply = apply, .reference = reference, .count = 1 };
    heed_cases_rows(l, &c);
    heed_case special = c;
    special.in[0] = (heed_case_input){ HEED_DIMS(2, 3), .values = hidden, .constant = true };
    special.out = (heed_case_shape){ HEED_DIMS(2, 3) };
    heed_case_add(l, &special);
    special.in[0] = (heed_case_input){ HEED_DIMS(2, 3), .values = wild };
    heed_case_add(l, &special);
}
