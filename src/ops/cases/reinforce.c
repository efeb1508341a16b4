/* Cases of heed_reinforce. */
#include "ops/cases/cases.h"

#include "heed/attention.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_reinforce(cx, in[0], in[1], in[2]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = heed_case_len(c, 0);
    *out = 0;
    for (int64_t b = 0; b < B; b++)
        *out -= (in[1][b] - (in[2] ? in[2][b] : 0)) * in[0][b] / (double)B;
}

void heed_cases_reinforce(heed_case_list *l) {
    for (int n = 0; n < 4; n++) {
        const int64_t B = (int64_t[]){ 1, 17, 33, 0 }[n];
        heed_case c = { .apply = apply, .reference = reference, .count = 3 };
        c.in[0] = (heed_case_input){ HEED_DIMS(B) };
        c.in[1] = (heed_case_input){ HEED_DIMS(B), .constant = true };
        c.in[2] = (heed_case_input){ HEED_DIMS(B), .constant = true, .optional = true };
        c.in[2].absent = n == 2;
        heed_case_add(l, &c);
    }
    heed_case bad = { .apply = apply, .count = 3, .refuse = "are not f32 [B]" };
    bad.in[0] = (heed_case_input){ HEED_DIMS(3) };
    bad.in[1] = (heed_case_input){ HEED_DIMS(4) };
    bad.in[2] = (heed_case_input){ HEED_DIMS(3), .optional = true };
    heed_case_add(l, &bad);
    heed_case_add(
        l, &(heed_case){ .apply = apply,
                         .bench = true,
                         .count = 3,
                         .in = { { HEED_DIMS(4096) }, { HEED_DIMS(4096) }, { HEED_DIMS(4096) } },
                         .bytes = 3.0 * 4096 * 4 });
}
