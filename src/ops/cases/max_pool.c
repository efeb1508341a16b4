/* Cases of max_pool. */
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
    static const int32_t lengths[3] = { 2, 0, 5 }, wrong[3] = { 2, 5, -1 };
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 2,
                    .in = { { HEED_DIMS(3, 5, 17) },
                            { HEED_DIMS(3), .dtype = HEED_I32, .ids = lengths, .optional = true } },
                    .out = { HEED_DIMS(3, 17) } };
    heed_case_add(l, &c);
    c.in[1].absent = true;
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(40, 10, 333) };
    c.out.shape[0] = 40, c.out.shape[1] = 333;
    heed_case_add(l, &c);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(3, 5, 2) },
                                           { HEED_DIMS(3), .dtype = HEED_I32, .ids = wrong,
                                             .optional = true } },
                                   .refuse = "length -1 of row 2",
                                   .code = HEED_EINVALID });
}
