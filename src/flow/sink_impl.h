/* sink_impl.h: what a kind of sink is to the threads that drive it. */
#ifndef HEED_FLOW_SINK_IMPL_H
#define HEED_FLOW_SINK_IMPL_H

#include "base/thread.h"
#include "flow/sink.h"

enum { HEED_SINK_REASON = 256 };

typedef enum heed__sink_what {
    HEED_SINK_SENT,
    HEED_SINK_AGAIN, /* counted as a try; the sink pauses too, since others would fare alike */
    HEED_SINK_WAIT,  /* not the message's fault: it stays as it is, the sink pauses */
    HEED_SINK_DEAD   /* trying again would not help */
} heed__sink_what;

/* What came of a delivery. */
typedef struct heed__outcome {
    heed__sink_what what;
    int64_t after_ms; /* not before; 0: by doubling pauses */
    char reason[HEED_SINK_REASON];
} heed__outcome;

typedef struct heed__sink heed__sink;

typedef struct heed__sink_kind {
    const char *name;
    int (*open)(heed__sink *s, heed_error *err); /* sets s->own; NULL: nothing to open */
    void (*deliver)(heed__sink *s, const heed_message *m, heed__outcome *o);
    /* What was delivered becomes safe; until then it counts as not delivered. NULL: it is. */
    int (*flush)(heed__sink *s, heed_error *err);
    void (*close)(heed__sink *s); /* of a failed open too */
} heed__sink_kind;

extern const heed__sink_kind heed__sink_webhook, heed__sink_file, heed__sink_mail, heed__sink_page;

/* One sink and its thread, which alone touches what stands before `lock`. */
struct heed__sink {
    struct heed_sinks *all;
    const heed_sink_cfg *cfg;
    const heed__sink_kind *kind;
    void *own;
    const char *name;
    int64_t failures;   /* of the whole sink, one after the other */
    int64_t hold_ticks; /* nothing before (ns) */
    heed_thread *thread;
    heed_metric *sent, *failed, *dead, *seconds;
    /* under all->lock */
    bool woken;
    char error[HEED_SINK_REASON]; /* "" none */
};

struct heed_sinks {
    heed_sinks_cfg cfg; /* zeros replaced */
    heed_hooks hooks;
    heed_lock *lock;
    bool stop;                     /* under lock */
    int64_t begun_ms, begun_ticks; /* both clocks at the start */
    heed__sink *sink;              /* [len] */
    int64_t len;
};

bool heed__sink_stopping(void *sink);
/* The system's clock, but never back behind where it was: so that what is due stays due when
 * somebody sets the clock back. */
int64_t heed__sink_now(const heed_sinks *all);
/* {"key","type","message":body}, one line without its end; heed__free. NULL: out of memory. */
char *heed__sink_text(const heed_hooks *hooks, const heed_message *m, size_t *size);
void heed__sink_say(heed__outcome *o, heed__sink_what what, const char *format, ...)
    HEED_PRINTF(3, 4);

#endif
