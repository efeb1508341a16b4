/* mse.c: cases of heed_mse. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_mse(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t n = heed_case_len(c, 0);
    *out = 0;
    for (int64_t i = 0; i < n; i++)
        *out += (in[0][i] - in[1][i]) * (in[0][i] - in[1][i]) / (double)n;
}

void heed_cases_mse(heed_case_list *l) {
    static const heed_case_input shapes[] = {
        { HEED_DIMS(3, 17) }, { 0 }, { HEED_DIMS(0, 4) }, { HEED_DIMS(301, 333) }
    };
    heed_case c = { .apply = apply, .reference = reference, .count = 2 };
    for (int s = 0; s < 4; s++) {
        c.in[0] = c.in[1] = shapes[s];
        heed_case_add(l, &c);
    }
    c.in[0] = (heed_case_input){ HEED_DIMS(2, 3) };
    c.in[1] = (heed_case_input){ HEED_DIMS(3) };
    c.refuse = "[2,3] and [3] differ in shape";
    heed_case_add(l, &c);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(1024, 1024) }, { HEED_DIMS(1024, 1024) } },
                                   .bytes = 8e6 });
}
