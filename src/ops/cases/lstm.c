/* Cases of lstm: lengths, both directions, first states, widths around 16, more rows than a group.
 */
#include "ops/cases/cases.h"
#include "ops/cases/recurrent.h"

#include <stdlib.h>

/* in: xw, wh, h0, c0, lengths;  i[0]: reverse */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_tensor *state[2] = { in[2], in[3] };
    return heed_lstm(cx, in[0], in[1], state, in[4], c->i[0] != 0);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], H = c->in[1].shape[1];
    double *a = malloc((size_t)(4 * H) * sizeof *a);
    for (int64_t i = 0; i < 2 * B * T * H; i++) out[i] = 0;
    for (int64_t b = 0; b < B; b++) {
        const int64_t len = in[4] ? (int64_t)in[4][b] : T;
        const double *h0 = in[2] ? in[2] + b * H : NULL, *c0 = in[3] ? in[3] + b * H : NULL;
        for (int64_t s = 0; s < len; s++) {
            const int64_t t = c->i[0] ? len - 1 - s : s;
            for (int64_t g = 0; g < 4 * H; g++) {
                a[g] = in[0][(b * T + t) * 4 * H + g];
                for (int64_t u = 0; h0 && u < H; u++) a[g] += in[1][g * H + u] * h0[u];
            }
            double *h = out + (b * T + t) * H, *cell = h + B * T * H;
            recurrent_lstm(H, a, c0, h, cell);
            h0 = h;
            c0 = cell;
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
                    .in = { { HEED_DIMS(B, T, 4 * H) },
                            { HEED_DIMS(4 * H, H), .lo = -0.4, .hi = 0.4 },
                            { HEED_DIMS(B, H), .optional = true, .absent = !state },
                            { HEED_DIMS(B, H), .optional = true, .absent = !state },
                            { HEED_DIMS(B), .dtype = HEED_I32, .ids = lengths, .hi = (double)T,
                              .optional = true, .absent = !lengths } },
                    .i = { reverse } };
    c.out.ndim = 4;
    c.out.shape[0] = 2, c.out.shape[1] = B, c.out.shape[2] = T, c.out.shape[3] = H;
    heed_case_add(l, &c);
}

void heed_cases_lstm(heed_case_list *l) {
    recurrent_sizes(l, add);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(2, 3, 12) }, { HEED_DIMS(12, 4) } },
                                   .refuse = "4H" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(64, 128, 256) },
                                           { HEED_DIMS(256, 64), .lo = -0.1, .hi = 0.1 } },
                                   .flops = 2.0 * 64 * 128 * 256 * 64 });
}
