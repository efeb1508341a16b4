/* pool.c: threads that share work cut into fixed chunks.
 *
 * One job at a time. Its chunks are claimed one by one from an atomic counter, by the caller too.
 * A worker that comes while the job is open enters through `gate`; the caller closes the gate once
 * no chunk is left and waits for those inside alone. So a worker that the system has not woken yet
 * costs nothing, and a machine that is busy with something else slows a job by one chunk at most.
 *
 *     gate   [ job number : 31 | open : 1 | workers inside : 32 ]
 *
 * Waiting spins for a moment and then sleeps on a futex. A wait for the last chunk that takes much
 * longer than a chunk means that a thread of ours was not running: somebody competes for the cores,
 * and for the next jobs nobody spins to speak of, since a thread that spins uses up its share.
 *
 * Beside a competitor the system may well leave two of our threads on one core for a second, since
 * no move would even three out on two cores. A worker that wakes on the caller's core therefore
 * goes to another before it enters: the caller, whom all wait for, keeps a core, and the worker
 * shares one with the competitor, holding nothing while it waits there for its turn.
 */
#include "base/alloc.h"
#include "base/thread.h"
#include "base/cpu.h"
#include "base/text.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, CROWDED_JOBS = 256 };

/* nanoseconds */
enum {
    SPIN_FOR_JOB = 60 * 1000,  /* between two jobs of a step */
    SPIN_FOR_LAST = 30 * 1000, /* at the end of a job, besides twice the time of a chunk */
    SPIN_CROWDED = 1500,       /* either, while somebody competes */
    LATE = 200 * 1000,         /* a last chunk later than this, and than four chunks, tells so */
    STAY = 2000 * 1000         /* a worker goes to another core once in this time at most */
};

static const uint64_t OPEN = 1ull << 32, NEXT_JOB = 1ull << 33;

typedef struct worker {
    heed_pool *pool;
    pthread_t thread;
    int index;
    int64_t moved; /* when it last went to another core, or tried to */
} worker;

struct heed_pool {
    _Alignas(64) _Atomic int64_t next; /* first item that nobody has claimed */
    _Alignas(64) _Atomic uint64_t gate;
    _Alignas(64) atomic_uint call; /* changes with every job: what workers sleep on */
    atomic_int asleep;             /* workers in that sleep */
    atomic_uint caller_sleeps;     /* 1: the caller sleeps until the last worker has left */
    atomic_int crowded;            /* jobs for which spinning is off */
    atomic_int cpu;                /* the core that the caller of the last job ran on */
    atomic_bool quit;
    _Alignas(64) heed_range_fn fn; /* the job; written while the gate is closed and empty */
    void *arg;
    int64_t n, grain;
    pthread_mutex_t turn; /* held for a whole job */
    worker *workers;      /* [threads-1] */
    int threads, started;
    pid_t maker;
    heed_hooks hooks;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static void futex_wait(atomic_uint *word, unsigned seen) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static bool is_crowded(heed_pool *p) {
    return atomic_load_explicit(&p->crowded, memory_order_relaxed) > 0;
}

/* Claims chunks until none is left. Returns how many. */
static int64_t work(heed_pool *p, int index) {
    int64_t chunks = 0;
    for (;; chunks++) {
        const int64_t begin = atomic_fetch_add_explicit(&p->next, p->grain, memory_order_relaxed);
        if (begin >= p->n) return chunks;
        const int64_t end = p->n - begin < p->grain ? p->n : begin + p->grain;
        p->fn(p->arg, begin, end, index);
    }
}

/* -- a worker --------------------------------------------------------------------------------- */

static bool enter(heed_pool *p) {
    uint64_t gate = atomic_load(&p->gate);
    while (gate & OPEN) {
        if (atomic_compare_exchange_weak(&p->gate, &gate, gate + 1)) return true;
    }
    return false;
}

static void leave(heed_pool *p) {
    const uint64_t before = atomic_fetch_sub(&p->gate, 1);
    if ((before & OPEN) || (uint32_t)before != 1) return;
    if (atomic_exchange(&p->caller_sleeps, 0)) futex_wake(&p->caller_sleeps, 1);
}

/* Returns the number of the next call, which is not `seen`. */
static unsigned wait_for_call(heed_pool *p, unsigned seen) {
    unsigned call = atomic_load(&p->call);
    if (call != seen) return call;
    const int64_t until = heed__ticks_ns() + (is_crowded(p) ? SPIN_CROWDED : SPIN_FOR_JOB);
    do {
        for (int i = 0; i < 16; i++) {
            relax();
            call = atomic_load_explicit(&p->call, memory_order_acquire);
            if (call != seen) return call;
        }
    } while (heed__ticks_ns() < until);
    atomic_fetch_add(&p->asleep, 1);
    while ((call = atomic_load(&p->call)) == seen) futex_wait(&p->call, seen);
    atomic_fetch_sub(&p->asleep, 1);
    return call;
}

/* Off the caller's core: that a worker came to be there tells that the others are in use. */
static void step_aside(worker *w) {
    heed_pool *p = w->pool;
    const int cpu = heed__cpu_here();
    if (cpu < 0 || cpu != atomic_load_explicit(&p->cpu, memory_order_relaxed)) return;
    const int64_t now = heed__ticks_ns();
    if (now - w->moved < STAY) return;
    w->moved = now;
    if (heed__cpu_leave(cpu, p->threads)) atomic_store(&p->crowded, CROWDED_JOBS);
}

static void *worker_main(void *arg) {
    worker *w = arg;
    heed_pool *p = w->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_call(p, seen);
        if (atomic_load(&p->quit)) return NULL;
        step_aside(w);
        if (!enter(p)) continue;
        work(p, w->index);
        leave(p);
    }
}

/* -- the caller ------------------------------------------------------------------------------- */

/* Waits until the gate, closed by now, is empty. chunk_ns: what one of the caller's chunks took. */
static void wait_for_last(heed_pool *p, int64_t chunk_ns) {
    if ((uint32_t)atomic_load(&p->gate) == 0) return;
    const int64_t start = heed__ticks_ns();
    const int64_t until = start + (is_crowded(p) ? SPIN_CROWDED : SPIN_FOR_LAST + 2 * chunk_ns);
    do {
        for (int i = 0; i < 16; i++) {
            relax();
            if ((uint32_t)atomic_load(&p->gate) == 0) return;
        }
    } while (heed__ticks_ns() < until);
    for (;;) {
        atomic_store(&p->caller_sleeps, 1);
        if ((uint32_t)atomic_load(&p->gate) == 0) break;
        futex_wait(&p->caller_sleeps, 1);
        if ((uint32_t)atomic_load(&p->gate) == 0) break;
    }
    atomic_store(&p->caller_sleeps, 0);
    const int64_t waited = heed__ticks_ns() - start;
    if (waited > LATE && waited > 4 * chunk_ns) atomic_store(&p->crowded, CROWDED_JOBS);
}

static void run_shared(heed_pool *p) {
    if (is_crowded(p)) atomic_fetch_sub(&p->crowded, 1);
    atomic_store_explicit(&p->cpu, heed__cpu_here(), memory_order_relaxed);
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_fetch_add(&p->gate, NEXT_JOB | OPEN);
    atomic_fetch_add(&p->call, 1);
    const int asleep = atomic_load(&p->asleep);
    if (asleep > 0) {
        const int64_t others = (p->n - 1) / p->grain;
        futex_wake(&p->call, others < asleep ? (int)others : asleep);
    }
    const int64_t start = heed__ticks_ns();
    const int64_t chunks = work(p, 0);
    const int64_t chunk_ns = chunks ? (heed__ticks_ns() - start) / chunks : 0;
    atomic_fetch_and(&p->gate, ~OPEN);
    wait_for_last(p, chunk_ns);
}

void heed_pool_run(heed_pool *pool, int64_t n, int64_t grain, heed_range_fn fn, void *arg) {
    if (n <= 0) return;
    if (grain < 1) grain = 1;
    if (grain > n) grain = n; /* also keeps the counter of claims far from overflow */
    if (pool) pthread_mutex_lock(&pool->turn);
    if (!pool || pool->started == 0 || grain == n) {
        for (int64_t begin = 0; begin < n; begin += grain)
            fn(arg, begin, n - begin < grain ? n : begin + grain, 0);
    } else {
        pool->fn = fn;
        pool->arg = arg;
        pool->n = n;
        pool->grain = grain;
        run_shared(pool);
    }
    if (pool) pthread_mutex_unlock(&pool->turn);
}

/* -- making and freeing ----------------------------------------------------------------------- */

/* Workers take no signals: those are for the program's own threads. */
static int start_workers(heed_pool *p, heed_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = HEED_OK;
    for (int i = 0; i + 1 < p->threads && !status; i++) {
        p->workers[i] = (worker){ .pool = p, .index = i + 1 };
        const int e = pthread_create(&p->workers[i].thread, NULL, worker_main, &p->workers[i]);
        if (e)
            status = heed__error(err, HEED_ENOMEM,
                                 "thread pool: thread %d of %d does not start: %s", i + 2,
                                 p->threads, heed__errno_text(e));
        else
            p->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

heed_pool *heed_pool_new(int threads, const heed_hooks *hooks, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    if (threads < 0 || threads > MAX_THREADS) {
        heed__error(err, HEED_EINVALID, "thread pool: %d threads, but 0 to %d are possible",
                    threads, MAX_THREADS);
        return NULL;
    }
    if (threads == 0) threads = heed__cpu_count();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    heed_pool *p = heed__aligned(hooks, sizeof *p);
    worker *workers = heed__calloc(hooks, (size_t)threads, sizeof *workers);
    if (!p || !workers) {
        heed__error(err, HEED_ENOMEM, "thread pool: out of memory");
        heed__aligned_free(hooks, p);
        heed__free(hooks, workers);
        return NULL;
    }
    *p = (heed_pool){ .threads = threads, .workers = workers, .maker = getpid() };
    if (hooks) p->hooks = *hooks;
    pthread_mutex_init(&p->turn, NULL);
    if (start_workers(p, err) != HEED_OK) {
        heed_pool_free(p);
        return NULL;
    }
    return p;
}

void heed_pool_free(heed_pool *pool) {
    if (!pool) return;
    /* In a child made by fork() the workers do not exist, and there is nobody to wait for. */
    if (pool->maker == getpid()) {
        atomic_store(&pool->quit, true);
        atomic_fetch_add(&pool->call, 1);
        futex_wake(&pool->call, MAX_THREADS);
        for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
        pthread_mutex_destroy(&pool->turn);
    }
    const heed_hooks hooks = pool->hooks;
    heed__free(&hooks, pool->workers);
    heed__aligned_free(&hooks, pool);
}

int heed_pool_threads(const heed_pool *pool) {
    return pool ? pool->threads : 1;
}
