/* attention_product.h: small matrix products inside of a worker, for attention's block code. */
#ifndef HEED_OPS_ATTENTION_PRODUCT_H
#define HEED_OPS_ATTENTION_PRODUCT_H

#include "kernels/gemm.h"

/* Floats of scratch for any product whose m, n and k do not pass these. */
static inline int64_t heed__product_scratch(const heed_kernels *k, int64_t m, int64_t n,
                                            int64_t depth) {
    int64_t most = 0;
    for (int form = 0; form < 4; form++) {
        const heed_gemm g = { .m = m,
                              .n = n,
                              .k = depth,
                              .lda = form & 1 ? m : depth,
                              .ldb = form & 2 ? depth : n,
                              .ldc = n,
                              .ta = (form & 1) != 0,
                              .tb = (form & 2) != 0 };
        const int64_t need = heed__gemm_scratch(k, &g, 1);
        if (need > most) most = need;
    }
    return (most + 15) / 16 * 16;
}

#endif
