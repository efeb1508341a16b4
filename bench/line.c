/* line.c: what the machine does with two cores: how long a line of memory takes from one to the
 * other as two threads hand one to and fro, and what both reach in FMA over the same tenth of a
 * second. Where they share their last cache a line takes some 50 ns; a host that lends cores of two
 * chips, or moves them about, makes it 200, and one that lends half of a core (its other thread is
 * somebody else's at times) halves what it reaches: what two threads gain falls with either.
 * bench/run_threads.sh asks before and after. By the wall clock, whatever CPU_TIME says.
 *
 *     bench_line        prints: NANOSECONDS GFLOP/s-of-core-0 GFLOP/s-of-core-1
 *                       ("-" for both where there is no probe for this CPU) */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peak.h"

enum { TURNS = 100000, FIRST = TURNS / 10 };

static _Alignas(128) atomic_int turn;

static pthread_barrier_t both;

/* On another core than was asked for the two would share one, and hand the line over for hours. */
static void stay_on(size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) return;
    fprintf(stderr, "bench_line: core %zu cannot be used: %s\n", cpu, strerror(errno));
    exit(1);
}

static double fma_with_the_other(void) {
    bench_mean_fma(0.005); /* the clock moves when wide instructions begin */
    pthread_barrier_wait(&both);
    return bench_mean_fma(0.1);
}

static void *answer(void *reached) {
    stay_on(1);
    for (int i = 0; i < TURNS; i++) {
        while (atomic_load(&turn) != 2 * i + 1) continue;
        atomic_store(&turn, 2 * i + 2);
    }
    *(double *)reached = fma_with_the_other();
    return NULL;
}

int main(void) {
    pthread_t other;
    double begin = 0, reached[2] = { 0, 0 };
    unsetenv("CPU_TIME");
    stay_on(0);
    if (pthread_barrier_init(&both, NULL, 2) || pthread_create(&other, NULL, answer, &reached[1]))
        return fprintf(stderr, "bench_line: no second thread\n"), 1;
    for (int i = 0; i < TURNS; i++) {
        if (i == FIRST) begin = bench_now();
        atomic_store(&turn, 2 * i + 1);
        while (atomic_load(&turn) != 2 * i + 2) continue;
    }
    const double took = bench_now() - begin;
    reached[0] = fma_with_the_other();
    pthread_join(other, NULL);
    printf("%.0f", 1e9 * took / (2.0 * (TURNS - FIRST)));
    for (int i = 0; i < 2; i++)
        if (reached[i] > 0)
            printf(" %.0f", reached[i]);
        else
            printf(" -");
    printf("\n");
    return 0;
}
