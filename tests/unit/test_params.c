/* Parameters: the flat blocks, first values, freezing, and row-sparse gradients. */
#include "cmocka_all.h"
#include "counting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heed/ops.h"
#include "tensor/params.h"

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                          \
        __VA_ARGS__                                                                                \
    }

static heed_params *make(uint64_t seed) {
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = seed }, NULL);
    assert_non_null(ps);
    return ps;
}

static void test_order_does_not_matter(void **state) {
    (void)state;
    heed_params *a = make(5), *b = make(5), *c = make(6);
    const heed_init init = { HEED_INIT_NORMAL, 0.1f };
    heed_tensor *first = heed_param(a, "first", init, SHAPE(33, 7));
    assert_non_null(heed_param(a, "second", init, SHAPE(1000)));
    heed_tensor *second_b = heed_param(b, "second", init, SHAPE(1000));
    for (int i = 0; i < 50; i++) { /* makes the block move; the structs stay */
        char name[16] = { 'x', (char)('a' + i / 10), (char)('0' + i % 10) };
        assert_non_null(heed_param(b, name, init, SHAPE(101)));
    }
    heed_tensor *first_b = heed_param(b, "first", init, SHAPE(33, 7));
    heed_tensor *first_c = heed_param(c, "first", init, SHAPE(33, 7));
    assert_memory_equal(first->data, first_b->data, 33 * 7 * 4);
    assert_memory_not_equal(first->data, first_c->data, 33 * 7 * 4);
    assert_memory_equal(heed_params_find(a, "second")->data, second_b->data, 4000);
    assert_ptr_equal(heed_params_find(b, "second"), second_b);
    assert_null(heed_params_find(b, "third"));
    assert_int_equal(heed_params_count(b), 52);
    assert_int_equal(heed_params_len(b), 1000 + 50 * 101 + 231);
    assert_ptr_equal(heed_params_at(b, 51), first_b);
    assert_null(heed_params_at(b, 52));
    assert_true((uintptr_t)first_b->data % 64 == 0);
    heed_params_free(a);
    heed_params_free(b);
    heed_params_free(c);
}

static void moments(const heed_tensor *w, double *mean, double *deviation, double *largest) {
    double sum = 0, squares = 0, most = 0;
    for (int64_t i = 0; i < w->len; i++) {
        const double x = HEED_F32_DATA(w)[i];
        sum += x;
        squares += x * x;
        most = fmax(most, fabs(x));
    }
    *mean = sum / (double)w->len;
    *deviation = sqrt(squares / (double)w->len - *mean * *mean);
    *largest = most;
}

static void test_kinds_of_first_values(void **state) {
    (void)state;
    static const struct {
        heed_init init;
        double deviation, largest; /* of a [200,300] matrix; largest is a bound */
    } kinds[] = {
        { { HEED_INIT_ZEROS, 0 }, 0, 0 },
        { { HEED_INIT_UNIFORM, 0.5f }, 0.5 / 1.7320508, 0.5 },
        { { HEED_INIT_NORMAL, 0.02f }, 0.02, 0.1 },
        { { HEED_INIT_TRUNC_NORMAL, 0.02f }, 0.02 * 0.8796, 0.04 },
        { { HEED_INIT_XAVIER_UNIFORM, 0 }, 0.0632456, 0.1095446 },
        { { HEED_INIT_XAVIER_NORMAL, 0 }, 0.0632456, 0.4 },
        { { HEED_INIT_XAVIER_NORMAL, 2 }, 0.1264911, 0.8 },
        { { HEED_INIT_LINEAR_UNIFORM, 0 }, 0.0333333, 0.0577351 },
        { { HEED_INIT_KAIMING_UNIFORM, 0 }, 0.0816497, 0.1414214 },
        { { HEED_INIT_KAIMING_UNIFORM, 0.5f }, 0.0408248, 0.0707107 },
        { { HEED_INIT_KAIMING_NORMAL, 0 }, 0.0816497, 0.5 },
        { { HEED_INIT_KAIMING_NORMAL, 2 }, 0.1632993, 1 },
        { { HEED_INIT_ORTHOGONAL, 0 }, 0.0577350, 0.5 },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        heed_params *ps = make(i);
        heed_tensor *w = heed_param(ps, "w", kinds[i].init, SHAPE(200, 300));
        double mean, deviation, largest;
        moments(w, &mean, &deviation, &largest);
        assert_true(fabs(mean) <= kinds[i].deviation * 0.02);
        assert_true(fabs(deviation - kinds[i].deviation) <= kinds[i].deviation * 0.02);
        assert_true(largest <= kinds[i].largest * (1 + 1e-6));
        if (kinds[i].deviation * 1.74 > kinds[i].largest) /* uniform: up to its bound */
            assert_true(largest >= kinds[i].largest * 0.999);
        heed_params_free(ps);
    }
    heed_params *ps = make(1);
    heed_tensor *one = heed_param(ps, "one", (heed_init){ HEED_INIT_ONES, 0 }, SHAPE(3));
    heed_tensor *same = heed_param(ps, "c", (heed_init){ HEED_INIT_CONSTANT, -2 }, SHAPE(3));
    assert_true(HEED_F32_DATA(one)[2] == 1 && HEED_F32_DATA(same)[2] == -2);
    assert_null(heed_param(ps, "b", (heed_init){ HEED_INIT_XAVIER_UNIFORM, 0 }, SHAPE(3)));
    assert_string_equal(heed_params_error(ps)->msg,
                        "parameter b: its kind of first values needs a matrix [out,in], and it has "
                        "1 dimensions");
    heed_params_free(ps);
}

static void test_orthogonal(void **state) {
    (void)state;
    const int64_t shapes[][2] = { { 12, 31 }, { 31, 12 }, { 17, 17 } };
    for (int s = 0; s < 3; s++) {
        heed_params *ps = make(3);
        heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ORTHOGONAL, 2 }, 2, shapes[s]);
        const int64_t out = shapes[s][0], in = shapes[s][1], n = out < in ? out : in;
        const float *x = w->data;
        for (int64_t a = 0; a < n; a++)
            for (int64_t b = 0; b < n; b++) {
                double dot = 0;
                for (int64_t i = 0; i < (out < in ? in : out); i++)
                    dot += out < in ? (double)x[a * in + i] * x[b * in + i]
                                    : (double)x[i * in + a] * x[i * in + b];
                assert_true(fabs(dot - (a == b ? 4 : 0)) < 1e-5);
            }
        heed_params_free(ps);
    }
}

static void test_names(void **state) {
    (void)state;
    heed_params *ps = make(1);
    const heed_init init = { HEED_INIT_ONES, 0 };
    heed_tensor *w = heed_param(ps, "enc.w", init, SHAPE(2, 3));
    assert_ptr_equal(heed_param(ps, "enc.w", init, SHAPE(2, 3)), w);
    assert_int_equal(heed_params_count(ps), 1);
    assert_non_null(heed_param(ps, "enc.b", init, SHAPE(3)));
    assert_non_null(heed_param(ps, "head", init, SHAPE(3)));
    assert_int_equal(heed_params_set_trainable(ps, "enc.*", false), 2);
    assert_false(w->needs_grad);
    assert_true(heed_params_find(ps, "head")->needs_grad);
    assert_int_equal(heed_params_set_trainable(ps, "*.?", true), 2);
    assert_true(w->needs_grad);
    assert_int_equal(heed_params_set_trainable(ps, "nothing*", false), 0);
    assert_null(heed_param(ps, "enc.w", init, SHAPE(3, 2)));
    assert_string_equal(heed_params_error(ps)->msg,
                        "parameter enc.w is declared as [2,3] and again as [3,2]");
    assert_null(heed_param(ps, "more", init, SHAPE(1))); /* the first error stays */
    assert_int_equal(heed_params_fail(ps, HEED_EIO, "later"), HEED_EIO);
    assert_int_equal(heed_params_error(ps)->code, HEED_ESHAPE);
    heed_params_free(ps);
    ps = make(1);
    assert_null(heed_param(ps, "big", init, SHAPE((int64_t)1 << 40, (int64_t)1 << 40)));
    assert_int_equal(heed_params_error(ps)->code, HEED_ESHAPE);
    heed_params_free(ps);
    ps = make(1);
    assert_null(heed_param(ps, "", init, SHAPE(1)));
    assert_int_equal(heed_params_error(ps)->code, HEED_EINVALID);
    heed_params_free(ps);
    assert_null(heed_param(NULL, "w", init, SHAPE(1)));
    heed_params_free(NULL);
}

static void test_match(void **state) {
    (void)state;
    assert_true(heed__match("*", "") && heed__match("a*c*e", "abcde") && heed__match("?b", "ab"));
    assert_true(heed__match("*.bias", "x.bias.bias") && heed__match("**a", "ba"));
    assert_false(heed__match("a", "") || heed__match("?", "") || heed__match("a*b", "abc"));
    assert_false(heed__match("", "a"));
}

static void test_layer_blocks(void **state) {
    (void)state;
    heed_params *ps = make(1);
    int64_t *block = heed_params_alloc(ps, 3, sizeof *block);
    assert_true(block[0] == 0 && block[2] == 0);
    assert_null(heed_params_alloc(ps, INT64_MAX, 16));
    assert_int_equal(heed_params_error(ps)->code, HEED_ENOMEM);
    heed_params_free(ps);
}

/* -- gradients -------------------------------------------------------------------------------- */

static void test_gradients_stay_when_parameters_are_added(void **state) {
    (void)state;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, NULL);
    heed_params *ps = make(1);
    const heed_init init = { HEED_INIT_ONES, 0 };
    heed_tensor *a = heed_param(ps, "a", init, SHAPE(5));
    heed_tensor *table = heed_param(ps, "table", init, SHAPE(1000, 100));
    assert_int_equal(heed_param_set_sparse(ps, table), 0);
    heed_grad(cx, a)[4] = 7;
    heed_tensor *b = heed_param(ps, "b", init, SHAPE(100000));
    assert_true(a->grad[4] == 7 && a->grad[0] == 0);
    assert_null(b->grad);
    assert_true(heed_grad(cx, b)[99999] == 0);
    assert_true((uintptr_t)b->grad % 64 == 0);
    assert_ptr_equal(b->grad, a->grad + 16); /* side by side, the table left out */
    assert_null(heed_grad(cx, table));
    assert_string_equal(heed_ctx_error(cx)->msg, "table table keeps row-sparse gradients, which "
                                                 "only embeddings can give");
    heed_ctx_reset(cx);
    heed_params_set_trainable(ps, "a", false);
    assert_null(a->grad);
    assert_null(heed_grad(cx, a));
    assert_null(heed_ctx_error(cx));
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_sparse_sums(void **state) {
    (void)state;
    enum { ROWS = 5000, C = 5, N = 3000 };
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .hooks = &counting }, NULL);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ZEROS, 0 }, SHAPE(ROWS, C));
    assert_int_equal(heed_param_set_sparse(ps, w), 0);
    assert_int_equal(heed_param_set_sparse(ps, w), 0);
    static float dense[ROWS][C], rows[N][C];
    static int32_t ids[N];
    heed_rng rng = { .seed = 3 };
    for (int round = 0; round < 6; round++) {
        const int64_t before = allocations;
        memset(dense, 0, sizeof dense);
        for (int part = 0; part < 3; part++) { /* three batches before the optimizer's step */
            const int range = part == 0 ? ROWS : part == 1 ? 40 : ROWS / 2;
            rng.drawn = 100000 * (uint64_t)part; /* the same ids in each round */
            for (int i = 0; i < N; i++) {
                ids[i] = (int32_t)heed_rng_below(&rng, (uint64_t)range);
                for (int c = 0; c < C; c++) rows[i][c] = heed_rng_normal(&rng);
                for (int c = 0; c < C && ids[i] != 11; c++) dense[ids[i]][c] += rows[i][c];
            }
            assert_int_equal(heed__sparse_add(w->sparse, N, ids, &rows[0][0], 11), 0);
        }
        if (round) assert_int_equal(allocations, before);
        int64_t at = 0;
        for (int r = 0; r < ROWS; r++) {
            if (at < w->sparse->len && w->sparse->row[at] == r) {
                assert_memory_equal(dense[r], w->sparse->val + at * C, sizeof dense[r]);
                at++;
            } else {
                for (int c = 0; c < C; c++) assert_true(dense[r][c] == 0);
            }
        }
        assert_int_equal(at, w->sparse->len);
        heed_params_zero_grad(ps);
        assert_int_equal(w->sparse->len, 0);
    }
    assert_int_equal(heed__sparse_add(w->sparse, 0, ids, &rows[0][0], -1), 0);
    const int32_t large[] = { INT32_MAX, 0, INT32_MAX, 1 << 30 };
    assert_int_equal(heed__sparse_add(w->sparse, 4, large, &rows[0][0], -1), 0);
    assert_int_equal(w->sparse->len, 3);
    assert_true(w->sparse->row[0] == 0 && w->sparse->row[2] == INT32_MAX);
    heed_params_free(ps);
}

/* Room depends on how many rows are given, not on which; where it was said which come, on these. */
static void test_sparse_room(void **state) {
    (void)state;
    enum { N = 100, ROWS = 150, C = 2 };
    static const int32_t same[N];
    static const float rows[N * C];
    int32_t each[N];
    for (int i = 0; i < N; i++) each[i] = i * 70 / N;
    heed_sparse *s = heed__sparse_new(NULL, ROWS, C);
    assert_int_equal(heed__sparse_expect(s, N, same), 0); /* one row: the least room */
    assert_int_equal(s->cap, 64);
    assert_int_equal(heed__sparse_add(s, N, same, rows, -1), 0);
    assert_int_equal(s->len, 1);
    assert_int_equal(s->cap, 64);
    assert_int_equal(heed__sparse_expect(s, N, each), 0); /* 70 rows */
    assert_int_equal(s->cap, 128);
    heed__sparse_free(s);

    s = heed__sparse_new(NULL, ROWS, C);
    assert_int_equal(heed__sparse_expect(s, N, same), 0);
    heed__sparse_clear(s); /* and with it what was said */
    assert_int_equal(heed__sparse_add(s, N, same, rows, -1), 0);
    assert_int_equal(s->cap, 128);
    assert_int_equal(heed__sparse_add(s, N, same, rows, -1), 0); /* 200 of 150 rows */
    assert_int_equal(heed__sparse_add(s, N, same, rows, -1), 0);
    assert_int_equal(s->cap, 256);
    assert_int_equal(s->len, 1);
    heed__sparse_free(s);
}

static void test_sparse_refusals(void **state) {
    (void)state;
    heed_params *ps = make(1);
    heed_tensor *b = heed_param(ps, "b", (heed_init){ HEED_INIT_ZEROS, 0 }, SHAPE(5));
    assert_int_equal(heed_param_set_sparse(ps, b), HEED_ESHAPE);
    assert_string_equal(
        heed_params_error(ps)->msg,
        "row-sparse gradients of b [5]; it must be a table [N,C] with N below 2^31");
    heed_params_free(ps);
    ps = make(1);
    assert_int_equal(heed_param_set_sparse(ps, NULL), HEED_EINVALID);
    heed_params_free(ps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_kinds_of_first_values),
        cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_layer_blocks),
        cmocka_unit_test(test_gradients_stay_when_parameters_are_added),
        cmocka_unit_test(test_sparse_sums),
        cmocka_unit_test(test_sparse_room),
        cmocka_unit_test(test_sparse_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
