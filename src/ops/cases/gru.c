/* Cases of gru: lengths, both directions, a first state, widths around 16, more rows than a group.
 */
#include "ops/cases/cases.h"
#include "ops/cases/recurrent.h"

#include <stdlib.h>

/* in: xw, wh, bh, h0, lengths;  i[0]: reverse */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_gru(cx, in[0], in[1], in[2], in[3], in[4], c->i[0] != 0);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], H = c->in[1].shape[1];
    double *a = malloc((size_t)(3 * H) * sizeof *a);
    for (int64_t i = 0; i < B * T * H; i++) out[i] = 0;
    for (int64_t b = 0; b < B; b++) {
        const int64_t len = in[4] ? (int64_t)in[4][b] : T;
        const double *h0 = in[3] ? in[3] + b * H : NULL;
        for (int64_t s = 0; s < len; s++) {
            const int64_t t = c->i[0] ? len - 1 - s : s;
            for (int64_t g = 0; g < 3 * H; g++) {
                a[g] = in[2][g];
                for (int64_t u = 0; h0 && u < H; u++) a[g] += in[1][g * H + u] * h0[u];
            }
            recurrent_gru(H, in[0] + (b * T + t) * 3 * H, a, h0, out + (b * T + t) * H);
            h0 = out + (b * T + t) * H;
        }
    }
    free(a);
}

static void add(heed_case_list *l, const int64_t size[3], bool state, const int32_t *lengths,
                bool reverse) {
    const int64_t B = size[0], T = size[1], H = size[2];
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 5,
                    .in = { { HEED_DIMS(B, T, 3 * H) },
                            { HEED_DIMS(3 * H, H), .lo = -0.4, .hi = 0.4 },
                            { HEED_DIMS(3 * H) },
                            { HEED_DIMS(B, H), .optional = true, .absent = !state },
                            { HEED_DIMS(B), .dtype = HEED_I32, .ids = lengths, .hi = (double)T,
                              .optional = true, .absent = !lengths } },
                    .i = { reverse } };
    c.out.ndim = 3;
    c.out.shape[0] = B, c.out.shape[1] = T, c.out.shape[2] = H;
    heed_case_add(l, &c);
}

void heed_cases_gru(heed_case_list *l) {
    recurrent_sizes(l, add);
    heed_case_add(
        l, &(heed_case){ .apply = apply,
                         .count = 3,
                         .in = { { HEED_DIMS(2, 3, 12) }, { HEED_DIMS(12, 3) }, { HEED_DIMS(12) } },
                         .refuse = "3H" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(64, 128, 192) },
                                           { HEED_DIMS(192, 64), .lo = -0.1, .hi = 0.1 },
                                           { HEED_DIMS(192) } },
                                   .flops = 2.0 * 64 * 128 * 192 * 64 });
}
