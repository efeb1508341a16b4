/* isas.h: the kernels that a test goes through on this machine; it says once which it has to leave
 * out, and why, so that nobody takes a pass for one on every ISA. */
#ifndef HEED_TESTS_ISAS_H
#define HEED_TESTS_ISAS_H

#include <stdbool.h>
#include <stdio.h>

#include "kernels/kernels.h"

/* What this architecture can have, the plain scalar code aside. */
static const char *const isas_wanted[] = {
#if defined(__x86_64__)
    "avx2", "avx512", "amx",
#elif defined(__aarch64__)
    "neon",
#endif
    NULL
};

/* As heed__kernels_all: all that run here, scalar first. */
static inline const heed_kernels *const *isas_here(int *count) {
    static bool said;
    for (int i = 0; !said && isas_wanted[i]; i++) {
        const char *why = heed__kernels_lack(isas_wanted[i]);
        if (why) printf("skipped: %s: %s\n", isas_wanted[i], why);
    }
    said = true;
    return heed__kernels_all(count);
}

#endif
