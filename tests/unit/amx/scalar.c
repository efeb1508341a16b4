/* scalar.c: emulated tiles with scalar vectors. */
#include "unit/amx/emulated.h"
#include "kernels/tables.h"
#include "kernels/vec.h"

#define AMX_TABLE static const

static float amx_quantize(int8_t *q, const float *x, int64_t n) {
    return heed__kernels_scalar.quant->quantize(q, x, n);
}

#include "kernels/vec_scalar.h"
#include "kernels/tiles_emulated.h"
#include "kernels/body_amx.inc"

static int faults(void) {
    return tile_faults;
}

emulated emulated_scalar(void) {
    return (emulated){ &amx_bf16, &amx_quant, faults };
}
