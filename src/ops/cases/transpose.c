/* transpose.c: cases of heed_transpose. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_transpose(cx, in[0], (int)c->i[0], (int)c->i[1]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int ndim = c->in[0].ndim;
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) {
        int64_t index[HEED_MAX_NDIM], rest = i, to = 0;
        for (int d = ndim - 1; d >= 0; d--) {
            index[d] = rest % c->in[0].shape[d];
            rest /= c->in[0].shape[d];
        }
        const int64_t a = index[c->i[0]];
        index[c->i[0]] = index[c->i[1]];
        index[c->i[1]] = a;
        for (int d = 0; d < ndim; d++) to = to * c->out.shape[d] + index[d];
        out[to] = in[0][i];
    }
}

static void add(heed_case_list *l, heed_case_input x, int a, int b) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .i = { a, b } };
    c.in[0] = x;
    c.out.ndim = x.ndim;
    for (int d = 0; d < x.ndim; d++) c.out.shape[d] = x.shape[d == a ? b : d == b ? a : d];
    heed_case_add(l, &c);
}

void heed_cases_transpose(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(2, 3, 5, 4) };
    add(l, (heed_case_input){ HEED_DIMS(3, 17) }, 0, 1);
    add(l, (heed_case_input){ HEED_DIMS(37, 19) }, 1, 0);
    add(l, x, 0, 1);
    add(l, x, 1, 2);
    add(l, x, 3, 0);
    add(l, x, 1, 3);
    add(l, x, 2, 2);
    add(l, (heed_case_input){ HEED_DIMS(3, 0, 2) }, 0, 2);
    add(l, (heed_case_input){ HEED_DIMS(4, 6, 130, 33) }, 1, 2);
    add(l, (heed_case_input){ HEED_DIMS(301, 333) }, 0, 1);
    heed_case bad = { .apply = apply, .count = 1, .in = { x }, .i = { 0, 4 } };
    bad.code = HEED_EINVALID;
    bad.refuse = "[2,3,5,4] has no axis 4";
    heed_case_add(l, &bad);
    bad.i[1] = -1;
    bad.refuse = "[2,3,5,4] has no axis -1";
    heed_case_add(l, &bad);
    bad.in[0].dtype = HEED_I32;
    bad.code = 0;
    bad.refuse = "must be f32";
    heed_case_add(l, &bad);
    heed_case bench = { .apply = apply, .bench = true, .count = 1, .i = { 1, 2 } };
    bench.in[0] = (heed_case_input){ HEED_DIMS(8, 128, 8, 32) };
    bench.bytes = 8 * 4.0 * 8 * 128 * 32 * 2;
    heed_case_add(l, &bench);
}
