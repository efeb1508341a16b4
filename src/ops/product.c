/* product.c: see product.h. */
#include "ops/product.h"

bool heed__product(heed_ctx *cx, const heed_gemm *g) {
    if (!g->m || !g->n) return true;
    const int64_t need = heed__gemm_scratch(cx->k, g, heed_pool_threads(cx->pool));
    float *scratch = need ? heed__temp(cx, need, sizeof *scratch) : NULL;
    if (need && !scratch) return false;
    heed__gemm(cx->k, cx->pool, g, scratch);
    heed__temp_end(cx, scratch);
    return true;
}
