/* Cases of embedding_bag: sums and means, empty bags, offsets that are none. */
#include "ops/cases/cases.h"

/* i[0]: mean */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_embedding_bag(cx, in[0], in[1], in[2], c->i[0] != 0);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t C = c->in[0].shape[1], B = c->in[2].shape[0] - 1;
    for (int64_t b = 0; b < B; b++) {
        const int64_t begin = (int64_t)in[2][b], end = (int64_t)in[2][b + 1];
        for (int64_t j = 0; j < C; j++) {
            double sum = 0;
            for (int64_t i = begin; i < end; i++) sum += in[0][(int64_t)in[1][i] * C + j];
            out[b * C + j] = c->i[0] && end > begin ? sum / (double)(end - begin) : sum;
        }
    }
}

static void add(heed_case_list *l, int64_t C, const int32_t offsets[6], bool mean) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 3,
                    .in = { { HEED_DIMS(9, C) },
                            { HEED_DIMS(offsets[5]), .dtype = HEED_I32, .hi = 8 },
                            { HEED_DIMS(6), .dtype = HEED_I32, .ids = offsets } },
                    .i = { mean },
                    .grad_tolerance = 3e-5 };
    c.out.ndim = 2;
    c.out.shape[0] = 5, c.out.shape[1] = C;
    heed_case_add(l, &c);
}

void heed_cases_embedding_bag(heed_case_list *l) {
    static const int32_t some[6] = { 0, 3, 3, 4, 9, 11 }, none[6] = { 0, 0, 0, 0, 0, 0 };
    static const int32_t many[6] = { 0, 1000, 1000, 3001, 3002, 5000 };
    static const int32_t wrong[3] = { 0, 4, 3 };
    add(l, 3, some, false);
    add(l, 17, some, true);
    add(l, 33, many, true);
    add(l, 2, none, true);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 3,
                                   .in = { { HEED_DIMS(5, 3) },
                                           { HEED_DIMS(3), .dtype = HEED_I32, .hi = 4 },
                                           { HEED_DIMS(3), .dtype = HEED_I32, .ids = wrong } },
                                   .refuse = "offsets",
                                   .code = HEED_EINVALID });
    static const int32_t bags[5] = { 0, 1000, 2000, 3000, 4000 };
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(10000, 256) },
                                           { HEED_DIMS(4000), .dtype = HEED_I32, .hi = 9999 },
                                           { HEED_DIMS(5), .dtype = HEED_I32, .ids = bags } },
                                   .bytes = 4000.0 * 256 * 4 });
}
