/* Memory runs out while a context, parameters and steps of training are made. */
#include "oom.h"

#include "heed/ops.h"
#include "heed/tensor.h"

static int make_ctx(heed_error *err) {
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 2 }, err);
    if (!cx) return err->code;
    heed_ctx_free(cx);
    return 0;
}

static int make_params(heed_error *err) {
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, err);
    if (!ps) return err->code;
    char name[] = "w0";
    for (int i = 0; i < 20; i++) {
        name[1] = (char)('a' + i);
        heed_param(ps, name, (heed_init){ HEED_INIT_XAVIER_UNIFORM, 0 }, 2, (int64_t[]){ 7, 5 });
    }
    const heed_error *first = heed_params_error(ps);
    const int status = first ? first->code : 0;
    if (first) *err = *first;
    heed_params_free(ps);
    return status;
}

/* Two steps of a small network with an embedding table, dense and then with row-sparse
 * gradients. */
static int train(heed_error *err, bool sparse) {
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1, .seed = 3 }, err);
    if (!cx) return err->code;
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, err);
    if (!ps) return heed_ctx_free(cx), err->code;
    const heed_init xavier = { HEED_INIT_XAVIER_UNIFORM, 0 };
    heed_tensor *table = heed_param(ps, "table", xavier, 2, (int64_t[]){ 11, 6 });
    heed_tensor *w = heed_param(ps, "w", xavier, 2, (int64_t[]){ 4, 6 });
    int status = heed_params_error(ps) ? heed_params_error(ps)->code : 0;
    if (status) *err = *heed_params_error(ps);
    if (!status && sparse && (status = heed_param_set_sparse(ps, table)) != 0) {
        *err = heed_params_error(ps) ? *heed_params_error(ps)
                                     : (heed_error){ .code = status, .msg = "no sparse table" };
    }
    for (int step = 0; step < 2 && !status; step++) {
        heed_tensor *ids = heed_from_i32(cx, 1, (int64_t[]){ 5 }, (int32_t[]){ 1, 4, 1, 10, 0 });
        heed_tensor *y = heed_affine(cx, heed_embedding(cx, table, ids, -1), w, NULL);
        heed_tensor *loss = heed_mean(cx, heed_mul(cx, y, heed_tanh(cx, y)));
        status = heed_backward(cx, loss);
        if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
        if (!status) heed_params_zero_grad(ps);
        heed_ctx_reset(cx);
    }
    heed_params_free(ps);
    heed_ctx_free(cx);
    return status;
}

static int train_dense(heed_error *err) {
    return train(err, false);
}

static int train_sparse(heed_error *err) {
    return train(err, true);
}

static void test_ctx(void **state) {
    (void)state;
    oom_each(make_ctx);
}

static void test_params(void **state) {
    (void)state;
    oom_each(make_params);
}

static void test_train(void **state) {
    (void)state;
    oom_each(train_dense);
    oom_each(train_sparse);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctx),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_train),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
