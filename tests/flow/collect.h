/* collect.h: an intake that keeps what it is given, for tests of sources. */
#ifndef HEED_TESTS_FLOW_COLLECT_H
#define HEED_TESTS_FLOW_COLLECT_H

#include "base/thread.h"
#include "flow/source.h"

typedef struct taken {
    char *id, *text, *title, *url, *user, *session, *body;
    int64_t happened_ms;
} taken;

typedef struct collect {
    heed_lock *lock;
    heed_store *store; /* of its own, in memory */
    taken *event;      /* [len] in the order in which they came, each id once */
    int64_t len, cap, again, calls;
    const char *poison; /* a batch with that text is HEED_EINVALID; NULL: none */
    int refuse;         /* so many calls are refused first */
    heed_source *source;
    heed_flow *flow;
} collect;

/* Starts a source from the flow file's lines for one source named `in`:
 * "kind: tail, path: /tmp/x". Fails the test where it does not start. */
void collect_start(collect *c, const char *settings);
void collect_stop(collect *c); /* the store and the events stay, for another start */
void collect_free(collect *c);
/* Waits until n events were taken; fails the test after a long time. */
void collect_wait(collect *c, int64_t n);
/* What a source says of itself: a key's text ("" for null). */
void collect_state(collect *c, const char *key, char *room, size_t size);
/* Waits until the source is in that state. */
void collect_until(collect *c, const char *state);

#endif
