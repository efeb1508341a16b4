/* Cases of conv2d: stride, padding, dilation, groups. */
#include "ops/cases/convolution.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_conv2d(cx, in[0], in[1], in[2], c->cfg);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    convolution_reference(c, in, out, 2);
}

/* x [B,I,Y,X], w [O,I/g,Ky,Kx] -> [B,O,Y',X'] */
static void add(heed_case_list *l, const int64_t x[4], const int64_t w[4], const int64_t out[2],
                const heed_conv_cfg *cfg) {
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 3,
                    .in = { { HEED_DIMS(x[0], x[1], x[2], x[3]) },
                            { HEED_DIMS(w[0], w[1], w[2], w[3]) },
                            { HEED_DIMS(w[0]), .optional = true } },
                    .out = { HEED_DIMS(x[0], w[0], out[0], out[1]) },
                    .cfg = cfg };
    heed_case_add(l, &c);
}

void heed_cases_conv2d(heed_case_list *l) {
    static const heed_conv_cfg same = { .padding = { 1, 1 } };
    static const heed_conv_cfg jump = {
        .stride = { 2, 1 }, .padding = { 0, 2 }, .dilation = { 1, 2 }, .groups = 2
    };
    add(l, (int64_t[]){ 1, 1, 3, 3 }, (int64_t[]){ 1, 1, 3, 3 }, (int64_t[]){ 1, 1 }, NULL);
    add(l, (int64_t[]){ 2, 3, 5, 7 }, (int64_t[]){ 4, 3, 3, 3 }, (int64_t[]){ 5, 7 }, &same);
    add(l, (int64_t[]){ 2, 4, 7, 6 }, (int64_t[]){ 6, 2, 3, 2 }, (int64_t[]){ 3, 8 }, &jump);
    add(l, (int64_t[]){ 3, 8, 17, 15 }, (int64_t[]){ 17, 8, 3, 3 }, (int64_t[]){ 17, 15 }, &same);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 3,
                                   .in = { { HEED_DIMS(2, 3, 5, 5) },
                                           { HEED_DIMS(4, 2, 3, 3) },
                                           { HEED_DIMS(4), .optional = true } },
                                   .refuse = "[4,2,3,3]" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(8, 32, 32, 32) },
                                           { HEED_DIMS(64, 32, 3, 3) },
                                           { HEED_DIMS(64) } },
                                   .cfg = &same,
                                   .flops = 2.0 * 8 * 64 * 32 * 32 * 32 * 9 });
}
