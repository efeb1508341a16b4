/* test_attention_bf16.c: fused attention in bf16 is near its formula in double, has the same bits
 * on every ISA, over AMX tiles (emulated, and the real ones where the CPU has them), and for any
 * number of threads, and what is hidden or stands beside never changes them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "isas.h"
#include "heed/ops.h"
#include "kernels/attn.h"
#include "tensor/ctx.h"
#include "unit/amx/emulated.h"
#include "unit/attention_try.h"

/* The tables of this CPU, then those over emulated tiles. */
enum { MOST = 8 };
static heed_kernels table[MOST];
static int tables, cpu_tables;
static emulated emulation[3];

static heed_ctx *context(const heed_kernels *k, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 5, .threads = threads },
                                &err);
    if (!cx) fail_msg("%s", err.msg);
    cx->k = k;
    heed_ctx_set_precision(cx, HEED_PRECISION_BF16);
    return cx;
}

/* Root mean square of the difference, in parts of that of the exact numbers. */
static double distance(const float *x, const double *y, int64_t n) {
    double sum = 0, of = 1e-6 * (double)n;
    for (int64_t i = 0; i < n; i++)
        sum += ((double)x[i] - y[i]) * ((double)x[i] - y[i]), of += y[i] * y[i];
    return n ? sqrt(sum / of) : 0;
}

/* Sums over rows or distances, in which parts cancel, are told apart from what rows get. */
static void near(const float *x, const double *y, int64_t n, const char *what, int index) {
    const double most = what[0] == 'o' || what[2] == 0 ? 0.01 : 0.06, d = distance(x, y, n);
    if (!(d <= most)) fail_msg("try %d: %s is off by %g", index, what, d);
}

static void every_table(const Try *y, int index, const Result *r) {
    for (int i = 0; i < tables; i++) {
        const int threads[] = { 1, 2, 3, 7 };
        heed_ctx *cx = context(&table[i], threads[(index + i) % 4]);
        Result other = try_run(cx, y, (uint64_t)index);
        try_same(r, &other, i < cpu_tables ? table[i].name : "emulated tiles");
        try_done(&other);
        heed_ctx_free(cx);
    }
}

static void check(const Try *y, int index, bool exactly) {
    heed_ctx *cx = context(&table[0], 1);
    Result r = try_run(cx, y, (uint64_t)index);
    static const char *const name[] = { "dq", "dk", "dv", "dbias", "dt5", "dsinks", "dtau", "" };
    if (exactly) {
        Exact exact = try_reference(cx, y, (uint64_t)index);
        near(r.out, exact.out, r.len, "out", index);
        for (int i = 0; i < TRY_GRADS; i++)
            if (r.grad[i]) near(r.grad[i], exact.grad[i], r.grad_len[i], name[i], index);
        try_exact_done(&exact);
    }
    heed_ctx_free(cx);
    every_table(y, index, &r);
    try_done(&r);
}

static void test_formula(void **state) {
    (void)state;
    for (int i = 0; i < TRY_LIST; i++) check(&try_list[i], i, true);
}

/* Sizes by chance. */
static void test_chance(void **state) {
    (void)state;
    heed_rng rng = { .seed = 99 };
    for (int i = 0; i < 40; i++) {
        const Try y = try_chance(&rng);
        check(&y, 1000 + i, true);
    }
}

/* Weights are dropped where f32 drops them, and tiny numbers take the tiles that flush. */
static void test_dropout_and_tiny(void **state) {
    (void)state;
    Try y = { .B = 1, .T = 70, .S = 140, .H = 2, .Hk = 1, .D = 24, .Dv = 40 };
    check(
        &(Try){
            .B = 1, .T = 70, .S = 140, .H = 2, .Hk = 1, .D = 24, .Dv = 40, .cfg.dropout = 0.3f },
        3, false);
    const float sizes[] = { 1e-19f, 1e-30f, 1e19f };
    for (int i = 0; i < 3; i++) {
        y.size = sizes[i];
        check(&y, i, false);
    }
}

/* Hidden values that are not finite leave no trace; those that are seen do. */
static void test_not_finite(void **state) {
    (void)state;
    for (int i = 0; i < tables; i++) {
        float *out[2];
        for (int n = 0; n < 2; n++) {
            heed_ctx *cx = context(&table[i], 1);
            const int64_t shape[] = { 1, 40, 24 }, one[] = { 40, 40 };
            heed_tensor *x[3], *mask = heed_zeros(cx, HEED_U8, 2, one);
            heed_rng rng = { .seed = 3 };
            for (int j = 0; j < 3; j++) {
                x[j] = heed_want_grad(cx, heed_zeros(cx, HEED_F32, 3, shape));
                for (int64_t e = 0; e < x[j]->len; e++)
                    HEED_F32_DATA(x[j])[e] = heed_rng_normal(&rng);
            }
            memset(mask->data, 1, 1600);
            for (int64_t t = 0; t < 40; t++) HEED_U8_DATA(mask)[t * 40 + 7] = 0;
            const float wild[] = { NAN, INFINITY, -3.4e38f };
            for (int64_t e = 0; n && e < 24; e++)
                HEED_F32_DATA(x[1])[7 * 24 + e] = HEED_F32_DATA(x[2])[7 * 24 + e] = wild[e % 3];
            heed_tensor *y = heed_attention(cx, x[0], x[1], x[2],
                                            &(heed_attention_cfg){ .heads = 2, .mask = mask });
            assert_non_null(y);
            assert_int_equal(heed_backward(cx, heed_sum(cx, y)), 0);
            out[n] = malloc(4 * 960 * sizeof(float));
            memcpy(out[n], y->data, 960 * sizeof(float));
            for (int j = 0; j < 3; j++)
                memcpy(out[n] + 960 * (j + 1), x[j]->grad, 960 * sizeof(float));
            heed_ctx_free(cx);
        }
        for (int64_t e = 0; e < 4 * 960; e++)
            if (memcmp(out[0] + e, out[1] + e, sizeof(float)) != 0)
                fail_msg("table %d: number %d is %a, not %a", i, (int)e, (double)out[1][e],
                         (double)out[0][e]);
        free(out[0]), free(out[1]);
    }
}

/* dy·y that is no number is the one NaN everywhere. */
static void test_dot(void **state) {
    (void)state;
    const uint32_t nan = 0x7fc00000;
    float x[32], y[32] = { 0 };
    for (int i = 0; i < 32; i++) x[i] = 1;
    y[3] = INFINITY, y[19] = -INFINITY;
    for (int i = 0; i < cpu_tables; i++) {
        const float dot = table[i].attn->dot(x, y, 32);
        if (memcmp(&dot, &nan, sizeof dot) != 0) fail_msg("%s: %a", table[i].name, (double)dot);
    }
}

static heed_tensor *numbers(heed_ctx *cx, int64_t B, int64_t T, int64_t C, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ B, T, C });
    heed_rng rng = { .seed = seed };
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(&rng);
    return t;
}

/* Step by step over a cache; and a row padded on the left, beside another one. */
static void test_cached_and_padded(void **state) {
    (void)state;
    enum { T = 75, C = 40, PAD = 11 };
    for (int i = 0; i < tables; i++) {
        heed_ctx *cx = context(&table[i], 2);
        heed_tensor *q = numbers(cx, 1, T, C, 1), *k = numbers(cx, 1, T, C, 2);
        heed_tensor *v = numbers(cx, 1, T, C, 3);
        const heed_attention_cfg cfg = { .heads = 2, .causal = true };
        heed_attention_tap tap = { .entropy = true, .top_k = 2 };
        heed_attention_cfg tapped = cfg;
        tapped.tap = &tap;
        heed_tensor *all = heed_attention(cx, q, k, v, &cfg);
        heed_tensor *seen = heed_attention(cx, q, k, v, &tapped);
        assert_non_null(seen);
        assert_memory_equal(all->data, seen->data, T * C * sizeof(float));
        heed_kv_cache *cache = heed_kv_cache_new(
            &(heed_kv_cache_cfg){ .kv_heads = 2, .dim = C / 2, .capacity = 8 }, NULL);
        for (int64_t t = 0; t < T; t++) {
            heed_tensor *step[3], *in[3] = { q, k, v };
            for (int j = 0; j < 3; j++) step[j] = heed_slice(cx, in[j], 1, t, t + 1);
            assert_int_equal(heed_kv_cache_append(cx, cache, step[1], step[2]), 0);
            heed_tensor *y = heed_attention_cached(cx, step[0], cache, &cfg);
            assert_non_null(y);
            assert_memory_equal(y->data, HEED_F32_DATA(all) + t * C, C * sizeof(float));
        }
        heed_kv_cache_free(cache);
        heed_tensor *in[3] = { q, k, v }, *wide[3];
        for (int j = 0; j < 3; j++) {
            wide[j] = numbers(cx, 2, T + PAD, C, 9);
            memcpy(HEED_F32_DATA(wide[j]) + (T + PAD + PAD) * C, in[j]->data,
                   T * C * sizeof(float));
        }
        heed_attention_cfg padded = cfg;
        padded.key_starts = heed_zeros(cx, HEED_I32, 1, (int64_t[]){ 2 });
        HEED_I32_DATA(padded.key_starts)[1] = PAD;
        heed_tensor *y = heed_attention(cx, wide[0], wide[1], wide[2], &padded);
        assert_non_null(y);
        assert_memory_equal(HEED_F32_DATA(y) + (T + PAD + PAD) * C, all->data,
                            T * C * sizeof(float));
        heed_ctx_free(cx);
    }
}

static void test_tiles_in_turn(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        if (emulation[i].faults) assert_int_equal(emulation[i].faults(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_dropout_and_tiny),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_cached_and_padded),
        cmocka_unit_test(test_tiles_in_turn),
    };
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int i = 0; i < count; i++) table[tables++] = *all[i];
    cpu_tables = tables;
    emulation[0] = emulated_scalar();
    emulation[1] = emulated_avx512();
    emulation[2] = emulated_avx512_bf16();
    if (!emulation[2].bf16) print_message("AVX-512 BF16: this CPU lacks it, skipped\n");
    for (int i = 0; i < 3; i++)
        if (emulation[i].bf16) {
            table[tables] = *all[count - 1];
            table[tables++].bf16 = emulation[i].bf16;
        }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
