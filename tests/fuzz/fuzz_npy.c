/* fuzz_npy.c: any bytes as a .npy file: read whole or refused in one sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    heed_error err = { 0 };
    heed_npy n;
    const int rc = heed__npy_parse(&n, data, size, "x.npy", NULL, &err);
    if (rc == 0)
        for (int64_t i = 0; i < n.len * n.steps * n.dim; i++)
            if (!isfinite(n.data[i])) abort();
    if (rc && !err.msg[0]) abort();
    heed__npy_free(&n);
    return 0;
}
