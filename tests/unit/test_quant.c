/* test_quant.c: int8 products equal the plain sums of integers on every ISA, at the ends of the
 * range too, and their epilogue the stated roundings, to the bit. */
#include "isas.h"
#include "products.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/math.h"
#include "kernels/quant.h"
#include "kernels/tables.h"

/* Every ISA of this CPU, and the AVX-512 table without VNNI, which a CPU with it does not list. */
static int tables(const heed_kernels *to[8]) {
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int i = 0; i < count; i++) to[i] = all[i];
#if defined(__x86_64__)
    if (!heed__kernels_lack("avx512")) to[count++] = &heed__kernels_avx512;
#endif
    return count;
}

static float round_once(const heed_kernels *k, const heed_qgemm *g, int64_t i, int64_t j,
                        int32_t sum) {
    const float a = (float)sum * g->row_scale[i], b = a * g->col_scale[j];
    float x = g->bias ? b + g->bias[j] : b;
    if (g->act == HEED_ACT_RELU && k->math->relu) k->math->relu(&x, &x, 1);
    if (g->residual) x = x + g->residual[i * g->ldr + j];
    return x;
}

/* kind 0: any int8; 1: all -128; 2: -128 against 127 */
static void shape(int64_t m, int64_t n, int64_t k, int kind) {
    const int64_t lda = k + pick(4), ldb = k + pick(4), ldc = n + pick(4);
    int8_t *a = filled(m * lda), *b = filled(n * ldb);
    for (int64_t i = 0; i < m * lda; i++) a[i] = (int8_t)(kind ? -128 : pick(256) - 128);
    for (int64_t i = 0; i < n * ldb; i++)
        b[i] = (int8_t)(kind == 1 ? -128 : kind == 2 ? 127 : pick(256) - 128);
    int32_t *want = filled(4 * m * ldc), *got = filled(4 * m * ldc);
    float *want_c = filled(4 * m * ldc), *got_c = filled(4 * m * ldc);
    float *scales = filled(4 * (m + 2 * n)), *residual = filled(4 * m * n);
    for (int64_t i = 0; i < m + 2 * n; i++) scales[i] = (float)(pick(1000) + 1) / 4096.0f;
    for (int64_t i = 0; i < m * n; i++) residual[i] = (float)pick(1000) / 128.0f;
    heed_qgemm g = { .m = m, .n = n, .k = k, .a = a, .lda = lda, .ldc = ldc };
    g.row_scale = scales, g.col_scale = scales + m;
    if (pick(2)) g.bias = scales + m + n;
    if (pick(2)) g.act = HEED_ACT_RELU;
    if (pick(2)) g.residual = residual, g.ldr = n;
    const heed_kernels *all[8];
    const int count = tables(all);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            int32_t sum = 0;
            for (int64_t p = 0; p < k; p++) sum += a[i * lda + p] * b[j * ldb + p];
            want[i * ldc + j] = sum;
            want_c[i * ldc + j] = round_once(all[0], &g, i, j, sum);
        }
    void *packed = filled(heed__q_packed_size(n, k));
    heed__q_pack(packed, b, ldb, n, k);
    g.packed = packed;
    for (int isa = 0; isa < count; isa++) {
        void *scratch = filled(heed__q_scratch(all[isa], &g, 7));
        for (int t = 0; t < 4; t++) {
            memset(got, 0xff, (size_t)(4 * m * ldc));
            memset(got_c, 0xff, (size_t)(4 * m * ldc));
            heed_qgemm h = g;
            h.sums = got;
            heed__qgemm(all[isa], pools[t], &h, scratch);
            h.sums = NULL, h.c = got_c;
            heed__qgemm(all[isa], pools[t], &h, scratch);
            if (memcmp(got, want, (size_t)(4 * m * ldc)) != 0)
                fail_msg("%s: sums of m %d n %d k %d", all[isa]->name, (int)m, (int)n, (int)k);
            if (memcmp(got_c, want_c, (size_t)(4 * m * ldc)) != 0)
                fail_msg("%s: scaled, m %d n %d k %d", all[isa]->name, (int)m, (int)n, (int)k);
        }
        free(scratch);
    }
    free(a), free(b), free(want), free(got), free(want_c), free(got_c), free(scales);
    free(residual), free(packed);
}

static void small_shapes(void **unused) {
    (void)unused;
    for (int64_t m = 0; m <= 40; m++)
        for (int64_t n = 0; n <= 40; n += 1 + pick(4)) shape(m, n, pick(70), 0);
}

static void edges(void **unused) {
    (void)unused;
    static const int64_t ns[] = { 15, 16, 17, 31, 33, 63, 64, 65, 129 };
    static const int64_t ks[] = { 1, 3, 4, 5, 63, 64, 65, 127, 128, 255, 1000 };
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        for (size_t j = 0; j < sizeof ks / sizeof *ks; j++) shape(1 + pick(30), ns[i], ks[j], 0);
    shape(300, 130, 70, 0);
    shape(150, 20, 4000, 0);
}

static void ends_of_the_range(void **unused) {
    (void)unused;
    for (int kind = 1; kind <= 2; kind++) {
        shape(15, 17, 4099, kind);
        shape(2, 3, HEED_Q_MAX_K, kind);
    }
}

static void quantized_rows(void **unused) {
    (void)unused;
    const heed_kernels *all[8];
    const int count = tables(all);
    for (int64_t n = 0; n <= 70; n++) {
        float *x = filled(4 * n);
        int8_t *want = filled(n), *got = filled(n);
        float top = 0;
        for (int64_t i = 0; i < n; i++) {
            x[i] = (float)(pick(2001) - 1000) / 37.0f;
            if (fabsf(x[i]) > top) top = fabsf(x[i]);
        }
        const float by = top > 0 ? 127.0f / top : 0;
        for (int64_t i = 0; i < n; i++) want[i] = (int8_t)rintf(x[i] * by);
        for (int isa = 0; isa < count; isa++) {
            memset(got, 0x55, (size_t)n);
            const float scale = all[isa]->quant->quantize(got, x, n);
            assert_true(scale == top / 127.0f);
            assert_memory_equal(got, want, (size_t)n);
            assert_int_equal(got[n], -1); /* not a byte past the end */
        }
        free(x), free(want), free(got);
    }
}

/* A row so small that 127 / max|x| is no finite number. */
static void rows_of_almost_nothing(void **unused) {
    (void)unused;
    static const float tops[] = { 0x1p-119f, 0x1p-121f, 0x1p-126f, 0x1p-149f };
    const heed_kernels *all[8];
    const int count = tables(all);
    for (int isa = 0; isa < count; isa++)
        for (int i = 0; i < 4; i++) {
            const float x[3] = { tops[i], 0, -tops[i] / 2 };
            int8_t q[3];
            const float scale = all[isa]->quant->quantize(q, x, 3);
            assert_true(scale == (i ? 0 : tops[i] / 127.0f));
            assert_memory_equal(q, i ? ((int8_t[]){ 0, 0, 0 }) : ((int8_t[]){ 127, 0, -64 }), 3);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_shapes),           cmocka_unit_test(edges),
        cmocka_unit_test(ends_of_the_range),      cmocka_unit_test(quantized_rows),
        cmocka_unit_test(rows_of_almost_nothing),
    };
    return cmocka_run_group_tests(tests, start_pools, end_pools);
}
