/* base.h: what every other header stands on: errors, hooks, the thread pool, random numbers.
 *
 *     heed_error err;
 *     heed_pool *pool = heed_pool_new(2, NULL, &err);
 *     if (!pool) fprintf(stderr, "%s\n", err.msg);
 *     heed_pool_free(pool);
 *
 * Errors come in three families and no fourth: mathematics takes and returns NULL and its context
 * keeps the first error; makers return the object or NULL and fill a heed_error, whose code is 0
 * where all went well (so look before the next maker); actions return 0 or a negative heed_status.
 * What could not be made is NULL, and every maker, action and question takes it: HEED_EINVALID in a
 * sentence, 0, NULL. (Callers' own structs, of layers, models and random sequences, must be there.)
 * No function of the library prints, exits, changes the locale, handles
 * a signal, or opens a file that it was not asked to open. Numbers are read and written with '.',
 * whatever the locale. Objects are not shared between threads unless their comment says so. After
 * fork() the child may free objects but must not compute with a pool made before.
 */
#ifndef HEED_BASE_H
#define HEED_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HEED_API          __attribute__((visibility("default")))
#define HEED_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HEED_API
#define HEED_PRINTF(f, a)
#endif

#define HEED_VERSION "0.1.0"

/* Every way a call can fail: name, value, the program's exit status for it, and its meaning. */
#define HEED_STATUS_LIST(X)                                                                        \
    X(NOMEM, -1, 71, "out of memory")                                                              \
    X(SHAPE, -2, 65, "shapes that do not fit together")                                            \
    X(INVALID, -3, 64, "an argument or option outside what is allowed")                            \
    X(UNSUPPORTED, -4, 69, "a combination or feature that does not exist")                         \
    X(IO, -5, 74, "the system refused to read or write")                                           \
    X(FORMAT, -6, 65, "file contents that are not what they should be")                            \
    X(NOTFOUND, -7, 66, "no such file, name or column")                                            \
    X(CANCELLED, -8, 75, "stopped because the cancel hook asked for it")                           \
    X(NONFINITE, -9, 65, "a loss or gradient that is not a finite number")

typedef enum heed_status {
    HEED_OK = 0,
#define X(name, value, exit_status, text) HEED_E##name = (value),
    HEED_STATUS_LIST(X)
#undef X
} heed_status;

/* One sentence that names the thing and the place, and its heed_status (0: no error). */
typedef struct heed_error {
    int code;
    char msg[508];
} heed_error;

/* The short name of a status, "NOMEM" for HEED_ENOMEM; "OK" for 0; "UNKNOWN" for what is none.
 * Static storage. */
HEED_API const char *heed_status_name(int code);

/* The version of the library that runs, "0.1.0"; compare with HEED_VERSION, the one compiled
 * against. */
HEED_API const char *heed_version(void);

/* -- hooks ------------------------------------------------------------------------------------ */

/* What the log hook hears of, one line each, from the thread that called. What fails is not among
 * it: that is a heed_error. */
typedef enum heed_log_level {
    HEED_LOG_WARN, /* what works, but not as might be hoped: a slow way had to be taken */
    HEED_LOG_INFO, /* what a run's record should hold: resumed where, a learning rate lowered */
    HEED_LOG_DEBUG /* which kernels and how many threads a context has, what was saved */
} heed_log_level;

/* How far long work has come. Sent from the thread that called the long function, at most about ten
 * times a second. */
typedef struct heed_progress {
    const char *what; /* "train", "pretrain", "evidence" (of n-grams), ...; static storage.
                         "memory", once before training: total is what weights, gradients, moments,
                         texts and the largest step take together, and no more is asked for later.
                         "held out", once before training without held-out data of its own: done of
                         total examples judge, and are not learnt from */
    int64_t done, total;   /* in `unit`s; total 0: not known */
    const char *unit;      /* "samples", "bytes", ... */
    int64_t epoch, epochs; /* 1-based; 0 where there are none */
    double rate;           /* units a second */
    double seconds_left;   /* negative: not known */
    double loss;           /* NaN where there is none */
    /* "epoch", after each epoch of training with a score on held-out data; NULL and 0 elsewhere */
    const char *score_name; /* "Acc", "F1"; the larger the better */
    double score, held_loss;
} heed_progress;

/* What a program may put in place of the library's own ways. A zeroed struct, or NULL where a hooks
 * pointer is taken, means: malloc and free, no log, no progress, never cancel. Objects copy the
 * struct when made. `alloc` and `release` are given together or not at all, must be callable from
 * any thread, and alloc returns memory for any object (aligned as malloc does) or NULL. */
typedef struct heed_hooks {
    void *user;
    void *(*alloc)(void *user, size_t size);
    void (*release)(void *user, void *memory);
    void (*log)(void *user, heed_log_level level, const char *line);
    void (*progress)(void *user, const heed_progress *p);
    bool (*cancel)(void *user); /* asked between steps; true stops with HEED_ECANCELLED, everything
                                   consistent */
} heed_hooks;

/* -- thread pool ------------------------------------------------------------------------------ */

/* Threads that share work cut into fixed chunks. May be shared by any number of contexts in any
 * threads: calls from several threads take turns. Results never depend on the number of threads. */
typedef struct heed_pool heed_pool;

/* threads: how many work in all, the caller included; 0: as many as this process may run on; 1:
 * none but the caller. */
HEED_API heed_pool *heed_pool_new(int threads, const heed_hooks *hooks, heed_error *err);
HEED_API void heed_pool_free(heed_pool *pool); /* NULL is fine; no work may be running */
HEED_API int heed_pool_threads(const heed_pool *pool);

/* Calls fn(arg, begin, end, worker) for [0,n) in pieces of `grain` (the last may be shorter), from
 * whichever worker is free; returns when all is done. worker is in [0, threads) and no two calls
 * with one worker run at once. pool NULL: in the caller alone. fn must not call it. */
typedef void (*heed_range_fn)(void *arg, int64_t begin, int64_t end, int worker);
HEED_API void heed_pool_run(heed_pool *pool, int64_t n, int64_t grain, heed_range_fn fn, void *arg);

/* -- random numbers --------------------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four 32-bit
 * numbers that depend on (seed, stream, counter) alone, so any element of a random tensor can be
 * made by any thread, again and again. */
HEED_API void heed_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* A sequence drawn from one stream of heed_philox; the struct's three fields are its whole state.
 */
typedef struct heed_rng {
    uint64_t seed, stream, drawn;
} heed_rng;
HEED_API uint32_t heed_rng_u32(heed_rng *rng);               /* uniform over all 32-bit values */
HEED_API uint64_t heed_rng_below(heed_rng *rng, uint64_t n); /* uniform over [0,n); 0 for n = 0 */
HEED_API float heed_rng_uniform(heed_rng *rng); /* uniform over [0,1), multiples of 2^-24 */
HEED_API float heed_rng_normal(heed_rng *rng);  /* standard normal, Box and Muller's way */
HEED_API void heed_rng_shuffle(heed_rng *rng, int64_t *items, int64_t n); /* Fisher and Yates */

#ifdef __cplusplus
}
#endif
#endif
