/* Memory runs out within every operation: each small case of src/ops/cases, forward and backward,
 * with each block of the step failing once. */
#include "oom.h"

#include "ops/cases/cases.h"

static const heed_case *now;

static int run(heed_error *err) {
    heed_tensor *in[HEED_CASE_INPUTS];
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 1, .threads = 1 }, err);
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

static void test_every_case(void **state) {
    (void)state;
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

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_case) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
