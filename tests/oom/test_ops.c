/* Memory runs out within every operation: each small case of src/ops/cases, forward and backward,
 * with each block of the step failing once. */
#include "oom.h"

#include "ops/cases/cases.h"

static const heed_case *now;

static int run(heed_error *err) {
    heed_tensor *in[HEED_CASE_INPUTS];
    heed_ctx *cx = oom_context(true, err);
    if (!cx) return err->code;
    heed_tensor *y = NULL;
    if (heed__case_inputs(cx, now, ~0u, in)) y = now->apply(cx, now, in);
    heed_tensor *loss = y && y->dtype == HEED_F32 ? heed_sum(cx, heed_mul(cx, y, y)) : y;
    if (loss && loss->needs_grad) heed_backward(cx, loss);
    if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
    const int status = err->code ? err->code : loss ? 0 : HEED_EINVALID;
    heed_ctx_free(cx);
    return status;
}

static void every_case(void) {
    heed_case_list all = { 0 };
    assert_int_equal(heed__cases_all(&all), 0);
    int64_t runs = 0, done = 0;
    for (int64_t i = 0; i < all.count; i++) {
        now = &all.items[i];
        int64_t len = 0;
        for (int k = 0; k < now->count; k++) len += heed_case_len(now, k);
        if (now->bench || now->refuse || len > 3000) continue;
        runs += oom_each(run);
        done++;
    }
    print_message("%lld cases, %lld allocations\n", (long long)done, (long long)runs);
    assert_true(done > 100);
    heed__cases_free(&all);
}

static void test_every_case(void **state) {
    (void)state;
    oom_use(1, HEED_PRECISION_F32);
    every_case();
}

static void test_two_threads_in_bf16(void **state) {
    (void)state;
    oom_use(2, HEED_PRECISION_BF16);
    every_case();
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_case),
                                        cmocka_unit_test(test_two_threads_in_bf16) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
