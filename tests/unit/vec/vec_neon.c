/* vec_neon.c: the operations of vec_neon.h for test_vec.c. */
#include "vec_ops.h"
#include "kernels/vec.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include "kernels/vec_neon.h"
#include "vec_body.inc"

int ops_neon(float *to, const float *x, const float *y, const float *z) {
    return all_ops(to, x, y, z);
}
#endif
