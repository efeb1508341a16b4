/* reshape.c: cases of heed_reshape, whose result goes through heed_scale so that its gradient is
 * seen to reach the tensor that it views. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_tensor *y = heed_reshape(cx, in[0], (int)c->i[5], c->i);
    return y && y->dtype != HEED_F32 ? y : heed_scale(cx, y, 2, 0);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++) out[i] = 2 * in[0][i];
}

static heed_case make(heed_case_input x, heed_case_shape to, heed_case_shape out) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .in = { x }, .out = out };
    for (int d = 0; d < to.ndim; d++) c.i[d] = to.shape[d];
    c.i[5] = to.ndim;
    return c;
}

static void add(heed_case_list *l, heed_case_input x, heed_case_shape to, heed_case_shape out) {
    const heed_case c = make(x, to, out);
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case_shape to, const char *message) {
    heed_case c = make((heed_case_input){ HEED_DIMS(4, 6) }, to, to);
    c.refuse = message;
    heed_case_add(l, &c);
}

void heed_cases_reshape(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(4, 6) };
    const heed_case_shape flat = { HEED_DIMS(24) }, deep = { HEED_DIMS(2, 3, 4) };
    add(l, x, flat, flat);
    add(l, x, deep, deep);
    add(l, x, (heed_case_shape){ HEED_DIMS(2, -1, 4) }, deep);
    add(l, (heed_case_input){ 0 }, (heed_case_shape){ HEED_DIMS(1, 1) },
        (heed_case_shape){ HEED_DIMS(1, 1) });
    add(l, (heed_case_input){ HEED_DIMS(1) }, (heed_case_shape){ 0 }, (heed_case_shape){ 0 });
    add(l, (heed_case_input){ HEED_DIMS(3, 0) }, (heed_case_shape){ HEED_DIMS(0, 7) },
        (heed_case_shape){ HEED_DIMS(0, 7) });
    refuse(l, (heed_case_shape){ HEED_DIMS(5, 5) }, "[4,6] does not become [5,5]");
    refuse(l, (heed_case_shape){ HEED_DIMS(-1, -1) }, "[4,6] does not become [-1,-1]");
    refuse(l, (heed_case_shape){ HEED_DIMS(-1, 0) }, "[4,6] does not become [-1,0]");
    refuse(l, (heed_case_shape){ HEED_DIMS(-1, 5) }, "does not become");
    refuse(l, (heed_case_shape){ HEED_DIMS(-2, -12) }, "does not become");
    refuse(l, (heed_case_shape){ HEED_DIMS(INT64_C(1) << 62, 4) }, "does not become");
    heed_case many = make(x, flat, flat);
    many.i[5] = 7;
    many.refuse = "a shape of 7 axes";
    heed_case_add(l, &many);
    heed_case timed = make((heed_case_input){ HEED_DIMS(1024, 1024) },
                           (heed_case_shape){ HEED_DIMS(-1) }, flat);
    timed.bench = true;
    timed.bytes = 8e6; /* heed_scale's */
    heed_case_add(l, &timed);
}
