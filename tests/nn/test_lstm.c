/* test_lstm.c: heed_lstm_layer gives the bits of heed_lstm after heed_affine, forward and in the
 * gradients of its input and states, for batches on either side of where it takes its own way. */
#include "cmocka_all.h"

#include <string.h>

#include <heed/ops.h>

enum { T = 9, I = 13, H = 10, MOST = 20 };

typedef struct result {
    float y[MOST * T * H], dx[MOST * T * I], dh[MOST * H];
} result;

static heed_tensor *numbers(heed_ctx *cx, heed_rng *rng, int ndim, const int64_t *shape) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = 0.3f * (float)heed_rng_normal(rng);
    return heed_want_grad(cx, t);
}

static void run(bool layer, int64_t B, bool reverse, result *out) {
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 1, .threads = 2 }, &err);
    heed_rng rng = { .seed = 2 };
    heed_tensor *x = numbers(cx, &rng, 3, (int64_t[]){ B, T, I });
    heed_tensor *wi = numbers(cx, &rng, 2, (int64_t[]){ 4 * H, I });
    heed_tensor *wh = numbers(cx, &rng, 2, (int64_t[]){ 4 * H, H });
    heed_tensor *bias = numbers(cx, &rng, 1, (int64_t[]){ 4 * H });
    heed_tensor *state[2] = { numbers(cx, &rng, 2, (int64_t[]){ B, H }), NULL };
    int32_t lengths[MOST];
    for (int b = 0; b < MOST; b++) lengths[b] = b * 7 % (T + 1);
    heed_tensor *len = heed_from_i32(cx, 1, &B, lengths);
    heed_tensor *y = layer ? heed_lstm_layer(cx, x, (heed_tensor *[]){ wi, wh, bias }, state, len,
                                             reverse)
                           : heed_lstm(cx, heed_affine(cx, x, wi, bias), wh, state, len, reverse);
    if (!layer) y = heed_reshape(cx, heed_slice(cx, y, 0, 0, 1), 3, (int64_t[]){ B, T, H });
    assert_int_equal(heed_backward(cx, heed_sum(cx, heed_mul(cx, y, y))), 0);
    memset(out, 0, sizeof *out);
    memcpy(out->y, y->data, (size_t)y->len * sizeof(float));
    memcpy(out->dx, x->grad, (size_t)x->len * sizeof(float));
    memcpy(out->dh, state[0]->grad, (size_t)state[0]->len * sizeof(float));
    heed_ctx_free(cx);
}

static void test_same_bits(void **unused) {
    static result a, b;
    (void)unused;
    for (int64_t batch = 16; batch <= MOST; batch += MOST - 16)
        for (int reverse = 0; reverse < 2; reverse++) {
            run(true, batch, reverse != 0, &a);
            run(false, batch, reverse != 0, &b);
            assert_memory_equal(&a, &b, sizeof a);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
