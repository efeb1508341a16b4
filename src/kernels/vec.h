/* vec.h: what every vec_<isa>.h offers, so that a kernel body is written once.
 *
 * A vf is 16 floats and a vi 16 32-bit integers on every ISA (one AVX-512 register, two of AVX2,
 * four of NEON, an array in scalar code), a vm is 16 truth values. So each body has one arithmetic
 * on all machines, and bits are equal by construction: every operation below is exactly rounded
 * IEEE 754 binary32, or integer. (The sign and payload of a NaN that arithmetic makes or passes on
 * do differ by ISA; a kernel that may give one makes it canonical before it stores.)
 *
 *   vf_zero vf_set1 vf_load vf_store            whole 16, any alignment
 *   vf_load_n(p, n) vf_store_n(p, v, n)         first n of 16 (n < 0: none, n > 16: all); the rest
 *                                               reads as +0 and is not touched
 *   vf_add vf_sub vf_mul vf_div vf_sqrt         one rounding each
 *   vf_fma(a,b,c)  a*b+c    vf_fnma  c-a*b      one rounding
 *   vf_max(a,b)  a > b ? a : b    vf_min(a,b)  a < b ? a : b
 *                                               so b where either is NaN, or both are zeros
 *   vf_abs vf_neg                               sign bit operations
 *   vf_round                                    to nearest integer, ties to even
 *   vf_lt vf_le vf_eq vf_gt vf_ge -> vm         false for NaN
 *   vf_select(m,a,b) vi_select(m,a,b)           m ? a : b
 *   vm_and vm_or vm_not vm_any vm_bits          bit i of vm_bits is lane i
 *   vm_first(n)                                 lanes 0..n-1
 *   vf_to_vi (nearest, ties to even) vf_trunc_vi   out of range or NaN: INT32_MIN
 *   vi_to_vf vf_as_vi vi_as_vf
 *   vi_zero vi_set1 vi_load vi_store vi_load_n vi_store_n
 *   vi_add vi_sub vi_mul (low 32)  vi_mulhi_u (high 32 of unsigned)
 *   vi_and vi_or vi_xor  vi_andnot(a,b) = ~a & b
 *   vi_shl(a,k) vi_shr(a,k) logical, vi_sar(a,k) arithmetic; k a constant 0..31
 *   vi_eq vi_gt (signed) -> vm    vi_max vi_min (signed)
 *   vi_dot4(s,a,b)                              s + the four products of int8 in each lane
 *   vi_store_i8(p, a) vi_load_i8(p)             16 int8, saturated; widened
 *   vf_load_bf16(p)                             16 bf16 widened
 *   vf_round_bf16(v)                            nearest even bf16, kept as f32 (NaN stays, quiet)
 *   vf_flush(v)                                 a denormal becomes a zero of its sign
 *   vf_to_bf16(v)                               vf_round_bf16(vf_flush(v))
 *   vf_hsum vf_hmax -> float                    one fixed tree: lanes i and i+8, then i and i+4,
 *                                               i and i+2, 0 and 1
 *   vf_transpose(r)                             r[0..15] as a 16x16 matrix, in place
 *
 * Constants: VEC_NAME, VEC_REGS (vector registers of the machine), VEC_PER_VF (registers that a vf
 * takes).
 */
#ifndef HEED_KERNELS_VEC_H
#define HEED_KERNELS_VEC_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VEC_INLINE static inline __attribute__((always_inline, unused))

/* Target switches for the ISA files: everything between BEGIN and END is compiled for the named
 * features, so plain `cc` builds every table. Immintrin.h must be included before BEGIN. */
#if defined(__clang__)
#define HEED_PRAGMA(x) _Pragma(#x)
#define HEED_TARGET_BEGIN(feats)                                                                   \
    HEED_PRAGMA(clang attribute push(__attribute__((target(feats))), apply_to = function))
#define HEED_TARGET_END _Pragma("clang attribute pop")
#else
#define HEED_PRAGMA(x)           _Pragma(#x)
#define HEED_TARGET_BEGIN(feats) _Pragma("GCC push_options") HEED_PRAGMA(GCC target(feats))
#define HEED_TARGET_END          _Pragma("GCC pop_options")
#endif

#endif
