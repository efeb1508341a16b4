/* kl_div.c: cases of heed_kl_div. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_kl_div(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t R = heed_case_rows(c, 0), K = heed_case_cols(c, 0);
    *out = 0;
    for (int64_t r = 0; r < R; r++) {
        const double *x = in[0] + r * K, *t = in[1] + r * K;
        double sum = 0;
        for (int64_t j = 0; j < K; j++) sum += exp(x[j]);
        for (int64_t j = 0; j < K; j++)
            if (t[j] > 0) *out += t[j] * (log(t[j]) - x[j] + log(sum)) / (double)R;
    }
}

static void add(heed_case_list *l, heed_case_input x, const float *target) {
    heed_case c = { .apply = apply, .reference = reference, .count = 2, .in = { x, x } };
    c.in[1].hi = 0.3;
    c.in[1].values = target;
    c.in[1].constant = true; /* by definition */
    heed_case_add(l, &c);
}

void heed_cases_kl_div(heed_case_list *l) {
    static const float with_zeros[] = { 0, 1, 0, 0.5F, 0.25F, 0.25F };
    add(l, (heed_case_input){ HEED_DIMS(2, 3) }, with_zeros);
    add(l, (heed_case_input){ HEED_DIMS(3, 17) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(2, 3, 5) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(0, 4) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(3, 0) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(300, 101) }, NULL);
    heed_case bad = { .apply = apply, .count = 2, .refuse = "[2,3] and [3] differ in shape" };
    bad.in[0] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.in[1] = (heed_case_input){ HEED_DIMS(3) };
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(1024, 1024) },
                                           { HEED_DIMS(1024, 1024), .hi = 0.002 } },
                                   .bytes = 8e6 });
}
