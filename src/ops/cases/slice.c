/* slice.c: cases of heed_slice, through heed_scale so that a view's gradient is seen to reach its
 * tensor. */
#include "ops/cases/cases.h"

#include <math.h>

/* i: axis, begin, end, and 1 for two slices that overlap */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_tensor *y = heed_slice(cx, in[0], (int)c->i[0], c->i[1], c->i[2]);
    if (c->i[3] && y && y->dtype == HEED_F32) {
        heed_tensor *next = heed_slice(cx, in[0], (int)c->i[0], c->i[1] - 1, c->i[2] - 1);
        return heed_swiglu(cx, y, next);
    }
    return y && y->dtype != HEED_F32 ? y : heed_scale(cx, y, 2, 0);
}

static double at(const heed_case *c, const double *x, int64_t i, int64_t back) {
    int64_t inner = 1;
    for (int d = (int)c->i[0] + 1; d < c->in[0].ndim; d++) inner *= c->in[0].shape[d];
    const int64_t len = (c->i[2] - c->i[1]) * inner, whole = c->in[0].shape[c->i[0]] * inner;
    return x[i / len * whole + (c->i[1] - back) * inner + i % len];
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    int64_t len = 1;
    for (int d = 0; d < c->out.ndim; d++) len *= c->out.shape[d];
    for (int64_t i = 0; i < len; i++) {
        const double x = at(c, in[0], i, 0);
        out[i] = c->i[3] ? x / (1 + exp(-x)) * at(c, in[0], i, 1) : 2 * x;
    }
}

static void add(heed_case_list *l, heed_case_input x, const int64_t cut[3], bool twice) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .in = { x } };
    for (int k = 0; k < 3; k++) c.i[k] = cut[k];
    c.i[3] = twice;
    c.out.ndim = x.ndim;
    for (int d = 0; d < x.ndim; d++) c.out.shape[d] = x.shape[d];
    c.out.shape[cut[0]] = cut[2] - cut[1];
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, const int64_t cut[3], const char *message) {
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .count = 1,
                                   .in = { { HEED_DIMS(5, 6) } },
                                   .i = { cut[0], cut[1], cut[2] },
                                   .code = HEED_EINVALID,
                                   .refuse = message });
}

void heed_cases_slice(heed_case_list *l) {
    const heed_case_input x = { HEED_DIMS(5, 7, 3) }, one = { HEED_DIMS(1, 9, 2) };
    add(l, x, (int64_t[]){ 0, 1, 4 }, false);
    add(l, x, (int64_t[]){ 1, 2, 6 }, false);
    add(l, x, (int64_t[]){ 2, 1, 2 }, false);
    add(l, x, (int64_t[]){ 1, 0, 7 }, false);
    add(l, x, (int64_t[]){ 0, 2, 2 }, false);
    add(l, x, (int64_t[]){ 1, 3, 3 }, false);
    add(l, one, (int64_t[]){ 1, 3, 8 }, false);
    add(l, x, (int64_t[]){ 0, 1, 4 }, true);
    add(l, x, (int64_t[]){ 1, 1, 4 }, true);
    add(l, (heed_case_input){ HEED_DIMS(3, 0) }, (int64_t[]){ 0, 1, 2 }, false);
    add(l, (heed_case_input){ HEED_DIMS(400, 301) }, (int64_t[]){ 1, 17, 290 }, false);
    refuse(l, (int64_t[]){ 2, 0, 1 }, "[5,6] has no axis 2");
    refuse(l, (int64_t[]){ -1, 0, 1 }, "[5,6] has no axis -1");
    refuse(l, (int64_t[]){ 0, 2, 6 }, "2..6 is not within axis 0 of [5,6]");
    refuse(l, (int64_t[]){ 1, 3, 2 }, "3..2 is not within axis 1 of [5,6]");
    refuse(l, (int64_t[]){ 1, -1, 2 }, "-1..2 is not within");
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 1,
                                   .in = { { HEED_DIMS(1024, 1024) } },
                                   .i = { 1, 256, 768 },
                                   .bytes = 8e6 / 2 });
}
