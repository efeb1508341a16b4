#ifndef HEED_KERNELS_ATTN_H
#define HEED_KERNELS_ATTN_H
#include "kernels/kernels.h"
struct heed_attn_kernels {
    int reserved;
};
#endif
