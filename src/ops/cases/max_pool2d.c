/* Cases of max_pool2d. */
#include "ops/cases/cases.h"

/* i: size, stride */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_max_pool2d(cx, in[0], (int)c->i[0], (int)c->i[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t h = c->in[0].shape[2], w = c->in[0].shape[3];
    const int64_t oh = c->out.shape[2], ow = c->out.shape[3];
    for (int64_t n = 0; n < c->out.shape[0] * c->out.shape[1] * oh * ow; n++) {
        const double *plane = in[0] + n / ow / oh * h * w;
        const int64_t y = n / ow % oh * c->i[1], x = n % ow * c->i[1];
        out[n] = plane[y * w + x];
        for (int64_t k = 0; k < c->i[0] * c->i[0]; k++) {
            const double v = plane[(y + k / c->i[0]) * w + x + k % c->i[0]];
            if (v > out[n]) out[n] = v;
        }
    }
}

void heed_cases_max_pool2d(heed_case_list *l) {
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .reference = reference,
                                   .count = 1,
                                   .in = { { HEED_DIMS(2, 3, 5, 7) } },
                                   .out = { HEED_DIMS(2, 3, 2, 3) },
                                   .i = { 2, 2 } });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .reference = reference,
                                   .count = 1,
                                   .in = { { HEED_DIMS(3, 40, 17, 16) } },
                                   .out = { HEED_DIMS(3, 40, 15, 14) },
                                   .i = { 3, 1 } });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 1,
                                   .in = { { HEED_DIMS(1, 1, 3, 2) } },
                                   .i = { 3, 1 },
                                   .refuse = "size 3",
                                   .code = HEED_EINVALID });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 1,
                                   .in = { { HEED_DIMS(8, 32, 64, 64) } },
                                   .i = { 2, 2 },
                                   .bytes = 1.25 * 8 * 32 * 64 * 64 * 4 });
}
