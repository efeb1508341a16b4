/* peak.c: the probes of peak.h. In assembly, so that no compiler improves them away. */
#include "peak.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static clockid_t chosen = CLOCK_MONOTONIC;

static void choose(void) {
    if (getenv("CPU_TIME")) chosen = CLOCK_THREAD_CPUTIME_ID;
}

double bench_now(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    struct timespec t;
    clock_gettime(chosen, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { TIMES = 5, ROUNDS = 100000 };

#if defined(__x86_64__)
#define ACC12(X)  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ZERO_Z(i) "vpxord %%zmm" #i ",%%zmm" #i ",%%zmm" #i "\n"
#define ZERO_Y(i) "vxorps %%ymm" #i ",%%ymm" #i ",%%ymm" #i "\n"
#define FMA_Z(i)  "vfmadd231ps %%zmm12,%%zmm13,%%zmm" #i "\n"
#define FMA_Y(i)  "vfmadd231ps %%ymm12,%%ymm13,%%ymm" #i "\n"
#define VNNI_Z(i) "vpdpbusd %%zmm12,%%zmm13,%%zmm" #i "\n"
#define MADD_Y(i) "vpmaddwd %%ymm12,%%ymm13,%%ymm14\nvpaddd %%ymm14,%%ymm" #i ",%%ymm" #i "\n"
#define CLOBBER                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "cc"
#define PROBE(name, zero, op)                                                                      \
    static void name(int64_t n) {                                                                  \
        __asm__ volatile(ACC12(zero) zero(12) zero(13) "1:\n" ACC12(op) "dec %0\njnz 1b\n"         \
                                                                        "vzeroupper\n"             \
                         : "+r"(n)                                                                 \
                         :                                                                         \
                         : CLOBBER);                                                               \
    }
PROBE(fma_512, ZERO_Z, FMA_Z)
PROBE(fma_256, ZERO_Y, FMA_Y)
PROBE(vnni_512, ZERO_Z, VNNI_Z)
PROBE(madd_256, ZERO_Y, MADD_Y)

static void read_512(const char *p, size_t size) {
    size_t n = size / 512;
    __asm__ volatile("1:\n"
                     "vmovups (%0),%%zmm0\nvmovups 64(%0),%%zmm1\n"
                     "vmovups 128(%0),%%zmm2\nvmovups 192(%0),%%zmm3\n"
                     "vmovups 256(%0),%%zmm4\nvmovups 320(%0),%%zmm5\n"
                     "vmovups 384(%0),%%zmm6\nvmovups 448(%0),%%zmm7\n"
                     "add $512,%0\ndec %1\njnz 1b\nvzeroupper\n"
                     : "+r"(p), "+r"(n)
                     :
                     : CLOBBER, "memory");
}

static void read_256(const char *p, size_t size) {
    size_t n = size / 256;
    __asm__ volatile("1:\n"
                     "vmovups (%0),%%ymm0\nvmovups 32(%0),%%ymm1\n"
                     "vmovups 64(%0),%%ymm2\nvmovups 96(%0),%%ymm3\n"
                     "vmovups 128(%0),%%ymm4\nvmovups 160(%0),%%ymm5\n"
                     "vmovups 192(%0),%%ymm6\nvmovups 224(%0),%%ymm7\n"
                     "add $256,%0\ndec %1\njnz 1b\nvzeroupper\n"
                     : "+r"(p), "+r"(n)
                     :
                     : CLOBBER, "memory");
}

static double rate(void (*probe)(int64_t), double per_round) {
    double best = 0;
    probe(ROUNDS / 10);
    for (int i = 0; i < TIMES; i++) {
        const double from = bench_now();
        probe(ROUNDS);
        const double got = per_round * ROUNDS / (bench_now() - from) * 1e-9;
        if (got > best) best = got;
    }
    return best;
}

#if defined(__linux__)
/* Palette 1, eight tiles of 16 rows of 64 bytes. */
static const unsigned char shapes[64] = {
    [0] = 1,   [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64,
    [26] = 64, [28] = 64, [30] = 64, [48] = 16, [49] = 16, [50] = 16,
    [51] = 16, [52] = 16, [53] = 16, [54] = 16, [55] = 16
};
#define AMX_PROBE(name, op)                                                                        \
    static void name(int64_t n) {                                                                  \
        __asm__ volatile("ldtilecfg %1\n1:\n" op " %%tmm7,%%tmm5,%%tmm0\n" op                      \
                         " %%tmm7,%%tmm6,%%tmm1\n" op " %%tmm7,%%tmm5,%%tmm2\n" op                 \
                         " %%tmm7,%%tmm6,%%tmm3\ndec %0\njnz 1b\ntilerelease\n"                    \
                         : "+r"(n)                                                                 \
                         : "m"(shapes)                                                             \
                         : "cc");                                                                  \
    }
AMX_PROBE(amx_int8, "tdpbssd")
AMX_PROBE(amx_bf16, "tdpbf16ps")
#endif

double bench_peak_amx_int8(const char *isa) {
#if defined(__linux__)
    if (strcmp(isa, "amx") == 0) return rate(amx_int8, 4.0 * 16 * 16 * 64 * 2);
#endif
    (void)isa;
    return 0;
}

double bench_peak_amx_bf16(const char *isa) {
#if defined(__linux__)
    if (strcmp(isa, "amx") == 0) return rate(amx_bf16, 4.0 * 16 * 16 * 32 * 2);
#endif
    (void)isa;
    return 0;
}

/* The amx table computes f32 as avx512's does. */
static bool has_512(const char *isa) {
    return strcmp(isa, "avx512") == 0 || strcmp(isa, "amx") == 0;
}

double bench_peak_fma(const char *isa) {
    __builtin_cpu_init();
    if (has_512(isa) && __builtin_cpu_supports("avx512f")) return rate(fma_512, 12 * 16 * 2);
    if (strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("fma")) return rate(fma_256, 12 * 8 * 2);
    return 0;
}

double bench_mean_fma(double seconds) {
    __builtin_cpu_init();
    const bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !__builtin_cpu_supports("fma")) return 0;
    enum { SOME = ROUNDS / 10 };
    const double from = bench_now();
    double took = 0, rounds = 0;
    for (; took < seconds; took = bench_now() - from, rounds += SOME)
        (wide ? fma_512 : fma_256)(SOME);
    return rounds * 12 * (wide ? 16 : 8) * 2 / took * 1e-9;
}

double bench_peak_vnni(const char *isa) {
    __builtin_cpu_init();
    if (has_512(isa) && __builtin_cpu_supports("avx512vnni")) return rate(vnni_512, 12 * 64 * 2);
    if (strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2"))
        return rate(madd_256, 12 * 16 * 2);
    return 0;
}

double bench_read_bandwidth(const void *p, size_t size) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return 0;
    void (*read)(const char *, size_t) = __builtin_cpu_supports("avx512f") ? read_512 : read_256;
    const int times = (int)(1 + (64u << 20) / size);
    double best = 0;
    read(p, size);
    for (int i = 0; i < TIMES; i++) {
        const double from = bench_now();
        for (int t = 0; t < times; t++) read(p, size);
        const double got = (double)size * times / (bench_now() - from) * 1e-9;
        if (got > best) best = got;
    }
    return best;
}
#else
double bench_peak_amx_int8(const char *isa) {
    (void)isa;
    return 0;
}

double bench_peak_amx_bf16(const char *isa) {
    (void)isa;
    return 0;
}

double bench_peak_fma(const char *isa) {
    (void)isa;
    return 0;
}

double bench_mean_fma(double seconds) {
    (void)seconds;
    return 0;
}

double bench_peak_vnni(const char *isa) {
    (void)isa;
    return 0;
}

double bench_read_bandwidth(const void *p, size_t size) {
    (void)p, (void)size;
    return 0;
}
#endif
