/* vec_avx2.c: the operations of vec_avx2.h for test_vec.c. */
#include "vec_ops.h"
#include "kernels/vec.h"

#if defined(__x86_64__)
#include <immintrin.h>
HEED_TARGET_BEGIN("avx2,fma")
#include "kernels/vec_avx2.h"
#include "vec_body.inc"

int ops_avx2(float *to, const float *x, const float *y, const float *z) {
    return all_ops(to, x, y, z);
}
HEED_TARGET_END
#endif
