/* npy.h: arrays of numbers from NumPy's .npy files (versions 1 and 2): `<f2`, `<f4` or `<f8` in C
 * order, of two or three dimensions, as numpy.save writes them. Nothing in a file is believed
 * before it has been checked. */
#ifndef HEED_IO_NPY_H
#define HEED_IO_NPY_H

#include "heed/base.h"

typedef struct heed_npy {
    float *data; /* [len,steps,dim] */
    int64_t len, steps, dim;
    bool sequence; /* three dimensions; of two, steps is 1 */
    heed_hooks hooks;
} heed_npy;

/* 0, or a status and *err: `file: what is wrong`, of a number that is not finite its row. */
int heed__npy_read(heed_npy *n, const char *path, const heed_hooks *hooks, heed_error *err);
/* The same from size bytes of the caller's; name stands for the path. */
int heed__npy_parse(heed_npy *n, const unsigned char *bytes, size_t size, const char *name,
                    const heed_hooks *hooks, heed_error *err);
void heed__npy_free(heed_npy *n); /* a zeroed one is fine */

#endif
