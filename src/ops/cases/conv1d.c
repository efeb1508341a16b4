/* Cases of conv1d: stride, padding, dilation, groups. */
#include "ops/cases/convolution.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_conv1d(cx, in[0], in[1], in[2], c->cfg);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    convolution_reference(c, in, out, 1);
}

/* size: B, I, T, O, I/g, K, T' */
static void add(heed_case_list *l, const int64_t s[7], const heed_conv_cfg *cfg, bool bias) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 3,
                    .in = { { HEED_DIMS(s[0], s[1], s[2]) },
                            { HEED_DIMS(s[3], s[4], s[5]) },
                            { HEED_DIMS(s[3]), .optional = true, .absent = !bias } },
                    .out = { HEED_DIMS(s[0], s[3], s[6]) },
                    .cfg = cfg };
    heed_case_add(l, &c);
}

void heed_cases_conv1d(heed_case_list *l) {
    static const heed_conv_cfg same = { .padding = { 0, 1 } };
    static const heed_conv_cfg jump = {
        .stride = { 0, 2 }, .padding = { 0, 3 }, .dilation = { 0, 2 }, .groups = 3
    };
    add(l, (int64_t[]){ 1, 1, 1, 1, 1, 1, 1 }, NULL, false);
    add(l, (int64_t[]){ 2, 3, 9, 4, 3, 3, 9 }, &same, true);
    add(l, (int64_t[]){ 3, 6, 17, 9, 2, 5, 8 }, &jump, true);
    add(l, (int64_t[]){ 5, 17, 40, 33, 17, 3, 40 }, &same, true);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 3,
                                   .in = { { HEED_DIMS(2, 3, 2) },
                                           { HEED_DIMS(4, 3, 3) },
                                           { HEED_DIMS(4), .optional = true } },
                                   .refuse = "[2,3,2]" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(16, 128, 128) },
                                           { HEED_DIMS(128, 128, 3) },
                                           { HEED_DIMS(128) } },
                                   .cfg = &same,
                                   .flops = 2.0 * 16 * 128 * 128 * 128 * 3 });
}
