/* long.h: what the long trainings share. They are programs over the public headers alone: a
 * context, parameters and an optimizer in one struct, and data sets that lie outside the project,
 * in the folder that HEED_DATA names, else in ../shared/data beside the source tree.
 */
#ifndef HEED_TESTS_LONG_H
#define HEED_TESTS_LONG_H

#include <heed/nn.h>
#include <heed/train.h>

#include "cmocka_all.h"

typedef struct trial {
    heed_ctx *cx;
    heed_params *ps;
    heed_optim *opt;
} trial;

/* One thread; the seed is of parameters and context alike. Fails the test when memory is short. */
trial trial_new(uint64_t seed);
/* Call it when all parameters are declared. */
void trial_optim(trial *t, const heed_optim_cfg *cfg);
/* Backward, a step of the optimizer, the end of the step's tensors; returns the loss. */
double trial_step(trial *t, heed_tensor *loss);
void trial_end(trial *t);

/* The whole of a packed file (.gz, .zst) of a data set, with a zero byte after it; free it. NULL,
 * and a line that says what is skipped, where it or its unpacker is absent.
 */
char *data_unpack(const char *set, const char *file, size_t *len);

/* The first largest of n numbers. */
int64_t largest(const float *x, int64_t n);

#endif
