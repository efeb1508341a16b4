/* vec_scalar.c: the operations of vec_scalar.h for test_vec.c. */
#include "vec_ops.h"
#include "kernels/vec.h"
#include "kernels/vec_scalar.h"
#include "vec_body.inc"

int ops_scalar(float *to, const float *x, const float *y, const float *z) {
    return all_ops(to, x, y, z);
}
