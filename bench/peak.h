/* peak.h: what this core can do at most, measured: arithmetic and memory. A figure of ours is
 * quoted as a part of the peak that was measured in the same run, since clocks differ and move. */
#ifndef HEED_BENCH_PEAK_H
#define HEED_BENCH_PEAK_H

#include <stddef.h>

/* Seconds of a clock that only goes forward: with CPU_TIME in the environment the calling thread's
 * own processor time, for one thread on a machine that is busy. */
double bench_now(void);

/* Best of several short runs on the calling thread. isa: "avx512", "avx2", "neon"; 0 where the
 * probe for it is not built or the CPU lacks it. */
double bench_peak_fma(const char *isa); /* f32 multiply and add, GFLOP/s */
/* Not the best but the mean over that many seconds, with the widest probe that the CPU has. */
double bench_mean_fma(double seconds);
double bench_peak_vnni(const char *isa); /* int8 multiply and add with 32-bit sums, GOP/s */
/* Products of matrix tiles, on four tiles of sums in turn; isa "amx". The caller has made sure that
 * the process may use them: heed__kernels("amx") did. */
double bench_peak_amx_int8(const char *isa); /* GOP/s */
double bench_peak_amx_bf16(const char *isa); /* GFLOP/s */

/* GB/s of reading `size` bytes at p again and again, in order; size is a multiple of 1024, p
 * aligned to 64. */
double bench_read_bandwidth(const void *p, size_t size);

#endif
