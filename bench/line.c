/* line.c: how long a line of memory takes from one core to the other, in nanoseconds, as two
 * threads hand one to and fro. Where the cores share their last cache it is some 50 ns; a host that
 * lends cores of two chips, or moves them about, makes it 200, and what two threads gain falls with
 * it. bench/run_threads.sh asks before and after.
 *
 *     bench_line
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

static void *answer(void *arg) {
    (void)arg;
    stay_on(1);
    for (int i = 0; i < TURNS; i++) {
        while (atomic_load(&turn) != 2 * i + 1) continue;
        atomic_store(&turn, 2 * i + 2);
    }
    return NULL;
}

int main(void) {
    pthread_t other;
    double begin = 0;
    stay_on(0);
    if (pthread_create(&other, NULL, answer, NULL)) return 1;
    for (int i = 0; i < TURNS; i++) {
        if (i == FIRST) begin = bench_now();
        atomic_store(&turn, 2 * i + 1);
        while (atomic_load(&turn) != 2 * i + 2) continue;
    }
    const double took = bench_now() - begin;
    pthread_join(other, NULL);
    printf("%.0f\n", 1e9 * took / (2.0 * (TURNS - FIRST)));
    return 0;
}
