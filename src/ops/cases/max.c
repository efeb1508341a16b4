/* max.c: cases of heed_max. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_max(cx, in[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        out[r] = -INFINITY;
        for (int64_t i = 0; i < N; i++) out[r] = fmax(out[r], in[0][r * N + i]);
    }
}

void heed_cases_max(heed_case_list *l) {
    static const float with_nan[] = { 1, NAN, 3, NAN, -5, 2 };
    heed_case c = { .apply = apply, .reference = reference, .count = 1 };
    c.in[0] = (heed_case_input){ HEED_DIMS(5, 17) };
    c.out = (heed_case_shape){ HEED_DIMS(5) };
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(33) };
    c.out = (heed_case_shape){ 0 };
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(400, 301) };
    c.out = (heed_case_shape){ HEED_DIMS(400) };
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(0, 3) };
    c.out = (heed_case_shape){ HEED_DIMS(0) };
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(2, 3), .values = with_nan, .constant = true };
    c.out = (heed_case_shape){ HEED_DIMS(2) };
    heed_case_add(l, &c);
    heed_case bad = { .apply = apply, .count = 1, .in = { { HEED_DIMS(3, 0) } } };
    bad.refuse = "[3,0] has no rows to look into";
    heed_case_add(l, &bad);
    bad.in[0] = (heed_case_input){ 0 };
    bad.refuse = "[] has no rows";
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 1,
                                   .in = { { HEED_DIMS(1024, 1024) } },
                                   .bytes = 4e6 });
}
