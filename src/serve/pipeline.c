/* pipeline.c: intake, start and end of the flow's threads, reloads. */
#include "serve/pipeline_impl.h"
#include "serve/redact_names.h"
#include "serve/redecide.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"

enum { MOST_WAITING = 100000, DRAIN_STEP_MS = 20, TROUBLE_MS = 500 };

void heed__pipeline_trouble(heed_pipeline *p, const char *what, const heed_error *err) {
    heed__lock_enter(p->lock);
    const bool new = p->trouble != what;
    p->trouble = what;
    heed__lock_leave(p->lock);
    if (what && new) {
        heed__metric_add(p->failed, 1);
        heed__log(&p->hooks, HEED_LOG_WARN, "%s: %s", what, err->msg);
    }
}

void heed_pipeline_leave(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    p->leave = true;
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
}

bool heed__pipeline_leaving(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    const bool leave = p->leave || p->stop;
    heed__lock_leave(p->lock);
    return leave;
}

bool heed_pipeline_stopping(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    const bool stop = p->stop;
    heed__lock_leave(p->lock);
    return stop;
}

/* -- intake ------------------------------------------------------------------------------------ */

/* Waits for room. 0 or HEED_ECANCELLED. */
static int room(heed_pipeline *p, bool wait, heed_error *err) {
    heed__lock_enter(p->lock);
    while (!p->stop && !p->leave && wait && p->appended - p->decided >= p->cfg.most_waiting)
        heed__lock_wait(p->lock, 500);
    const bool stop = p->stop, full = p->appended - p->decided >= p->cfg.most_waiting;
    heed__lock_leave(p->lock);
    if (stop) return heed__error(err, HEED_ECANCELLED, "the flow is stopping");
    if (full)
        return heed__error(err, HEED_ECANCELLED, "the flow is full: %lld events wait",
                           (long long)p->cfg.most_waiting);
    return 0;
}

/* Names, after all else, so that a tagger reads what is left. NULL and *err. */
static char *without_names(heed_pipeline *p, const heed_setup *s, char *text, bool json,
                           int64_t *count, heed_error *err) {
    int64_t found = 0;
    char *own = json ? heed_redact_json_by(&p->hooks, heed__redact_names, s->analyst, text, &found,
                                           err)
                     : heed__redact_names(s->analyst, text, &found, err);
    heed__free(&p->hooks, text);
    *count += found;
    return own;
}

/* One text redacted, for the caller to free; NULL where nothing is to be done or *rc is set. */
static char *redacted(heed_pipeline *p, const heed_setup *s, const char **text, bool json, int *rc,
                      heed_error *err) {
    if (!*text || !**text || *rc) return NULL;
    int64_t count = 0;
    char *own = json ? heed_redact_json(s->redactor, *text, &count, err)
                     : heed_redact(s->redactor, *text, &count, err);
    if (own && heed_redactor_names(s->redactor)) own = without_names(p, s, own, json, &count, err);
    if (!own) {
        *rc = err->code ? err->code : HEED_ENOMEM;
        return NULL;
    }
    heed__metric_add(p->redacted, (double)count);
    *text = own;
    return own;
}

enum { REDACTED = 4 };

/* What a person can be known by is gone before anything is kept. own [n*REDACTED] is freed by the
 * caller. 0 or a status. */
static int redact(heed_pipeline *p, const heed_setup *s, heed_entry *entry, int64_t n, char **own,
                  heed_error *err) {
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        if (entry[i].kind != HEED_ENTRY_EVENT) continue;
        own[i * REDACTED] = redacted(p, s, &entry[i].text, false, &rc, err);
        own[i * REDACTED + 1] = redacted(p, s, &entry[i].title, false, &rc, err);
        own[i * REDACTED + 2] = redacted(p, s, &entry[i].url, false, &rc, err);
        own[i * REDACTED + 3] = redacted(p, s, &entry[i].body, true, &rc, err);
    }
    return rc;
}

/* The store has them. */
static void arrived(heed_pipeline *p, const heed_entry *entry, int64_t n) {
    const int64_t now = heed__ticks_ns();
    int64_t taken = 0;
    heed__lock_enter(p->lock);
    for (int64_t i = 0; i < n; i++) {
        if (entry[i].seq <= 0) continue;
        p->arrived[entry[i].seq % PIPELINE_ARRIVALS] = now;
        if (entry[i].seq > p->appended) p->appended = entry[i].seq;
        taken += entry[i].kind == HEED_ENTRY_EVENT;
    }
    p->touched_ms = heed__now_ms();
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
    heed__metric_add(p->taken, (double)taken);
    heed__metric_add(p->known, (double)(n - taken));
}

int heed__pipeline_append(heed_pipeline *p, const heed_setup *s, heed_entry *entry, int64_t n,
                          heed_error *err) {
    const int64_t now = s->flow->event_clock ? 0 : heed__now_ms(); /* 0: that of the events */
    const int rc = heed_store_append(p->store, entry, n, now, err);
    if (rc == 0) arrived(p, entry, n);
    return rc;
}

int heed_pipeline_take(heed_pipeline *p, heed_entry *entry, int64_t n, bool wait, heed_error *err) {
    if (n == 0) return 0;
    int rc = room(p, wait, err);
    if (rc) return rc;
    heed_setup *s = heed_pipeline_setup(p);
    if (!s->redactor) {
        rc = heed__pipeline_append(p, s, entry, n, err);
        heed_setup_drop(s);
        return rc;
    }
    heed_entry *copy = heed__calloc(&p->hooks, (size_t)n, sizeof *copy);
    char **own = heed__calloc(&p->hooks, (size_t)n, REDACTED * sizeof *own);
    if (!copy || !own) rc = heed__error(err, HEED_ENOMEM, "events: out of memory");
    if (rc == 0) memcpy(copy, entry, (size_t)n * sizeof *copy);
    if (rc == 0) rc = redact(p, s, copy, n, own, err);
    if (rc == 0) rc = heed__pipeline_append(p, s, copy, n, err);
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        entry[i].seq = copy[i].seq;
        entry[i].time_ms = copy[i].time_ms;
    }
    for (int64_t i = 0; own && i < n * REDACTED; i++) heed__free(&p->hooks, own[i]);
    heed__free(&p->hooks, own);
    heed__free(&p->hooks, copy);
    heed_setup_drop(s);
    return rc;
}

/* -- which setup is in force ------------------------------------------------------------------- */

heed_setup *heed_pipeline_setup(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    heed_setup *s = heed_setup_hold(p->setup);
    heed__lock_leave(p->lock);
    return s;
}

/* -- start and end ----------------------------------------------------------------------------- */

static void metrics(heed_pipeline *p) {
    heed_metrics_set *m = p->cfg.metrics;
    p->taken = heed__counter(m, "heed_events_total", "events taken and stored", NULL);
    p->known = heed__counter(m, "heed_events_known_total", "events that were there already", NULL);
    p->redacted = heed__counter(m, "heed_redacted_total", "personal data replaced in texts", NULL);
    p->told = heed__counter(m, "heed_decided_total", "events analysed and decided about", NULL);
    p->alerts = heed__counter(m, "heed_alerts_total", "alerts opened or changed", NULL);
    p->failed = heed__counter(m, "heed_trouble_total", "times that something held the flow up",
                              NULL);
    p->old = heed__counter(m, "heed_removed_total", "old entries removed", NULL);
    p->latency = heed__histogram(m, "heed_latency_seconds",
                                 "from an event taken to what was decided told", NULL);
    p->queue = heed__gauge(m, "heed_waiting", "entries stored and not yet decided", NULL);
}

static int begin(heed_pipeline *p, heed_error *err) {
    p->lock = heed__lock_new(&p->hooks, err);
    p->deciding = p->lock ? heed__lock_new(&p->hooks, err) : NULL;
    p->arrived = heed__calloc(&p->hooks, PIPELINE_ARRIVALS, sizeof *p->arrived);
    if (!p->deciding) return err->code;
    if (!p->arrived) return heed__error(err, HEED_ENOMEM, "events: out of memory");
    p->appended = heed_store_last(p->store);
    p->decided = p->read = heed_store_decided(p->store);
    p->touched_ms = heed__now_ms();
    p->saved_at = p->decided;
    if (heed__redecide(p->store, p->setup->flow, &p->hooks, err) != 0) /* tried again then */
        heed__log(&p->hooks, HEED_LOG_WARN, "what was not forgotten is not decided anew: %s",
                  err->msg);
    p->decider = heed__decider_restore(p->store, p->setup->flow, &p->hooks, err);
    int rc = p->decider ? heed__pipeline_remember(p, p->setup, p->decided, err) : err->code;
    if (rc == 0) rc = heed__pipeline_tell_loaded(p, err);
    if (rc) return rc;
    p->saved_ns = heed__ticks_ns();
    p->thread = heed__thread_start(&p->hooks, "decide", heed__pipeline_decide, p, err);
    if (p->thread)
        p->reader = heed__thread_start(&p->hooks, "analyse", heed__pipeline_read, p, err);
    if (p->reader) p->clock = heed__thread_start(&p->hooks, "clock", heed__pipeline_clock, p, err);
    return p->clock ? 0 : err->code;
}

heed_pipeline *heed_pipeline_start(const heed_pipeline_cfg *cfg, heed_error *err) {
    heed_pipeline *p = heed__calloc(cfg->hooks, 1, sizeof *p);
    if (!p) {
        heed__error(err, HEED_ENOMEM, "events: out of memory");
        return NULL;
    }
    if (cfg->hooks) p->hooks = *cfg->hooks;
    p->cfg = *cfg;
    p->cfg.hooks = &p->hooks;
    if (p->cfg.most_waiting <= 0) p->cfg.most_waiting = MOST_WAITING;
    p->store = cfg->store;
    p->end = &p->first;
    p->line.hooks = &p->hooks;
    p->setup = heed_setup_hold(cfg->setup);
    p->reading = heed_setup_hold(cfg->setup);
    p->rules = heed_setup_hold(cfg->setup);
    metrics(p);
    if (begin(p, err) == 0) return p;
    heed_pipeline_stop(p, 0);
    return NULL;
}

/* Nothing more is taken; what was is decided, within the time. What is not then is safe: the store
 * has it. */
static void drain(heed_pipeline *p, int seconds) {
    const int64_t begun = heed__ticks_ns(), until = begun + (int64_t)seconds * 1000000000;
    heed__lock_enter(p->lock);
    p->stop = p->leave = true;
    heed__lock_wake(p->lock);
    while (p->clock && p->decided < p->appended && heed__ticks_ns() < until) {
        /* a full disk may get room again, but who ends the flow does not wait for it */
        if (p->trouble && heed__ticks_ns() > begun + (int64_t)TROUBLE_MS * 1000000) break;
        heed__lock_wait(p->lock, DRAIN_STEP_MS);
    }
    p->halt = true;
    const int64_t left = p->clock ? p->appended - p->decided : 0;
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
    if (left > 0)
        heed__log(&p->hooks, HEED_LOG_WARN,
                  "%lld entries are stored and not decided about: that is done at the next start",
                  (long long)left);
}

void heed_pipeline_stop(heed_pipeline *p, int seconds) {
    if (!p) return;
    if (p->deciding) drain(p, seconds);
    heed__thread_join(p->reader);
    heed__thread_join(p->thread);
    heed__thread_join(p->clock);
    while (p->first) {
        pipeline_batch *b = p->first;
        p->first = b->next;
        heed__batch_free(p, b);
    }
    heed_decider_free(p->decider);
    heed__batch_free(p, p->coming);
    heed_setup_drop(p->setup);
    heed_setup_drop(p->reading);
    heed_setup_drop(p->rules);
    heed__lock_free(p->deciding);
    heed__lock_free(p->lock);
    heed__text_free(&p->line);
    const heed_hooks hooks = p->hooks;
    heed__free(&hooks, p->arrived);
    heed__free(&hooks, p);
}
