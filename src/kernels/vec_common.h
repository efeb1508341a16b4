/* vec_common.h: operations of vec.h that are made of the others, the same on every ISA. Included
 * last by each of them. */

/* To the nearest bf16, ties to even, as an f32 whose low half is zero; a NaN stays a NaN. */
VEC_INLINE vf vf_round_bf16(vf a) {
    const vi bits = vf_as_vi(a);
    const vi odd = vi_and(vi_shr(bits, 16), vi_set1(1));
    const vi near = vi_and(vi_add(bits, vi_add(odd, vi_set1(0x7fff))),
                           vi_set1((int32_t)0xffff0000u));
    const vi quiet = vi_or(vi_and(bits, vi_set1((int32_t)0xffff0000u)), vi_set1(0x00400000));
    return vi_as_vf(vi_select(vf_eq(a, a), near, quiet));
}

/* A denormal becomes a zero of its sign. */
VEC_INLINE vf vf_flush(vf x) {
    const vf zero = vi_as_vf(vi_and(vf_as_vi(x), vi_set1(INT32_MIN)));
    return vf_select(vf_lt(vf_abs(x), vf_set1(FLT_MIN)), zero, x);
}

/* As an operand of a bf16 product, kept as f32. */
VEC_INLINE vf vf_to_bf16(vf a) {
    return vf_round_bf16(vf_flush(a));
}

/* A loop over a few vectors that is unrolled whole: they stay in registers, where else an array of
 * them would lie in memory. */
#define VEC_EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

/* The first n of 16, or all of them where n is 16 or more: a plain load or store in all but the
 * last turn of a loop. */
VEC_INLINE vf vf_get(const float *p, int64_t n) {
    return n >= 16 ? vf_load(p) : vf_load_n(p, n);
}
VEC_INLINE void vf_put(float *p, vf v, int64_t n) {
    if (n >= 16)
        vf_store(p, v);
    else
        vf_store_n(p, v, n);
}
