#ifndef HEED_KERNELS_QUANT_H
#define HEED_KERNELS_QUANT_H
#include "kernels/kernels.h"
struct heed_quant_kernels {
    int reserved;
};
#endif
