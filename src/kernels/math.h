/* math.h: kernels of each element. y may be x. All are our own polynomials, so bits do not depend
 * on a libm; the error of each is stated in docs/ACCURACY.md and tested over all exponents. NaN in
 * gives the canonical NaN 0x7fc00000 out. */
#ifndef HEED_KERNELS_MATH_H
#define HEED_KERNELS_MATH_H

#include "kernels/kernels.h"

typedef void (*heed_map1)(float *y, const float *x, int64_t n);
typedef void (*heed_map2)(float *y, const float *a, const float *b, int64_t n);
/* dx += dy · f'(x) */
typedef void (*heed_map1_grad)(float *dx, const float *x, const float *dy, int64_t n);

enum { HEED_I8_SPARE = 15 }; /* bytes past a row of int8 that may be read, and do not matter */

/* Rows of int8 that lie anywhere, each times a[k]; HEED_I8_SPARE past each. */
typedef struct heed_i8_rows {
    const int8_t *const *row;
    const float *a;
    int64_t len;
} heed_i8_rows;

struct heed_math_kernels {
    heed_map1 exp, log, tanh, sigmoid, erf, sin, cos, relu, gelu, gelu_tanh, silu, sqrt, rsqrt;
    heed_map1_grad relu_grad, gelu_grad, gelu_tanh_grad, silu_grad;
    heed_map1_grad tanh_grad,
        sigmoid_grad; /* here x is the forward's *result* y: dx += dy·(1-y²), dy·y·(1-y) */
    heed_map2 add, sub, mul, div;
    void (*axpy)(float *y, float a, const float *x, int64_t n);           /* y += a·x, fused */
    void (*axpby)(float *y, float a, const float *x, float b, int64_t n); /* y = a·x + b, fused */
    void (*mul_add)(float *y, const float *a, const float *b, int64_t n); /* y += a·b, fused */
    /* Rows of a table added up: y[j] += Σ_k a[k]·x[id[k]·n + j], one chain of fused steps in the
     * order of k; a NULL: ones. Of int8 HEED_I8_SPARE past the last row. */
    void (*gather)(float *y, const float *a, const float *x, const int32_t *id, int64_t len,
                   int64_t n);
    void (*gather_i8)(float *y, const float *a, const int8_t *x, const int32_t *id, int64_t len,
                      int64_t n);
    /* The other way: y[id[k]·n + j] += a[k]·x[j] for each k in turn, fused; or, with s, a table
     * like y, += (a[k]·s[id[k]·n + j])·x[j], each step rounded. x lies outside y and s. */
    void (*scatter)(float *y, const float *a, const float *s, const float *x, const int32_t *id,
                    int64_t len, int64_t n);
    /* y += Σ x, as gather_i8 does */
    void (*gather_at)(float *y, const heed_i8_rows *x, int64_t n);
    /* h = Σ x + gelu(b + Σ c), sums of rows, one chain each. */
    void (*near)(float *h, const float *b, const heed_i8_rows *x, const heed_i8_rows *c, int64_t n);
    /* y = max(y, x), at = t where x is the larger; a NaN in y gives way to any number. at may be
     * NULL. */
    void (*keep_max)(float *y, int32_t *at, const float *x, int32_t t, int64_t n);
    void (*swiglu)(float *y, const float *gate, const float *up, int64_t n);
    void (*swiglu_grad)(float *dgate, float *dup, const float *gate, const float *up,
                        const float *dy, int64_t n); /* += */
    /* y = x·scale where the 16 random bits of element first+i are >= limit, else 0. The bits: for e
     * = first+i take heed_philox(seed, stream, e / 128 · 16 + e % 16) word (e / 32) % 4, its low
     * half if (e / 16) % 2 == 0, else its high half; so 16 counters serve 128 elements. accumulate:
     * y += . Fastest where first is a multiple of 128. */
    void (*dropout)(float *y, const float *x, int64_t n, uint64_t seed, uint64_t stream,
                    int64_t first, uint32_t limit, float scale, bool accumulate);
    /* y = y·scale where h > 0, else 0 (a NaN of h stays one) */
    void (*relu_gate)(float *y, const float *h, float scale, int64_t n);
    void (*to_bf16)(uint16_t *y, const float *x, int64_t n);
    void (*from_bf16)(float *y, const uint16_t *x, int64_t n);
};

/* y = a·x, rounded once. */
static inline void heed__times(const heed_kernels *k, float *y, float a, const float *x,
                               int64_t n) {
    k->math->axpby(y, a, x, -0.0f, n); /* the one number that changes no zero */
}
/* Every NaN of x the canonical one, where plain C made it. */
static inline void heed__canon(const heed_kernels *k, float *x, int64_t n) {
    heed__times(k, x, 1, x, n);
}

#endif
