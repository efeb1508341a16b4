/* scalar.c: emulated tiles with scalar vectors, as test_amx.c has them. */
#include "unit/amx/scalar.c"
