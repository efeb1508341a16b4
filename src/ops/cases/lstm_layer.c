/* Cases of lstm_layer: those of lstm, with inputs of other widths than the states. */
#include "ops/cases/cases.h"
#include "ops/cases/recurrent.h"

#include <stdlib.h>

/* in: x, wi, wh, bias, h0, c0, lengths;  i[0]: reverse */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_tensor *const weights[3] = { in[1], in[2], in[3] }, *const state[2] = { in[4], in[5] };
    return heed_lstm_layer(cx, in[0], weights, state, in[6], c->i[0] != 0);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], I = c->in[0].shape[2];
    const int64_t H = c->in[2].shape[1];
    double *a = malloc((size_t)(5 * H) * sizeof *a), *cell = a ? a + 4 * H : NULL;
    for (int64_t i = 0; i < B * T * H; i++) out[i] = 0;
    for (int64_t b = 0; a && b < B; b++) {
        const int64_t len = in[6] ? (int64_t)in[6][b] : T;
        const double *h0 = in[4] ? in[4] + b * H : NULL, *c0 = in[5] ? in[5] + b * H : NULL;
        for (int64_t s = 0; s < len; s++) {
            const int64_t t = c->i[0] ? len - 1 - s : s;
            for (int64_t g = 0; g < 4 * H; g++) {
                a[g] = in[3] ? in[3][g] : 0;
                for (int64_t i = 0; i < I; i++)
                    a[g] += in[1][g * I + i] * in[0][(b * T + t) * I + i];
                for (int64_t u = 0; h0 && u < H; u++) a[g] += in[2][g * H + u] * h0[u];
            }
            double *h = out + (b * T + t) * H;
            recurrent_lstm(H, a, c0, h, cell);
            h0 = h;
            c0 = cell;
        }
    }
    free(a);
}

static void add(heed_case_list *l, const int64_t size[3], bool state, const int32_t *lengths,
                bool reverse) {
    const int64_t B = size[0], T = size[1], H = size[2], I = H > 8 ? H - 5 : H + 2;
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 7,
                    .in = { { HEED_DIMS(B, T, I) },
                            { HEED_DIMS(4 * H, I), .lo = -0.4, .hi = 0.4 },
                            { HEED_DIMS(4 * H, H), .lo = -0.4, .hi = 0.4 },
                            { HEED_DIMS(4 * H), .optional = true, .absent = reverse },
                            { HEED_DIMS(B, H), .optional = true, .absent = !state },
                            { HEED_DIMS(B, H), .optional = true, .absent = !state },
                            { HEED_DIMS(B), .dtype = HEED_I32, .ids = lengths, .hi = (double)T,
                              .optional = true, .absent = !lengths } },
                    .out = { HEED_DIMS(B, T, H) },
                    .i = { reverse } };
    heed_case_add(l, &c);
}

void heed_cases_lstm_layer(heed_case_list *l) {
    static const int32_t many[40] = { 3, 1, 5, 0, 5, 2, 2, 4, 1, 5, 3, 3, 0, 5, 1, 4, 2, 2, 5, 5,
                                      1, 0, 3, 4, 5, 2, 1, 1, 3, 5, 4, 4, 2, 0, 5, 1, 2, 3, 4, 5 };
    recurrent_sizes(l, add);
    add(l, (int64_t[]){ 40, 5, 16 }, true, many, false);
    add(l, (int64_t[]){ 17, 70, 16 }, true, NULL, true); /* more steps than a shard has */
    heed_case_add(
        l,
        &(heed_case){ .apply = apply,
                      .count = 3,
                      .in = { { HEED_DIMS(2, 3, 5) }, { HEED_DIMS(12, 5) }, { HEED_DIMS(16, 4) } },
                      .refuse = "differ in their gates" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(64, 128, 64) },
                                           { HEED_DIMS(256, 64), .lo = -0.1, .hi = 0.1 },
                                           { HEED_DIMS(256, 64), .lo = -0.1, .hi = 0.1 } },
                                   .flops = 2.0 * 64 * 128 * 256 * 128 });
}
