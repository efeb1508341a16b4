/* test_attention.c: the fused kernel against its formula in double, and against itself: the bits do
 * not depend on the ISA or on threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "isas.h"
#include "unit/attention_try.h"

static heed_ctx *context(const char *isa, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(
        &(heed_ctx_cfg){ .train = true, .seed = 5, .threads = threads, .isa = isa }, &err);
    if (!cx) fail_msg("%s", err.msg);
    return cx;
}

static void close_to(const float *x, const double *y, int64_t n, const char *what, int index) {
    double most = 0.5; /* sums that cancel leave rounding of terms near 1 */
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(y[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)x[i] - y[i]) <= 3e-5 * most))
            fail_msg("try %d, %s: element %lld of %lld is %g, not %g (largest %g)", index, what,
                     (long long)i, (long long)n, (double)x[i], y[i], most);
}

/* Forward and gradients of one try against the formula; then equal bits on every ISA and for other
 * thread counts. */
static void check(const Try *y, int index) {
    heed_ctx *cx = context(NULL, 1);
    Exact exact = try_reference(cx, y, (uint64_t)index);
    Result r = try_run(cx, y, (uint64_t)index);
    static const char *const name[] = { "dq", "dk", "dv", "dbias", "dt5", "dsinks", "dtau", "" };
    close_to(r.out, exact.out, r.len, "out", index);
    for (int i = 0; i < TRY_GRADS; i++)
        if (r.grad[i]) close_to(r.grad[i], exact.grad[i], r.grad_len[i], name[i], index);
    try_exact_done(&exact);
    heed_ctx_free(cx);
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int i = 0; i < count; i++) {
        const int threads[] = { 1, 2, 3, 7 };
        cx = context(all[i]->name, threads[(index + i) % 4]);
        Result other = try_run(cx, y, (uint64_t)index);
        try_same(&r, &other, all[i]->name);
        try_done(&other);
        heed_ctx_free(cx);
    }
    try_done(&r);
}

static void test_formula(void **state) {
    (void)state;
    for (int i = 0; i < TRY_LIST; i++) check(&try_list[i], i);
}

/* Sizes by chance, so that no special one is forgotten. */
static void test_chance(void **state) {
    (void)state;
    heed_rng rng = { .seed = 99 };
    for (int i = 0; i < 60; i++) {
        const Try y = try_chance(&rng);
        check(&y, 1000 + i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
