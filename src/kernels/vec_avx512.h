/* vec_avx512.h: the operations of vec.h in one AVX-512 register (F, BW, DQ, VL).  Skylake-SP 2017+,
 * Zen 4 2022+ */
#include "kernels/vec.h"

#define VEC_NAME   "avx512"
#define VEC_REGS   32
#define VEC_PER_VF 1

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

#define F0(name, type, expr)                                                                       \
    VEC_INLINE type name(void) {                                                                   \
        return expr;                                                                               \
    }
#define OP1(name, ret, type, expr)                                                                 \
    VEC_INLINE ret name(type a) {                                                                  \
        return expr;                                                                               \
    }
#define OP2(name, ret, type, expr)                                                                 \
    VEC_INLINE ret name(type a, type b) {                                                          \
        return expr;                                                                               \
    }

F0(vf_zero, vf, _mm512_setzero_ps())
F0(vi_zero, vi, _mm512_setzero_si512())
OP1(vf_set1, vf, float, _mm512_set1_ps(a))
OP1(vi_set1, vi, int32_t, _mm512_set1_epi32(a))
OP1(vf_load, vf, const float *, _mm512_loadu_ps(a))
OP1(vi_load, vi, const int32_t *, _mm512_loadu_si512(a))
VEC_INLINE void vf_store(float *p, vf a) {
    _mm512_storeu_ps(p, a);
}
VEC_INLINE void vi_store(int32_t *p, vi a) {
    _mm512_storeu_si512(p, a);
}
VEC_INLINE vm vm_first(int64_t n) {
    return (vm)(n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u);
}
VEC_INLINE vf vf_load_n(const float *p, int64_t n) {
    return _mm512_maskz_loadu_ps(vm_first(n), p);
}
VEC_INLINE void vf_store_n(float *p, vf a, int64_t n) {
    _mm512_mask_storeu_ps(p, vm_first(n), a);
}
VEC_INLINE vi vi_load_n(const int32_t *p, int64_t n) {
    return _mm512_maskz_loadu_epi32(vm_first(n), p);
}
VEC_INLINE void vi_store_n(int32_t *p, vi a, int64_t n) {
    _mm512_mask_storeu_epi32(p, vm_first(n), a);
}
OP2(vf_add, vf, vf, _mm512_add_ps(a, b))
OP2(vf_sub, vf, vf, _mm512_sub_ps(a, b))
OP2(vf_mul, vf, vf, _mm512_mul_ps(a, b))
OP2(vf_div, vf, vf, _mm512_div_ps(a, b))
OP2(vf_max, vf, vf, _mm512_max_ps(a, b))
OP2(vf_min, vf, vf, _mm512_min_ps(a, b))
OP1(vf_sqrt, vf, vf, _mm512_sqrt_ps(a))
OP1(vf_abs, vf, vf,
    _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff))))
OP1(vf_neg, vf, vf,
    _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN))))
OP1(vf_round, vf, vf, _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
VEC_INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
VEC_INLINE vf vf_fnma(vf a, vf b, vf c) {
    return _mm512_fnmadd_ps(a, b, c);
}
OP2(vf_lt, vm, vf, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ))
OP2(vf_le, vm, vf, _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ))
OP2(vf_eq, vm, vf, _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ))
OP2(vf_gt, vm, vf, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ))
OP2(vf_ge, vm, vf, _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ))
OP2(vi_eq, vm, vi, _mm512_cmpeq_epi32_mask(a, b))
OP2(vi_gt, vm, vi, _mm512_cmpgt_epi32_mask(a, b))
OP2(vm_and, vm, vm, (vm)(a &b))
OP2(vm_or, vm, vm, (vm)(a | b))
OP1(vm_not, vm, vm, (vm)~a)
OP1(vm_any, bool, vm, a != 0)
OP1(vm_bits, uint32_t, vm, a)
VEC_INLINE vf vf_select(vm m, vf a, vf b) {
    return _mm512_mask_blend_ps(m, b, a);
}
VEC_INLINE vi vi_select(vm m, vi a, vi b) {
    return _mm512_mask_blend_epi32(m, b, a);
}
OP2(vi_add, vi, vi, _mm512_add_epi32(a, b))
OP2(vi_sub, vi, vi, _mm512_sub_epi32(a, b))
OP2(vi_mul, vi, vi, _mm512_mullo_epi32(a, b))
VEC_INLINE vi vi_mulhi_u(vi a, vi b) {
    const vi even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
    const vi odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}
OP2(vi_and, vi, vi, _mm512_and_si512(a, b))
OP2(vi_or, vi, vi, _mm512_or_si512(a, b))
OP2(vi_xor, vi, vi, _mm512_xor_si512(a, b))
OP2(vi_andnot, vi, vi, _mm512_andnot_si512(a, b))
OP2(vi_max, vi, vi, _mm512_max_epi32(a, b))
OP2(vi_min, vi, vi, _mm512_min_epi32(a, b))
VEC_INLINE vi vi_shl(vi a, int k) {
    return _mm512_sll_epi32(a, _mm_cvtsi32_si128(k));
}
VEC_INLINE vi vi_shr(vi a, int k) {
    return _mm512_srl_epi32(a, _mm_cvtsi32_si128(k));
}
VEC_INLINE vi vi_sar(vi a, int k) {
    return _mm512_sra_epi32(a, _mm_cvtsi32_si128(k));
}
OP1(vf_as_vi, vi, vf, _mm512_castps_si512(a))
OP1(vi_as_vf, vf, vi, _mm512_castsi512_ps(a))
OP1(vf_to_vi, vi, vf, _mm512_cvtps_epi32(a))
OP1(vf_trunc_vi, vi, vf, _mm512_cvttps_epi32(a))
OP1(vi_to_vf, vf, vi, _mm512_cvtepi32_ps(a))
VEC_INLINE vf vf_load_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}
VEC_INLINE float vf_hsum(vf a) {
    const __m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_add_ss(s2, _mm_shuffle_ps(s2, s2, 1)));
}
VEC_INLINE float vf_hmax(vf a) {
    const __m256 s8 = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_max_ss(s2, _mm_shuffle_ps(s2, s2, 1)));
}
/* Pairs, fours, then 4x4 blocks of 128 bits. */
VEC_INLINE void vf_transpose(vf r[16]) {
    vf t[16], u[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#define PD(x) _mm512_castps_pd(x)
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(PD(t[i]), PD(t[i + 2])));
        u[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(PD(t[i]), PD(t[i + 2])));
        u[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(PD(t[i + 1]), PD(t[i + 3])));
        u[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(PD(t[i + 1]), PD(t[i + 3])));
    }
#undef PD
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const vf a = _mm512_shuffle_f32x4(u[i], u[4 + i], 0x88);
        const vf b = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0x88);
        const vf c = _mm512_shuffle_f32x4(u[i], u[4 + i], 0xdd);
        const vf d = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0xdd);
        r[i] = _mm512_shuffle_f32x4(a, b, 0x88);
        r[4 + i] = _mm512_shuffle_f32x4(c, d, 0x88);
        r[8 + i] = _mm512_shuffle_f32x4(a, b, 0xdd);
        r[12 + i] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
}
/* Products of 16-bit halves: even bytes of each lane, then odd ones. */
VEC_INLINE vi vi_dot4(vi s, vi a, vi b) {
#ifdef QUANT_VNNI
    /* In assembly: gcc 12 copies and spills each sum around the intrinsic. */
    __asm__("vpdpbusd %2, %1, %0" : "+v"(s) : "v"(b), "v"(a));
    return s;
#else
    const vi ae = _mm512_srai_epi16(_mm512_slli_epi16(a, 8), 8), ao = _mm512_srai_epi16(a, 8);
    const vi be = _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8), bo = _mm512_srai_epi16(b, 8);
    return vi_add(s, vi_add(_mm512_madd_epi16(ae, be), _mm512_madd_epi16(ao, bo)));
#endif
}
VEC_INLINE void vi_store_i8(int8_t *p, vi a) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtsepi32_epi8(a));
}
OP1(vi_load_i8, vi, const int8_t *,
    _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)a)))
#undef F0
#undef OP1
#undef OP2
#include "kernels/vec_common.h"
