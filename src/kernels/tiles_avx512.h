/* tiles_avx512.h: rows and pairs of tiles_amx.h by the conversions of AVX512-BF16, which every CPU
 * with AMX has: nearest even, denormals zeros, a NaN quiet. */
#ifndef HEED_KERNELS_TILES_AVX512_H
#define HEED_KERNELS_TILES_AVX512_H

VEC_INLINE vf tile_row(vf low, vf high) {
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high, low));
}

VEC_INLINE vf tile_pairs(vf low, vf high) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
                                           24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                           16, 0);
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, both));
}

#endif
