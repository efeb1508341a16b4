/* tables.h: the tables that the kern_<isa>.c files export; which exist depends on what the compiler
 * builds for. */
#ifndef HEED_KERNELS_TABLES_H
#define HEED_KERNELS_TABLES_H

#include "kernels/kernels.h"

extern const heed_kernels heed__kernels_scalar;
#if defined(__x86_64__)
extern const heed_kernels heed__kernels_avx2;
extern const heed_kernels heed__kernels_avx512;
extern const heed_kernels heed__kernels_avx512_vnni; /* the same, with heed__quant_vnni */
extern const heed_quant_kernels heed__quant_vnni;
#if defined(__linux__)
#define HEED_HAVE_AMX 1
extern const heed_kernels heed__kernels_amx; /* avx512_vnni with these two: */
extern const heed_bf16_kernels heed__bf16_amx;
extern const heed_quant_kernels heed__quant_amx;
#endif
#elif defined(__aarch64__)
extern const heed_kernels heed__kernels_neon;
#endif

#endif
