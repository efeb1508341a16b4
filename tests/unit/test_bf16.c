/* test_bf16.c: bf16 products keep the order of sums that bf16.h states, to the bit, on every
 * ISA, for any threads, packed or not, with ordinary and with tiny numbers. The reference is
 * that order written down. */
#include "isas.h"
#include "products.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/bf16.h"

static float flush(float x) {
    return fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x;
}

static float rounded(float x) {
    uint32_t bits;
    x = flush(x);
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float law(const heed_gemm *g, int64_t i, int64_t j, float c) {
    for (int64_t unit = 0; unit == 0 || unit < g->k; unit += 32) {
        float sum[2] = { 0.0f, 0.0f };
        for (int64_t k = unit; k < unit + 32; k++) {
            float a = 0.0f, b = 0.0f;
            if (k < g->k) {
                a = rounded(g->ta ? g->a[k * g->lda + i] : g->a[i * g->lda + k]);
                b = rounded(g->tb ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j]);
            }
            sum[k % 2] = flush(fmaf(a, b, sum[k % 2]));
        }
        c = flush(flush(c) + flush(sum[0] + sum[1]));
    }
    return c;
}

/* size: magnitudes about 2^size; the exact tiles are needed where twice that is below -112 */
static void shape(int64_t m, int64_t n, int64_t k, int how, int size) {
    heed_gemm g = { .m = m, .n = n, .k = k, .ta = how & 1, .tb = how & 2, .accumulate = how & 4 };
    g.lda = (g.ta ? m : k) + pick(3), g.ldb = (g.tb ? k : n) + pick(3), g.ldc = n + pick(3);
    const int64_t len_a = (g.ta ? k : m) * g.lda, len_b = (g.tb ? n : k) * g.ldb;
    float *a = floats(len_a), *b = floats(len_b), *c = floats(m * g.ldc), *old = floats(m * g.ldc);
    float *want = floats(m * g.ldc);
    for (int64_t i = 0; i < len_a; i++) a[i] = ldexpf((float)(pick(2001) - 1000), size - 10);
    for (int64_t i = 0; i < len_b; i++) b[i] = ldexpf((float)(pick(2001) - 1000), size - 10);
    if (g.accumulate)
        for (int64_t i = 0; i < m * g.ldc; i++)
            old[i] = ldexpf((float)(pick(2001) - 1000), 2 * size - 12);
    memcpy(want, old, (size_t)(m * g.ldc) * sizeof *want);
    g.a = a, g.b = b, g.c = c;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            want[i * g.ldc + j] = law(&g, i, j, g.accumulate ? old[i * g.ldc + j] : 0.0f);
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int isa = 0; isa < count; isa++) {
        float *scratch = floats(heed__gemm_bf16_scratch(all[isa], &g, 7));
        float *packed = floats(heed__packed_bf16_len(n, k));
        heed__pack_b_bf16(all[isa], packed, b, g.ldb, g.tb, n, k);
        for (int run = 0; run < 8; run++) {
            heed_gemm h = g;
            if (run % 2) h.packed = packed, h.b = NULL;
            memcpy(c, old, (size_t)(m * g.ldc) * sizeof *c);
            heed__gemm_bf16(all[isa], pools[run / 2], &h, scratch);
            for (int64_t i = 0; i < m * g.ldc; i++)
                if (memcmp(c + i, want + i, sizeof *c) != 0)
                    fail_msg("%s m %d n %d k %d how %d size %d: element %d is %a, not %a",
                             all[isa]->name, (int)m, (int)n, (int)k, how, size, (int)i,
                             (double)c[i], (double)want[i]);
        }
        free(scratch), free(packed);
    }
    free(a), free(b), free(c), free(old), free(want);
}

static void shapes_of_size(int size) {
    for (int64_t m = 0; m <= 24; m++)
        for (int64_t n = 0; n <= 40; n += 1 + pick(9)) shape(m, n, pick(100), (int)pick(8), size);
    for (int how = 0; how < 8; how++) {
        shape(1 + pick(20), 1 + pick(70), 1100 + pick(9), how, size);
        shape(1, 70, 31 + pick(3), how, size);
        shape(260, 20, 33, how, size);
    }
}

static void ordinary_numbers(void **unused) {
    (void)unused;
    shapes_of_size(0);
}

static void tiny_numbers(void **unused) {
    (void)unused;
    shapes_of_size(-58); /* sums about 2^-116, many steps through denormals */
    shapes_of_size(-63);
    shapes_of_size(-66);
    shapes_of_size(-120); /* denormal operands too */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_numbers),
        cmocka_unit_test(tiny_numbers),
    };
    return cmocka_run_group_tests(tests, start_pools, end_pools);
}
