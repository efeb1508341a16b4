/* affine.h: what the cases of affine_act, affine_drop and feed_forward share. */
#ifndef HEED_OPS_CASES_AFFINE_H
#define HEED_OPS_CASES_AFFINE_H

#include <math.h>

#include "ops/cases/cases.h"

/* act(z), plainly. */
static inline double affine_activate(int64_t act, double z) {
    const double u = sqrt(2 / acos(-1)) * (z + 0.044715 * z * z * z);
    if (act == HEED_ACT_RELU) return z > 0 ? z : 0;
    if (act == HEED_ACT_GELU) return z / 2 * (1 + erf(z / sqrt(2)));
    if (act == HEED_ACT_GELU_TANH) return z / 2 * (1 + tanh(u));
    if (act == HEED_ACT_SILU) return z / (1 + exp(-z));
    return z;
}

/* x·wᵀ + b at row r and column o: x, w and b, which may be NULL, are the first three inputs. */
static inline double affine_at(const heed_case *c, const double *const *in, int64_t r, int64_t o) {
    const int64_t I = heed_case_cols(c, 0);
    double z = in[2] ? in[2][o] : 0;
    for (int64_t i = 0; i < I; i++) z += in[0][r * I + i] * in[1][o * I + i];
    return z;
}

/* *plain, which has apply, reference and arguments, of x [rows,in], w [out,in], b [out] and a
 * residual [rows,out]. */
static inline heed_case affine_sized(const heed_case *plain, int64_t rows, int64_t in,
                                     int64_t out) {
    heed_case c = *plain;
    c.count = 4;
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, in) };
    c.in[1] = (heed_case_input){ HEED_DIMS(out, in), .lo = -0.5, .hi = 0.5 };
    c.in[2] = (heed_case_input){ HEED_DIMS(out), .optional = true };
    c.in[3] = (heed_case_input){ HEED_DIMS(rows, out), .optional = true };
    c.out = (heed_case_shape){ HEED_DIMS(rows, out) };
    c.flops = 2.0 * (double)rows * (double)in * (double)out;
    c.bench = c.flops > 1e8;
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    return c;
}

static inline void affine_add(heed_case_list *l, heed_case c, bool bias, bool residual) {
    c.in[2].absent = !bias;
    c.in[3].absent = !residual;
    heed_case_add(l, &c);
}

#endif
