/* avx512.c: emulated tiles with the vectors of AVX-512, as test_amx.c has them. */
#include "unit/amx/avx512.c"
