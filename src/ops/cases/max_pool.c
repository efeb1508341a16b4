/* max_pool.c: cases of heed_max_pool. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_max_pool(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], C = c->in[0].shape[2];
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = in[1] ? (int64_t)in[1][b] : T;
        for (int64_t j = 0; j < C; j++) {
            double best = n > 0 ? in[0][b * T * C + j] : 0;
            for (int64_t t = 1; t < n; t++) {
                const double x = in[0][(b * T + t) * C + j];
                if (x > best) best = x;
            }
            out[b * C + j] = best;
        }
    }
}

void heed_cases_max_pool(heed_case_list *l) {
    heed_cases_pool(l, &(heed_case){ .apply = apply, .reference = reference });
}
