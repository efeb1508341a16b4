/* setup.c: what a flow file names, opened together and closed together. */
#include "serve/setup.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "serve/redact_names.h"

static void close_all(heed_setup *s) {
    const heed_hooks hooks = s->hooks;
    heed_desk_close(s->desk);
    heed_analyst_drop(s->analyst);
    heed_redactor_free(s->redactor);
    heed__lock_free(s->lock);
    heed_flow_close(s->flow);
    heed__free(&hooks, s);
}

static int open_all(heed_setup *s, int threads, heed_metrics_set *metrics, heed_error *err) {
    s->lock = heed__lock_new(&s->hooks, err);
    if (!s->lock) return err->code;
    if (s->flow->redact_len) {
        s->redactor = heed_redactor_new(s->flow->redact, s->flow->redact_len, &s->hooks, err);
        if (!s->redactor) return err->code;
    }
    s->analyst = heed_analyst_open(s->flow, threads, metrics, &s->hooks, err);
    if (!s->analyst) return err->code;
    if (s->redactor && heed_redactor_names(s->redactor) && heed__names_check(s->analyst, err))
        return err->code;
    if (!s->flow->desk) return 0;
    s->desk = heed_desk_open(s->flow, s->analyst, &s->hooks, err);
    return s->desk ? 0 : err->code;
}

heed_setup *heed_setup_open(heed_flow *flow, int threads, heed_metrics_set *metrics,
                            const heed_hooks *hooks, heed_error *err) {
    heed_setup *s = heed__calloc(hooks, 1, sizeof *s);
    if (!s) {
        heed_flow_close(flow);
        heed__error(err, HEED_ENOMEM, "out of memory");
        return NULL;
    }
    if (hooks) s->hooks = *hooks;
    s->flow = flow;
    s->users = 1;
    s->opened_ms = heed__now_ms();
    if (open_all(s, threads, metrics, err) == 0) return s;
    close_all(s);
    return NULL;
}

heed_setup *heed_setup_hold(heed_setup *s) {
    heed__lock_enter(s->lock);
    s->users++;
    heed__lock_leave(s->lock);
    return s;
}

void heed_setup_drop(heed_setup *s) {
    if (!s) return;
    heed__lock_enter(s->lock);
    const int64_t left = --s->users;
    heed__lock_leave(s->lock);
    if (left == 0) close_all(s);
}

bool heed_setup_alone(heed_setup *s) {
    heed__lock_enter(s->lock);
    const bool one = s->users == 1;
    heed__lock_leave(s->lock);
    return one && heed_analyst_users(s->analyst) == 1;
}
