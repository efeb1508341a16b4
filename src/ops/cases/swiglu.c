/* swiglu.c: cases of heed_swiglu. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_swiglu(cx, in[0], in[c->count - 1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const double *gate = in[0], *up = in[c->count - 1];
    for (int64_t i = 0; i < heed_case_len(c, 0); i++)
        out[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
}

void heed_cases_swiglu(heed_case_list *l) {
    static const heed_case_input shapes[] = {
        { HEED_DIMS(3, 17) }, { HEED_DIMS(2, 5, 33) }, { HEED_DIMS(4, 0) }, { HEED_DIMS(301, 111) }
    };
    heed_case c = { .apply = apply, .reference = reference, .count = 2 };
    for (int s = 0; s < 4; s++) {
        c.in[0] = c.in[1] = shapes[s];
        c.out.ndim = shapes[s].ndim;
        for (int d = 0; d < shapes[s].ndim; d++) c.out.shape[d] = shapes[s].shape[d];
        heed_case_add(l, &c);
    }
    heed_case_add(l, &(heed_case){ .name = "one tensor is both",
                                   .apply = apply,
                                   .reference = reference,
                                   .count = 1,
                                   .in = { { HEED_DIMS(3, 17) } },
                                   .out = { HEED_DIMS(3, 17) } });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 2,
                                   .in = { { HEED_DIMS(2, 3) }, { HEED_DIMS(3) } },
                                   .refuse = "[2,3] and [3] differ in shape" });
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(1024, 1024) }, { HEED_DIMS(1024, 1024) } },
                                   .bytes = 3 * 4.0 * 1024 * 1024 });
}
