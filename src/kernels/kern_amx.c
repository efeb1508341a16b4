/* kern_amx.c: products in bf16 and int8 for CPUs with AMX: Sapphire Rapids 2023+. All else is the
 * avx512 table's. */
#include "kernels/tables.h"

#if defined(HEED_HAVE_AMX)
#include <immintrin.h>
#include "kernels/gemm.h"
#include "kernels/quant.h"
#include "kernels/bf16.h"
#include "kernels/vec.h"

#define AMX_TABLE const
#define amx_bf16  heed__bf16_amx
#define amx_quant heed__quant_amx

static float amx_quantize(int8_t *q, const float *x, int64_t n) {
    return heed__quant_vnni.quantize(q, x, n);
}

HEED_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,"
                  "amx-tile,amx-int8,amx-bf16")
#include "kernels/vec_avx512.h"
#include "kernels/tiles_amx.h"
#include "kernels/body_amx.inc"
HEED_TARGET_END
#endif
