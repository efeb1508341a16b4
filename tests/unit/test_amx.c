/* test_amx.c: products over AMX tiles have the bits of the software ones. Blocking, packing, edges
 * and epilogues run here over emulated tiles on every machine, and over the real ones where the CPU
 * has them. */
#include "isas.h"
#include "products.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit/amx/emulated.h"

enum { MOST = 4 };
static heed_kernels table[MOST];
static int tables;
static emulated emulation[3];
static heed_pool *few_pools[2];

static const heed_kernels *software(void) {
    int count;
    const heed_kernels *const *all = isas_here(&count);
    if (count > 2 && strcmp(all[count - 1]->name, "amx") == 0) return all[count - 2];
    return all[count - 1];
}

/* numbers of all kinds: size as a power of two, some zeros of both signs, infinities and NaN where
 * wild is set */
static float *numbers(int64_t n, int size, bool wild) {
    float *x = filled(n * 4);
    for (int64_t i = 0; i < n; i++) {
        x[i] = ldexpf((float)(pick(200001) - 100000), size - 17);
        if (pick(20) == 0) x[i] = pick(2) ? 0.0f : -0.0f;
        if (size < -100 && pick(30) == 0) x[i] = 0x1.fffp-127f; /* rounded it would be normal */
        if (wild && pick(60) == 0) x[i] = pick(2) ? INFINITY : -INFINITY;
        if (wild && pick(60) == 0) x[i] = NAN;
    }
    return x;
}

typedef struct wish {
    int64_t m, n, k;
    int how; /* 1 ta, 2 tb, 4 accumulate, 8 epilogue, 16 shard, 32 batch, 64 wild numbers */
    int size;
} wish;

static void bf16(wish w) {
    const int64_t m = w.m, n = w.n, k = w.k, batch = w.how & 32 ? 3 : 1;
    heed_gemm g = { .m = m, .n = n, .k = k, .ta = w.how & 1, .tb = w.how & 2 };
    g.accumulate = w.how & 4;
    g.shard = w.how & 16 ? 64 : 0;
    g.lda = (g.ta ? m : k) + pick(3), g.ldb = (g.tb ? k : n) + pick(3), g.ldc = n + pick(3);
    g.batch = w.how & 32 ? batch : 0;
    g.step_a = (g.ta ? k : m) * g.lda, g.step_b = (g.tb ? n : k) * g.ldb, g.step_c = m * g.ldc;
    const bool wild = w.how & 64;
    float *a = numbers(batch * g.step_a, w.size, wild);
    float *b = numbers(batch * g.step_b, w.size, wild);
    const int64_t area = batch * g.step_c;
    float *old = numbers(area, 2 * w.size, false), *more = numbers(area + n, 0, false);
    float *want = filled(4 * area), *got = filled(4 * area);
    g.a = a, g.b = b;
    if (w.how & 8) {
        g.bias = more + area;
        g.act = (heed_act)pick(5);
        g.scale = 0.25f;
        if (batch == 1) g.residual = more, g.ldr = g.ldc;
    }
    const heed_kernels *soft = software();
    void *scratch = filled(4 * heed__gemm_bf16_scratch(soft, &g, 3));
    memcpy(want, old, (size_t)(4 * area));
    g.c = want;
    heed__gemm_bf16(soft, NULL, &g, scratch);
    free(scratch);
    g.c = got;
    for (int t = 0; t < tables; t++) {
        float *packed = filled(4 * heed__packed_bf16_len(n, k));
        heed__pack_b_bf16(&table[t], packed, b, g.ldb, g.tb, n, k);
        for (int run = 0; run < 4; run++) {
            heed_gemm h = g;
            if (run & 1 && batch > 1) continue;
            if (run & 1) h.packed = packed, h.b = NULL;
            scratch = filled(4 * heed__gemm_bf16_scratch(&table[t], &h, 3));
            memcpy(got, old, (size_t)(4 * area));
            heed__gemm_bf16(&table[t], few_pools[run / 2], &h, scratch);
            free(scratch);
            if (memcmp(got, want, (size_t)(4 * area)) == 0) continue;
            for (int64_t i = 0; i < area; i++)
                if (memcmp(got + i, want + i, 4) != 0)
                    fail_msg("table %d run %d m %d n %d k %d how %d size %d: element %d is %a, not "
                             "%a",
                             t, run, (int)m, (int)n, (int)k, w.how, w.size, (int)i, (double)got[i],
                             (double)want[i]);
        }
        free(packed);
    }
    free(a), free(b), free(old), free(more), free(want), free(got);
}

static void bf16_small(void **unused) {
    (void)unused;
    for (int64_t m = 0; m <= 50; m += 1 + pick(3))
        for (int64_t n = 0; n <= 70; n += 1 + pick(12))
            bf16((wish){ m, n, pick(100), (int)pick(128), 0 });
}

static void bf16_edges(void **unused) {
    (void)unused;
    static const int64_t ms[] = { 1, 15, 16, 17, 31, 32, 33, 48, 65 };
    static const int64_t ns[] = { 15, 16, 17, 32, 33, 63, 64, 65 };
    static const int64_t ks[] = { 0, 1, 31, 32, 33, 64, 95 };
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
        for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
            bf16((wish){ ms[i], ns[j], ks[pick(7)], (int)pick(64), 0 });
    for (int i = 0; i < 7; i++)
        for (int how = 0; how < 8; how++) bf16((wish){ 17, 17, ks[i], how, 0 });
}

/* Several blocks of rows, columns and k. */
static void bf16_blocks(void **unused) {
    (void)unused;
    for (int how = 0; how < 4; how++) {
        bf16((wish){ 3 + pick(20), 20 + pick(70), 1030 + pick(99), how | (int)pick(32) << 2, 0 });
        bf16((wish){ 257 + pick(30), 33, 40 + pick(9), how | (int)pick(32) << 2, 0 });
    }
    bf16((wish){ 1, 40, 2100, 2, 0 });
    bf16((wish){ 270, 17, 600, 2, 0 }); /* B packed whole, two blocks of k */
    bf16((wish){ 530, 1030, 3, 0, 0 }); /* and two blocks of columns */
    bf16((wish){ 260, 260, 130, 1 | 16 | 4, 0 });
}

static void bf16_tiny_numbers(void **unused) {
    (void)unused;
    static const int sizes[] = { -58, -63, -66, -120, 60, 64 };
    for (int i = 0; i < 60; i++)
        bf16((wish){ 1 + pick(40), 1 + pick(40), pick(100), (int)pick(64), sizes[i % 6] });
}

/* kind 0: any int8; 1: all -128; 2: -128 against 127 */
static void int8(int64_t m, int64_t n, int64_t k, int kind) {
    const int64_t lda = k + pick(4), ldb = k + pick(4), ldc = n + pick(4);
    int8_t *a = filled(m * lda), *b = filled(n * ldb);
    for (int64_t i = 0; i < m * lda; i++) a[i] = (int8_t)(kind ? -128 : pick(256) - 128);
    for (int64_t i = 0; i < n * ldb; i++)
        b[i] = (int8_t)(kind == 1 ? -128 : kind == 2 ? 127 : pick(256) - 128);
    float *more = numbers(m + 2 * n + m * n, 0, false);
    heed_qgemm g = { .m = m, .n = n, .k = k, .a = a, .lda = lda, .ldc = ldc };
    g.row_scale = more, g.col_scale = more + m;
    if (pick(2)) g.bias = more + m + n;
    g.act = (heed_act)pick(5);
    if (pick(2)) g.residual = more + m + 2 * n, g.ldr = n;
    void *packed = filled(heed__q_packed_size(n, k));
    heed__q_pack(packed, b, ldb, n, k);
    g.packed = packed;
    char *want[2], *got = filled(4 * m * ldc);
    const heed_kernels *soft = software();
    void *scratch = filled(heed__q_scratch(soft, &g, 3));
    for (int sums = 0; sums < 2; sums++) {
        want[sums] = filled(4 * m * ldc);
        heed_qgemm h = g;
        if (sums) h.sums = (int32_t *)(void *)want[sums];
        h.c = (float *)(void *)want[sums];
        heed__qgemm(soft, NULL, &h, scratch);
    }
    free(scratch);
    for (int t = 0; t < tables; t++)
        for (int run = 0; run < 4; run++) {
            scratch = filled(heed__q_scratch(&table[t], &g, 3));
            memset(got, 0xff, (size_t)(4 * m * ldc));
            heed_qgemm h = g;
            if (run & 1) h.sums = (int32_t *)(void *)got;
            h.c = (float *)(void *)got;
            heed__qgemm(&table[t], few_pools[run / 2], &h, scratch);
            free(scratch);
            if (memcmp(got, want[run & 1], (size_t)(4 * m * ldc)) != 0)
                fail_msg("table %d: int8 %s of m %d n %d k %d", t, run & 1 ? "sums" : "scaled",
                         (int)m, (int)n, (int)k);
        }
    free(a), free(b), free(more), free(packed), free(want[0]), free(want[1]), free(got);
}

static void int8_shapes(void **unused) {
    (void)unused;
    static const int64_t ns[] = { 1, 15, 16, 17, 33, 63, 64, 65, 100 };
    static const int64_t ks[] = { 0, 1, 3, 5, 63, 64, 65, 127, 128, 129, 300 };
    for (int64_t m = 0; m <= 50; m += 1 + pick(4))
        for (int64_t n = 0; n <= 70; n += 1 + pick(16)) int8(m, n, pick(140), 0);
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        for (size_t j = 0; j < sizeof ks / sizeof *ks; j++) int8(1 + pick(40), ns[i], ks[j], 0);
    int8(300, 130, 70, 0);
    int8(150, 20, 4000, 0);
    for (int kind = 1; kind <= 2; kind++) {
        int8(17, 17, 4099, kind);
        int8(2, 3, HEED_Q_MAX_K, kind);
    }
}

static void tiles_only_in_turn(void **unused) {
    (void)unused;
    for (int i = 0; i < 3; i++)
        if (emulation[i].faults) assert_int_equal(emulation[i].faults(), 0);
}

static int start(void **unused) {
    (void)unused;
    emulation[0] = emulated_scalar();
    emulation[1] = emulated_avx512();
    emulation[2] = emulated_avx512_bf16();
    if (!emulation[2].bf16) print_message("AVX-512 BF16: this CPU lacks it, skipped\n");
    for (int i = 0; i < 3; i++) {
        if (!emulation[i].bf16) continue;
        table[tables] = *software();
        table[tables].bf16 = emulation[i].bf16;
        table[tables++].quant = emulation[i].quant;
    }
    if (!heed__kernels_lack("amx")) table[tables++] = *heed__kernels("amx", NULL);
    few_pools[1] = heed_pool_new(3, NULL, NULL);
    return few_pools[1] ? 0 : -1;
}

static int end(void **unused) {
    (void)unused;
    heed_pool_free(few_pools[1]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_small),  cmocka_unit_test(bf16_edges),
        cmocka_unit_test(bf16_blocks), cmocka_unit_test(bf16_tiny_numbers),
        cmocka_unit_test(int8_shapes), cmocka_unit_test(tiles_only_in_turn),
    };
    return cmocka_run_group_tests(tests, start, end);
}
