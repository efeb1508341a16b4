/* scale.c: cases of heed_scale. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_scale(cx, in[0], (float)c->f[0], (float)c->f[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) out[i] = c->f[0] * in[0][i] + c->f[1];
}

void heed_cases_scale(heed_case_list *l) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .f = { -1.5, 0.25 } };
    heed_cases_each(l, &c, -2, 2);
    c.f[0] = 1;
    c.in[0] = (heed_case_input){ HEED_DIMS(2, 33) };
    c.out = (heed_case_shape){ HEED_DIMS(2, 33) };
    heed_case_add(l, &c);
}
