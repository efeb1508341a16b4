/* Cases of gru_cell. */
#include "ops/cases/cases.h"
#include "ops/cases/recurrent.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_gru_cell(cx, in[0], in[1], in[2]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[2].shape[0], H = c->in[2].shape[1];
    for (int64_t b = 0; b < B; b++)
        recurrent_gru(H, in[0] + b * 3 * H, in[1] + b * 3 * H, in[2] + b * H, out + b * H);
}

static void add(heed_case_list *l, int64_t B, int64_t H) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 3,
                    .in = {
                        { HEED_DIMS(B, 3 * H) }, { HEED_DIMS(B, 3 * H) }, { HEED_DIMS(B, H) } } };
    c.out.ndim = 2;
    c.out.shape[0] = B, c.out.shape[1] = H;
    heed_case_add(l, &c);
}

void heed_cases_gru_cell(heed_case_list *l) {
    add(l, 1, 1);
    add(l, 3, 17);
    add(l, 700, 33);
    add(l, 0, 3);
    heed_case_add(
        l, &(heed_case){ .apply = apply,
                         .count = 3,
                         .in = { { HEED_DIMS(2, 9) }, { HEED_DIMS(2, 9) }, { HEED_DIMS(2, 4) } },
                         .refuse = "[2,4]" });
    heed_case_add(
        l, &(heed_case){
               .apply = apply,
               .bench = true,
               .count = 3,
               .in = { { HEED_DIMS(256, 768) }, { HEED_DIMS(256, 768) }, { HEED_DIMS(256, 256) } },
               .bytes = 8.0 * 256 * 256 * 4 });
}
