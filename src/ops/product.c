/* product.c: see product.h. */
#include "ops/product.h"

#include "kernels/bf16.h"

bool heed__product(heed_ctx *cx, const heed_gemm *g) {
    if (!g->m || !g->n) return true;
    const bool bf16 = cx->precision == HEED_PRECISION_BF16;
    const int threads = heed_pool_threads(cx->pool);
    heed_gemm h = *g;
    if (bf16) h.packed = NULL; /* those panels are f32's */
    const int64_t need = bf16 ? heed__gemm_bf16_scratch(cx->k, &h, threads)
                              : heed__gemm_scratch(cx->k, &h, threads);
    float *scratch = need ? heed__temp(cx, need, sizeof *scratch) : NULL;
    if (need && !scratch) return false;
    if (bf16)
        heed__gemm_bf16(cx->k, cx->pool, &h, scratch);
    else
        heed__gemm(cx->k, cx->pool, &h, scratch);
    heed__temp_end(cx, scratch);
    return true;
}
