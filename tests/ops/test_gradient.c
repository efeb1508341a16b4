/* test_gradient.c: the f32 gradient of every case against central differences of its reference in
 * double; each input alone; the op used twice. */
#include "harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALL = 128, SAMPLES = 32 };

static double weighted(const heed_case *c, double *const *in, int64_t len) {
    double *out = harness_reference(c, in, len), sum = 0;
    for (int64_t e = 0; e < len; e++) sum += out[e] * (double)(float)harness_weight(e);
    free(out);
    return sum;
}

/* d sum(out·w) / d in[i][e] */
static double difference(const heed_case *c, double *const *in, int i, int64_t e, int64_t len) {
    const double x = in[i][e], h = c->step > 0 ? c->step : 1e-5;
    in[i][e] = x + h;
    const double above = weighted(c, in, len);
    in[i][e] = x - h;
    const double below = weighted(c, in, len);
    in[i][e] = x;
    return (above - below) / (2 * h);
}

static void check_differences(const heed_case *c, const harness_result *r, int i) {
    const int64_t n = r->in_len[i], count = n <= ALL ? n : SAMPLES;
    float got[ALL];
    double want[ALL], largest = 0;
    heed_rng rng = { .seed = 3 };
    for (int64_t s = 0; s < count; s++) {
        const int64_t e = n <= ALL ? s : (int64_t)heed_rng_below(&rng, (uint64_t)n);
        got[s] = r->grad[i][e];
        want[s] = difference(c, (double *const *)r->in, i, e, r->len);
        largest = fmax(largest, fabs(want[s]));
    }
    char what[32];
    snprintf(what, sizeof what, "gradient of input %d", i);
    if (largest < 1e-6) { /* it is zero: the differences carry only their own rounding */
        for (int64_t s = 0; s < count; s++)
            if (!(fabsf(got[s]) <= 2e-6F))
                fail_msg("%s %s: %s is %g, not 0", c->op, c->name, what, (double)got[s]);
        return;
    }
    harness_close(c,
                  &(harness_compare){ .what = what,
                                      .got = got,
                                      .want = want,
                                      .len = count,
                                      .tolerance = c->grad_tolerance > 0 ? c->grad_tolerance : 1e-5,
                                      .floor = c->grad_floor });
}

static void check_alone(const heed_case *c, const harness_result *all, int i) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    harness_result r = harness_run(cx, c, 1U << i, 1);
    harness_same_bits(c, "gradient of one input wanted alone", r.grad[i], all->grad[i],
                      r.in_len[i]);
    harness_free(&r);
    heed_ctx_free(cx);
}

static void check_twice(const heed_case *c, const harness_result *once) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    harness_result r = harness_run(cx, c, ~0U, 2);
    for (int i = 0; i < c->count; i++) {
        if (!r.grad[i]) continue;
        double *want = malloc((size_t)r.in_len[i] * sizeof *want + 1);
        assert_non_null(want);
        for (int64_t e = 0; e < r.in_len[i]; e++) want[e] = 2 * (double)once->grad[i][e];
        harness_close(c, &(harness_compare){ .what = "gradient of the op used twice",
                                             .got = r.grad[i],
                                             .want = want,
                                             .len = r.in_len[i],
                                             .tolerance = 4e-5, /* one long chain twice */
                                             .floor = c->grad_floor });
        free(want);
    }
    harness_free(&r);
    heed_ctx_free(cx);
}

static void check(const heed_case *c) {
    if (c->bench || c->refuse) return;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    harness_result r = harness_run(cx, c, ~0U, 1);
    for (int i = 0; i < c->count; i++) {
        if (!r.grad[i]) continue;
        check_differences(c, &r, i);
        check_alone(c, &r, i);
    }
    if (!c->random) check_twice(c, &r);
    harness_free(&r);
    heed_ctx_free(cx);
}

int main(int argc, char **argv) {
    return harness_main("ops gradient", check, argc, argv);
}
