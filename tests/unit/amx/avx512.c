/* avx512.c: emulated tiles with the vectors of AVX-512. */
#include "unit/amx/emulated.h"
#include "kernels/tables.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels/vec.h"

#define AMX_TABLE static const

static float amx_quantize(int8_t *q, const float *x, int64_t n) {
    return heed__kernels_scalar.quant->quantize(q, x, n);
}

HEED_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "kernels/vec_avx512.h"
#include "kernels/tiles_emulated.h"
#include "kernels/body_amx.inc"
HEED_TARGET_END

static int faults(void) {
    return tile_faults;
}

emulated emulated_avx512(void) {
    if (heed__kernels_lack("avx512")) return (emulated){ 0 };
    return (emulated){ &amx_bf16, &amx_quant, faults };
}
#else
emulated emulated_avx512(void) {
    return (emulated){ 0 };
}
#endif
