/* test_lstm.c: heed_lstm_layer gives the bits of heed_lstm after heed_affine, forward and in the
 * gradients of its input and states, for batches on either side of where it takes its own way, in
 * one direction and where both add to the gradient of one input. */
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

typedef struct net {
    heed_tensor *x, *wi, *wh, *bias, *state[2], *lengths;
} net;

static heed_tensor *direction(heed_ctx *cx, const net *n, bool layer, bool reverse) {
    heed_tensor *const weights[3] = { n->wi, n->wh, n->bias };
    if (layer) return heed_lstm_layer(cx, n->x, weights, n->state, n->lengths, reverse);
    heed_tensor *xw = heed_affine(cx, n->x, n->wi, n->bias);
    heed_tensor *y = heed_lstm(cx, xw, n->wh, n->state, n->lengths, reverse);
    const int64_t shape[] = { n->x->shape[0], T, H };
    return heed_reshape(cx, heed_slice(cx, y, 0, 0, 1), 3, shape);
}

/* ways: 1 forward, 2 reverse, 3 both. */
static void run(bool layer, int64_t B, int ways, result *out) {
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 1, .threads = 2 }, &err);
    heed_rng rng = { .seed = 2 };
    net n = { .x = numbers(cx, &rng, 3, (int64_t[]){ B, T, I }) };
    n.wi = numbers(cx, &rng, 2, (int64_t[]){ 4 * H, I });
    n.wh = numbers(cx, &rng, 2, (int64_t[]){ 4 * H, H });
    n.bias = numbers(cx, &rng, 1, (int64_t[]){ 4 * H });
    n.state[0] = numbers(cx, &rng, 2, (int64_t[]){ B, H });
    int32_t lengths[MOST];
    for (int b = 0; b < MOST; b++) lengths[b] = b * 7 % (T + 1);
    n.lengths = heed_from_i32(cx, 1, &B, lengths);
    heed_tensor *y = ways & 1 ? direction(cx, &n, layer, false) : NULL;
    heed_tensor *back = ways & 2 ? direction(cx, &n, layer, true) : y;
    y = y && y != back ? heed_add(cx, y, back) : back;
    assert_int_equal(heed_backward(cx, heed_sum(cx, heed_mul(cx, y, y))), 0);
    memset(out, 0, sizeof *out);
    memcpy(out->y, y->data, (size_t)y->len * sizeof(float));
    memcpy(out->dx, n.x->grad, (size_t)n.x->len * sizeof(float));
    memcpy(out->dh, n.state[0]->grad, (size_t)n.state[0]->len * sizeof(float));
    heed_ctx_free(cx);
}

static void test_same_bits(void **unused) {
    static result a, b;
    (void)unused;
    for (int64_t batch = 16; batch <= MOST; batch += MOST - 16)
        for (int ways = 1; ways <= 3; ways++) {
            run(true, batch, ways, &a);
            run(false, batch, ways, &b);
            assert_memory_equal(&a, &b, sizeof a);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
