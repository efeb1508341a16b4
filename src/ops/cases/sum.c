/* sum.c: cases of heed_sum. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_sum(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t n = heed_case_len(c, 0);
    *out = 0;
    for (int64_t i = 0; i < n; i++) *out += in[0][i];
}

void heed_cases_sum(heed_case_list *l) {
    heed_cases_whole(l, &(heed_case){ .apply = apply, .reference = reference, .count = 1 });
}
