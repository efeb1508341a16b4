/* pipeline_reload.c: other rules, models and settings in a flow that goes on. What takes long is
 * made ready beside it: models are open already, rules that cannot go on from what those before
 * remember go over the log, analyses that remember read what they must. Then the reader, between
 * two batches, tells the log from which entry on the new ones are in force, and analyses by them;
 * the decider changes its rules at that very entry. What waits does not hold this up. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/pipeline_impl.h"

enum { NEAR = 4096, LOOK = 256 }; /* entries: behind the decider; between two looks at the end */

/* -- what the log is told ---------------------------------------------------------------------- */

/* {"flow":SHA,"models":{..},"from":seq}; NULL and *err. */
static json_t *loaded_json(const heed_setup *s, int64_t from, heed_error *err) {
    json_t *tree = json_pack("{s:s, s:o, s:I}", "flow", s->flow->sha ? s->flow->sha : "", "models",
                             heed_analyst_shas(s->analyst), "from", (json_int_t)from);
    if (!tree) heed__error(err, HEED_ENOMEM, "out of memory");
    return tree;
}

/* 0: the log has it, or a status. */
static int tell(heed_pipeline *p, const heed_setup *s, json_t *loaded, heed_error *err) {
    size_t len;
    char *text = heed__json_text(&p->hooks, loaded, false, &len, err);
    if (!text) return err->code;
    heed_entry e = { .kind = HEED_ENTRY_LOADED, .body = text };
    const int rc = heed__pipeline_append(p, s, &e, 1, err);
    heed_error own = { 0 };
    if (rc == 0 && heed_store_set(p->store, "loaded", text, &own) != 0) /* told again at a start */
        heed__log(&p->hooks, HEED_LOG_WARN, "which flow is loaded is not noted: %s", own.msg);
    heed__free(&p->hooks, text);
    return rc;
}

/* Whether the last that was told is the same flow and models, in force where work goes on. */
static bool knows(heed_pipeline *p, const json_t *loaded) {
    heed_error err = { 0 };
    char *text = heed_store_get(p->store, "loaded", &err);
    json_t *before = text ? heed__json_parse(text, strlen(text), "loaded", &err) : NULL;
    const bool same =
        before && json_equal(json_object_get(before, "flow"), json_object_get(loaded, "flow")) &&
        json_equal(json_object_get(before, "models"), json_object_get(loaded, "models")) &&
        json_integer_value(json_object_get(before, "from")) <=
            json_integer_value(json_object_get(loaded, "from"));
    json_decref(before);
    heed__free(&p->hooks, text);
    return same;
}

int heed__pipeline_tell_loaded(heed_pipeline *p, heed_error *err) {
    json_t *loaded = loaded_json(p->setup, p->decided + 1, err);
    if (!loaded) return err->code;
    const int rc = knows(p, loaded) ? 0 : tell(p, p->setup, loaded, err);
    json_decref(loaded);
    return rc;
}

/* -- analyses that remember -------------------------------------------------------------------- */

/* Entries read again, put to the analyses so many at a time. */
typedef struct recall {
    heed_pipeline *p;
    heed_analyst *analyst;
    int64_t upto;
    heed_arena arena;
    heed_entry entry[PIPELINE_BATCH];
    int64_t n;
    heed_error *err;
    int rc;
} recall;

static void recall_all(recall *r) {
    if (r->rc == 0 && r->n && heed__pipeline_leaving(r->p))
        r->rc = heed__error(r->err, HEED_ECANCELLED, "the flow is stopping");
    if (r->rc == 0 && r->n) r->rc = heed_analyst_recall(r->analyst, r->entry, r->n, r->err);
    r->n = 0;
    heed__arena_free(&r->arena);
}

static bool recall_one(void *user, const heed_entry *e) {
    recall *r = user;
    if (e->kind == HEED_ENTRY_EVENT && e->seq <= r->upto) {
        if (!heed__entry_copy(&r->arena, e, &r->entry[r->n]))
            r->rc = heed__error(r->err, HEED_ENOMEM, "events: out of memory");
        else if (++r->n == PIPELINE_BATCH)
            recall_all(r);
    }
    return r->rc == 0 && e->seq < r->upto;
}

int heed__pipeline_remember(heed_pipeline *p, heed_setup *setup, int64_t upto, heed_error *err) {
    const int64_t back = heed_analyst_memory(setup->analyst);
    int64_t from = upto > back ? upto - back : 0;
    if (from < setup->known) from = setup->known;
    if (back == 0 || from >= upto) return 0;
    recall *r = heed__calloc(&p->hooks, 1, sizeof *r);
    if (!r) return heed__error(err, HEED_ENOMEM, "events: out of memory");
    r->p = p;
    r->analyst = setup->analyst;
    r->upto = upto;
    r->err = err;
    heed__arena_init(&r->arena, &p->hooks);
    const int64_t n = heed_store_read(p->store, from, back, recall_one, r, err);
    recall_all(r);
    const int rc = n < 0 ? (int)n : r->rc;
    if (rc == 0) setup->known = upto;
    heed__free(&p->hooks, r);
    return rc;
}

/* -- rules ------------------------------------------------------------------------------------- */

typedef struct following {
    heed_pipeline *p;
    int64_t *at;
} following;

static bool follow(void *user, const heed_entry *e, const heed_decided *then,
                   const heed_decisions *now) {
    const following *f = user;
    (void)then, (void)now;
    *f->at = e->seq;
    return e->seq % LOOK || !heed__pipeline_leaving(f->p);
}

/* Rules of which those at work know nothing go over the log, until they are near its end. */
static int catch_up(heed_pipeline *p, pipeline_change *c, heed_error *err) {
    following f = { p, &c->decider_at };
    int rc = 0;
    for (int64_t before = -1; rc == 0 && before < c->decider_at;) {
        if (heed__pipeline_leaving(p))
            return heed__error(err, HEED_ECANCELLED, "the flow is stopping");
        if (before >= 0 && heed_store_decided(p->store) - c->decider_at < NEAR) return 0;
        before = c->decider_at;
        rc = heed__decider_replay(p->store, c->decider, c->decider_at, follow, &f, err);
    }
    return rc;
}

/* What the rules at work remember, into others; HEED_EFORMAT: it does not fit them. */
static int hand_memory(heed_pipeline *p, heed_decider *to, heed_error *err) {
    char *data = NULL;
    size_t size = 0;
    heed__lock_enter(p->deciding);
    int rc = p->decider ? heed_decider_save(p->decider, &data, &size, err)
                        : heed__error(err, HEED_EIO, "the rules are not ready");
    heed__lock_leave(p->deciding);
    if (rc == 0) rc = heed_decider_load(to, data, size, err);
    heed__free(&p->hooks, data);
    return rc;
}

/* Before anything changes. 0 or a status. */
static int prepare(heed_pipeline *p, pipeline_change *c, heed_error *err) {
    heed_setup *now = heed_pipeline_setup(p);
    int rc = 0;
    if (!heed_analyst_alike(c->setup->analyst, now->analyst))
        rc = heed__pipeline_remember(p, c->setup, heed_store_decided(p->store), err);
    heed_setup_drop(now);
    heed_decider *d = rc ? NULL : heed_decider_new(c->setup->flow, &p->hooks, err);
    if (!d) return err->code;
    rc = hand_memory(p, d, err);
    heed_decider_free(d);
    if (rc != HEED_EFORMAT) return rc; /* it fits: it is handed over when the change is due */
    c->decider = heed_decider_new(c->setup->flow, &p->hooks, err);
    return c->decider ? catch_up(p, c, err) : err->code;
}

bool heed__pipeline_restore(heed_pipeline *p) {
    int64_t pause = 0;
    heed__lock_enter(p->deciding);
    heed_decider_free(p->decider);
    p->decider = NULL;
    heed__lock_leave(p->deciding);
    for (;;) {
        heed_error err = { 0 };
        heed_decider *d = heed__decider_restore(p->store, p->rules->flow, &p->hooks, &err);
        heed__lock_enter(p->deciding);
        p->decider = d;
        heed__lock_leave(p->deciding);
        if (d) return true;
        heed__pipeline_trouble(p, "rules cannot go on", &err);
        if (!heed__pipeline_pause(p, &pause)) return false;
    }
}

/* The rules of a batch's setup: they know all that the ones before knew, where that fits them, else
 * what they would know had they always been there. NULL: they cannot. */
static heed_decider *rules_of(heed_pipeline *p, pipeline_batch *b) {
    heed_error err = { 0 };
    heed_decider *d = b->decider;
    b->decider = NULL;
    int rc = 0;
    if (!d) {
        d = heed_decider_new(b->setup->flow, &p->hooks, &err);
        rc = d ? hand_memory(p, d, &err) : err.code;
        if (rc == HEED_EFORMAT) {
            heed_decider_free(d);
            d = heed_decider_new(b->setup->flow, &p->hooks, &err);
            b->decider_at = 0;
            rc = d ? 0 : err.code;
        } else {
            b->decider_at = INT64_MAX;
        }
    }
    if (rc == 0 && b->decider_at < INT64_MAX)
        rc = heed__decider_replay(p->store, d, b->decider_at, NULL, NULL, &err);
    if (rc == 0) return d;
    heed_decider_free(d);
    return NULL;
}

bool heed__pipeline_change(heed_pipeline *p, pipeline_batch *b) {
    heed_decider *d = rules_of(p, b);
    heed__lock_enter(p->deciding);
    heed_decider_free(p->decider);
    p->decider = d;
    heed_setup_drop(p->rules);
    p->rules = heed_setup_hold(b->setup);
    heed__lock_leave(p->deciding);
    if (!d && !heed__pipeline_restore(p)) return false;
    heed__lock_enter(p->lock);
    heed_setup_drop(p->setup);
    p->setup = heed_setup_hold(b->setup);
    p->changing = false;
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
    return true;
}

/* -- the change -------------------------------------------------------------------------------- */

/* By the reader: the next batch is analysed by the new setup, and brings its rules. */
static void put_in_place(heed_pipeline *p, pipeline_change *c, pipeline_batch *b) {
    heed_error err = { 0 };
    heed_setup *before = p->reading, *s = c->setup;
    before->known = p->read;
    if (heed_analyst_alike(s->analyst, before->analyst)) {
        heed_analyst_swap_memory(s->analyst, before->analyst);
        s->known = p->read, before->known = 0;
    } else if (heed__pipeline_remember(p, s, p->read, &err) != 0) {
        heed__log(&p->hooks, HEED_LOG_WARN, "what was seen before is not known: %s", err.msg);
    }
    heed_setup_drop(before);
    p->reading = heed_setup_hold(s);
    b->setup = heed_setup_hold(s);
    b->decider = c->decider;
    b->decider_at = c->decider_at;
    p->coming = b;
}

void heed__pipeline_begin_change(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    pipeline_change *c = p->asked;
    p->asked = NULL;
    if (c) c->stage = CHANGE_BEGUN;
    heed__lock_leave(p->lock);
    if (!c) return;
    pipeline_batch *b = heed__calloc(&p->hooks, 1, sizeof *b);
    json_t *loaded = b ? loaded_json(c->setup, p->read + 1, &c->err) : NULL;
    int rc = loaded ? tell(p, c->setup, loaded, &c->err)
                    : heed__error(&c->err, HEED_ENOMEM, "out of memory");
    json_decref(loaded);
    if (b) heed__arena_init(&b->arena, &p->hooks);
    if (rc == 0)
        put_in_place(p, c, b);
    else
        heed__batch_free(p, b);
    heed__lock_enter(p->lock);
    c->from = p->read + 1;
    c->stage = rc ? CHANGE_REFUSED : CHANGE_LOGGED;
    heed__lock_wake(p->lock);
    heed__lock_leave(p->lock);
}

/* Under the lock: until the change is in force, or refused, or the end is near. 0 or a status. */
static int wait_for_change(heed_pipeline *p, pipeline_change *c, heed_error *err) {
    p->asked = c;
    heed__lock_wake(p->lock);
    while (c->stage == CHANGE_BEGUN || (c->stage == CHANGE_ASKED && !p->leave && !p->halt))
        heed__lock_wait(p->lock, 500);
    if (c->stage == CHANGE_ASKED) {
        p->asked = NULL;
        return heed__error(err, HEED_ECANCELLED, "the flow is stopping: all is as before");
    }
    if (c->stage == CHANGE_REFUSED) {
        *err = c->err;
        return err->code ? err->code : HEED_EIO;
    }
    while (p->setup != c->setup && !p->leave && !p->halt) heed__lock_wait(p->lock, 500);
    if (p->setup == c->setup) return 0;
    return heed__error(err, HEED_ECANCELLED,
                       "the flow is stopping: the new one is in force from entry %lld on, when it "
                       "goes on",
                       (long long)c->from);
}

int heed_pipeline_reload(heed_pipeline *p, heed_setup *setup, heed_error *err) {
    pipeline_change c = { .setup = setup };
    heed__lock_enter(p->lock);
    const bool busy = p->changing, leave = p->leave || p->stop;
    if (!leave) p->changing = true;
    heed__lock_leave(p->lock);
    if (leave) return heed__error(err, HEED_ECANCELLED, "the flow is stopping");
    if (busy) return heed__error(err, HEED_EIO, "another reload is at work");
    int rc = prepare(p, &c, err);
    heed__lock_enter(p->lock);
    if (rc == 0) rc = wait_for_change(p, &c, err);
    const bool logged = c.stage == CHANGE_LOGGED; /* then the decider says when it is in force */
    if (!logged) p->changing = false;
    heed__lock_leave(p->lock);
    if (!logged) heed_decider_free(c.decider);
    return rc;
}
