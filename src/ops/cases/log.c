/* log.c: cases of heed_log. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_log(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) {
        const double x = in[0][i];
        out[i] = log(x);
    }
}

void heed_cases_log(heed_case_list *l) {
    const heed_case c = { .apply = apply, .reference = reference, .count = 1 };
    heed_cases_each(l, &c, 0.1, 4);
}
