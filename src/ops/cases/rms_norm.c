/* rms_norm.c: cases of heed_rms_norm. */
#include "ops/cases/norms.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_rms_norm(cx, in[0], in[1], (float)c->f[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const double *x = in[0] + r * N;
        double square = 0;
        for (int64_t i = 0; i < N; i++) square += x[i] * x[i] / (double)N;
        for (int64_t i = 0; i < N; i++)
            out[r * N + i] = x[i] / sqrt(square + (double)(float)c->f[0]) * (in[1] ? in[1][i] : 1);
    }
}

void heed_cases_rms_norm(heed_case_list *l) {
    const heed_case c = { .apply = apply, .reference = reference, .count = 2 };
    norm_add(l, &c, 5, 17, 1);
    norm_add(l, &c, 5, 17, 0);
    norm_add(l, &c, 3, 2, 1);
    norm_add(l, &c, 0, 5, 1);
    norm_add(l, &c, 4, 0, 1);
    norm_add(l, &c, 2100, 33, 1);
    norm_add(l, &c, 2, 4099, 1);
    norm_refusals(l, &c);
    norm_add(l, &c, 1024, 256, 1);
}
