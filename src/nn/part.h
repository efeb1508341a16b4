/* part.h: names of a layer's parts, and how its parameters are declared. For the files of nn. */
#ifndef HEED_NN_PART_H
#define HEED_NN_PART_H

#include "heed/nn.h"

enum { HEED_PART_SIZE = 256 };

/* Writes "<name>.<part>" with part a printf format; a name without room is kept in ps as an error.
 * Returns text. */
char *heed__part(heed_params *ps, char text[HEED_PART_SIZE], const char *name, const char *part,
                 ...) HEED_PRINTF(4, 5);
/* heed_param of "<name>.<part>". */
heed_tensor *heed__part_param(heed_params *ps, const char *name, const char *part, heed_init init,
                              int ndim, const int64_t *shape);
/* 0, or the status that ps keeps. */
int heed__part_status(const heed_params *ps);
/* 1 / sqrt(n), the bound of PyTorch's uniform first values; 0 for n <= 0. */
float heed__bound(int64_t n);

#endif
