/* thread.c: POSIX threads under thread.h. */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"

struct heed_lock {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    heed_hooks hooks;
};

heed_lock *heed__lock_new(const heed_hooks *hooks, heed_error *err) {
    heed_lock *lock = heed__calloc(hooks, 1, sizeof *lock);
    if (!lock) {
        heed__error(err, HEED_ENOMEM, "out of memory for a lock");
        return NULL;
    }
    if (hooks) lock->hooks = *hooks;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    const bool ok = pthread_mutex_init(&lock->mutex, NULL) == 0 &&
                    pthread_cond_init(&lock->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (ok) return lock;
    heed__error(err, HEED_ENOMEM, "the system gives no lock");
    heed__free(hooks, lock);
    return NULL;
}

void heed__lock_free(heed_lock *lock) {
    if (!lock) return;
    pthread_cond_destroy(&lock->changed);
    pthread_mutex_destroy(&lock->mutex);
    const heed_hooks hooks = lock->hooks;
    heed__free(&hooks, lock);
}

void heed__lock_enter(heed_lock *lock) {
    pthread_mutex_lock(&lock->mutex);
}

void heed__lock_leave(heed_lock *lock) {
    pthread_mutex_unlock(&lock->mutex);
}

bool heed__lock_wait(heed_lock *lock, int64_t ms) {
    if (ms < 0) return pthread_cond_wait(&lock->changed, &lock->mutex) == 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(&lock->changed, &lock->mutex, &until) == 0;
}

void heed__lock_wake(heed_lock *lock) {
    pthread_cond_broadcast(&lock->changed);
}

struct heed_thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
    char name[16];
    heed_hooks hooks;
};

static void *begin(void *arg) {
    heed_thread *thread = arg;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->arg);
    return NULL;
}

heed_thread *heed__thread_start(const heed_hooks *hooks, const char *name, void (*run)(void *arg),
                                void *arg, heed_error *err) {
    heed_thread *thread = heed__calloc(hooks, 1, sizeof *thread);
    if (!thread) {
        heed__error(err, HEED_ENOMEM, "out of memory for thread %s", name);
        return NULL;
    }
    if (hooks) thread->hooks = *hooks;
    thread->run = run;
    thread->arg = arg;
    heed__format(thread->name, sizeof thread->name, "%s", name);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&thread->id, NULL, begin, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) return thread;
    heed__error(err, HEED_ENOMEM, "thread %s cannot be started: %s", name,
                heed__errno_text(failed));
    heed__free(hooks, thread);
    return NULL;
}

void heed__thread_join(heed_thread *thread) {
    if (!thread) return;
    pthread_join(thread->id, NULL);
    const heed_hooks hooks = thread->hooks;
    heed__free(&hooks, thread);
}

int64_t heed__now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t heed__ticks_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double heed__seconds(void) {
    return 1e-9 * (double)heed__ticks_ns();
}

void heed__sleep_ms(int64_t ms) {
    struct timespec left = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}
