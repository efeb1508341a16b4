/* layer_norm.c: cases of heed_layer_norm. */
#include "ops/cases/norms.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_layer_norm(cx, in[0], in[1], in[2], (float)c->f[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = heed_case_cols(c, 0);
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const double *x = in[0] + r * N;
        double mean = 0, var = 0;
        for (int64_t i = 0; i < N; i++) mean += x[i] / (double)N;
        for (int64_t i = 0; i < N; i++) var += (x[i] - mean) * (x[i] - mean) / (double)N;
        for (int64_t i = 0; i < N; i++)
            out[r * N + i] = (x[i] - mean) / sqrt(var + (double)(float)c->f[0]) *
                                 (in[1] ? in[1][i] : 1) +
                             (in[2] ? in[2][i] : 0);
    }
}

void heed_cases_layer_norm(heed_case_list *l) {
    const heed_case c = { .apply = apply, .reference = reference, .count = 3 };
    for (int with = 0; with < 4; with++) norm_add(l, &c, 5, 17, with);
    norm_add(l, &c, 2, 3, 3);
    norm_add(l, &c, 0, 5, 3);
    norm_add(l, &c, 4, 0, 3);
    norm_add(l, &c, 2100, 33, 3); /* three shards of rows */
    norm_add(l, &c, 2, 4099, 3);
    heed_case deep = c;
    deep.f[0] = 0.1;
    deep.in[0] = (heed_case_input){ HEED_DIMS(2, 3, 33) };
    deep.in[1] = deep.in[2] = (heed_case_input){ HEED_DIMS(33), .optional = true };
    deep.out = (heed_case_shape){ HEED_DIMS(2, 3, 33) };
    heed_case_add(l, &deep);
    norm_refusals(l, &c);
    norm_add(l, &c, 1024, 256, 3);
    norm_add(l, &c, 1024, 384, 3);
    norm_add(l, &c, 1024, 768, 3);
}
