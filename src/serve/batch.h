/* batch.h: texts that several callers bring are answered together, since a model that computes much
 * answers sixty-four texts in far less than sixty-four times the time of one. A thread takes what
 * is waiting; where that is little, it waits for a moment for more to come. */
#ifndef HEED_SERVE_BATCH_H
#define HEED_SERVE_BATCH_H

#include "heed/base.h"

typedef struct heed_batcher heed_batcher;

/* Texts of one caller. Both the job and its texts stay the caller's and live until done is called,
 * once, from the batcher's thread. */
typedef struct heed_job {
    int64_t n;
    const char *const *text; /* [n] */
    void (*done)(struct heed_job *job, int status, const heed_error *err);
    void *user;
    struct heed_job *next; /* the batcher's */
} heed_job;

/* Answers jobs (a list by next) that have n texts in all, putting the answers where the jobs have
 * room for them; not one of them where it fails. */
typedef int (*heed_batch_fn)(void *user, heed_job *job, int64_t n, heed_error *err);

typedef struct heed_batch_cfg {
    const char *name; /* of its thread */
    heed_batch_fn run;
    void *user;
    int64_t max_wait_ms; /* for more texts, from the first on */
    int64_t max_batch;   /* texts that are enough not to wait for more */
    int64_t most_taken;  /* texts answered together, where so many wait: those of like length are
                            then computed together (max_batch); a job of more goes alone */
    int64_t most;        /* texts waiting; a job beyond is refused */
    const heed_hooks *hooks;
} heed_batch_cfg;

heed_batcher *heed_batcher_new(const heed_batch_cfg *cfg, heed_error *err);
void heed_batcher_free(heed_batcher *b); /* after what waits is answered; NULL is fine */
/* False: too many are waiting, done will not be called. */
bool heed_batcher_put(heed_batcher *b, heed_job *job);

#endif
