/* gelu_tanh.c: cases of heed_gelu_tanh. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_gelu_tanh(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) {
        const double x = in[0][i];
        out[i] = x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    }
}

void heed_cases_gelu_tanh(heed_case_list *l) {
    const heed_case c = { .apply = apply, .reference = reference, .count = 1 };
    heed_cases_each(l, &c, -4, 4);
}
