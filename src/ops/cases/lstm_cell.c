/* Cases of lstm_cell. */
#include "ops/cases/cases.h"
#include "ops/cases/recurrent.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_lstm_cell(cx, in[0], in[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[1].shape[0], H = c->in[1].shape[1];
    for (int64_t b = 0; b < B; b++)
        recurrent_lstm(H, in[0] + b * 4 * H, in[1] + b * H, out + b * H, out + (B + b) * H);
}

static void add(heed_case_list *l, int64_t B, int64_t H) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 2,
                    .in = { { HEED_DIMS(B, 4 * H) }, { HEED_DIMS(B, H) } } };
    c.out.ndim = 3;
    c.out.shape[0] = 2, c.out.shape[1] = B, c.out.shape[2] = H;
    heed_case_add(l, &c);
}

void heed_cases_lstm_cell(heed_case_list *l) {
    add(l, 1, 1);
    add(l, 3, 17);
    add(l, 700, 33);
    add(l, 0, 3);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(2, 8) }, { HEED_DIMS(2, 3) } },
                                   .refuse = "[2,8]" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(256, 1024) }, { HEED_DIMS(256, 256) } },
                                   .bytes = 7.0 * 256 * 256 * 4 });
}
