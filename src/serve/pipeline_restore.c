/* pipeline_restore.c: deciders that go on where another stopped, by what it saved and by the
 * log. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/pipeline_impl.h"

enum { REMEMBERED = 32768 }; /* the decider knows so many last events itself */

/* -- one event with what was found in it ------------------------------------------------------- */

typedef struct wanted {
    heed_replayed *to;
    int64_t seq;
    bool found, failed;
} wanted;

static bool keep(heed_replayed *to, const heed_entry *e, const heed_decided *d) {
    heed_finding *f = heed__arena_alloc(&to->arena, (size_t)(d->findings + 1) * sizeof *f);
    float *vector = heed__arena_alloc(&to->arena, (size_t)(d->dim + 1) * sizeof *vector);
    if (!f || !vector || !heed__entry_copy(&to->arena, e, &to->entry)) return false;
    if (d->findings) memcpy(f, d->finding, (size_t)d->findings * sizeof *f);
    if (d->vector) memcpy(vector, d->vector, (size_t)d->dim * sizeof *vector);
    for (int64_t i = 0; i < d->findings; i++) {
        const char **text[] = { &f[i].name, &f[i].label, &f[i].detail };
        for (int t = 0; t < 3; t++)
            if (*text[t] && !(*text[t] = heed__arena_text(&to->arena, *text[t]))) return false;
    }
    to->gates = heed__arena_text(&to->arena, d->gates);
    if (d->gates && !to->gates) return false;
    to->seen = (heed_seen){ .entry = &to->entry,
                            .finding = f,
                            .findings = d->findings,
                            .vector = d->vector ? vector : NULL,
                            .dim = d->vector ? d->dim : 0 };
    return true;
}

static bool want(void *user, const heed_entry *e, const heed_decided *d) {
    wanted *w = user;
    if (e->seq != w->seq || e->kind != HEED_ENTRY_EVENT) return false;
    w->found = true;
    w->failed = !keep(w->to, e, d);
    return false;
}

int heed__store_decided_event(heed_store *store, int64_t seq, heed_replayed *to, heed_error *err) {
    wanted w = { .to = to, .seq = seq };
    heed__arena_init(&to->arena, NULL);
    const int64_t n = seq > 0 ? heed_store_replay(store, seq - 1, 1, want, &w, err) : 0;
    int rc = n < 0 ? (int)n : 0;
    if (w.failed) rc = heed__error(err, HEED_ENOMEM, "event %lld: out of memory", (long long)seq);
    if (rc == 0 && !w.found)
        rc = heed__error(err, HEED_ENOTFOUND, "no event %lld that is decided", (long long)seq);
    if (rc) heed__replayed_free(to);
    return rc;
}

void heed__replayed_free(heed_replayed *r) {
    heed__arena_free(&r->arena);
    *r = (heed_replayed){ 0 };
}

/* -- steps ------------------------------------------------------------------------------------- */

/* Of which event an entry of feedback tells; 0: none. */
static int64_t told_of(const heed_entry *e) {
    heed_error err;
    json_t *body = e->body ? heed__json_parse(e->body, strlen(e->body), "body", &err) : NULL;
    const int64_t seq = json_integer_value(json_object_get(body, "seq"));
    json_decref(body);
    return seq;
}

int heed__decider_step(heed_store *store, heed_decider *d, const heed_seen *seen,
                       heed_decisions *out, heed_error *err) {
    const heed_entry *e = seen->entry;
    const int64_t of = e->kind == HEED_ENTRY_FEEDBACK ? told_of(e) : 0;
    heed_replayed old = { 0 };
    if (of <= 0 || of > e->seq - REMEMBERED ||
        heed__store_decided_event(store, of, &old, err) != 0) {
        if (err) err->code = 0;
        return heed_decider_step(d, seen, out, err);
    }
    heed_seen about = old.seen;
    about.entry = e;
    const int rc = heed_decider_step(d, &about, out, err);
    heed__replayed_free(&old);
    return rc;
}

typedef struct replaying {
    heed_store *store;
    heed_decider *d;
    heed_compare_fn each;
    void *user;
    heed_error *err;
    int rc;
} replaying;

static bool replay_one(void *user, const heed_entry *e, const heed_decided *then) {
    replaying *r = user;
    const heed_seen seen = { .entry = e,
                             .finding = then->finding,
                             .findings = then->findings,
                             .vector = then->vector,
                             .dim = then->dim };
    heed_decisions now = { 0 };
    r->rc = heed__decider_step(r->store, r->d, &seen, &now, r->err);
    return r->rc == 0 && (!r->each || r->each(r->user, e, then, &now));
}

int heed__decider_replay(heed_store *store, heed_decider *d, int64_t after, heed_compare_fn each,
                         void *user, heed_error *err) {
    replaying r = { store, d, each, user, err, 0 };
    const int64_t n = heed_store_replay(store, after, INT64_MAX, replay_one, &r, err);
    return n < 0 ? (int)n : r.rc;
}

heed_decider *heed__decider_restore(heed_store *store, const heed_flow *flow,
                                    const heed_hooks *hooks, heed_error *err) {
    char *state = NULL;
    size_t size = 0;
    int64_t at = 0;
    heed_decider *d = heed_decider_new(flow, hooks, err);
    if (!d) return NULL;
    int rc = heed_store_state(store, &state, &size, &at, err);
    if (rc == 0 && state) {
        rc = heed_decider_load(d, state, size, err);
        if (rc == HEED_EFORMAT) { /* other rules: they look at everything anew */
            heed__log(hooks, HEED_LOG_INFO, "the rules are others now: %s", err->msg);
            heed_decider_free(d);
            d = heed_decider_new(flow, hooks, err);
            rc = d ? 0 : err->code;
            at = 0;
        }
    }
    heed__free(hooks, state);
    if (rc == 0) rc = heed__decider_replay(store, d, at, NULL, NULL, err);
    if (rc == 0) return d;
    heed_decider_free(d);
    return NULL;
}
