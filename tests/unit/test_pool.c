/* The thread pool: every item once, no worker index twice at a time, any number of threads and of
 * callers, and its errors. */
#include "cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpu.h"
#include "heed/base.h"

enum { N = 1003, WORKERS = 16 };

typedef struct job {
    heed_pool *pool;
    int64_t grain;
    atomic_int hits[N];
    atomic_int *busy; /* [WORKERS], shared by all jobs of a pool */
    atomic_int faults;
} job;

static void touch(void *arg, int64_t begin, int64_t end, int worker) {
    job *j = arg;
    if (worker < 0 || worker >= heed_pool_threads(j->pool)) atomic_fetch_add(&j->faults, 1);
    if (atomic_fetch_add(&j->busy[worker], 1) != 0) atomic_fetch_add(&j->faults, 1);
    if (begin % j->grain != 0 || end - begin > j->grain || end <= begin)
        atomic_fetch_add(&j->faults, 1);
    if (end != N && end - begin != j->grain) atomic_fetch_add(&j->faults, 1);
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&j->hits[i], 1);
    atomic_fetch_sub(&j->busy[worker], 1);
}

static void *run_many(void *arg) {
    job *j = arg;
    static const int64_t grains[] = { 1, 7, 64, 1000, N };
    for (int round = 0; round < 200; round++) {
        j->grain = grains[round % 5];
        heed_pool_run(j->pool, N, j->grain, touch, j);
        for (int i = 0; i < N; i++) {
            if (atomic_exchange(&j->hits[i], 0) != 1) atomic_fetch_add(&j->faults, 1);
        }
        if (round % 50 == 49) usleep(300); /* lets the workers fall asleep */
    }
    return NULL;
}

static void test_every_item_once(void **state) {
    (void)state;
    static const int counts[] = { 1, 2, 3, 7 };
    for (int c = 0; c < 4; c++) {
        heed_error err;
        heed_pool *pool = heed_pool_new(counts[c], NULL, &err);
        assert_non_null(pool);
        assert_int_equal(heed_pool_threads(pool), counts[c]);
        atomic_int busy[WORKERS] = { 0 };
        job *jobs = calloc(2, sizeof *jobs);
        assert_non_null(jobs);
        for (int i = 0; i < 2; i++) {
            jobs[i].pool = pool;
            jobs[i].busy = busy;
        }
        pthread_t other;
        assert_int_equal(pthread_create(&other, NULL, run_many, &jobs[1]), 0);
        run_many(&jobs[0]);
        pthread_join(other, NULL);
        assert_int_equal(jobs[0].faults, 0);
        assert_int_equal(jobs[1].faults, 0);
        free(jobs);
        heed_pool_free(pool);
    }
}

static void count_range(void *arg, int64_t begin, int64_t end, int worker) {
    *(int64_t *)arg += (end - begin) * (worker == 0 ? 1 : 1000000);
}

static void test_no_pool_and_edges(void **state) {
    (void)state;
    int64_t sum = 0;
    heed_pool_run(NULL, 10, 3, count_range, &sum);
    assert_int_equal(sum, 10);
    heed_pool_run(NULL, 0, 3, count_range, &sum);
    heed_pool_run(NULL, -5, 3, count_range, &sum);
    assert_int_equal(sum, 10);
    heed_pool_run(NULL, 10, 0, count_range, &sum); /* a grain below 1 is 1 */
    assert_int_equal(sum, 20);
    heed_pool_run(NULL, 10, INT64_MAX, count_range, &sum);
    assert_int_equal(sum, 30);
    assert_int_equal(heed_pool_threads(NULL), 1);
    heed_pool_free(NULL);
}

static void test_bad_counts(void **state) {
    (void)state;
    heed_error err;
    assert_null(heed_pool_new(-1, NULL, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, "thread pool: -1 threads, but 0 to 1024 are possible");
    assert_null(heed_pool_new(1025, NULL, NULL));
}

static void *leave_cores(void *arg) {
    int *left = arg; /* how often it was elsewhere afterwards; -1: its set of cores changed */
    cpu_set_t before, after;
    if (sched_getaffinity(0, sizeof before, &before) != 0) return NULL;
    for (int i = 0; i < 50; i++) {
        const int cpu = heed__cpu_here();
        const bool moved = heed__cpu_leave(cpu, 2);
        if (moved && heed__cpu_here() != cpu) ++*left;
        if (sched_getaffinity(0, sizeof after, &after) != 0 || !CPU_EQUAL(&before, &after)) {
            *left = -1;
            return NULL;
        }
    }
    return NULL;
}

static void test_leaving_a_core(void **state) {
    (void)state;
    assert_false(heed__cpu_leave(-1, 2));
    assert_false(heed__cpu_leave(CPU_SETSIZE, 2));
    assert_false(heed__cpu_leave(0, heed__cpu_count() + 1));
    int left = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, leave_cores, &left), 0);
    pthread_join(thread, NULL);
    if (heed__cpu_count() > 1)
        assert_true(left >= 25); /* the system itself may move it back now and then */
    else
        assert_int_equal(left, 0);
}

static void test_default_count(void **state) {
    (void)state;
    heed_pool *pool = heed_pool_new(0, NULL, NULL);
    assert_non_null(pool);
    assert_int_equal(heed_pool_threads(pool), heed__cpu_count());
    assert_true(heed__cpu_count() >= 1);
    heed_pool_free(pool);
}

static void test_freed_in_a_child(void **state) {
    (void)state;
    heed_pool *pool = heed_pool_new(3, NULL, NULL);
    assert_non_null(pool);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        heed_pool_free(pool);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    heed_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_once),  cmocka_unit_test(test_no_pool_and_edges),
        cmocka_unit_test(test_bad_counts),       cmocka_unit_test(test_default_count),
        cmocka_unit_test(test_freed_in_a_child), cmocka_unit_test(test_leaving_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
