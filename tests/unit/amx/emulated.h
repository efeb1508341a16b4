/* emulated.h: the products of body_amx.inc over emulated tiles: with scalar vectors, and with those
 * of AVX-512 that the real ones use. */
#ifndef HEED_TESTS_EMULATED_H
#define HEED_TESTS_EMULATED_H

#include "kernels/bf16.h"
#include "kernels/quant.h"

typedef struct emulated {
    const heed_bf16_kernels *bf16;
    const heed_quant_kernels *quant;
    int (*faults)(void); /* uses of tiles that a CPU would have refused */
} emulated;

emulated emulated_scalar(void);
/* All NULL where it is not built or the CPU cannot run it. */
emulated emulated_avx512(void);
emulated emulated_avx512_bf16(void); /* with that CPU's conversions to bf16 */

#endif
