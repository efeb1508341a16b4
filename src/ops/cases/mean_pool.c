/* Cases of mean_pool. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_mean_pool(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], C = c->in[0].shape[2];
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = in[1] ? (int64_t)in[1][b] : T;
        for (int64_t j = 0; j < C; j++) {
            double sum = 0;
            for (int64_t t = 0; t < n; t++) sum += in[0][(b * T + t) * C + j];
            out[b * C + j] = n > 0 ? sum / (double)n : 0;
        }
    }
}

void heed_cases_mean_pool(heed_case_list *l) {
    static const int32_t lengths[3] = { 2, 0, 5 }, wrong[3] = { 2, 6, 5 };
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 2,
                    .in = { { HEED_DIMS(3, 5, 17) },
                            { HEED_DIMS(3), .dtype = HEED_I32, .ids = lengths, .optional = true } },
                    .out = { HEED_DIMS(3, 17) } };
    heed_case_add(l, &c);
    c.in[1].absent = true;
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(40, 100, 33) };
    c.out.shape[0] = 40, c.out.shape[1] = 33;
    heed_case_add(l, &c);
    c.in[0] = (heed_case_input){ HEED_DIMS(2, 0, 3) };
    c.out.shape[0] = 2, c.out.shape[1] = 3;
    heed_case_add(l, &c);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(3, 5, 2) },
                                           { HEED_DIMS(3), .dtype = HEED_I32, .ids = wrong,
                                             .optional = true } },
                                   .refuse = "length 6 of row 1",
                                   .code = HEED_EINVALID });
    heed_case_add(
        l, &(heed_case){
               .apply = apply, .count = 1, .in = { { HEED_DIMS(3, 5) } }, .refuse = "[B,T,C]" });
}
