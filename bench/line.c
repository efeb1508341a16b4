/* line.c: what the machine does with two cores: how long a line of memory takes from one to the
 * other as two threads hand one to and fro, and what both reach at once in FMA. Where they share
 * their last cache a line takes some 50 ns; a host that lends cores of two chips, or moves them
 * about, makes it 200, and one that lends half of a core (its other thread is somebody else's at
 * times) halves the peak: what two threads gain falls with either. bench/run_threads.sh asks before
 * and after.
 *
 *     bench_line        prints: NANOSECONDS GFLOP/s-of-core-0 GFLOP/s-of-core-1
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "peak.h"

enum { TURNS = 100000, FIRST = TURNS / 10 };

static _Alignas(128) atomic_int turn;

static void stay_on(size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static double fma_peak(void) {
    const double wide = bench_peak_fma("avx512");
    return wide > 0 ? wide : bench_peak_fma("avx2");
}

static void *answer(void *peak) {
    stay_on(1);
    for (int i = 0; i < TURNS; i++) {
        while (atomic_load(&turn) != 2 * i + 1) continue;
        atomic_store(&turn, 2 * i + 2);
    }
    *(double *)peak = fma_peak();
    return NULL;
}

int main(void) {
    pthread_t other;
    double begin = 0, peak[2] = { 0, 0 };
    stay_on(0);
    if (pthread_create(&other, NULL, answer, &peak[1])) return 1;
    for (int i = 0; i < TURNS; i++) {
        if (i == FIRST) begin = bench_now();
        atomic_store(&turn, 2 * i + 1);
        while (atomic_load(&turn) != 2 * i + 2) continue;
    }
    const double took = bench_now() - begin;
    peak[0] = fma_peak();
    pthread_join(other, NULL);
    printf("%.0f %.0f %.0f\n", 1e9 * took / (2.0 * (TURNS - FIRST)), peak[0], peak[1]);
    return 0;
}
