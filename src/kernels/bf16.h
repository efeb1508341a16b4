#ifndef HEED_KERNELS_BF16_H
#define HEED_KERNELS_BF16_H
#include "kernels/kernels.h"
struct heed_bf16_kernels {
    int reserved;
};
#endif
