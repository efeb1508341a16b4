/* test_special.c: what single operations promise beside their numbers: packed weights give the same
 * bits, dropout is nothing outside of training, leading slices and reshapes are views, and a loop
 * of equal steps holds no more memory after its second step. */
#include "harness.h"

#include "kernels/gemm.h"
#include "tensor/ctx.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_weight), cmocka_unit_test(dropout_outside_of_training),
        cmocka_unit_test(dropout_masks), cmocka_unit_test(views_share),
        cmocka_unit_test(steady_memory),
    };
    return cmocka_run_group_tests_name("ops special", tests, NULL, NULL);
}
