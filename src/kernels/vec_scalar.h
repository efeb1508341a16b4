/* vec_scalar.h: the operations of vec.h on arrays of 16, in plain C. The reference that every other
 * ISA must equal. */
#include "kernels/vec.h"

/* Not always inlined: a compiler that must open every array of 16 in every formula takes a minute
 * for this file and makes nothing faster of it. */
#undef VEC_INLINE
#define VEC_INLINE static inline __attribute__((unused))

#define VEC_NAME   "scalar"
#define VEC_REGS   16
#define VEC_PER_VF 4

typedef struct vf {
    float v[16];
} vf;
typedef struct vi {
    int32_t v[16];
} vi;
typedef struct vm {
    uint32_t bits;
} vm;

#define LANES for (int i = 0; i < 16; i++)
#define F1(name, expr)                                                                             \
    VEC_INLINE vf name(vf a) {                                                                     \
        vf r;                                                                                      \
        LANES r.v[i] = (expr);                                                                     \
        return r;                                                                                  \
    }
#define F2(name, expr)                                                                             \
    VEC_INLINE vf name(vf a, vf b) {                                                               \
        vf r;                                                                                      \
        LANES r.v[i] = (expr);                                                                     \
        return r;                                                                                  \
    }
#define F3(name, expr)                                                                             \
    VEC_INLINE vf name(vf a, vf b, vf c) {                                                         \
        vf r;                                                                                      \
        LANES r.v[i] = (expr);                                                                     \
        return r;                                                                                  \
    }
#define I2(name, expr)                                                                             \
    VEC_INLINE vi name(vi a, vi b) {                                                               \
        vi r;                                                                                      \
        LANES r.v[i] = (int32_t)(expr);                                                            \
        return r;                                                                                  \
    }
#define IK(name, expr)                                                                             \
    VEC_INLINE vi name(vi a, int k) {                                                              \
        vi r;                                                                                      \
        LANES r.v[i] = (int32_t)(expr);                                                            \
        return r;                                                                                  \
    }
#define CMP(name, type, expr)                                                                      \
    VEC_INLINE vm name(type a, type b) {                                                           \
        vm r = { 0 };                                                                              \
        LANES r.bits |= (uint32_t)(expr) << i;                                                     \
        return r;                                                                                  \
    }

VEC_INLINE vf vf_set1(float x) {
    vf r;
    LANES r.v[i] = x;
    return r;
}
VEC_INLINE vf vf_zero(void) {
    return vf_set1(0.0f);
}
VEC_INLINE vf vf_load(const float *p) {
    vf r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}
VEC_INLINE void vf_store(float *p, vf a) {
    memcpy(p, a.v, sizeof a.v);
}
VEC_INLINE vf vf_load_n(const float *p, int64_t n) {
    vf r = vf_zero();
    if (n > 0) memcpy(r.v, p, (size_t)(n < 16 ? n : 16) * sizeof *p);
    return r;
}
VEC_INLINE void vf_store_n(float *p, vf a, int64_t n) {
    if (n > 0) memcpy(p, a.v, (size_t)(n < 16 ? n : 16) * sizeof *p);
}
F2(vf_add, a.v[i] + b.v[i])
F2(vf_sub, a.v[i] - b.v[i])
F2(vf_mul, a.v[i] * b.v[i])
F2(vf_div, a.v[i] / b.v[i])
F2(vf_max, a.v[i] > b.v[i] ? a.v[i] : b.v[i])
F2(vf_min, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
F1(vf_sqrt, sqrtf(a.v[i]))
F1(vf_abs, fabsf(a.v[i]))
F1(vf_neg, -a.v[i])
F1(vf_round, rintf(a.v[i]))
F3(vf_fma, fmaf(a.v[i], b.v[i], c.v[i]))
F3(vf_fnma, fmaf(-a.v[i], b.v[i], c.v[i]))
CMP(vf_lt, vf, a.v[i] < b.v[i])
CMP(vf_le, vf, a.v[i] <= b.v[i])
CMP(vf_eq, vf, a.v[i] == b.v[i])
CMP(vf_gt, vf, a.v[i] > b.v[i])
CMP(vf_ge, vf, a.v[i] >= b.v[i])
CMP(vi_eq, vi, a.v[i] == b.v[i])
CMP(vi_gt, vi, a.v[i] > b.v[i])

VEC_INLINE vm vm_and(vm a, vm b) {
    return (vm){ a.bits & b.bits };
}
VEC_INLINE vm vm_or(vm a, vm b) {
    return (vm){ a.bits | b.bits };
}
VEC_INLINE vm vm_not(vm a) {
    return (vm){ ~a.bits & 0xffffu };
}
VEC_INLINE bool vm_any(vm a) {
    return a.bits != 0;
}
VEC_INLINE uint32_t vm_bits(vm a) {
    return a.bits;
}
VEC_INLINE vm vm_first(int64_t n) {
    return (vm){ n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u };
}
VEC_INLINE vf vf_select(vm m, vf a, vf b) {
    vf r;
    LANES r.v[i] = m.bits >> i & 1u ? a.v[i] : b.v[i];
    return r;
}
VEC_INLINE vi vi_select(vm m, vi a, vi b) {
    vi r;
    LANES r.v[i] = m.bits >> i & 1u ? a.v[i] : b.v[i];
    return r;
}
VEC_INLINE vi vi_set1(int32_t x) {
    vi r;
    LANES r.v[i] = x;
    return r;
}
VEC_INLINE vi vi_zero(void) {
    return vi_set1(0);
}
VEC_INLINE vi vi_load(const int32_t *p) {
    vi r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}
VEC_INLINE void vi_store(int32_t *p, vi a) {
    memcpy(p, a.v, sizeof a.v);
}
VEC_INLINE vi vi_load_n(const int32_t *p, int64_t n) {
    vi r = vi_zero();
    if (n > 0) memcpy(r.v, p, (size_t)(n < 16 ? n : 16) * sizeof *p);
    return r;
}
VEC_INLINE void vi_store_n(int32_t *p, vi a, int64_t n) {
    if (n > 0) memcpy(p, a.v, (size_t)(n < 16 ? n : 16) * sizeof *p);
}
I2(vi_add, (uint32_t)a.v[i] + (uint32_t)b.v[i])
I2(vi_sub, (uint32_t)a.v[i] - (uint32_t)b.v[i])
I2(vi_mul, (uint32_t)a.v[i] * (uint32_t)b.v[i])
I2(vi_mulhi_u, (uint64_t)(uint32_t)a.v[i] * (uint32_t)b.v[i] >> 32)
I2(vi_and, a.v[i] & b.v[i])
I2(vi_or, a.v[i] | b.v[i])
I2(vi_xor, a.v[i] ^ b.v[i])
I2(vi_andnot, ~a.v[i] & b.v[i])
I2(vi_max, a.v[i] > b.v[i] ? a.v[i] : b.v[i])
I2(vi_min, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
IK(vi_shl, (uint32_t)a.v[i] << k)
IK(vi_shr, (uint32_t)a.v[i] >> k)
IK(vi_sar, a.v[i] >> k)

VEC_INLINE vi vf_as_vi(vf a) {
    vi r;
    memcpy(&r, &a, sizeof r);
    return r;
}
VEC_INLINE vf vi_as_vf(vi a) {
    vf r;
    memcpy(&r, &a, sizeof r);
    return r;
}
VEC_INLINE int32_t vec__to_int(float x) {
    return x >= -2147483648.0f && x < 2147483648.0f ? (int32_t)x : INT32_MIN;
}
VEC_INLINE vi vf_to_vi(vf a) {
    vi r;
    LANES r.v[i] = vec__to_int(rintf(a.v[i]));
    return r;
}
VEC_INLINE vi vf_trunc_vi(vf a) {
    vi r;
    LANES r.v[i] = vec__to_int(a.v[i]);
    return r;
}
VEC_INLINE vf vi_to_vf(vi a) {
    vf r;
    LANES r.v[i] = (float)a.v[i];
    return r;
}
VEC_INLINE vf vf_load_bf16(const uint16_t *p) {
    vi r;
    LANES r.v[i] = (int32_t)((uint32_t)p[i] << 16);
    return vi_as_vf(r);
}
VEC_INLINE float vf_hsum(vf a) {
    for (int n = 8; n; n /= 2)
        for (int i = 0; i < n; i++) a.v[i] = a.v[i] + a.v[i + n];
    return a.v[0];
}
VEC_INLINE float vf_hmax(vf a) {
    for (int n = 8; n; n /= 2)
        for (int i = 0; i < n; i++) a.v[i] = a.v[i] > a.v[i + n] ? a.v[i] : a.v[i + n];
    return a.v[0];
}
VEC_INLINE void vf_transpose(vf r[16]) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < i; j++) {
            const float x = r[i].v[j];
            r[i].v[j] = r[j].v[i];
            r[j].v[i] = x;
        }
}
VEC_INLINE vi vi_dot4(vi s, vi a, vi b) {
    int8_t x[16][4], y[16][4];
    memcpy(x, a.v, sizeof x);
    memcpy(y, b.v, sizeof y);
    for (int k = 0; k < 4; k++)
        LANES s.v[i] = (int32_t)((uint32_t)s.v[i] + (uint32_t)(x[i][k] * y[i][k]));
    return s;
}
VEC_INLINE vi vi_load_i8(const int8_t *p) {
    vi r;
    LANES r.v[i] = p[i];
    return r;
}
VEC_INLINE void vi_store_i8(int8_t *p, vi a) {
    LANES p[i] = (int8_t)(a.v[i] > 127 ? 127 : a.v[i] < -128 ? -128 : a.v[i]);
}
#undef LANES
#undef F1
#undef F2
#undef F3
#undef I2
#undef IK
#undef CMP
#include "kernels/vec_common.h"
