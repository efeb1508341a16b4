/* Tensors, the tape and its gradients, with operations that are written here as a user would. */
#include "cmocka_all.h"
#include "counting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heed/ops.h"
#include "tensor/ctx.h"

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                          \
        __VA_ARGS__                                                                                \
    }

static heed_ctx *make_ctx(const heed_hooks *hooks) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(
        &(heed_ctx_cfg){ .train = true, .seed = 7, .threads = 1, .hooks = hooks }, &err);
    if (!cx) fail_msg("%s", err.msg);
    return cx;
}

/* y = a·b of each element */
static void product_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *a = heed_node_src(n, 0), *b = heed_node_src(n, 1), *y = heed_node_out(n);
    float *da = heed_grad(cx, a), *db = heed_grad(cx, b);
    if (!heed_scratch(cx, (size_t)y->len * sizeof *da)) return; /* ends with this backward */
    for (int64_t i = 0; i < y->len; i++) {
        if (da) da[i] += y->grad[i] * HEED_F32_DATA(b)[i];
        if (db) db[i] += y->grad[i] * HEED_F32_DATA(a)[i];
    }
}
static const heed_op product_op = { "product", product_backward };
static heed_tensor *product(heed_ctx *cx, heed_tensor *a, heed_tensor *b) {
    if (!a || !b) return NULL;
    if (!heed__same_shape(a, b)) {
        char x[96], y[96];
        return heed_fail(cx, HEED_ESHAPE, "product: %s and %s differ", heed_shape_text(a, x),
                         heed_shape_text(b, y));
    }
    heed_tensor *y = heed__like(cx, a);
    if (!y) return NULL;
    for (int64_t i = 0; i < y->len; i++)
        HEED_F32_DATA(y)[i] = HEED_F32_DATA(a)[i] * HEED_F32_DATA(b)[i];
    return heed_record(cx, &product_op, y, 2, (heed_tensor *[]){ a, b }, NULL);
}

/* y = sum of x; writes its gradient by the rule of heed__grad_beta, over NaN where it may */
static void total_backward(heed_ctx *cx, const heed_node *n) {
    float beta, *dx = heed__grad_beta(cx, heed_node_src(n, 0), &beta);
    float *waste = heed_scratch(cx, 4096); /* scratch of a backward ends with it */
    if (!dx || !waste) return;
    for (int64_t i = 0; i < heed_node_src(n, 0)->len; i++)
        dx[i] = (beta == 0 ? 0 : dx[i]) + heed_node_out(n)->grad[0];
}
static const heed_op total_op = { "total", total_backward };
static heed_tensor *total(heed_ctx *cx, heed_tensor *x) {
    if (!x) return NULL;
    float sum = 0;
    for (int64_t i = 0; i < x->len; i++) sum += HEED_F32_DATA(x)[i];
    return heed_record(cx, &total_op, heed_scalar(cx, sum), 1, &x, NULL);
}

static void assert_floats(const float *got, int n, const float *want) {
    assert_non_null(got);
    for (int i = 0; i < n; i++)
        if (got[i] != want[i]) fail_msg("number %d is %g, not %g", i, got[i], want[i]);
}
#define ASSERT_FLOATS(got, ...)                                                                    \
    assert_floats(got, sizeof((float[]){ __VA_ARGS__ }) / sizeof(float), (float[]){ __VA_ARGS__ })

static void test_makers(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    heed_tensor *x = heed_from_f32(cx, SHAPE(2, 3), (float[]){ 1, 2, 3, 4, 5, 6 });
    char text[96];
    assert_string_equal(heed_shape_text(x, text), "[2,3]");
    assert_string_equal(heed_shape_text(heed_scalar(cx, 1), text), "[]");
    assert_string_equal(heed_shape_text(NULL, text), "NULL");
    assert_int_equal(x->len, 6);
    assert_int_equal(heed__rows(x), 2);
    assert_int_equal(heed__cols(x), 3);
    assert_true((uintptr_t)x->data % 64 == 0);
    assert_true(heed_item(heed_scalar(cx, 2.5f)) == 2.5f);
    assert_true(isnan(heed_item(x)) && isnan(heed_item(NULL)));
    heed_tensor *z = heed_zeros(cx, HEED_I8, SHAPE(3, 0, 5));
    assert_int_equal(z->len, 0);
    assert_non_null(z->data);
    assert_int_equal(heed_dtype_size(HEED_BF16), 2);
    assert_string_equal(heed_dtype_name(HEED_I32), "i32");
    assert_string_equal(heed_dtype_name((heed_dtype)99), "unknown");
    const int64_t big = INT64_MAX;
    assert_string_equal(
        heed_shape_text(&(heed_tensor){ .ndim = 6, .shape = { big, big, big, big, big, big } },
                        text) +
            (strlen(text) - 1),
        "]");
    assert_null(heed_ctx_error(cx));
    heed_ctx_free(cx);
}

static void refuse(int ndim, const int64_t *shape, heed_dtype dtype, const char *sentence) {
    heed_ctx *cx = make_ctx(NULL);
    assert_null(heed_new(cx, dtype, ndim, shape));
    assert_non_null(heed_ctx_error(cx));
    assert_string_equal(heed_ctx_error(cx)->msg, sentence);
    assert_null(heed_fail(cx, HEED_EIO, "another"));
    assert_string_equal(heed_ctx_error(cx)->msg, sentence);
    heed_ctx_reset(cx);
    assert_null(heed_ctx_error(cx));
    heed_ctx_free(cx);
}

static void *poor_alloc(void *user, size_t size) {
    (void)user;
    return size < 1 << 20 ? malloc(size) : NULL;
}
static void poor_release(void *user, void *memory) {
    (void)user;
    free(memory);
}
static const heed_hooks poor = { .alloc = poor_alloc, .release = poor_release };

static void test_refusals(void **state) {
    (void)state;
    const int64_t two62 = (int64_t)1 << 62;
    refuse(SHAPE(two62, 4), HEED_F32,
           "[4611686018427387904,4] is no shape, or more than memory can hold");
    refuse(SHAPE(0, two62, two62), HEED_F32,
           "[0,4611686018427387904,4611686018427387904] is no shape, or more than memory can hold");
    refuse(SHAPE(2, -1), HEED_F32, "[2,-1] is no shape, or more than memory can hold");
    refuse(7, (int64_t[7]){ 0 }, HEED_F32, "a tensor of 7 dimensions; 0 to 6 are allowed");
    refuse(-1, NULL, HEED_F32, "a tensor of -1 dimensions; 0 to 6 are allowed");
    refuse(2, NULL, HEED_F32, "a tensor of 2 dimensions without a shape");
    refuse(SHAPE(2), (heed_dtype)17, "a tensor of unknown type 17");
    heed_ctx *cx = make_ctx(&poor);
    assert_null(heed_new(cx, HEED_F32, SHAPE((int64_t)1 << 30)));
    assert_int_equal(heed_ctx_error(cx)->code, HEED_ENOMEM);
    heed_ctx_reset(cx);
    assert_null(heed_scratch(cx, SIZE_MAX - 3));
    assert_int_equal(heed_ctx_error(cx)->code, HEED_ENOMEM);
    heed_ctx_free(cx);
    heed_error err;
    assert_null(heed_ctx_new(&(heed_ctx_cfg){ .isa = "abacus" }, &err));
    assert_int_equal(err.code, HEED_EINVALID);
}

/* Whatever is quoted, a sentence is one line of well-formed UTF-8. */
static void test_sentences(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(NULL, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    assert_null(heed_fail(cx, HEED_EINVALID, "no op '%s'", "a\n\xff z"));
    assert_string_equal(heed_ctx_error(cx)->msg, "no op 'a? z'");
    heed_params_fail(ps, HEED_EINVALID, "no layer '%s'", "a\x1b[1m");
    assert_string_equal(heed_params_error(ps)->msg, "no layer 'a?[1m'");
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_null_in_null_out(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    assert_null(product(cx, NULL, NULL));
    assert_null(heed_detach(cx, NULL));
    assert_null(heed_want_grad(cx, NULL));
    assert_null(heed__view(cx, NULL, 0, 0, NULL));
    assert_null(heed_record(cx, &product_op, NULL, 0, NULL, NULL));
    assert_null(heed_grad(cx, NULL));
    assert_null(heed_ctx_error(cx));
    assert_int_equal(heed_backward(cx, NULL), HEED_EINVALID);
    heed_ctx_free(cx);
}

static void test_double_use_and_accumulation(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    heed_params *ps = heed_params_new(NULL, NULL);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_CONSTANT, 3 }, SHAPE(2));
    for (int pass = 1; pass <= 2; pass++) { /* d(w²·w)/dw = 3w² = 27 */
        heed_tensor *y = total(cx, product(cx, product(cx, w, w), w));
        assert_true(heed_item(y) == 54);
        assert_int_equal(heed_backward(cx, y), 0);
        ASSERT_FLOATS(w->grad, 27.0f * (float)pass, 27.0f * (float)pass);
        heed_ctx_reset(cx);
    }
    heed_params_zero_grad(ps);
    assert_null(w->grad);
    assert_int_equal(heed_backward(cx, total(cx, w)), 0); /* overwrites what was there */
    ASSERT_FLOATS(w->grad, 1, 1);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_views(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    heed_tensor *x = heed_from_f32(cx, SHAPE(6), (float[]){ 1, 2, 3, 4, 5, 6 });
    assert_ptr_equal(heed_want_grad(cx, x), x);
    heed_tensor *whole = heed__view(cx, x, 0, SHAPE(3, 2));
    heed_tensor *row = heed__view(cx, whole, 2, SHAPE(2)); /* a view of a view: 3 4 */
    assert_ptr_equal(row->view_of, x);
    assert_ptr_equal(row->data, HEED_F32_DATA(x) + 2);
    assert_true(row->needs_grad);
    heed_tensor *loss = total(cx, product(cx, row, row));
    assert_int_equal(heed_backward(cx, loss), 0);
    ASSERT_FLOATS(x->grad, 0, 0, 6, 8, 0, 0);
    ASSERT_FLOATS(heed_grad(cx, row), 6, 8);
    assert_ptr_equal(row->grad, x->grad + 2);
    assert_int_equal(heed_backward(cx, total(cx, whole)), 0); /* adds */
    ASSERT_FLOATS(x->grad, 1, 1, 7, 9, 1, 1);
    assert_null(heed__view(cx, x, 5, SHAPE(2)));
    assert_string_equal(heed_ctx_error(cx)->msg,
                        "a view of shape [2] at 5 does not lie within [6]");
    heed_ctx_reset(cx);
    heed_tensor *v = heed__view(cx, heed_from_f32(cx, SHAPE(2, 2), (float[]){ 1, 2, 3, 4 }), 2,
                                SHAPE(1, 2)); /* wanted through the view; made inside the graph */
    heed_want_grad(cx, v);
    assert_int_equal(heed_backward(cx, total(cx, product(cx, v, v))), 0);
    ASSERT_FLOATS(v->grad, 6, 8);
    heed_ctx_free(cx);
}

static void test_what_flows_and_what_stays(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    heed_tensor *x = heed_want_grad(cx, heed_from_f32(cx, SHAPE(2), (float[]){ 2, 5 }));
    heed_tensor *inner = product(cx, x, x);
    heed_tensor *wanted = heed_want_grad(cx, product(cx, x, x));
    heed_tensor *cut = heed_detach(cx, inner);
    assert_false(cut->needs_grad);
    assert_ptr_equal(cut->data, inner->data);
    heed_tensor *unused = product(cx, inner, inner);
    heed_tensor *loss = total(cx, product(cx, product(cx, inner, cut), wanted));
    assert_int_equal(heed_backward(cx, loss), 0);
    /* loss = x²·c·x² with c = x² fixed: 4x³·x² */
    ASSERT_FLOATS(x->grad, 4 * 8 * 4, 4 * 125 * 25);
    ASSERT_FLOATS(wanted->grad, 16, 625);
    assert_null(inner->grad);
    assert_null(unused->grad);
    assert_null(cut->grad);
    assert_null(loss->grad);
    assert_int_equal(heed_backward(cx, loss), HEED_EINVALID);
    assert_string_equal(heed_ctx_error(cx)->msg,
                        "backward from a tensor that no operation on the tape made (an earlier "
                        "backward used the tape up)");
    heed_ctx_reset(cx);
    x = heed_want_grad(cx, heed_scalar(cx, 2));
    assert_true(heed_ctx_set_record(cx, false));
    heed_tensor *y = product(cx, x, x);
    assert_false(y->needs_grad || heed__view(cx, x, 0, 0, NULL)->needs_grad);
    assert_false(heed_ctx_set_record(cx, true));
    assert_int_equal(heed_backward(cx, y), HEED_EINVALID);
    heed_ctx_reset(cx);
    heed_backward(cx, heed_want_grad(cx, heed_zeros(cx, HEED_F32, SHAPE(2))));
    assert_string_equal(heed_ctx_error(cx)->msg,
                        "backward from a loss of shape [2]; it must be one number");
    heed_ctx_reset(cx);
    assert_null(heed_want_grad(cx, heed_zeros(cx, HEED_I32, SHAPE(2))));
    assert_int_equal(heed_ctx_error(cx)->code, HEED_EINVALID);
    heed_ctx_free(cx);
}

static void test_backward_from(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    heed_tensor *x = heed_want_grad(cx, heed_from_f32(cx, SHAPE(2), (float[]){ 2, 5 }));
    assert_int_equal(heed_backward_from(cx, product(cx, x, x), (float[]){ 1, -1 }), 0);
    ASSERT_FLOATS(x->grad, 4, -10);
    heed_ctx_free(cx);
}

/* -- memory ----------------------------------------------------------------------------------- */

static void test_no_allocation_after_the_first_step(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(&counting);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .hooks = &counting }, NULL);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ONES, 0 }, SHAPE(10000));
    for (int step = 0; step < 4; step++) {
        const int64_t before = allocations;
        heed_tensor *h = w;
        for (int i = 0; i < 50; i++) h = product(cx, h, w);
        assert_int_equal(heed_backward(cx, total(cx, h)), 0);
        assert_true(w->grad[9999] == 51);
        assert_int_equal(heed_ctx_step(cx), step);
        if (step) assert_int_equal(allocations, before);
        heed_params_zero_grad(ps);
        heed_ctx_reset(cx);
    }
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_backward_takes_little_memory(void **state) {
    (void)state;
    enum { N = 100000, DEEP = 64 };
    heed_ctx *cx = make_ctx(NULL);
    heed_tensor *x = heed_want_grad(cx, heed_zeros(cx, HEED_F32, SHAPE(N)));
    heed_tensor *h = x;
    for (int i = 0; i < DEEP; i++) h = product(cx, h, h);
    heed_tensor *loss = total(cx, h);
    const size_t before = cx->arena.used;
    assert_int_equal(heed_backward(cx, loss), 0);
    assert_true((double)(cx->arena.used - before) <=
                3.2 * N * sizeof(float));                             /* x's own and two in turn */
    assert_true((double)cx->scratch.most <= 1.2 * N * sizeof(float)); /* of one at a time */
    assert_int_equal(cx->scratch.used, 0);
    heed_ctx_free(cx);
}

/* Scratch goes when it and all that was taken after it have ended. */
static void test_scratch_is_a_stack(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    void *a = heed__temp(cx, 1000, 4), *b = heed__temp(cx, 1000, 4);
    assert_true(a != b && (uintptr_t)a % 64 == 0);
    heed__temp_end(cx, a);
    void *c = heed__temp(cx, 1001, 4);
    assert_true(c != a && c != b);
    heed__temp_end(cx, c);
    assert_ptr_equal(heed__temp(cx, 7, 4), c);
    heed__temp_end(cx, c);
    heed__temp_end(cx, b);
    assert_int_equal(cx->scratch.used, 0);
    assert_ptr_equal(heed__temp(cx, 1001, 4), a);
    heed__temp_end(cx, a);
    for (int64_t size = 1; size < 200000; size += size / 7 + 1) {
        float *p = heed__temp(cx, size, 1);
        memset(p, 1, (size_t)size);
        const size_t used = cx->scratch.used;
        heed__temp_end(cx, p);
        assert_int_equal(cx->scratch.used, 0);
        assert_ptr_equal(heed__temp(cx, size, 1), p);
        assert_int_equal(cx->scratch.used, used);
        heed__temp_end(cx, p);
    }
    assert_null(heed__temp(cx, INT64_MAX, 8));
    assert_int_equal(heed_ctx_error(cx)->code, HEED_ENOMEM);
    heed_ctx_free(cx);
}

static void test_streams(void **state) {
    (void)state;
    heed_ctx *cx = make_ctx(NULL);
    const uint64_t a = heed__stream(cx), b = heed__stream(cx);
    assert_true(a != b);
    heed_ctx_reset(cx);
    assert_true(heed__stream(cx) != a);
    heed_ctx_set_step(cx, 0);
    cx->calls = 0;
    assert_true(heed__stream(cx) == a && heed__stream(cx) == b);
    heed_ctx_set_train(cx, false);
    assert_false(heed_ctx_train(cx) || cx->record);
    assert_true(heed_ctx_memory(cx) > 0);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_makers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_null_in_null_out),
        cmocka_unit_test(test_double_use_and_accumulation),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_what_flows_and_what_stays),
        cmocka_unit_test(test_backward_from),
        cmocka_unit_test(test_no_allocation_after_the_first_step),
        cmocka_unit_test(test_backward_takes_little_memory),
        cmocka_unit_test(test_scratch_is_a_stack),
        cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
