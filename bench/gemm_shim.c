/* gemm_shim.c: our matrix product behind plain arguments, for gemm_peers.py to call by ctypes in
 * the same process as its peer. One thread. */
#include <stdint.h>
#include <stdlib.h>

#include "kernels/gemm.h"
#include "peak.h"

HEED_API double shim_peak(void);
HEED_API void shim_gemm(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c,
                        int64_t forms, float *scratch);
HEED_API int64_t shim_scratch(int64_t m, int64_t n, int64_t k);

static heed_gemm product(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c,
                         int64_t forms) {
    heed_gemm g = { .m = m, .n = n, .k = k, .a = a, .b = b, .c = c };
    g.ta = forms & 1;
    g.tb = forms & 2;
    g.lda = g.ta ? m : k;
    g.ldb = g.tb ? k : n;
    g.ldc = n;
    return g;
}

double shim_peak(void) {
    return bench_peak_fma(heed__kernels(NULL, NULL)->name);
}

/* forms: 1: a is [k,m], 2: b is [n,k] */
void shim_gemm(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c,
               int64_t forms, float *scratch) {
    const heed_gemm g = product(m, n, k, a, b, c, forms);
    heed__gemm(heed__kernels(NULL, NULL), NULL, &g, scratch);
}

int64_t shim_scratch(int64_t m, int64_t n, int64_t k) {
    const heed_gemm g = product(m, n, k, NULL, NULL, NULL, 0);
    return heed__gemm_scratch(heed__kernels(NULL, NULL), &g, 1);
}
