/* served_impl.h: inside of heed_served, for served.c and served_open.c. */
#ifndef HEED_SERVE_SERVED_IMPL_H
#define HEED_SERVE_SERVED_IMPL_H

#include "base/sha256.h"
#include "base/thread.h"
#include "kernels/kernels.h"
#include "serve/served.h"

/* One of these is set. */
typedef struct heed_served_copy {
    heed_classifier *c;
    heed_tagger *t;
    heed_embedder *e;
} heed_served_copy;

struct heed_served {
    heed_hooks hooks;
    char *dir, *id, *recipe;
    const heed_kernels *k;
    char sha[2 * HEED_SHA256_SIZE + 1];
    heed_served_task task;
    bool heavy;
    int64_t labels; /* K; types of a tagger */
    int64_t width;  /* numbers of an answer: K, or 1 for a score */
    int64_t dim;    /* of the vectors that it can give */
    int64_t parameters;
    heed_served_copy *copy; /* [copies] */
    int copies;
    heed_lock *lock; /* of idle */
    heed_served_copy **idle;
    int idle_len;
    heed_batcher *batch; /* of a heavy one; NULL: none */
};

/* As heed_batch_fn: user is the model, jobs are questions. */
int heed__served_batch(void *user, heed_job *job, int64_t n, heed_error *err);

#endif
