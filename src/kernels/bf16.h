/* bf16.h: matrix products of operands rounded to bf16, with f32 sums: a precision that the user
 * chooses. The shapes and forms are those of gemm.h; operands are f32 and rounded (nearest, ties to
 * even; a denormal one is a zero of its sign first) on their way into panels.
 *
 * Order of the sum, that of the AMX tile instruction (TDPBF16PS): k goes by units of 32, the
 * last one filled up with zeros (k = 0 is one unit of zeros). In a unit, one chain of fused
 * multiply-adds over its even elements and one over its odd ones, each from +0; the two are
 * added, and the result is added to C. Every result that is denormal is taken as a zero of its
 * sign. With shard (a multiple of 32) or accumulate, C is as in gemm.h.
 */
#ifndef HEED_KERNELS_BF16_H
#define HEED_KERNELS_BF16_H

#include "kernels/gemm.h"
#include "kernels/kernels.h"

struct heed_bf16_kernels {
    /* `exact` flushes after each step; `fast` does not, and is right where no step can give a
     * denormal number: where the exponents of the least of A and of B other than 0 add up to -112
     * or more, every sum is a multiple of 2^-126. */
    heed_gemm_kernels exact, fast;
    float (*least)(const float *x, int64_t n); /* least |x| other than 0; infinity if there is
                                                  none. NULL: `exact` loses no time by flushing */
};

/* Whether operands whose least magnitudes other than 0 are these may go through `fast`. */
bool heed__bf16_fast(float least_a, float least_b);

int64_t heed__gemm_bf16_scratch(const heed_kernels *k, const heed_gemm *g, int threads);
void heed__gemm_bf16(const heed_kernels *k, heed_pool *pool, const heed_gemm *g, float *scratch);

/* B in panels for g->packed, one product (no batch of different B); what they look like differs by
 * table. Floats needed: */
int64_t heed__packed_bf16_len(int64_t n, int64_t k);
void heed__pack_b_bf16(const heed_kernels *k, float *packed, const float *b, int64_t ldb, bool tb,
                       int64_t n, int64_t kk);

#endif
