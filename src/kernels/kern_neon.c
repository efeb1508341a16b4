/* kern_neon.c: every kernel body compiled for neon: every 64-bit ARM. */
#include "kernels/tables.h"

#if defined(__aarch64__)
#include <arm_neon.h>
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

#include "kernels/vec_neon.h"
#include "kernels/vec_math.h"
#include "kernels/body_gemm.inc"
#include "kernels/body_math.inc"
#include "kernels/body_row.inc"
#include "kernels/body_attn.inc"
#include "kernels/body_quant.inc"
#include "kernels/body_bf16.inc"
#include "kernels/body_rnn.inc"
#include "kernels/body_optim.inc"

const heed_kernels heed__kernels_neon = {
    .name = VEC_NAME,
    .gemm = &gemm_table,
    .math = &math_table,
    .row = &row_table,
    .attn = &attn_table,
    .quant = &quant_table,
    .bf16 = &bf16_table,
    .rnn = &rnn_table,
    .optim = &optim_table,
};
#endif
