/* vec_ops.h: all operations of vec.h at once, for each ISA that the compiler builds for. */
#ifndef VEC_OPS_H
#define VEC_OPS_H

enum { VEC_OPS_MAX = 160 };
int ops_scalar(float *to, const float *x, const float *y, const float *z);
#if defined(__x86_64__)
int ops_avx2(float *to, const float *x, const float *y, const float *z);
int ops_avx512(float *to, const float *x, const float *y, const float *z);
#elif defined(__aarch64__)
int ops_neon(float *to, const float *x, const float *y, const float *z);
#endif

#endif
