/* bf16.c: products of bf16.h: which of the two sets of tiles a product needs. The rest is
 * gemm.c. */
#include "kernels/bf16.h"

#include <math.h>
#include <string.h>

static float least_of(const heed_kernels *k, const float *x, int64_t ld, int64_t rows,
                      int64_t cols) {
    float least = INFINITY;
    for (int64_t i = 0; i < rows; i++) {
        const float row = k->bf16->least(x + i * ld, cols);
        if (row < least) least = row;
    }
    return least;
}

static int exponent(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (int)(bits >> 23 & 255) - 127;
}

bool heed__bf16_fast(float least_a, float least_b) {
    return exponent(least_a) + exponent(least_b) >= -112;
}

int64_t heed__gemm_bf16_scratch(const heed_kernels *k, const heed_gemm *g, int threads) {
    return heed__gemm_scratch_with(&k->bf16->exact, g, threads);
}

void heed__gemm_bf16(const heed_kernels *k, heed_pool *pool, const heed_gemm *g, float *scratch) {
    const int64_t batch = g->batch > 0 ? g->batch : 1;
    if (!k->bf16->least) {
        heed__gemm_with(k, &k->bf16->exact, pool, g, scratch);
        return;
    }
    float a = INFINITY, b = INFINITY;
    for (int64_t q = 0; q < batch && (q == 0 || g->step_a); q++) {
        const float *at = g->a + q * g->step_a;
        const float x = least_of(k, at, g->lda, g->ta ? g->k : g->m, g->ta ? g->m : g->k);
        if (x < a) a = x;
    }
    if (g->packed) b = g->packed[heed__packed_len(g->n, g->k)];
    for (int64_t q = 0; !g->packed && q < batch && (q == 0 || g->step_b); q++) {
        const float *at = g->b + q * g->step_b;
        const float x = least_of(k, at, g->ldb, g->tb ? g->n : g->k, g->tb ? g->k : g->n);
        if (x < b) b = x;
    }
    heed__gemm_with(k, heed__bf16_fast(a, b) ? &k->bf16->fast : &k->bf16->exact, pool, g, scratch);
}

int64_t heed__packed_bf16_len(int64_t n, int64_t k) {
    return heed__packed_len(n, (k + 31) / 32 * 32) + HEED_PANEL;
}

void heed__pack_b_bf16(const heed_kernels *k, float *packed, const float *b, int64_t ldb, bool tb,
                       int64_t n, int64_t kk) {
    heed__pack_b_with(&k->bf16->exact, packed, b, ldb, tb, n, kk);
    if (k->bf16->least)
        packed[heed__packed_len(n, kk)] = least_of(k, b, ldb, tb ? n : kk, tb ? kk : n);
}
