/* Cases of rotary: full, partial, scaled, interleaved, with a start and with a start of each row.
 */
#include "ops/cases/cases.h"

#include <math.h>

/* in: x, starts;  cfg: heed_rotary_cfg */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_rotary(cx, in[0], in[1], c->cfg);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const heed_rotary_cfg *r = c->cfg;
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], D = c->in[0].shape[2] / r->heads;
    const int64_t dims = r->dims ? r->dims : D;
    for (int64_t i = 0; i < B * T * r->heads; i++) {
        const int64_t t = i / r->heads % T, b = i / r->heads / T;
        const double p = (double)(t + r->start) + (in[1] ? in[1][b] : 0);
        for (int64_t d = 0; d < D; d++) out[i * D + d] = in[0][i * D + d];
        for (int64_t k = 0; k < dims / 2; k++) {
            const double base = r->base > 0 ? (double)r->base : 10000;
            const double scale = r->scale > 0 ? (double)r->scale : 1;
            const double phi = p / scale * pow(base, -2.0 * (double)k / (double)dims);
            const int64_t a = i * D + (r->interleaved ? 2 * k : k);
            const int64_t far = r->interleaved ? a + 1 : a + dims / 2;
            out[a] = in[0][a] * cos(phi) - in[0][far] * sin(phi);
            out[far] = in[0][a] * sin(phi) + in[0][far] * cos(phi);
        }
    }
}

static void add(heed_case_list *l, const int64_t size[3], const heed_rotary_cfg *cfg,
                const int32_t *starts) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 2,
                    .in = { { HEED_DIMS(size[0], size[1], size[2]) },
                            { HEED_DIMS(size[0]), .dtype = HEED_I32, .ids = starts,
                              .optional = true, .absent = !starts } },
                    .out = { HEED_DIMS(size[0], size[1], size[2]) },
                    .cfg = cfg };
    heed_case_add(l, &c);
}

void heed_cases_rotary(heed_case_list *l) {
    static const heed_rotary_cfg full = { .heads = 3 }, paper = { .heads = 2, .interleaved = true };
    static const heed_rotary_cfg partial = { .heads = 1, .dims = 4, .base = 500, .start = 70 };
    static const heed_rotary_cfg scaled = { .heads = 2, .scale = 4, .start = 4000 };
    static const heed_rotary_cfg odd = { .heads = 2 }, wide = { .heads = 1, .dims = 8 };
    static const int32_t starts[3] = { 5, 0, 131 };
    add(l, (int64_t[]){ 2, 5, 18 }, &full, NULL);
    add(l, (int64_t[]){ 2, 5, 12 }, &paper, NULL);
    add(l, (int64_t[]){ 3, 67, 7 }, &partial, starts);
    add(l, (int64_t[]){ 3, 130, 68 }, &scaled, NULL);
    add(l, (int64_t[]){ 0, 3, 4 }, &odd, NULL);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(2, 3, 6) },
                                           { HEED_DIMS(2), .dtype = HEED_I32, .optional = true,
                                             .absent = true } },
                                   .cfg = &odd,
                                   .refuse = "pairs",
                                   .code = HEED_EINVALID });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(2, 3, 6) },
                                           { HEED_DIMS(2), .dtype = HEED_I32, .optional = true,
                                             .absent = true } },
                                   .cfg = &wide,
                                   .refuse = "8 of a head's 6",
                                   .code = HEED_EINVALID });
    static const heed_rotary_cfg eight = { .heads = 8 };
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(8, 128, 512) }, { .absent = true } },
                                   .cfg = &eight,
                                   .bytes = 2.0 * 8 * 128 * 512 * 4 });
}
