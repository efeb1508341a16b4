/* source_impl.h: what the kinds of sources share. A kind is three functions over a state of its
 * own; the thread, giving, pauses after failures and what is told of a source are source.c's. */
#ifndef HEED_FLOW_SOURCE_IMPL_H
#define HEED_FLOW_SOURCE_IMPL_H

#include "base/arena.h"
#include "base/thread.h"
#include "flow/source.h"

/* What a step returns besides a negative status. */
enum {
    HEED_SOURCE_MORE, /* again at once */
    HEED_SOURCE_IDLE, /* nothing new: again after s->wait_ms */
    HEED_SOURCE_ENDED /* never again */
};

typedef struct heed_source_kind {
    const char *name;
    size_t size; /* of the state, zeroed before open */
    int (*open)(heed_source *s,
                heed_error *err); /* before the thread starts; NULL: nothing to do */
    /* NULL: a source without a thread. A failure is told and tried again, after a pause that
     * doubles from 1 s to 5 min, or s->retry_ms where that is set. */
    int (*step)(heed_source *s, heed_error *err);
    void (*close)(heed_source *s); /* after open, even one that failed; NULL: nothing to do */
} heed_source_kind;

extern const heed_source_kind heed__source_csv, heed__source_tail, heed__source_dir,
    heed__source_stdin, heed__source_push, heed__source_feed, heed__source_maildir;

enum { HEED_BATCH_MOST = 256 };

/* Events on their way; strings live in the arena until they are given. */
typedef struct heed_batch {
    heed_arena arena;
    heed_entry entry[HEED_BATCH_MOST];
    int64_t len;
    size_t size; /* bytes of their strings */
} heed_batch;

struct heed_source {
    const heed_source_cfg *cfg; /* the flow's, which outlives the source */
    heed_intake intake;
    heed_store *store;
    heed_hooks hooks;
    const heed_source_kind *kind;
    void *own;
    int64_t wait_ms, retry_ms;
    heed_batch batch;
    int64_t log_ns, logged; /* mistakes told since then */
    heed_thread *thread;
    heed_lock *lock; /* over what follows */
    bool stop;
    const char *state;
    char error[sizeof((heed_error *)0)->msg];
    int64_t events, since_ms;
    heed_metric *taken, *errors;
    int64_t failures; /* in a row */
};

/* True once the source is to end. */
bool heed__source_stopping(heed_source *s);
/* Sleeps; true: the source is to end. */
bool heed__source_sleep(heed_source *s, int64_t ms);
/* A mistake that does not stop the source: counted, logged, shown. */
void heed__source_wrong(heed_source *s, const char *format, ...) HEED_PRINTF(2, 3);

/* Gives s->batch to the intake, trying again until it is taken. 0; HEED_ECANCELLED: the source is
 * to end, and the batch was not taken. The batch is empty afterwards. */
int heed__source_give(heed_source *s, heed_error *err);
/* A new event in the batch, zeroed but for kind and source; NULL: it is full (give it). */
heed_entry *heed__batch_add(heed_source *s);
/* A copy of text within the batch; NULL for NULL, or where memory is out: *failed. */
const char *heed__batch_text(heed_source *s, const char *text, bool *failed);
bool heed__batch_full(const heed_source *s);

/* A value kept in the store under this source's name. get: heed__free; NULL and err->code 0: there
 * is none. */
int heed__source_set(heed_source *s, const char *key, const char *value, heed_error *err);
char *heed__source_get(heed_source *s, const char *key, heed_error *err);

int heed__source_no_memory(const heed_source *s, heed_error *err);

#endif
