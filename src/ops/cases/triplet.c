/* triplet.c: cases of heed_triplet. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_triplet(cx, in[0], in[1], in[c->count - 1], (float)c->f[0]);
}

static double distance(const double *x, const double *y, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t N = c->in[0].shape[0], C = c->in[0].shape[1];
    *out = 0;
    for (int64_t i = 0; i < N; i++)
        *out += fmax(0, distance(in[0] + i * C, in[1] + i * C, C) -
                            distance(in[0] + i * C, in[c->count - 1] + i * C, C) + c->f[0]);
    if (N) *out /= (double)N;
}

static void add(heed_case_list *l, heed_case_input x, double margin) {
    heed_case c = { .apply = apply, .reference = reference, .count = 3, .in = { x, x, x } };
    c.f[0] = margin;
    heed_case_add(l, &c);
}

void heed_cases_triplet(heed_case_list *l) {
    add(l, (heed_case_input){ HEED_DIMS(9, 17) }, 1);
    add(l, (heed_case_input){ HEED_DIMS(9, 17) }, 0.25);
    add(l, (heed_case_input){ HEED_DIMS(0, 4) }, 1);
    add(l, (heed_case_input){ HEED_DIMS(300, 101) }, 0.5);
    heed_case equal = { .name = "positive is negative", .apply = apply, .reference = reference };
    equal.count = 2;
    equal.f[0] = 0.5;
    equal.in[0] = equal.in[1] = (heed_case_input){ HEED_DIMS(3, 5) };
    heed_case_add(l, &equal);
    heed_case bad = { .apply = apply, .count = 3, .f = { 1 } };
    bad.in[0] = bad.in[1] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.in[2] = (heed_case_input){ HEED_DIMS(2, 4) };
    bad.refuse = "[2,3] and [2,4] differ in shape";
    heed_case_add(l, &bad);
    bad.in[0] = bad.in[1] = bad.in[2] = (heed_case_input){ HEED_DIMS(3) };
    bad.refuse = "[3] is not [N,C]";
    heed_case_add(l, &bad);
    bad.in[0] = bad.in[1] = bad.in[2] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.f[0] = NAN;
    bad.code = HEED_EINVALID;
    bad.refuse = "margin = nan is no number";
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 3,
                                   .in = { { HEED_DIMS(1024, 1024) },
                                           { HEED_DIMS(1024, 1024) },
                                           { HEED_DIMS(1024, 1024) } },
                                   .f = { 1 },
                                   .bytes = 12e6 });
}
