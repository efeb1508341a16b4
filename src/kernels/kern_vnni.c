/* kern_vnni.c: int8 products for AVX-512 with VNNI: Cascade Lake 2019+, Zen 4 2022+. They take the
 * place of the plain ones in the avx512 table where the CPU has the instruction. */
#include "kernels/tables.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels/quant.h"
#include "kernels/vec.h"

HEED_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#define QUANT_VNNI
#include "kernels/vec_avx512.h"
#include "kernels/body_quant.inc"
HEED_TARGET_END
#endif
