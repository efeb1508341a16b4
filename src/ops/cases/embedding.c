/* Cases of embedding: repeated ids, padding, ids of several axes, ids that are none. */
#include "ops/cases/cases.h"

/* i[0]: padding */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_embedding(cx, in[0], in[1], (int32_t)c->i[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t C = c->in[0].shape[1], n = heed_case_len(c, 1);
    for (int64_t i = 0; i < n; i++) {
        const int64_t id = (int64_t)in[1][i];
        for (int64_t j = 0; j < C; j++)
            out[i * C + j] = id == c->i[0] && id >= 0 ? 0 : in[0][id * C + j];
    }
}

void heed_cases_embedding(heed_case_list *l) {
    static const int32_t ids[6] = { 4, 0, 4, 2, 4, 0 }, wrong[3] = { 0, 5, 1 },
                         below[2] = { 0, -1 };
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .reference = reference,
                                   .count = 2,
                                   .in = { { HEED_DIMS(5, 3) },
                                           { HEED_DIMS(2, 3), .dtype = HEED_I32, .ids = ids } },
                                   .out = { HEED_DIMS(2, 3, 3) },
                                   .i = { -1 } });
    heed_case_add(l, &(heed_case){ .name = "padding 4",
                                   .apply = apply,
                                   .reference = reference,
                                   .count = 2,
                                   .in = { { HEED_DIMS(5, 17) },
                                           { HEED_DIMS(6), .dtype = HEED_I32, .ids = ids } },
                                   .out = { HEED_DIMS(6, 17) },
                                   .i = { 4 } });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .reference = reference,
                                   .count = 2,
                                   .in = { { HEED_DIMS(301, 33) },
                                           { HEED_DIMS(50, 80), .dtype = HEED_I32, .hi = 300 } },
                                   .out = { HEED_DIMS(50, 80, 33) },
                                   .i = { 0 } });
    heed_case_add(l,
                  &(heed_case){ .apply = apply,
                                .reference = reference,
                                .count = 2,
                                .in = { { HEED_DIMS(3, 2) }, { HEED_DIMS(0), .dtype = HEED_I32 } },
                                .out = { HEED_DIMS(0, 2) },
                                .i = { -1 } });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(5, 3) },
                                           { HEED_DIMS(3), .dtype = HEED_I32, .ids = wrong } },
                                   .i = { -1 },
                                   .refuse = "id 5 at position 1",
                                   .code = HEED_EINVALID });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(5, 3) },
                                           { HEED_DIMS(2), .dtype = HEED_I32, .ids = below } },
                                   .i = { -1 },
                                   .refuse = "id -1 at position 1",
                                   .code = HEED_EINVALID });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(10000, 256) },
                                           { HEED_DIMS(8, 128), .dtype = HEED_I32, .hi = 9999 } },
                                   .i = { -1 },
                                   .bytes = 2.0 * 1024 * 256 * 4 });
}
