/* pipeline_decide.c: the decider's thread: steps in the log's order, one transaction a batch, then
 * those who listen are told. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "serve/pipeline_impl.h"

/* What is to be committed of one batch; arrays of the batch's arena. */
typedef struct outcome {
    heed_arena *arena;
    heed_commit commit;
    heed_decided *decided;
    heed_alert *alert;
    heed_message *message;
    heed_moved *moved;
    int64_t alert_cap, message_cap, moved_cap;
    char *state;
} outcome;

/* Room for one more in an array of the arena: a copy of twice the size when it is full. */
static bool grow(heed_arena *arena, void *array, int64_t len, int64_t *cap, size_t size) {
    if (len < *cap) return true;
    const int64_t more = *cap ? *cap * 2 : 16;
    void *to = heed__arena_alloc(arena, (size_t)more * size), *from;
    if (!to) return false;
    memcpy(&from, array, sizeof from);
    if (len) memcpy(to, from, (size_t)len * size);
    memcpy(array, &to, sizeof to);
    *cap = more;
    return true;
}

static bool texts(heed_arena *arena, const char **const text[], int n) {
    for (int i = 0; i < n; i++)
        if (*text[i] && !(*text[i] = heed__arena_text(arena, *text[i]))) return false;
    return true;
}

static bool keep_alert(outcome *o, const heed_alert *from) {
    heed_commit *c = &o->commit;
    if (!grow(o->arena, &o->alert, c->alerts, &o->alert_cap, sizeof *o->alert)) return false;
    heed_alert *a = &o->alert[c->alerts++];
    *a = *from;
    const char **const text[] = { &a->rule, &a->grade, &a->state, &a->key, &a->title, &a->why };
    return texts(o->arena, text, 6);
}

static bool keep_message(outcome *o, const heed_message *from) {
    heed_commit *c = &o->commit;
    if (!grow(o->arena, &o->message, c->messages, &o->message_cap, sizeof *o->message))
        return false;
    heed_message *m = &o->message[c->messages++];
    *m = *from;
    const char **const text[] = { &m->sink, &m->key, &m->type, &m->body };
    return texts(o->arena, text, 4);
}

static bool keep(outcome *o, const heed_seen *seen, const heed_decisions *d) {
    heed_commit *c = &o->commit;
    bool ok = true;
    if (seen->entry->kind == HEED_ENTRY_EVENT) {
        heed_decided *to = &o->decided[c->decided_len++];
        *to = (heed_decided){ .seq = seen->entry->seq,
                              .finding = seen->finding,
                              .findings = seen->findings,
                              .vector = seen->vector,
                              .dim = seen->dim,
                              .story = d->story,
                              .rank = d->rank,
                              .gates = d->gates };
        const char **const text[] = { &to->gates };
        ok = texts(o->arena, text, 1);
    }
    for (int64_t i = 0; ok && i < d->alerts; i++) ok = keep_alert(o, &d->alert[i]);
    for (int64_t i = 0; ok && i < d->messages; i++) ok = keep_message(o, &d->message[i]);
    for (int64_t i = 0; ok && i < d->moves; i++) {
        ok = grow(o->arena, &o->moved, c->moves, &o->moved_cap, sizeof *o->moved);
        if (ok) o->moved[c->moves++] = d->moved[i];
    }
    return ok;
}

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

static int steps(heed_pipeline *p, pipeline_batch *b, outcome *o, heed_error *err) {
    *o = (outcome){ .arena = &b->arena };
    o->decided = heed__arena_alloc(&b->arena, (size_t)b->n * sizeof *o->decided);
    if (!o->decided) return heed__error(err, HEED_ENOMEM, "decisions: out of memory");
    int rc = 0;
    heed__lock_enter(p->deciding);
    for (int64_t i = 0; rc == 0 && i < b->n; i++) {
        const heed_seen seen = seen_of(b, i);
        heed_decisions d = { 0 };
        rc = heed__decider_step(p->store, p->decider, &seen, &d, err);
        if (rc == 0 && !keep(o, &seen, &d))
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

static void publish(heed_pipeline *p, const pipeline_batch *b, const outcome *o) {
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

static void count(heed_pipeline *p, const pipeline_batch *b, const outcome *o) {
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

static void save(heed_pipeline *p, outcome *o, bool always) {
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
static bool commit(heed_pipeline *p, outcome *o) {
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
    outcome o = { 0 };
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
    outcome o = { .commit = { .upto = p->decided } };
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
