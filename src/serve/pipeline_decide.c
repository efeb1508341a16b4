/* pipeline_decide.c: the decider's thread: steps in the log's order, one transaction a batch, then
 * those who listen are told. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "serve/outcome.h"
#include "serve/pipeline_impl.h"

static heed_seen seen_of(const pipeline_batch *b, int64_t i) {
    heed_seen seen = { .entry = &b->entry[i] };
    const int64_t at = b->event[i];
    if (at < 0) return seen;
    seen.finding = b->found.finding + b->found.start[at];
    seen.findings = b->found.start[at + 1] - b->found.start[at];
    if (b->found.vector) seen.vector = b->found.vector + at * b->found.dim;
    seen.dim = b->found.vector ? b->found.dim : 0;
    return seen;
}

static int steps(heed_pipeline *p, pipeline_batch *b, heed_outcome *o, heed_error *err) {
    *o = (heed_outcome){ .arena = &b->arena };
    o->decided = heed__arena_alloc(&b->arena, (size_t)b->n * sizeof *o->decided);
    if (!o->decided) return heed__error(err, HEED_ENOMEM, "decisions: out of memory");
    int rc = 0;
    heed__lock_enter(p->deciding);
    for (int64_t i = 0; rc == 0 && i < b->n; i++) {
        const heed_seen seen = seen_of(b, i);
        heed_decisions d = { 0 };
        rc = heed__decider_step(p->store, p->decider, &seen, &d, err);
        if (rc == 0 && !heed__outcome_keep(o, &seen, &d))
            rc = heed__error(err, HEED_ENOMEM, "decisions: out of memory");
    }
    heed__lock_leave(p->deciding);
    o->commit.upto = b->entry[b->n - 1].seq;
    o->commit.decided = o->decided;
    o->commit.alert = o->alert;
    o->commit.message = o->message;
    o->commit.moved = o->moved;
    return rc;
}

/* -- telling ----------------------------------------------------------------------------------- */

/* Of a batch, whose seqs rise. */
static const heed_entry *entry_of(const pipeline_batch *b, int64_t seq) {
    int64_t low = 0, high = b->n - 1;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (b->entry[mid].seq < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return &b->entry[low];
}

static void publish(heed_pipeline *p, const pipeline_batch *b, const heed_outcome *o) {
    heed_text *l = &p->line;
    for (int64_t i = 0; p->cfg.hub && i < o->commit.decided_len; i++) {
        const heed_entry *e = entry_of(b, o->decided[i].seq);
        l->len = 0;
        l->failed = false;
        heed__event_line(l, e, &o->decided[i]);
        if (!l->failed)
            heed_hub_publish(p->cfg.hub, HEED_TOPIC_EVENT, "event", e->seq, l->bytes,
                             (size_t)l->len);
    }
    for (int64_t i = 0; p->cfg.hub && i < o->commit.alerts; i++) {
        l->len = 0;
        l->failed = false;
        heed__alert_line(l, &o->alert[i], 0);
        if (!l->failed)
            heed_hub_publish(p->cfg.hub, HEED_TOPIC_ALERT, "alert", o->alert[i].seq, l->bytes,
                             (size_t)l->len);
    }
    for (int64_t i = 0; p->cfg.told && i < o->commit.decided_len; i++)
        p->cfg.told(p->cfg.user, entry_of(b, o->decided[i].seq), &o->decided[i]);
    if (o->commit.messages && p->cfg.committed) p->cfg.committed(p->cfg.user);
}

static void count(heed_pipeline *p, const pipeline_batch *b, const heed_outcome *o) {
    const int64_t now = heed__ticks_ns();
    heed__metric_add(p->told, (double)o->commit.decided_len);
    heed__metric_add(p->alerts, (double)o->commit.alerts);
    heed__lock_enter(p->lock);
    for (int64_t i = 0; i < b->n; i++) {
        int64_t *at = &p->arrived[b->entry[i].seq % PIPELINE_ARRIVALS];
        if (!*at || b->entry[i].kind != HEED_ENTRY_EVENT) continue;
        const double seconds = (double)(now - *at) * 1e-9;
        *at = 0;
        p->recent[p->recents++ % PIPELINE_RECENT] = (float)seconds;
        heed__metric_observe(p->latency, seconds);
    }
    p->events_decided += o->commit.decided_len;
    p->decided = o->commit.upto;
    heed__metric_set(p->queue, (double)(p->appended - p->decided));
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
}

/* -- committing -------------------------------------------------------------------------------- */

bool heed__pipeline_pause(heed_pipeline *p, int64_t *pause) {
    *pause = *pause ? (*pause < 1000 ? *pause * 2 : 1000) : 10;
    heed__lock_enter(p->lock);
    if (!p->halt) heed__lock_wait(p->lock, *pause);
    const bool go = !p->halt;
    heed__lock_leave(p->lock);
    return go;
}

static void save(heed_pipeline *p, heed_outcome *o, bool always) {
    const int64_t now = heed__ticks_ns();
    if (!always && now - p->saved_ns < (int64_t)PIPELINE_STATE_MS * 1000000) return;
    heed_error err = { 0 };
    size_t size = 0;
    if (heed_decider_save(p->decider, &o->state, &size, &err) != 0) {
        heed__log(&p->hooks, HEED_LOG_WARN, "what rules remember is not saved: %s", err.msg);
        return;
    }
    o->commit.state = o->state;
    o->commit.state_size = size;
    p->saved_ns = now;
    p->saved_at = o->commit.upto;
}

/* Until it succeeds: a full disk may get room again. False: to end, nothing committed. */
static bool commit(heed_pipeline *p, heed_outcome *o) {
    heed_error err = { 0 };
    int64_t pause = 0;
    while (heed_store_commit(p->store, &o->commit, &err) != 0) {
        heed__pipeline_trouble(p, "decisions cannot be stored", &err);
        if (!heed__pipeline_pause(p, &pause)) return false;
    }
    if (pause) heed__pipeline_trouble(p, NULL, NULL);
    return true;
}

static bool decide(heed_pipeline *p, pipeline_batch *b) {
    heed_error err = { 0 };
    heed_outcome o = { 0 };
    int64_t pause = 0;
    if (b->setup && !heed__pipeline_change(p, b)) return false;
    while (steps(p, b, &o, &err) != 0) {
        heed__pipeline_trouble(p, "rules cannot go on", &err);
        if (!heed__pipeline_pause(p, &pause) || !heed__pipeline_restore(p)) return false;
        heed__pipeline_trouble(p, NULL, NULL);
    }
    save(p, &o, b->setup != NULL);
    const bool done = commit(p, &o);
    heed__free(&p->hooks, o.state);
    if (!done) return false;
    publish(p, b, &o);
    count(p, b, &o);
    return true;
}

/* The next batch; NULL: to end. */
static pipeline_batch *next(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    while (!p->halt && !p->first) heed__lock_wait(p->lock, -1);
    pipeline_batch *b = p->halt ? NULL : p->first;
    if (b) {
        p->first = b->next;
        if (!p->first) p->end = &p->first;
        p->batches--;
        heed__lock_wake(p->lock);
    }
    heed__lock_leave(p->lock);
    return b;
}

void heed__pipeline_decide(void *pipeline) {
    heed_pipeline *p = pipeline;
    bool go = true;
    for (pipeline_batch *b; go && (b = next(p)) != NULL;) {
        go = decide(p, b);
        heed__batch_free(p, b);
    }
    if (!go || p->saved_at == p->decided) return;
    heed_error err = { 0 };
    heed_outcome o = { .commit = { .upto = p->decided } };
    save(p, &o, true);
    if (o.state && heed_store_commit(p->store, &o.commit, &err) != 0)
        heed__log(&p->hooks, HEED_LOG_WARN, "what rules remember is not saved: %s", err.msg);
    heed__free(&p->hooks, o.state);
}

json_t *heed_pipeline_why(heed_pipeline *p, int64_t seq, const char *rule, heed_error *err) {
    heed_replayed r = { 0 };
    if (heed__store_decided_event(p->store, seq, &r, err) != 0) return NULL;
    heed__lock_enter(p->deciding);
    json_t *why = NULL;
    if (p->decider)
        why = heed_decider_why(p->decider, &r.seen, r.gates, rule, err);
    else
        heed__error(err, HEED_EIO, "the rules are not ready");
    heed__lock_leave(p->deciding);
    heed__replayed_free(&r);
    return why;
}

int heed_pipeline_expect(heed_pipeline *p, json_t *counts, const char *source, heed_error *err) {
    heed__lock_enter(p->deciding);
    const int rc = p->decider ? heed_decider_expect(p->decider, counts, source, err)
                              : heed__error(err, HEED_EIO, "the rules are not ready");
    heed__lock_leave(p->deciding);
    return rc;
}
