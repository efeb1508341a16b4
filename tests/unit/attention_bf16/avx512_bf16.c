/* avx512_bf16.c: emulated tiles with AVX-512's conversions, as test_amx.c has them. */
#include "unit/amx/avx512_bf16.c"
