/* test_truncated.c: attention to the last 256 keys takes time in proportion to the length, forward
 * and backward, from 1k to 64k steps; `heed bench attention` shows the same of windows. The
 * exponent is fitted to the best of three runs each. Other work on the machine can bend a fit: it
 * is measured up to five times, and once must be within 0.1 of 1.
 */
#include "long.h"

#include <math.h>
#include <time.h>

enum { LOW = 1024, HIGH = 65536, D = 64, LAST = 256 };

/* Of the processor, since others may use it between. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static heed_tensor *numbers(heed_ctx *cx, int64_t T, uint64_t stream) {
    heed_tensor *x = heed_new(cx, HEED_F32, 3, (int64_t[]){ 1, T, D });
    if (!x) fail_msg("%s", heed_ctx_error(cx)->msg);
    heed_rng rng = { .seed = 1, .stream = stream };
    for (int64_t i = 0; i < x->len; i++) HEED_F32_DATA(x)[i] = heed_rng_uniform(&rng) - 0.5f;
    return heed_want_grad(cx, x);
}

static double seconds(heed_ctx *cx, int64_t T) {
    double best = INFINITY;
    for (int run = 0; run < 3; run++) {
        heed_tensor *q = numbers(cx, T, 1), *k = numbers(cx, T, 2), *v = numbers(cx, T, 3);
        const heed_attention_cfg cfg = { .causal = true, .truncate = LAST };
        const double start = now();
        heed_tensor *y = heed_attention(cx, q, k, v, &cfg);
        if (!y || heed_backward_from(cx, y, HEED_F32_DATA(y)))
            fail_msg("%s", heed_ctx_error(cx)->msg);
        best = fmin(best, now() - start);
        heed_ctx_reset(cx);
    }
    return best;
}

/* Least squares of log seconds on log length over the upper half of the lengths. */
static double exponent(heed_ctx *cx) {
    double x = 0, y = 0, xx = 0, xy = 0, n = 0;
    for (int64_t T = LOW; T <= HIGH; T *= 2) {
        const double s = log(seconds(cx, T)), t = log((double)T);
        if (T < 8 * LOW) continue;
        n++, x += t, y += s, xx += t * t, xy += t * s;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

static void test_linear(void **state) {
    (void)state;
    trial t = trial_new(1);
    double e = 0;
    for (int i = 0; i < 5; i++) {
        e = exponent(t.cx);
        print_message("last %d keys, with gradients: time grows as length to the power %.3f\n",
                      (int)LAST, e);
        if (fabs(e - 1) <= 0.1) break;
    }
    assert_true(fabs(e - 1) <= 0.1);
    trial_end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_linear) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
