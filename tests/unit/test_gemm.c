/* test_gemm.c: matrix products keep the order of sums that gemm.h states, to the bit, on every ISA,
 * for any threads, shape, packing and strides. The reference here is that order written down; a sum
 * in double checks the reference. */
#include "isas.h"
#include "products.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gemm.h"
#include "kernels/math.h"

/* rows x cols values, rows ld apart; what lies between stays */
static void fill(float *p, int64_t rows, int64_t cols, int64_t ld) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) p[i * ld + j] = value();
}

static float *matrix(int64_t rows, int64_t cols, int64_t ld) {
    float *p = floats(rows * ld);
    fill(p, rows, cols, ld);
    return p;
}

static float tree(const float *x, int64_t n) {
    if (n == 1) return x[0];
    int64_t half = 1;
    while (half * 2 < n) half *= 2;
    return tree(x, half) + tree(x + half, n - half);
}

static float canonical(float x) {
    return x == x ? x : NAN;
}

/* The law of gemm.h for one element, before the epilogue. */
static float law(const heed_gemm *g, int64_t i, int64_t j, float old) {
    const int64_t s = g->shard > 0 ? g->shard : g->k > 0 ? g->k : 1;
    const int64_t pieces = g->k > s ? (g->k + s - 1) / s : 1;
    float part[64];
    assert_true(pieces <= 64);
    for (int64_t p = 0; p < pieces; p++) {
        float sum = g->accumulate && g->shard <= 0 ? old : 0.0f;
        for (int64_t k = p * s; k < g->k && k < p * s + s; k++)
            sum = fmaf(g->ta ? g->a[k * g->lda + i] : g->a[i * g->lda + k],
                       g->tb ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j], sum);
        part[p] = sum;
    }
    const float sum = tree(part, pieces);
    return canonical(g->accumulate && g->shard > 0 ? old + sum : sum);
}

static float finish(const heed_kernels *k, const heed_gemm *g, int64_t i, int64_t j, float x,
                    float *pre) {
    if (g->scale != 0.0f) x = x * g->scale;
    if (g->bias) x = x + g->bias[j];
    *pre = x;
    const heed_map1 act[] = { NULL, k->math->relu, k->math->gelu, k->math->gelu_tanh,
                              k->math->silu };
    if (act[g->act]) act[g->act](&x, &x, 1);
    const float gate = g->gate ? g->gate[i * g->ldc + j] : 1;
    if (g->gate) x = gate > 0 ? x * g->gate_scale : gate <= 0 ? 0.0f : gate;
    if (g->residual) x = x + g->residual[i * g->ldr + j];
    return canonical(x);
}

static void same_bits(const float *got, const float *want, int64_t n, const char *isa,
                      const heed_gemm *g) {
    for (int64_t i = 0; i < n; i++)
        if (memcmp(got + i, want + i, sizeof *got) != 0)
            fail_msg("%s m %d n %d k %d%s%s%s%s shard %d act %d: element %d is %a, not %a", isa,
                     (int)g->m, (int)g->n, (int)g->k, g->ta ? " ta" : "", g->tb ? " tb" : "",
                     g->packed ? " packed" : "", g->accumulate ? " accumulate" : "", (int)g->shard,
                     (int)g->act, (int)i, (double)got[i], (double)want[i]);
}

/* Runs g (c holding old values) on every ISA and every pool and compares all of c and pre, the room
 * between rows included, with the law. */
static void check(heed_gemm g) {
    const int64_t batch = g.batch ? g.batch : 1;
    const int64_t len = (batch - 1) * g.step_c + g.m * g.ldc;
    float *old = floats(len), *want = floats(len), *pre = floats(len);
    memcpy(old, g.c, (size_t)len * sizeof *old);
    memcpy(want, g.c, (size_t)len * sizeof *old);
    float *const want_pre = g.pre ? floats(len) : NULL;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int64_t q = 0; q < batch; q++) {
        heed_gemm one = g;
        one.a += q * g.step_a;
        one.b += q * g.step_b;
        if (g.residual) one.residual += q * g.step_c;
        for (int64_t i = 0; i < g.m; i++)
            for (int64_t j = 0; j < g.n; j++) {
                const int64_t at = q * g.step_c + i * g.ldc + j;
                float before;
                want[at] = finish(all[0], &one, i, j, law(&one, i, j, old[at]), &before);
                if (g.pre) want_pre[at] = before;
            }
    }
    for (int isa = 0; isa < count; isa++) {
        float *scratch = floats(heed__gemm_scratch(all[isa], &g, 7));
        float *panels = NULL;
        for (int run = 0; run < 8; run++) {
            heed_gemm h = g;
            const int64_t each = heed__packed_len(g.n, g.k);
            if (run % 2) { /* the same from packed panels */
                if (!panels) {
                    panels = floats(batch * each);
                    for (int64_t q = 0; q < batch; q++)
                        heed__pack_b(all[isa], panels + q * each, g.b + q * g.step_b, g.ldb, g.tb,
                                     g.n, g.k);
                }
                h.packed = panels;
                h.b = NULL;
                h.step_b = g.step_b ? each : 0;
            }
            if (g.pre) h.pre = pre;
            memcpy(g.c, old, (size_t)len * sizeof *old);
            heed__gemm(all[isa], pools[run / 2], &h, scratch);
            same_bits(g.c, want, len, all[isa]->name, &h);
            if (g.pre) same_bits(pre, want_pre, len, all[isa]->name, &h);
        }
        free(scratch), free(panels);
    }
    free(old), free(want), free(pre), free(want_pre);
}

/* A product of the shape, operands and strides made up; how: bits of ta, tb, accumulate. */
static void shape(int64_t m, int64_t n, int64_t k, int how, int64_t shard, int64_t batch) {
    heed_gemm g = { .m = m, .n = n, .k = k, .ta = how & 1, .tb = how & 2, .accumulate = how & 4 };
    g.shard = shard;
    g.batch = batch;
    g.lda = (g.ta ? m : k) + pick(3);
    g.ldb = (g.tb ? k : n) + pick(3);
    g.ldc = n + pick(3);
    const int64_t rows_a = g.ta ? k : m, rows_b = g.tb ? n : k, times = batch ? batch : 1;
    g.step_a = batch ? rows_a * g.lda + pick(5) : 0;
    g.step_b = batch && pick(2) ? rows_b * g.ldb + pick(5) : 0;
    g.step_c = batch ? m * g.ldc + pick(5) : 0;
    float *a = floats((times - 1) * g.step_a + rows_a * g.lda), *c;
    float *b = floats((times - 1) * g.step_b + rows_b * g.ldb);
    for (int64_t q = 0; q < times; q++) {
        fill(a + q * g.step_a, rows_a, g.ta ? m : k, g.lda);
        fill(b + q * g.step_b, rows_b, g.tb ? k : n, g.ldb);
    }
    c = floats(times * m * g.ldc + 5 * times);
    if (g.accumulate)
        for (int64_t i = 0; i < times * m * g.ldc + 5 * times; i++) c[i] = value();
    g.a = a, g.b = b, g.c = c;
    check(g);
    free(a), free(b), free(c);
}

static void small_shapes(void **unused) {
    (void)unused;
    for (int64_t m = 0; m <= 40; m++)
        for (int64_t n = 0; n <= 40; n += 1 + pick(3))
            shape(m, n, pick(41), (int)pick(8), pick(4) ? 0 : 1 + pick(9), 0);
}

static void tile_edges(void **unused) {
    (void)unused;
    static const int64_t ms[] = { 1, 2, 3, 4, 6, 7, 13, 14, 15, 28, 29, 42, 43 };
    static const int64_t ns[] = { 15, 16, 17, 31, 33, 47, 63, 65, 127, 128, 129, 145 };
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
        for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
            shape(ms[i], ns[j], 1 + pick(100), (int)pick(8), pick(3) ? 0 : 16, 0);
}

static void blocks_of_k(void **unused) {
    (void)unused;
    static const int64_t ks[] = { 95, 97, 191, 193, 383, 385, 767, 768, 769, 1024, 1537, 2049 };
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
        for (int how = 0; how < 8; how++) {
            shape(1 + pick(3), 1 + pick(40), ks[i], how, how & 1 ? 0 : 300, 0);
            shape(15 + pick(20), 1 + pick(40), ks[i], how, 0, 0);
        }
}

static void blocks_of_rows_and_columns(void **unused) {
    (void)unused;
    for (int how = 0; how < 8; how++) {
        shape(505 + pick(100), 3, 20, how, 0, 0);
        shape(260 + pick(16), 257 + pick(9), 23, how, 5, 0);
        shape(90, 300 + pick(50), 70, how, 0, 0);
    }
}

static void batches(void **unused) {
    (void)unused;
    for (int how = 0; how < 8; how++) {
        shape(5, 7, 9, how, 0, 3);
        shape(33, 40, 64, how, how & 1 ? 0 : 20, 12);
        shape(1, 130, 33, how, 0, 5);
    }
}

static void epilogues(void **unused) {
    (void)unused;
    for (int what = 0; what < 128; what++)
        for (int act = HEED_ACT_NONE; act <= HEED_ACT_SILU; act++) {
            heed_gemm g = { .m = 1 + pick(20), .n = 1 + pick(40), .k = 1 + pick(30), .tb = true };
            g.act = (heed_act)act;
            g.lda = g.ldb = g.k, g.ldc = g.n + 1, g.ldr = g.ldc;
            g.accumulate = what & 16;
            g.shard = what & 32 ? 7 : 0;
            float *a = matrix(g.m, g.k, g.k), *b = matrix(g.n, g.k, g.k);
            float *c = matrix(g.m, g.n, g.ldc), *bias = matrix(1, g.n, g.n);
            float *residual = matrix(g.m, g.n, g.ldr), *pre = floats(g.m * g.ldc);
            g.a = a, g.b = b, g.c = c;
            if (what & 1) g.scale = 0.37f;
            if (what & 2) g.bias = bias;
            if (what & 4) g.pre = pre;
            if (what & 8) g.residual = residual;
            float *gate = matrix(g.m, g.n, g.ldc);
            gate[0] = NAN;
            g.gate_scale = 1.25f;
            if (what & 64) g.gate = gate;
            check(g);
            free(a), free(b), free(c), free(bias), free(residual), free(pre), free(gate);
        }
}

/* NaN and infinity in either operand come out as the same canonical NaN everywhere. */
static void special_values(void **unused) {
    (void)unused;
    for (int how = 0; how < 8; how++) {
        const int64_t m = 9, n = 35, k = 21;
        heed_gemm g = { .m = m, .n = n, .k = k, .ta = how & 1, .tb = how & 2 };
        g.lda = g.ta ? m : k, g.ldb = g.tb ? k : n, g.ldc = n;
        g.accumulate = how & 4;
        float *a = matrix(m, k, k), *b = matrix(n, k, k), *c = matrix(m, n, n);
        a[3] = -NAN, a[50] = INFINITY, b[7] = -INFINITY, b[90] = 0.0f, b[91] = -0.0f;
        a[100] = 1e-40f, a[101] = 3e38f, b[101] = 3e38f, c[17] = -NAN;
        g.a = a, g.b = b, g.c = c;
        check(g);
        free(a), free(b), free(c);
    }
}

static void near_a_sum_in_double(void **unused) {
    (void)unused;
    const int64_t m = 20, n = 50, k = 700;
    float *a = matrix(m, k, k), *b = matrix(n, k, k), *c = floats(m * n);
    heed_gemm g = { .m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .lda = k, .ldb = k, .ldc = n };
    g.tb = true;
    const heed_kernels *best = heed__kernels(NULL, NULL);
    float *scratch = floats(heed__gemm_scratch(best, &g, 1));
    heed__gemm(best, NULL, &g, scratch);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0, size = 0;
            for (int64_t p = 0; p < k; p++) {
                const double x = (double)a[i * k + p] * (double)b[j * k + p];
                sum += x;
                size += fabs(x);
            }
            assert_true(fabs((double)c[i * n + j] - sum) <= size * 1e-5);
        }
    free(a), free(b), free(c), free(scratch);
}

/* Row i of a large product is the product of row i alone, and of any block of rows around it. */
static void rows_do_not_know_each_other(void **unused) {
    (void)unused;
    const int64_t m = 67, n = 77, k = 500;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    float *a = matrix(m, k, k), *b = matrix(n, k, k), *c = floats(m * n), *part = floats(m * n);
    for (int isa = 0; isa < count; isa++) {
        heed_gemm g = { .m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .lda = k, .ldb = k };
        g.ldc = n, g.tb = true;
        float *scratch = floats(heed__gemm_scratch(all[isa], &g, 1));
        heed__gemm(all[isa], NULL, &g, scratch);
        g.c = part;
        for (int64_t i = 0; i < m; i++) {
            g.m = 1 + pick(m - i);
            g.a = a + i * k;
            heed__gemm(all[isa], NULL, &g, scratch);
            same_bits(part, c + i * n, g.m * n, all[isa]->name, &g);
        }
        free(scratch);
    }
    free(a), free(b), free(c), free(part);
}

typedef struct handed {
    const heed_gemm *g;
    float *seen;
    unsigned char *times;
} handed;

static void keep_part(const void *arg, const int64_t range[4]) {
    const handed *h = arg;
    if (range[2] % 64 != 0) h->times[0] = 100;
    for (int64_t i = range[0]; i < range[0] + range[1]; i++)
        for (int64_t j = range[2]; j < range[2] + range[3]; j++) {
            h->seen[i * h->g->n + j] = h->g->c[i * h->g->ldc + j];
            h->times[i * h->g->n + j]++;
        }
}

/* Every element is handed on once, and finished. */
static void parts_are_handed_on(void **unused) {
    (void)unused;
    static const int64_t sizes[][4] = { { 1, 1, 1, 0 },       { 5, 300, 7, 0 },
                                        { 300, 200, 600, 0 }, { 600, 129, 9, 0 },
                                        { 30, 1100, 0, 0 },   { 270, 70, 130, 64 },
                                        { 9, 2100, 520, 0 },  { 530, 260, 70, 64 } };
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        float *a = matrix(m, k + 1, k + 1), *b = matrix(n, k + 1, k + 1), *bias = matrix(1, n, n);
        float *c = floats(m * n), *seen = floats(m * n);
        unsigned char *times = malloc((size_t)(m * n));
        assert_non_null(times);
        heed_gemm g = { .m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .lda = k, .ldb = k };
        g.ldc = n, g.tb = true, g.shard = sizes[s][3], g.bias = bias, g.after = keep_part;
        g.act = s % 2 ? HEED_ACT_GELU : HEED_ACT_RELU;
        g.after_arg = &(handed){ &g, seen, times };
        for (int run = 0; run < 4 * count; run++) {
            const heed_kernels *isa = all[run / 4];
            float *scratch = floats(heed__gemm_scratch(isa, &g, 7));
            memset(times, 0, (size_t)(m * n));
            heed__gemm(isa, pools[run % 4], &g, scratch);
            for (int64_t i = 0; i < m * n; i++) assert_int_equal(times[i], 1);
            same_bits(seen, c, m * n, isa->name, &g);
            free(scratch);
        }
        free(a), free(b), free(bias), free(c), free(seen), free(times);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_a_sum_in_double),
        cmocka_unit_test(small_shapes),
        cmocka_unit_test(tile_edges),
        cmocka_unit_test(blocks_of_k),
        cmocka_unit_test(blocks_of_rows_and_columns),
        cmocka_unit_test(batches),
        cmocka_unit_test(epilogues),
        cmocka_unit_test(special_values),
        cmocka_unit_test(rows_do_not_know_each_other),
        cmocka_unit_test(parts_are_handed_on),
    };
    return cmocka_run_group_tests(tests, start_pools, end_pools);
}
