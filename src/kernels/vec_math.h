/* vec_math.h: the elementary functions of 16 lanes, for kernel bodies to inline. Included after
 * vec_<isa>.h; every step is one exactly rounded operation of vec.h, so the bits are equal on every
 * ISA. Coefficients come from tools/polynomials.py; docs/ACCURACY.md states the measured errors.
 *
 *   vf_canon(x)             x, every NaN as 0x7fc00000
 *   vf_exp(x)               0 where the result would be below the smallest normal, inf beyond
 *   vf_exp_neg(x)           the same bits, for x <= 0 alone, one compare; -inf gives 0; a NaN whose
 *                           payload's low 9 bits are 0 (such as 0x7fc00000) gives some NaN
 *   vf_log vf_tanh vf_sigmoid vf_erf vf_sin vf_cos
 *   vf_normal_tail(a, &e)   for a >= 1: how likely a standard normal exceeds a; e = exp(-a²/2)
 *   vf_normal_cdf(x, &e)    how likely it is below x: gelu(x) = x·vf_normal_cdf(x)
 *
 * All but vf_exp_neg and the last two give the canonical NaN for NaN. */

VEC_INLINE vf vf_canon(vf x) {
    return vf_select(vf_eq(x, x), x, vi_as_vf(vi_set1(0x7fc00000)));
}

/* y, the canonical NaN where x is one */
VEC_INLINE vf vec__nan_or(vf x, vf y) {
    return vf_select(vf_eq(x, x), y, vi_as_vf(vi_set1(0x7fc00000)));
}

/* f(x) of an odd f, from y = f(|x|) */
VEC_INLINE vf vec__odd(vf x, vf y) {
    const vi sign = vi_and(vf_as_vi(x), vi_set1(INT32_MIN));
    return vec__nan_or(x, vi_as_vf(vi_xor(vf_as_vi(y), sign)));
}

/* x = n·log 2 + r with |r| <= log 2 / 2; *t has n in its low bits. -> r */
VEC_INLINE vf vec__exp_reduce(vf x, vf *t) {
    const vf magic = vf_set1(0x1.8p23f); /* adding it rounds to an integer */
    *t = vf_fma(x, vf_set1(0x1.715476p0f), magic);
    const vf n = vf_sub(*t, magic);
    return vf_fnma(n, vf_set1(-0x1.05c61p-29f), vf_fnma(n, vf_set1(0x1.62e43p-1f), x));
}

/* (exp(r) - 1 - r) / r² */
VEC_INLINE vf vec__exp_poly(vf r) {
    vf q = vf_fma(vf_set1(0x1.6ac832p-10f), r, vf_set1(0x1.123dd2p-7f));
    q = vf_fma(q, r, vf_set1(0x1.555858p-5f));
    q = vf_fma(q, r, vf_set1(0x1.55548cp-3f));
    return vf_fma(q, r, vf_set1(0x1.fffffcp-2f));
}

/* exp(x) where the result is a normal number; anything elsewhere */
VEC_INLINE vf vec__exp_normal(vf x) {
    vf t;
    const vf r = vec__exp_reduce(x, &t), one = vf_set1(1.0f);
    const vf p = vf_fma(vf_fma(vec__exp_poly(r), r, one), r, one);
    return vi_as_vf(vi_add(vf_as_vi(p), vi_shl(vf_as_vi(t), 23))); /* p·2ⁿ, in the exponent */
}

#define EXP_LEAST -0x1.5d589ep6f /* exp of it is the first normal number */
#define EXP_MOST  0x1.62e42ep6f  /* exp of it is the last finite one */

VEC_INLINE vf vf_exp_neg(vf x) {
    return vf_select(vf_lt(x, vf_set1(EXP_LEAST)), vf_zero(), vec__exp_normal(x));
}

VEC_INLINE vf vf_exp(vf x) {
    const vf inf = vf_set1(INFINITY);
    vf y = vf_select(vf_ge(x, vf_set1(EXP_LEAST)), vec__exp_normal(x), vf_zero());
    y = vf_select(vf_gt(x, vf_set1(EXP_MOST)), inf, y);
    return vec__nan_or(x, y);
}

VEC_INLINE vf vf_log(vf x) {
    const vm tiny = vf_lt(x, vf_set1(FLT_MIN));
    const vf scaled = vf_select(tiny, vf_mul(x, vf_set1(0x1p23f)), x);
    /* x = 2ᵉ·(1+f), 1+f in [sqrt 1/2, sqrt 2) */
    const vi low = vi_set1(0x3f3504f3);
    const vi bits = vi_sub(vf_as_vi(scaled), low);
    const vf f = vf_sub(vi_as_vf(vi_add(vi_and(bits, vi_set1(0x007fffff)), low)), vf_set1(1.0f));
    const vf e = vf_sub(vi_to_vf(vi_sar(bits, 23)), vf_select(tiny, vf_set1(23.0f), vf_zero()));
    vf p = vf_fma(vf_set1(-0x1.38b49ep-4f), f, vf_set1(0x1.055afp-3f));
    p = vf_fma(p, f, vf_set1(-0x1.0d8534p-3f));
    p = vf_fma(p, f, vf_set1(0x1.22da2ep-3f));
    p = vf_fma(p, f, vf_set1(-0x1.547248p-3f));
    p = vf_fma(p, f, vf_set1(0x1.99a008p-3f));
    p = vf_fma(p, f, vf_set1(-0x1.000226p-2f));
    p = vf_fma(p, f, vf_set1(0x1.555554p-2f));
    const vf ff = vf_mul(f, f);
    vf y = vf_fma(vf_mul(p, f), ff, vf_mul(e, vf_set1(-0x1.05c61p-29f)));
    y = vf_fnma(vf_set1(0.5f), ff, y);
    y = vf_fma(e, vf_set1(0x1.62e43p-1f), vf_add(f, y));
    const vf inf = vf_set1(INFINITY);
    y = vf_select(vf_lt(x, inf), y, x); /* inf and NaN as they are */
    y = vf_select(vf_gt(x, vf_zero()), y,
                  vf_select(vf_eq(x, vf_zero()), vf_neg(inf), vi_as_vf(vi_set1(0x7fc00000))));
    return y;
}

/* x + x·z·p(z), z = x², below 9/16; 1 - 2/(exp(2|x|) + 1) above, 1 to the last bit from 9.1 on */
VEC_INLINE vf vf_tanh(vf x) {
    const vf a = vf_min(vf_set1(9.1f), vf_abs(x)), z = vf_mul(x, x), one = vf_set1(1.0f);
    vf p = vf_fma(vf_set1(-0x1.9454fcp-8f), z, vf_set1(0x1.5811f6p-6f));
    p = vf_fma(p, z, vf_set1(-0x1.b905c4p-5f));
    p = vf_fma(p, z, vf_set1(0x1.110c5ep-3f));
    p = vf_fma(p, z, vf_set1(-0x1.555548p-2f));
    p = vf_fma(vf_mul(p, z), a, a);
    const vf e = vec__exp_normal(vf_add(a, a));
    const vf big = vf_sub(one, vf_div(vf_set1(2.0f), vf_add(e, one)));
    return vec__odd(x, vf_select(vf_lt(a, vf_set1(0.5625f)), p, big));
}

/* s = 1/(1+exp(-x)), as exp(x)/(1+exp(x)) for x < 0 so that small results keep their digits; *slope
 * is s·(1-s), without the cancellation of 1-s */
VEC_INLINE vf vf_sigmoid_slope(vf x, vf *slope) {
    const vf one = vf_set1(1.0f), e = vf_exp_neg(vf_neg(vf_abs(x))), d = vf_add(one, e);
    const vf top = vf_select(vf_lt(x, vf_zero()), e, one), r = vf_div(one, d);
    *slope = vec__nan_or(x, vf_mul(vf_mul(e, r), r));
    return vec__nan_or(x, vf_div(top, d));
}
VEC_INLINE vf vf_sigmoid(vf x) {
    vf slope;
    return vf_sigmoid_slope(x, &slope);
}

/* x + x·p(x²) below 15/16; 1 - exp(q(|x|)) above, 1 from 4 on */
VEC_INLINE vf vf_erf(vf x) {
    const vf a = vf_min(vf_set1(4.0f), vf_abs(x)), z = vf_mul(x, x);
    vf p = vf_fma(vf_set1(-0x1.36a69ep-11f), z, vf_set1(0x1.466a32p-8f));
    p = vf_fma(p, z, vf_set1(-0x1.b6699p-6f));
    p = vf_fma(p, z, vf_set1(0x1.ce1856p-4f));
    p = vf_fma(p, z, vf_set1(-0x1.8126dcp-2f));
    p = vf_fma(p, z, vf_set1(0x1.06eba6p-3f));
    p = vf_fma(p, a, a);
    vf q = vf_fma(vf_set1(-0x1.64808ep-16f), a, vf_set1(0x1.c96872p-12f));
    q = vf_fma(q, a, vf_set1(-0x1.11e834p-8f));
    q = vf_fma(q, a, vf_set1(0x1.9beb0ap-6f));
    q = vf_fma(q, a, vf_set1(-0x1.bba786p-4f));
    q = vf_fma(q, a, vf_set1(-0x1.444204p-1f));
    q = vf_fma(q, a, vf_set1(-0x1.2128e2p+0f));
    q = vf_fma(q, a, vf_set1(0x1.74e7c6p-13f));
    const vf big = vf_sub(vf_set1(1.0f), vf_exp_neg(q));
    return vec__odd(x, vf_select(vf_lt(a, vf_set1(0.9375f)), p, big));
}

/* exp(-a²/2)·t·p(s), t = 1/(a + 4), s = (a - 4)·t */
VEC_INLINE vf vf_normal_tail(vf a, vf *e) {
    const vf h = vf_mul(a, a), low = vf_fma(a, a, vf_neg(h)), half = vf_set1(0.5f);
    const vf exp_h = vf_exp_neg(vf_mul(h, vf_set1(-0.5f)));
    *e = vf_fnma(exp_h, vf_mul(low, half), exp_h); /* what the rounding of a² lost */
    const vf four = vf_set1(4.0f), t = vf_div(vf_set1(1.0f), vf_add(a, four));
    const vf s = vf_mul(vf_sub(a, four), t);
    vf p = vf_fma(vf_set1(0x1.4c3854p-13f), s, vf_set1(0x1.829d94p-10f));
    p = vf_fma(p, s, vf_set1(-0x1.c9b79ep-9f));
    p = vf_fma(p, s, vf_set1(-0x1.ebba6cp-8f));
    p = vf_fma(p, s, vf_set1(0x1.eec84ap-5f));
    p = vf_fma(p, s, vf_set1(-0x1.7e00e6p-3f));
    p = vf_fma(p, s, vf_set1(0x1.8c6dbcp-2f));
    p = vf_fma(p, s, vf_set1(-0x1.373e38p-1f));
    p = vf_fma(p, s, vf_set1(0x1.82b4bcp-1f));
    return vf_mul(vf_mul(p, t), *e);
}

/* 1/2 + x·p(x²) where |x| < 1; by the tail elsewhere */
VEC_INLINE vf vf_normal_cdf(vf x, vf *e) {
    /* beyond 14 every result is 0 or 1, and a² must stay finite */
    const vf a = vf_min(vf_set1(14.0f), vf_abs(x)), z = vf_mul(a, a), q = vf_normal_tail(a, e);
    vf p = vf_fma(vf_set1(0x1.83f20ap-14f), z, vf_set1(-0x1.31824ap-10f));
    p = vf_fma(p, z, vf_set1(0x1.468218p-7f));
    p = vf_fma(p, z, vf_set1(-0x1.105684p-4f));
    p = vf_fma(p, z, vf_set1(0x1.98844ep-2f));
    p = vf_fma(p, x, vf_set1(0.5f));
    const vf far = vf_select(vf_lt(x, vf_zero()), q, vf_sub(vf_set1(1.0f), q));
    return vf_select(vf_lt(a, vf_set1(1.0f)), p, far);
}

/* x = n·π/2 + r, |r| <= π/4; *n as an integer. Exact to the last bit up to |x| = 1e6. */
VEC_INLINE vf vec__trig_reduce(vf x, vi *n) {
    const vf k = vf_round(vf_mul(x, vf_set1(0x1.45f306p-1f)));
    *n = vf_to_vi(k);
    const vf r = vf_fnma(k, vf_set1(-0x1.777a5cp-25f), vf_fnma(k, vf_set1(0x1.921fb6p0f), x));
    return vf_fnma(k, vf_set1(-0x1.ee59dap-50f), r);
}

/* sin of r + n·π/2 */
VEC_INLINE vf vec__trig_poly(vf r, vi n) {
    const vf z = vf_mul(r, r), one = vf_set1(1.0f);
    vf s = vf_fma(vf_set1(-0x1.9919dp-13f), z, vf_set1(0x1.1106c2p-7f));
    s = vf_fma(s, z, vf_set1(-0x1.555544p-3f));
    s = vf_fma(vf_mul(s, z), r, r);
    vf c = vf_fma(vf_set1(0x1.99db8ap-16f), z, vf_set1(-0x1.6c0c0ep-10f));
    c = vf_fma(c, z, vf_set1(0x1.55554ap-5f));
    c = vf_fma(vf_fma(c, z, vf_set1(-0.5f)), z, one);
    const vi odd = vi_and(n, vi_set1(1)), sign = vi_shl(vi_and(n, vi_set1(2)), 30);
    const vf y = vf_select(vi_eq(odd, vi_zero()), s, c);
    return vf_canon(vi_as_vf(vi_xor(vf_as_vi(y), sign)));
}

VEC_INLINE vf vf_sin(vf x) {
    vi n;
    const vf r = vec__trig_reduce(vf_abs(x), &n);
    return vec__odd(x, vec__trig_poly(r, n));
}

VEC_INLINE vf vf_cos(vf x) {
    vi n;
    const vf r = vec__trig_reduce(x, &n);
    return vec__trig_poly(r, vi_add(n, vi_set1(1)));
}

#undef EXP_LEAST
#undef EXP_MOST
