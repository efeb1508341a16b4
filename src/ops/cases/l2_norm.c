/* l2_norm.c: cases of heed_l2_norm. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_l2_norm(cx, in[0], c->f[0] != 0 ? (float)c->f[0] : 1e-12F);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        double sum = 0;
        for (int64_t i = 0; i < N; i++) sum += in[0][r * N + i] * in[0][r * N + i];
        const double length = fmax(sqrt(sum), c->f[0] != 0 ? (double)(float)c->f[0] : 1e-12);
        for (int64_t i = 0; i < N; i++) out[r * N + i] = in[0][r * N + i] / length;
    }
}

void heed_cases_l2_norm(heed_case_list *l) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .grad_floor = 1 };
    heed_cases_rows(l, &c);
    c.f[0] = 100; /* longer than the rows */
    c.in[0] = (heed_case_input){ HEED_DIMS(3, 17) };
    c.out = (heed_case_shape){ HEED_DIMS(3, 17) };
    heed_case_add(l, &c);
    c.f[0] = -1;
    c.code = HEED_EINVALID;
    c.refuse = "eps = -1 is not above 0";
    heed_case_add(l, &c);
}
