/* bench.h: what the three kinds of `heed bench` share. */
#ifndef HEED_APP_BENCH_H
#define HEED_APP_BENCH_H

#include "heed/tensor.h"

typedef struct bench_options {
    bool json, causal, backward;
    const char *lengths, *only;
    int64_t heads, dim, window, threads;
} bench_options;

int bench_attention(const bench_options *o, heed_error *err);
int bench_gemm(const bench_options *o, heed_error *err);
int bench_ops(const bench_options *o, heed_error *err);

int bench_ablate(int argc, char **argv); /* a command of its own: arguments after "ablate" */

double bench_clock(void); /* seconds of a clock that only goes forward */
/* A tensor of the step with fixed random numbers in [-1,1). */
heed_tensor *bench_random(heed_ctx *cx, int ndim, const int64_t *shape, uint64_t seed);
/* Puts the context's error into *err and returns its code. */
int bench_failed(heed_ctx *cx, heed_error *err);

#endif
