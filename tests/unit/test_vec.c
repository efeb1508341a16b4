/* test_vec.c: every operation of vec.h gives the scalar header's bits on every ISA, for all
 * pairs of edge values and for random bits. A NaN that arithmetic makes or passes on may differ
 * in sign and payload (vec.h says so), so NaNs of floating-point operations are compared as
 * NaNs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "isas.h"
#include "vec/vec_ops.h"

static const uint32_t edges[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000,
    0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000,
    0xc0200000, 0x4b000000, 0x4b000001, 0x4affffff, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001,
    0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff,
    0x0000ffff, 0xffff8000, 0x80807f7f, 0x7f808080,
};
enum { EDGES = sizeof edges / sizeof *edges };

typedef int (*ops_fn)(float *to, const float *x, const float *y, const float *z);

static void compare(const char *name, ops_fn ops, const float *x, const float *y, const float *z) {
    float want[VEC_OPS_MAX * 16], got[VEC_OPS_MAX * 16];
    memset(want, 0x5a, sizeof want);
    memset(got, 0x5a, sizeof got);
    const int n = ops_scalar(want, x, y, z), m = ops(got, x, y, z);
    assert_int_equal(n, m);
    assert_true(n <= VEC_OPS_MAX);
    for (int i = 0; i < 16 * n; i++) {
        if (isnan(want[i]) && isnan(got[i]) && i < 16 * 20) continue; /* the first 20 give floats */
        if (memcmp(want + i, got + i, sizeof *got) == 0) continue;
        fail_msg("%s: operation %d lane %d of %a, %a, %a: %a, not %a", name, i / 16, i % 16,
                 (double)x[i % 16], (double)y[i % 16], (double)z[i % 16], (double)got[i],
                 (double)want[i]);
    }
}

static void compare_all(const char *name, ops_fn ops) {
    float x[16], y[16], z[16];
    for (int i = 0; i < EDGES; i++)
        for (int j = 0; j < EDGES; j++)
            for (int k = 0; k < EDGES; k += 5) {
                for (int l = 0; l < 16; l++) {
                    memcpy(x + l, edges + (i + l) % EDGES, sizeof *x);
                    memcpy(y + l, edges + (j + 3 * l) % EDGES, sizeof *y);
                    memcpy(z + l, edges + (k + 7 * l) % EDGES, sizeof *z);
                }
                compare(name, ops, x, y, z);
            }
    uint64_t state = 3;
    for (int round = 0; round < 20000; round++) {
        uint32_t bits[48];
        for (int i = 0; i < 48; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bits[i] = (uint32_t)(state >> 32);
        }
        compare(name, ops, (const float *)(const void *)bits,
                (const float *)(const void *)(bits + 16), (const float *)(const void *)(bits + 32));
    }
}

static void every_isa_equals_scalar(void **unused) {
    (void)unused;
#if defined(__x86_64__)
    int count;
    isas_here(&count);
    if (!heed__kernels_lack("avx2")) compare_all("avx2", ops_avx2);
    if (!heed__kernels_lack("avx512")) compare_all("avx512", ops_avx512);
#elif defined(__aarch64__)
    compare_all("neon", ops_neon);
#else
    print_message("this machine has scalar kernels only\n");
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_isa_equals_scalar) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
