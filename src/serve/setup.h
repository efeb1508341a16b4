/* setup.h: a flow file with all that it names opened: models, support desk, redaction. Counted:
 * after a reload the one before lives until its last request is answered. */
#ifndef HEED_SERVE_SETUP_H
#define HEED_SERVE_SETUP_H

#include "flow/flow.h"
#include "flow/redact.h"
#include "serve/analyst.h"
#include "serve/desk.h"

typedef struct heed_setup {
    heed_flow *flow;
    heed_analyst *analyst;
    heed_desk *desk;         /* NULL: the flow has none */
    heed_redactor *redactor; /* NULL: nothing is redacted */
    int64_t opened_ms;
    int64_t known; /* the pipeline's: the last event that its analyses remember */
    /* setup.c's own */
    heed_hooks hooks;
    int64_t users;
    struct heed_lock *lock;
} heed_setup;

/* Takes the flow (closed on failure too). NULL and *err. */
heed_setup *heed_setup_open(heed_flow *flow, int threads, heed_metrics_set *metrics,
                            const heed_hooks *hooks, heed_error *err);
heed_setup *heed_setup_hold(heed_setup *s);
void heed_setup_drop(heed_setup *s); /* NULL is fine */
/* Whether nobody but the caller has it or its analyst. */
bool heed_setup_alone(heed_setup *s);

#endif
