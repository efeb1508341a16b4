/* test_special.c: what single operations promise beside their numbers: packed weights give the same
 * bits, dropout is nothing outside of training, leading slices and reshapes are views, and a loop
 * of equal steps holds no more memory after its second step. */
#include "harness.h"

#include "kernels/gemm.h"
#include "tensor/ctx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static heed_tensor *drawn(heed_ctx *cx, uint64_t stream, int64_t rows, int64_t cols) {
    heed_rng rng = { .seed = 5, .stream = stream };
    heed_tensor *t = heed_new(cx, HEED_F32, 2, (int64_t[]){ rows, cols });
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(&rng);
    return t;
}

static void packed_weight(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = drawn(cx, 0, 5, 33), *w = drawn(cx, 1, 19, 33);
    heed_tensor *plain = heed_affine(cx, x, w, NULL);
    float *panels = heed__alloc(cx, heed__packed_len(19, 33), sizeof *panels);
    assert_non_null(panels);
    heed__pack_b(cx->k, panels, w->data, 33, true, 19, 33);
    w->packed = panels;
    memset(w->data, 0xff, (size_t)w->len * sizeof(float)); /* not looked at */
    heed_tensor *packed = heed_affine(cx, x, w, NULL);
    assert_non_null(plain);
    assert_non_null(packed);
    assert_memory_equal(plain->data, packed->data, (size_t)plain->len * sizeof(float));
    heed_ctx_free(cx);
}

static void dropout_outside_of_training(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = drawn(cx, 0, 3, 4);
    assert_ptr_not_equal(heed_dropout(cx, x, 0.5F), x);
    heed_ctx_set_train(cx, false);
    assert_ptr_equal(heed_dropout(cx, x, 0.5F), x);
    heed_ctx_free(cx);
}

/* About p of the elements are 0, and another call or step draws another mask. */
static void dropout_masks(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = heed_new(cx, HEED_F32, 1, (int64_t[]){ 100000 });
    assert_non_null(x);
    for (int64_t i = 0; i < x->len; i++) HEED_F32_DATA(x)[i] = 1;
    heed_tensor *a = heed_dropout(cx, x, 0.1F), *b = heed_dropout(cx, x, 0.1F);
    assert_non_null(a);
    assert_non_null(b);
    int64_t dropped = 0, both = 0;
    for (int64_t i = 0; i < x->len; i++) {
        dropped += HEED_F32_DATA(a)[i] == 0;
        both += HEED_F32_DATA(a)[i] == 0 && HEED_F32_DATA(b)[i] == 0;
    }
    assert_in_range(dropped, 9600, 10400); /* 4 standard deviations: 380 */
    assert_in_range(both, 850, 1150);
    heed_ctx_free(cx);
}

static void views_share(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = drawn(cx, 0, 4, 6);
    heed_tensor *s = heed_slice(cx, x, 0, 1, 3);
    heed_tensor *r = heed_reshape(cx, x, 1, (int64_t[]){ -1 });
    assert_ptr_equal(s->data, HEED_F32_DATA(x) + 6);
    assert_ptr_equal(r->data, x->data);
    assert_ptr_not_equal(heed_slice(cx, x, 1, 0, 3)->data, x->data);
    heed_ctx_free(cx);
}

static void step(heed_ctx *cx) {
    const int32_t labels[] = { 1, 0, 2, 1, 0 };
    heed_tensor *x = drawn(cx, 0, 5, 33);
    heed_tensor *w = heed_want_grad(cx, drawn(cx, 1, 65, 33));
    heed_tensor *v = heed_want_grad(cx, drawn(cx, 2, 3, 65));
    heed_tensor *h = heed_affine_act(cx, x, w, NULL, HEED_ACT_GELU, NULL);
    h = heed_layer_norm(cx, heed_dropout(cx, h, 0.1F), NULL, NULL, 1e-5F);
    heed_tensor *y = heed_from_i32(cx, 1, (int64_t[]){ 5 }, labels);
    heed_tensor *loss = heed_cross_entropy(cx, heed_affine(cx, h, v, NULL), y, NULL);
    assert_int_equal(heed_backward(cx, loss), 0);
    heed_ctx_reset(cx);
}

static void steady_memory(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    step(cx);
    step(cx);
    const size_t held = heed_ctx_memory(cx);
    for (int i = 0; i < 5; i++) step(cx);
    assert_int_equal(heed_ctx_memory(cx), held);
    heed_ctx_free(cx);
}

/* A feed-forward with its residual, x both; and the same from separate operations. */
static heed_tensor *feed_at_once(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    return heed_feed_forward(cx, in[0],
                             &(heed_feed_forward_cfg){ .up_w = in[1],
                                                       .up_b = in[2],
                                                       .down_w = in[3],
                                                       .down_b = in[4],
                                                       .residual = in[0],
                                                       .act = act,
                                                       .dropout = 0.2F,
                                                       .out_dropout = 0.1F });
}

static heed_tensor *feed_in_steps(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    heed_tensor *h = heed_affine_act(cx, in[0], in[1], in[2], act, NULL);
    h = heed_affine(cx, heed_dropout(cx, h, 0.2F), in[3], in[4]);
    return heed_add(cx, in[0], heed_dropout(cx, h, 0.1F));
}

static heed_tensor *drop_at_once(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    (void)act;
    heed_tensor *h = heed_affine(cx, in[0], in[1], in[2]);
    return heed_affine_drop(cx, h, in[3], in[4], 0.1F, in[0]);
}

static heed_tensor *drop_in_steps(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    (void)act;
    heed_tensor *h = heed_affine(cx, in[0], in[1], in[2]);
    return heed_add(cx, in[0], heed_dropout(cx, heed_affine(cx, h, in[3], in[4]), 0.1F));
}

typedef heed_tensor *(*feed_fn)(heed_ctx *cx, heed_tensor *const in[5], heed_act act);

/* Result and gradients of both have the same bits. */
static void same_as_in_steps(feed_fn at_once, feed_fn in_steps, heed_act act) {
    enum { ROWS = 40, C = 36, F = 300 };
    heed_tensor *in[2][5], *out[2];
    heed_ctx *cx[2] = { harness_ctx(NULL, NULL), harness_ctx(NULL, NULL) };
    for (int i = 0; i < 2; i++) {
        in[i][0] = drawn(cx[i], 0, ROWS, C);
        in[i][1] = drawn(cx[i], 1, F, C);
        in[i][2] = heed_reshape(cx[i], drawn(cx[i], 2, 1, F), 1, (int64_t[]){ F });
        in[i][3] = drawn(cx[i], 3, C, F);
        in[i][4] = heed_reshape(cx[i], drawn(cx[i], 4, 1, C), 1, (int64_t[]){ C });
        for (int k = 0; k < 5; k++) in[i][k] = heed_want_grad(cx[i], in[i][k]);
        out[i] = (i ? in_steps : at_once)(cx[i], in[i], act);
        assert_non_null(out[i]);
        heed_tensor *half = heed_mul(cx[i], out[i], out[i]);
        assert_int_equal(heed_backward(cx[i], heed_sum(cx[i], half)), 0);
    }
    assert_memory_equal(out[0]->data, out[1]->data, (size_t)out[0]->len * sizeof(float));
    for (int k = 0; k < 5 && in[0][k]->grad; k++)
        assert_memory_equal(in[0][k]->grad, in[1][k]->grad, (size_t)in[0][k]->len * sizeof(float));
    for (int i = 0; i < 2; i++) heed_ctx_free(cx[i]);
}

static heed_tensor *loss_at_once(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    const int32_t label[40] = { 3, 299, 0, 17, 5, 128 };
    const heed_cross_entropy_cfg cfg = { .smoothing = act ? 0.1F : 0 };
    heed_tensor *y = heed_from_i32(cx, 1, (int64_t[]){ 40 }, label);
    return heed_affine_cross_entropy(cx, in[0], in[1], in[2], y, &cfg);
}

static heed_tensor *loss_in_steps(heed_ctx *cx, heed_tensor *const in[5], heed_act act) {
    const int32_t label[40] = { 3, 299, 0, 17, 5, 128 };
    const heed_cross_entropy_cfg cfg = { .smoothing = act ? 0.1F : 0 };
    heed_tensor *y = heed_from_i32(cx, 1, (int64_t[]){ 40 }, label);
    return heed_cross_entropy(cx, heed_affine(cx, in[0], in[1], in[2]), y, &cfg);
}

static void parts_of_a_block(void **state) {
    (void)state;
    for (int act = HEED_ACT_RELU; act <= HEED_ACT_SILU; act++)
        same_as_in_steps(feed_at_once, feed_in_steps, (heed_act)act);
    same_as_in_steps(drop_at_once, drop_in_steps, HEED_ACT_NONE);
    same_as_in_steps(loss_at_once, loss_in_steps, HEED_ACT_NONE);
    same_as_in_steps(loss_at_once, loss_in_steps, HEED_ACT_RELU); /* with smoothing */
}

/* The same differences far from 0: the loss, and its gradient, are those of logits near 0. */
static void far_logits(void **state) {
    (void)state;
    static const float near_row[3] = { 0, -1, -10000 }, far_row[3] = { -10000, -10001, -20000 };
    const heed_cross_entropy_cfg cfg[3] = { { 0 }, { .smoothing = 0.1F }, { .focal_gamma = 2 } };
    heed_ctx *cx = harness_ctx(NULL, NULL);
    for (int i = 0; i < 8; i++) {
        heed_tensor *y[2], *x[2];
        for (int f = 0; f < 2; f++) {
            x[f] = heed_from_f32(cx, 2, (int64_t[]){ 1, 3 }, f ? far_row : near_row);
            heed_tensor *label = heed_from_i32(cx, 1, (int64_t[]){ 1 }, &(int32_t){ i % 2 });
            heed_tensor *p = heed_from_f32(cx, 2, (int64_t[]){ 1, 3 }, (float[]){ 0.5F, 0.5F, 0 });
            heed_want_grad(cx, x[f]);
            y[f] = i < 6 ? heed_cross_entropy(cx, x[f], label, &cfg[i / 2])
                         : heed_kl_div(cx, x[f], p);
            assert_non_null(y[f]);
            assert_int_equal(heed_backward(cx, y[f]), 0);
        }
        assert_float_equal(heed_item(y[1]), heed_item(y[0]), 1e-6);
        for (int j = 0; j < 3; j++) assert_float_equal(x[1]->grad[j], x[0]->grad[j], 1e-6);
    }
    /* a sure answer: -log p is exp(-12), which a sum rounded at 20 would lose */
    heed_tensor *sure = heed_from_f32(cx, 2, (int64_t[]){ 1, 2 }, (float[]){ 20, 8 });
    heed_tensor *zero = heed_from_i32(cx, 1, (int64_t[]){ 1 }, &(int32_t){ 0 });
    assert_float_equal(heed_item(heed_cross_entropy(cx, sure, zero, NULL)), 6.1442e-6, 2e-7);
    heed_ctx_free(cx);
}

/* Likenesses far from 0, beside the same in doubles: S = offset + M, of a = (100, M) and b = (100,
 * I), or (-100, I). */
static void far_likenesses(void **state) {
    (void)state;
    static const double m[3][3] = { { 3, 1, -2 }, { 2, 4, 3 }, { -30, 1, 0 } };
    for (int sign = -1; sign <= 1; sign++) {
        float a[3][4] = { { 0 } }, b[3][4] = { { 0 } };
        double rows[3] = { 0 }, columns[3] = { 0 }, loss = 0;
        for (int i = 0; i < 3; i++) {
            a[i][0] = 1000;
            b[i][0] = (float)(1000 * sign);
            b[i][1 + i] = 1;
            for (int j = 0; j < 3; j++) {
                a[i][1 + j] = (float)m[i][j];
                rows[i] += exp(m[i][j]);
                columns[j] += exp(m[i][j]);
            }
        }
        for (int i = 0; i < 3; i++) loss += (log(rows[i]) + log(columns[i]) - 2 * m[i][i]) / 6;
        heed_ctx *cx = harness_ctx(NULL, NULL);
        heed_tensor *x = heed_from_f32(cx, 2, (int64_t[]){ 3, 4 }, &a[0][0]);
        heed_tensor *z = heed_from_f32(cx, 2, (int64_t[]){ 3, 4 }, &b[0][0]);
        heed_tensor *y = heed_info_nce(cx, heed_want_grad(cx, x), z, 1);
        assert_non_null(y);
        assert_float_equal(heed_item(y), loss, 1e-6);
        assert_int_equal(heed_backward(cx, y), 0);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const double e = exp(m[i][j]), p = e / rows[i] + e / columns[j] - 2 * (i == j);
                assert_float_equal(x->grad[4 * i + 1 + j], p / 6, 1e-6);
            }
        heed_ctx_free(cx);
    }
}

/* A row with a NaN has no length, and so no direction. */
static void length_of_nan(void **state) {
    (void)state;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *x = heed_from_f32(cx, 2, (int64_t[]){ 2, 3 }, (float[]){ NAN, 0, 1, 3, 0, 4 });
    heed_tensor *y = heed_l2_norm(cx, heed_want_grad(cx, x), 1e-12F);
    assert_non_null(y);
    for (int i = 0; i < 3; i++) assert_true(isnan(HEED_F32_DATA(y)[i]));
    assert_float_equal(HEED_F32_DATA(y)[5], 0.8, 1e-6);
    assert_int_equal(heed_backward(cx, heed_sum(cx, y)), 0);
    for (int i = 0; i < 3; i++) assert_true(isnan(x->grad[i]));
    heed_ctx_free(cx);
}

/* What is no number is no triplet that is far enough apart. */
static void triplet_of_nan(void **state) {
    (void)state;
    for (int which = 0; which < 3; which++) {
        heed_ctx *cx = harness_ctx(NULL, NULL);
        heed_tensor *x[3];
        for (int i = 0; i < 3; i++) {
            x[i] = heed_from_f32(cx, 2, (int64_t[]){ 2, 2 }, (float[]){ (float)i, 1, 2, 3 });
            heed_want_grad(cx, x[i]);
        }
        HEED_F32_DATA(x[which])[1] = NAN;
        heed_tensor *y = heed_triplet(cx, x[0], x[1], x[2], 0.1F);
        assert_true(isnan(heed_item(y)));
        assert_int_equal(heed_backward(cx, y), 0);
        assert_true(isnan(x[which]->grad[0]));
        heed_ctx_free(cx);
    }
}

/* `heed bench ops` has a row for every operation: each has a case to be timed. */
static void all_timed(void **state) {
    (void)state;
    static const char *const names[] = {
#define X(name) #name,
#include "ops/list.h"
#undef X
    };
    heed_case_list list = { 0 };
    assert_int_equal(heed__cases_all(&list), 0);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        bool timed = false;
        for (int64_t i = 0; i < list.count; i++)
            timed |= list.items[i].bench && strcmp(list.items[i].op, names[n]) == 0;
        if (!timed) fail_msg("%s has no case for `heed bench ops`", names[n]);
    }
    heed__cases_free(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_weight),  cmocka_unit_test(dropout_outside_of_training),
        cmocka_unit_test(dropout_masks),  cmocka_unit_test(views_share),
        cmocka_unit_test(steady_memory),  cmocka_unit_test(parts_of_a_block),
        cmocka_unit_test(far_logits),     cmocka_unit_test(far_likenesses),
        cmocka_unit_test(length_of_nan),  cmocka_unit_test(all_timed),
        cmocka_unit_test(triplet_of_nan),
    };
    return cmocka_run_group_tests_name("ops special", tests, NULL, NULL);
}
