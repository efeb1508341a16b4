/* thread.h: threads, locks and clocks for what serves or tells how it goes on: the only place
 * besides the pool that names the system's. None of these is for mathematics, whose results know no
 * time and no threads. */
#ifndef HEED_BASE_THREAD_H
#define HEED_BASE_THREAD_H

#include "heed/base.h"

/* A lock and a condition to wait for under it. */
typedef struct heed_lock heed_lock;
heed_lock *heed__lock_new(const heed_hooks *hooks, heed_error *err);
void heed__lock_free(heed_lock *lock); /* NULL is fine; nobody may hold or wait */
void heed__lock_enter(heed_lock *lock);
void heed__lock_leave(heed_lock *lock);
/* Under the lock: sleeps until heed__lock_wake or ms have passed (negative: for ever); true if
 * woken. May wake for nothing: ask again for what was waited for. */
bool heed__lock_wait(heed_lock *lock, int64_t ms);
void heed__lock_wake(heed_lock *lock); /* all who wait; under the lock or not */

/* A thread with all signals blocked, so that they reach the program's first thread. name: at most
 * 15 bytes, seen in top -H. */
typedef struct heed_thread heed_thread;
heed_thread *heed__thread_start(const heed_hooks *hooks, const char *name, void (*run)(void *arg),
                                void *arg, heed_error *err);
void heed__thread_join(heed_thread *thread); /* waits for its end and frees it; NULL is fine */

int64_t heed__now_ms(void);   /* UTC since 1970 began; may jump when the clock is set */
int64_t heed__ticks_ns(void); /* since some start; only grows */
double heed__seconds(void);   /* the same in seconds */
void heed__sleep_ms(int64_t ms);

#endif
