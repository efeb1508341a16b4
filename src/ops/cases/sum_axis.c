/* sum_axis.c: cases of heed_sum_axis. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_sum_axis(cx, in[0], (int)c->i[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    int64_t outer = 1, inner = 1;
    const int64_t A = c->in[0].shape[c->i[0]];
    for (int d = 0; d < c->i[0]; d++) outer *= c->in[0].shape[d];
    for (int d = (int)c->i[0] + 1; d < c->in[0].ndim; d++) inner *= c->in[0].shape[d];
    for (int64_t p = 0; p < outer; p++)
        for (int64_t n = 0; n < inner; n++) {
            double sum = 0;
            for (int64_t a = 0; a < A; a++) sum += in[0][(p * A + a) * inner + n];
            out[p * inner + n] = sum;
        }
}

static void add(heed_case_list *l, heed_case_input x, int axis) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .in = { x } };
    c.i[0] = axis;
    c.out.ndim = x.ndim - 1;
    for (int d = 0; d + 1 < x.ndim; d++) c.out.shape[d] = x.shape[d < axis ? d : d + 1];
    c.tolerance = 4e-6;
    heed_case_add(l, &c);
}

void heed_cases_sum_axis(heed_case_list *l) {
    for (int axis = 0; axis < 3; axis++) {
        add(l, (heed_case_input){ HEED_DIMS(3, 5, 17) }, axis);
        add(l, (heed_case_input){ HEED_DIMS(3, 0, 4) }, axis);
        add(l, (heed_case_input){ HEED_DIMS(31, 65, 70) }, axis);
    }
    add(l, (heed_case_input){ HEED_DIMS(9) }, 0);
    heed_case bad = { .apply = apply, .count = 1, .in = { { HEED_DIMS(3, 5) } }, .i = { 2 } };
    bad.code = HEED_EINVALID;
    bad.refuse = "[3,5] has no axis 2";
    heed_case_add(l, &bad);
    bad.in[0].dtype = HEED_I32;
    bad.code = 0;
    bad.refuse = "must be f32";
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 1,
                                   .in = { { HEED_DIMS(64, 128, 128) } },
                                   .i = { 1 },
                                   .bytes = 4.0 * 64 * 128 * 128 });
}
