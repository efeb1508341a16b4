/* kern_avx512.c: every kernel body compiled for avx512: Skylake-SP 2017+, Zen 4 2022+. */
#include "kernels/tables.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels/gemm.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "kernels/attn.h"
#include "kernels/attn_mean.h"
#include "kernels/quant.h"
#include "kernels/bf16.h"
#include "kernels/rnn.h"
#include "kernels/optim.h"
#include "kernels/vec.h"

HEED_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "kernels/vec_avx512.h"
#include "kernels/vec_math.h"
#include "kernels/body_gemm.inc"
#include "kernels/body_math.inc"
#include "kernels/body_row.inc"
#include "kernels/body_attn.inc"
#include "kernels/body_quant.inc"
#include "kernels/body_bf16.inc"
#include "kernels/body_rnn.inc"
#include "kernels/body_optim.inc"
HEED_TARGET_END

#define TABLE(isa, quant_part, bf16_part)                                                          \
    {                                                                                              \
        .name = (isa), .gemm = &gemm_table, .math = &math_table, .row = &row_table,                \
        .attn = &attn_table, .quant = (quant_part), .bf16 = (bf16_part), .rnn = &rnn_table,        \
        .optim = &optim_table,                                                                     \
    }
const heed_kernels heed__kernels_avx512 = TABLE(VEC_NAME, &quant_table, &bf16_table);
const heed_kernels heed__kernels_avx512_vnni = TABLE(VEC_NAME, &heed__quant_vnni, &bf16_table);
#if defined(HEED_HAVE_AMX)
const heed_kernels heed__kernels_amx = TABLE("amx", &heed__quant_amx, &heed__bf16_amx);
#endif
#endif
