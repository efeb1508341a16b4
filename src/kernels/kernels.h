/* kernels.h: the table of kernels that a context computes with, one for each ISA, and how one is
 * chosen.
 *
 * A table is made of parts, each with a header and a body of its own:
 *
 *     gemm.h    body_gemm.inc    matrix products, packing
 *     bf16.h    body_bf16.inc    those of bf16
 *     quant.h   body_quant.inc   those of int8
 *     attn.h    body_attn.inc    fused attention
 *     math.h    body_math.inc    functions of each element
 *     row.h     body_row.inc     reductions, softmax, norms
 *     rnn.h     body_rnn.inc     LSTM and GRU gates
 *     optim.h   body_optim.inc   optimizer updates
 *
 * kern_<isa>.c compiles every body with that ISA's vec_<isa>.h and exports heed__kernels_<isa>.
 */
#ifndef HEED_KERNELS_H
#define HEED_KERNELS_H

#include "heed/base.h"

typedef struct heed_gemm_kernels heed_gemm_kernels;
typedef struct heed_math_kernels heed_math_kernels;
typedef struct heed_row_kernels heed_row_kernels;
typedef struct heed_attn_kernels heed_attn_kernels;
typedef struct heed_quant_kernels heed_quant_kernels;
typedef struct heed_bf16_kernels heed_bf16_kernels;
typedef struct heed_rnn_kernels heed_rnn_kernels;
typedef struct heed_optim_kernels heed_optim_kernels;

typedef struct heed_kernels {
    const char *name; /* "scalar", "avx2", "avx512", "amx", "neon" */
    const heed_gemm_kernels *gemm;
    const heed_math_kernels *math;
    const heed_row_kernels *row;
    const heed_attn_kernels *attn;
    const heed_quant_kernels *quant;
    const heed_bf16_kernels *bf16;
    const heed_rnn_kernels *rnn;
    const heed_optim_kernels *optim;
} heed_kernels;

/* The table for `isa` (NULL: what HEED_ISA names, else the best this CPU has). NULL and one
 * sentence in *err for a name that is none (HEED_EINVALID) or that this CPU or build lacks
 * (HEED_EUNSUPPORTED). Tables are static. */
const heed_kernels *heed__kernels(const char *isa, heed_error *err);

/* All ISAs that this CPU can run, scalar first; *count of them. For parity tests. */
const heed_kernels *const *heed__kernels_all(int *count);

/* Why an ISA cannot run here, "this CPU has no AMX", or NULL if it can. name is one of the five. */
const char *heed__kernels_lack(const char *name);

#endif
