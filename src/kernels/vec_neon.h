/* vec_neon.h: the operations of vec.h in four NEON registers of aarch64.  Every 64-bit ARM */
#include "kernels/vec.h"

#define VEC_NAME   "neon"
#define VEC_REGS   32
#define VEC_PER_VF 4

typedef struct vf {
    float32x4_t q[4];
} vf;
typedef struct vi {
    int32x4_t q[4];
} vi;
typedef struct vm {
    uint32x4_t q[4];
} vm; /* all ones or all zeros in each lane */

#define EACH for (int i = 0; i < 4; i++)
#define MAP1(name, ret, type, expr)                                                                \
    VEC_INLINE ret name(type a) {                                                                  \
        ret r;                                                                                     \
        EACH r.q[i] = (expr);                                                                      \
        return r;                                                                                  \
    }
#define MAP2(name, ret, type, expr)                                                                \
    VEC_INLINE ret name(type a, type b) {                                                          \
        ret r;                                                                                     \
        EACH r.q[i] = (expr);                                                                      \
        return r;                                                                                  \
    }
#define MAP3(name, ret, ta, tb, tc, expr)                                                          \
    VEC_INLINE ret name(ta a, tb b, tc c) {                                                        \
        ret r;                                                                                     \
        EACH r.q[i] = (expr);                                                                      \
        return r;                                                                                  \
    }
#define SHIFT(name, expr)                                                                          \
    VEC_INLINE vi name(vi a, int k) {                                                              \
        vi r;                                                                                      \
        EACH r.q[i] = (expr);                                                                      \
        return r;                                                                                  \
    }

MAP1(vf_set1, vf, float, vdupq_n_f32(a))
MAP1(vi_set1, vi, int32_t, vdupq_n_s32(a))
VEC_INLINE vf vf_zero(void) {
    return vf_set1(0.0f);
}
VEC_INLINE vi vi_zero(void) {
    return vi_set1(0);
}
MAP1(vf_load, vf, const float *, vld1q_f32(a + 4 * i))
MAP1(vi_load, vi, const int32_t *, vld1q_s32(a + 4 * i))
VEC_INLINE void vf_store(float *p, vf a) {
    EACH vst1q_f32(p + 4 * i, a.q[i]);
}
VEC_INLINE void vi_store(int32_t *p, vi a) {
    EACH vst1q_s32(p + 4 * i, a.q[i]);
}
VEC_INLINE vf vf_load_n(const float *p, int64_t n) {
    if (n >= 16) return vf_load(p);
    float t[16] = { 0 };
    if (n > 0) memcpy(t, p, (size_t)n * sizeof *p);
    return vf_load(t);
}
VEC_INLINE void vf_store_n(float *p, vf a, int64_t n) {
    if (n >= 16) {
        vf_store(p, a);
        return;
    }
    float t[16];
    vf_store(t, a);
    if (n > 0) memcpy(p, t, (size_t)n * sizeof *p);
}
VEC_INLINE vi vi_load_n(const int32_t *p, int64_t n) {
    if (n >= 16) return vi_load(p);
    int32_t t[16] = { 0 };
    if (n > 0) memcpy(t, p, (size_t)n * sizeof *p);
    return vi_load(t);
}
VEC_INLINE void vi_store_n(int32_t *p, vi a, int64_t n) {
    if (n >= 16) {
        vi_store(p, a);
        return;
    }
    int32_t t[16];
    vi_store(t, a);
    if (n > 0) memcpy(p, t, (size_t)n * sizeof *p);
}
MAP2(vf_add, vf, vf, vaddq_f32(a.q[i], b.q[i]))
MAP2(vf_sub, vf, vf, vsubq_f32(a.q[i], b.q[i]))
MAP2(vf_mul, vf, vf, vmulq_f32(a.q[i], b.q[i]))
MAP2(vf_div, vf, vf, vdivq_f32(a.q[i], b.q[i]))
MAP2(vf_max, vf, vf, vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i]))
MAP2(vf_min, vf, vf, vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i]))
MAP1(vf_sqrt, vf, vf, vsqrtq_f32(a.q[i]))
MAP1(vf_abs, vf, vf, vabsq_f32(a.q[i]))
MAP1(vf_neg, vf, vf, vnegq_f32(a.q[i]))
MAP1(vf_round, vf, vf, vrndnq_f32(a.q[i]))
MAP3(vf_fma, vf, vf, vf, vf, vfmaq_f32(c.q[i], a.q[i], b.q[i]))
MAP3(vf_fnma, vf, vf, vf, vf, vfmsq_f32(c.q[i], a.q[i], b.q[i]))
MAP2(vf_lt, vm, vf, vcltq_f32(a.q[i], b.q[i]))
MAP2(vf_le, vm, vf, vcleq_f32(a.q[i], b.q[i]))
MAP2(vf_eq, vm, vf, vceqq_f32(a.q[i], b.q[i]))
MAP2(vf_gt, vm, vf, vcgtq_f32(a.q[i], b.q[i]))
MAP2(vf_ge, vm, vf, vcgeq_f32(a.q[i], b.q[i]))
MAP2(vi_eq, vm, vi, vceqq_s32(a.q[i], b.q[i]))
MAP2(vi_gt, vm, vi, vcgtq_s32(a.q[i], b.q[i]))
MAP2(vm_and, vm, vm, vandq_u32(a.q[i], b.q[i]))
MAP2(vm_or, vm, vm, vorrq_u32(a.q[i], b.q[i]))
MAP1(vm_not, vm, vm, vmvnq_u32(a.q[i]))
VEC_INLINE uint32_t vm_bits(vm a) {
    const uint32_t weight[4] = { 1, 2, 4, 8 };
    uint32_t bits = 0;
    EACH bits |= vaddvq_u32(vandq_u32(a.q[i], vld1q_u32(weight))) << (4 * i);
    return bits;
}
VEC_INLINE bool vm_any(vm a) {
    return vm_bits(a) != 0;
}
VEC_INLINE vm vm_first(int64_t n) {
    const uint32_t lane[4] = { 0, 1, 2, 3 };
    const uint32x4_t want = vdupq_n_u32((uint32_t)(n > 16 ? 16 : n < 0 ? 0 : n));
    vm r;
    EACH r.q[i] = vcltq_u32(vaddq_u32(vld1q_u32(lane), vdupq_n_u32((uint32_t)(4 * i))), want);
    return r;
}
MAP3(vf_select, vf, vm, vf, vf, vbslq_f32(a.q[i], b.q[i], c.q[i]))
MAP3(vi_select, vi, vm, vi, vi, vbslq_s32(a.q[i], b.q[i], c.q[i]))
MAP2(vi_add, vi, vi, vaddq_s32(a.q[i], b.q[i]))
MAP2(vi_sub, vi, vi, vsubq_s32(a.q[i], b.q[i]))
MAP2(vi_mul, vi, vi, vmulq_s32(a.q[i], b.q[i]))
VEC_INLINE int32x4_t vec__mulhi(int32x4_t a, int32x4_t b) {
    const uint32x4_t x = vreinterpretq_u32_s32(a), y = vreinterpretq_u32_s32(b);
    const uint64x2_t lo = vmull_u32(vget_low_u32(x), vget_low_u32(y)), hi = vmull_high_u32(x, y);
    return vreinterpretq_s32_u32(vuzp2q_u32(vreinterpretq_u32_u64(lo), vreinterpretq_u32_u64(hi)));
}
MAP2(vi_mulhi_u, vi, vi, vec__mulhi(a.q[i], b.q[i]))
MAP2(vi_and, vi, vi, vandq_s32(a.q[i], b.q[i]))
MAP2(vi_or, vi, vi, vorrq_s32(a.q[i], b.q[i]))
MAP2(vi_xor, vi, vi, veorq_s32(a.q[i], b.q[i]))
MAP2(vi_andnot, vi, vi, vbicq_s32(b.q[i], a.q[i]))
MAP2(vi_max, vi, vi, vmaxq_s32(a.q[i], b.q[i]))
MAP2(vi_min, vi, vi, vminq_s32(a.q[i], b.q[i]))
SHIFT(vi_shl, vshlq_s32(a.q[i], vdupq_n_s32(k)))
SHIFT(vi_shr, vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.q[i]), vdupq_n_s32(-k))))
SHIFT(vi_sar, vshlq_s32(a.q[i], vdupq_n_s32(-k)))
MAP1(vf_as_vi, vi, vf, vreinterpretq_s32_f32(a.q[i]))
MAP1(vi_as_vf, vf, vi, vreinterpretq_f32_s32(a.q[i]))
VEC_INLINE int32x4_t vec__in_range(float32x4_t x, int32x4_t y) {
    const uint32x4_t ok = vandq_u32(vcgeq_f32(x, vdupq_n_f32(-2147483648.0f)),
                                    vcltq_f32(x, vdupq_n_f32(2147483648.0f)));
    return vbslq_s32(ok, y, vdupq_n_s32(INT32_MIN));
}
MAP1(vf_to_vi, vi, vf, vec__in_range(a.q[i], vcvtnq_s32_f32(a.q[i])))
MAP1(vf_trunc_vi, vi, vf, vec__in_range(a.q[i], vcvtq_s32_f32(a.q[i])))
MAP1(vi_to_vf, vf, vi, vcvtq_f32_s32(a.q[i]))
MAP1(vf_load_bf16, vf, const uint16_t *,
     vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(a + 4 * i), 16)))
VEC_INLINE float vf_hsum(vf a) {
    const float32x4_t s4 = vaddq_f32(vaddq_f32(a.q[0], a.q[2]), vaddq_f32(a.q[1], a.q[3]));
    const float32x2_t s2 = vadd_f32(vget_low_f32(s4), vget_high_f32(s4));
    return vget_lane_f32(s2, 0) + vget_lane_f32(s2, 1);
}
#define MAX4(x, y) vbslq_f32(vcgtq_f32(x, y), x, y)
VEC_INLINE float vf_hmax(vf a) {
    const float32x4_t lo = MAX4(a.q[0], a.q[2]), hi = MAX4(a.q[1], a.q[3]), s4 = MAX4(lo, hi);
    const float32x2_t x = vget_low_f32(s4), y = vget_high_f32(s4),
                      s2 = vbsl_f32(vcgt_f32(x, y), x, y);
    const float p = vget_lane_f32(s2, 0), q = vget_lane_f32(s2, 1);
    return p > q ? p : q;
}
/* 4x4 blocks: each transposed, and exchanged with its mirror image. */
VEC_INLINE void vf_transpose(vf r[16]) {
    vf t[16];
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 4; j++) {
            const float32x4_t a = vtrn1q_f32(r[i].q[j], r[i + 1].q[j]);
            const float32x4_t b = vtrn2q_f32(r[i].q[j], r[i + 1].q[j]);
            const float32x4_t c = vtrn1q_f32(r[i + 2].q[j], r[i + 3].q[j]);
            const float32x4_t d = vtrn2q_f32(r[i + 2].q[j], r[i + 3].q[j]);
            t[4 * j].q[i / 4] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
            t[4 * j + 1].q[i / 4] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
            t[4 * j + 2].q[i / 4] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
            t[4 * j + 3].q[i / 4] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
        }
    for (int i = 0; i < 16; i++) r[i] = t[i];
}
VEC_INLINE int32x4_t vec__dot4(int8x16_t a, int8x16_t b) {
    const int16x8_t lo = vmull_s8(vget_low_s8(a), vget_low_s8(b)), hi = vmull_high_s8(a, b);
    return vpaddq_s32(vpaddlq_s16(lo), vpaddlq_s16(hi));
}
VEC_INLINE vi vi_dot4(vi s, vi a, vi b) {
    for (int i = 0; i < 4; i++)
        s.q[i] = vaddq_s32(s.q[i],
                           vec__dot4(vreinterpretq_s8_s32(a.q[i]), vreinterpretq_s8_s32(b.q[i])));
    return s;
}
VEC_INLINE vi vi_load_i8(const int8_t *p) {
    const int8x16_t b = vld1q_s8(p);
    const int16x8_t lo = vmovl_s8(vget_low_s8(b)), hi = vmovl_s8(vget_high_s8(b));
    vi r;
    r.q[0] = vmovl_s16(vget_low_s16(lo));
    r.q[1] = vmovl_s16(vget_high_s16(lo));
    r.q[2] = vmovl_s16(vget_low_s16(hi));
    r.q[3] = vmovl_s16(vget_high_s16(hi));
    return r;
}
VEC_INLINE void vi_store_i8(int8_t *p, vi a) {
    const int16x8_t lo = vcombine_s16(vqmovn_s32(a.q[0]), vqmovn_s32(a.q[1]));
    const int16x8_t hi = vcombine_s16(vqmovn_s32(a.q[2]), vqmovn_s32(a.q[3]));
    vst1q_s8(p, vcombine_s8(vqmovn_s16(lo), vqmovn_s16(hi)));
}
#undef MAX4
#undef EACH
#undef MAP1
#undef MAP2
#undef MAP3
#undef SHIFT
#include "kernels/vec_common.h"
