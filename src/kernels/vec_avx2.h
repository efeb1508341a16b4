/* vec_avx2.h: the operations of vec.h in two AVX2 registers, with FMA.  Haswell 2013+, Zen 2017+ */
#include "kernels/vec.h"

#define VEC_NAME   "avx2"
#define VEC_REGS   16
#define VEC_PER_VF 2

typedef struct vf {
    __m256 a, b;
} vf;
typedef struct vi {
    __m256i a, b;
} vi;
typedef struct vm {
    __m256i a, b;
} vm; /* all ones or all zeros in each lane */

#define PS(x) _mm256_castps_si256(x)
#define SI(x) _mm256_castsi256_ps(x)
#define F1(name, f)                                                                                \
    VEC_INLINE vf name(vf x) {                                                                     \
        return (vf){ f(x.a), f(x.b) };                                                             \
    }
#define F2(name, f)                                                                                \
    VEC_INLINE vf name(vf x, vf y) {                                                               \
        return (vf){ f(x.a, y.a), f(x.b, y.b) };                                                   \
    }
#define I2(name, f)                                                                                \
    VEC_INLINE vi name(vi x, vi y) {                                                               \
        return (vi){ f(x.a, y.a), f(x.b, y.b) };                                                   \
    }
#define CMPF(name, how)                                                                            \
    VEC_INLINE vm name(vf x, vf y) {                                                               \
        return (vm){ PS(_mm256_cmp_ps(x.a, y.a, how)), PS(_mm256_cmp_ps(x.b, y.b, how)) };         \
    }

VEC_INLINE vf vf_set1(float x) {
    return (vf){ _mm256_set1_ps(x), _mm256_set1_ps(x) };
}
VEC_INLINE vf vf_zero(void) {
    return (vf){ _mm256_setzero_ps(), _mm256_setzero_ps() };
}
VEC_INLINE vi vi_set1(int32_t x) {
    return (vi){ _mm256_set1_epi32(x), _mm256_set1_epi32(x) };
}
VEC_INLINE vi vi_zero(void) {
    return vi_set1(0);
}
VEC_INLINE vf vf_load(const float *p) {
    return (vf){ _mm256_loadu_ps(p), _mm256_loadu_ps(p + 8) };
}
VEC_INLINE void vf_store(float *p, vf x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}
VEC_INLINE vi vi_load(const int32_t *p) {
    return (vi){ _mm256_loadu_si256((const __m256i *)p),
                 _mm256_loadu_si256((const __m256i *)(p + 8)) };
}
VEC_INLINE void vi_store(int32_t *p, vi x) {
    _mm256_storeu_si256((__m256i *)p, x.a);
    _mm256_storeu_si256((__m256i *)(p + 8), x.b);
}
VEC_INLINE vm vm_first(int64_t n) {
    const __m256i want = _mm256_set1_epi32((int32_t)(n > 16 ? 16 : n < 0 ? 0 : n));
    return (vm){ _mm256_cmpgt_epi32(want, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
                 _mm256_cmpgt_epi32(want, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15)) };
}
VEC_INLINE vf vf_load_n(const float *p, int64_t n) {
    const vm m = vm_first(n);
    return (vf){ _mm256_maskload_ps(p, m.a), _mm256_maskload_ps(p + 8, m.b) };
}
VEC_INLINE void vf_store_n(float *p, vf x, int64_t n) {
    const vm m = vm_first(n);
    _mm256_maskstore_ps(p, m.a, x.a);
    _mm256_maskstore_ps(p + 8, m.b, x.b);
}
VEC_INLINE vi vi_load_n(const int32_t *p, int64_t n) {
    const vm m = vm_first(n);
    return (vi){ _mm256_maskload_epi32(p, m.a), _mm256_maskload_epi32(p + 8, m.b) };
}
VEC_INLINE void vi_store_n(int32_t *p, vi x, int64_t n) {
    const vm m = vm_first(n);
    _mm256_maskstore_epi32(p, m.a, x.a);
    _mm256_maskstore_epi32(p + 8, m.b, x.b);
}
F2(vf_add, _mm256_add_ps)
F2(vf_sub, _mm256_sub_ps)
F2(vf_mul, _mm256_mul_ps)
F2(vf_div, _mm256_div_ps)
F2(vf_max, _mm256_max_ps)
F2(vf_min, _mm256_min_ps)
F1(vf_sqrt, _mm256_sqrt_ps)
VEC_INLINE vf vf_abs(vf x) {
    const __m256 m = SI(_mm256_set1_epi32(0x7fffffff));
    return (vf){ _mm256_and_ps(x.a, m), _mm256_and_ps(x.b, m) };
}
VEC_INLINE vf vf_neg(vf x) {
    const __m256 m = SI(_mm256_set1_epi32(INT32_MIN));
    return (vf){ _mm256_xor_ps(x.a, m), _mm256_xor_ps(x.b, m) };
}
VEC_INLINE vf vf_round(vf x) {
    return (vf){ _mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                 _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) };
}
VEC_INLINE vf vf_fma(vf x, vf y, vf z) {
    return (vf){ _mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b) };
}
VEC_INLINE vf vf_fnma(vf x, vf y, vf z) {
    return (vf){ _mm256_fnmadd_ps(x.a, y.a, z.a), _mm256_fnmadd_ps(x.b, y.b, z.b) };
}
CMPF(vf_lt, _CMP_LT_OQ)
CMPF(vf_le, _CMP_LE_OQ)
CMPF(vf_eq, _CMP_EQ_OQ)
CMPF(vf_gt, _CMP_GT_OQ)
CMPF(vf_ge, _CMP_GE_OQ)
VEC_INLINE vm vi_eq(vi x, vi y) {
    return (vm){ _mm256_cmpeq_epi32(x.a, y.a), _mm256_cmpeq_epi32(x.b, y.b) };
}
VEC_INLINE vm vi_gt(vi x, vi y) {
    return (vm){ _mm256_cmpgt_epi32(x.a, y.a), _mm256_cmpgt_epi32(x.b, y.b) };
}
VEC_INLINE vm vm_and(vm x, vm y) {
    return (vm){ _mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b) };
}
VEC_INLINE vm vm_or(vm x, vm y) {
    return (vm){ _mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b) };
}
VEC_INLINE vm vm_not(vm x) {
    const __m256i ones = _mm256_set1_epi32(-1);
    return (vm){ _mm256_xor_si256(x.a, ones), _mm256_xor_si256(x.b, ones) };
}
VEC_INLINE uint32_t vm_bits(vm x) {
    return (uint32_t)_mm256_movemask_ps(SI(x.a)) | (uint32_t)_mm256_movemask_ps(SI(x.b)) << 8;
}
VEC_INLINE bool vm_any(vm x) {
    return vm_bits(x) != 0;
}
VEC_INLINE vf vf_select(vm m, vf x, vf y) {
    return (vf){ _mm256_blendv_ps(y.a, x.a, SI(m.a)), _mm256_blendv_ps(y.b, x.b, SI(m.b)) };
}
VEC_INLINE vi vi_select(vm m, vi x, vi y) {
    return (vi){ _mm256_blendv_epi8(y.a, x.a, m.a), _mm256_blendv_epi8(y.b, x.b, m.b) };
}
I2(vi_add, _mm256_add_epi32)
I2(vi_sub, _mm256_sub_epi32)
I2(vi_mul, _mm256_mullo_epi32)
VEC_INLINE __m256i vec__mulhi(__m256i x, __m256i y) {
    const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(x, y), 32);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(y, 32));
    return _mm256_blend_epi32(even, odd, 0xaa);
}
I2(vi_mulhi_u, vec__mulhi)
I2(vi_and, _mm256_and_si256)
I2(vi_or, _mm256_or_si256)
I2(vi_xor, _mm256_xor_si256)
I2(vi_andnot, _mm256_andnot_si256)
I2(vi_max, _mm256_max_epi32)
I2(vi_min, _mm256_min_epi32)
VEC_INLINE vi vi_shl(vi x, int k) {
    const __m128i n = _mm_cvtsi32_si128(k);
    return (vi){ _mm256_sll_epi32(x.a, n), _mm256_sll_epi32(x.b, n) };
}
VEC_INLINE vi vi_shr(vi x, int k) {
    const __m128i n = _mm_cvtsi32_si128(k);
    return (vi){ _mm256_srl_epi32(x.a, n), _mm256_srl_epi32(x.b, n) };
}
VEC_INLINE vi vi_sar(vi x, int k) {
    const __m128i n = _mm_cvtsi32_si128(k);
    return (vi){ _mm256_sra_epi32(x.a, n), _mm256_sra_epi32(x.b, n) };
}
VEC_INLINE vi vf_as_vi(vf x) {
    return (vi){ PS(x.a), PS(x.b) };
}
VEC_INLINE vf vi_as_vf(vi x) {
    return (vf){ SI(x.a), SI(x.b) };
}
VEC_INLINE vi vf_to_vi(vf x) {
    return (vi){ _mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b) };
}
VEC_INLINE vi vf_trunc_vi(vf x) {
    return (vi){ _mm256_cvttps_epi32(x.a), _mm256_cvttps_epi32(x.b) };
}
VEC_INLINE vf vi_to_vf(vi x) {
    return (vf){ _mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b) };
}
VEC_INLINE vf vf_load_bf16(const uint16_t *p) {
    const __m256i lo = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    const __m256i hi = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p + 8)));
    return (vf){ SI(_mm256_slli_epi32(lo, 16)), SI(_mm256_slli_epi32(hi, 16)) };
}
VEC_INLINE float vf_hsum(vf x) {
    const __m256 s8 = _mm256_add_ps(x.a, x.b);
    const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_add_ss(s2, _mm_shuffle_ps(s2, s2, 1)));
}
VEC_INLINE float vf_hmax(vf x) {
    const __m256 s8 = _mm256_max_ps(x.a, x.b);
    const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_max_ss(s2, _mm_shuffle_ps(s2, s2, 1)));
}
VEC_INLINE void vec__transpose8(__m256 r[8]) {
    __m256 t[8], u[8];
#define PD(x) _mm256_castps_pd(x)
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(PD(t[i]), PD(t[i + 2])));
        u[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(PD(t[i]), PD(t[i + 2])));
        u[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(PD(t[i + 1]), PD(t[i + 3])));
        u[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(PD(t[i + 1]), PD(t[i + 3])));
    }
#undef PD
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
        r[4 + i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
    }
}
/* Four 8x8 blocks. */
VEC_INLINE void vf_transpose(vf r[16]) {
    __m256 q[4][8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        q[0][i] = r[i].a;
        q[1][i] = r[8 + i].a;
        q[2][i] = r[i].b;
        q[3][i] = r[8 + i].b;
    }
    vec__transpose8(q[0]);
    vec__transpose8(q[1]);
    vec__transpose8(q[2]);
    vec__transpose8(q[3]);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        r[i] = (vf){ q[0][i], q[1][i] };
        r[8 + i] = (vf){ q[2][i], q[3][i] };
    }
}
/* Products of 16-bit halves: even bytes of each lane, then odd ones. */
VEC_INLINE __m256i vec__dot4(__m256i a, __m256i b) {
    const __m256i ae = _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8);
    const __m256i be = _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8);
    const __m256i ao = _mm256_srai_epi16(a, 8), bo = _mm256_srai_epi16(b, 8);
    return _mm256_add_epi32(_mm256_madd_epi16(ae, be), _mm256_madd_epi16(ao, bo));
}
VEC_INLINE vi vi_dot4(vi s, vi x, vi y) {
    return vi_add(s, (vi){ vec__dot4(x.a, y.a), vec__dot4(x.b, y.b) });
}
VEC_INLINE vi vi_load_i8(const int8_t *p) {
    const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (vi){ _mm256_cvtepi8_epi32(b), _mm256_cvtepi8_epi32(_mm_srli_si128(b, 8)) };
}
VEC_INLINE void vi_store_i8(int8_t *p, vi x) {
    const __m256i w = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xd8);
    const __m128i lo = _mm256_castsi256_si128(w), hi = _mm256_extracti128_si256(w, 1);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_packs_epi16(lo, hi));
}
#undef PS
#undef SI
#undef F1
#undef F2
#undef I2
#undef CMPF
#include "kernels/vec_common.h"
