/* sink.c: the threads that deliver: what is due, what comes of it, when it is tried again. */
#include "flow/sink_impl.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

enum {
    BATCH = 32,
    FIRST_MS = 1000,
    MOST_MS = 3600000,
    LOOK_MS = 1000,
    CALL_MS = 15000,
    TRIES = 12
};

static const heed__sink_kind *const kinds[] = { &heed__sink_webhook, &heed__sink_file,
                                                &heed__sink_mail, &heed__sink_page };

/* -- for the kinds ----------------------------------------------------------------------------- */

bool heed__sink_stopping(void *sink) {
    const heed__sink *s = sink;
    heed__lock_enter(s->all->lock);
    const bool stop = s->all->stop;
    heed__lock_leave(s->all->lock);
    return stop;
}

int64_t heed__sink_now(const heed_sinks *all) {
    const int64_t clock = heed__now_ms();
    const int64_t steady = all->begun_ms + (heed__ticks_ns() - all->begun_ticks) / 1000000;
    return clock > steady ? clock : steady;
}

char *heed__sink_text(const heed_hooks *hooks, const heed_message *m, size_t *size) {
    heed_error ignored;
    json_t *body = heed__json_parse(m->body, strlen(m->body), "body", &ignored);
    if (!body) body = json_string(m->body);
    json_t *tree = json_pack("{s:s, s:s, s:o}", "key", m->key, "type", m->type, "message", body);
    char *text = tree ? heed__json_text(hooks, tree, false, size, &ignored) : NULL;
    json_decref(tree);
    return text;
}

void heed__sink_say(heed__outcome *o, heed__sink_what what, const char *format, ...) {
    va_list args;
    va_start(args, format);
    heed__vformat(o->reason, sizeof o->reason, format, args);
    va_end(args);
    for (char *c = o->reason; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' '; /* what a receiver said may hold anything */
    o->what = what;
}

/* -- one delivery ------------------------------------------------------------------------------ */

/* first, twice that, ... most; and up to a quarter more, by the key alone, so that many that failed
 * together do not come back together. */
static int64_t pause_of(const heed_sinks *all, const char *key, int64_t failures) {
    int64_t pause = all->cfg.first_pause_ms;
    for (int64_t i = 0; i < failures && pause < all->cfg.most_pause_ms; i++) pause *= 2;
    if (pause > all->cfg.most_pause_ms) pause = all->cfg.most_pause_ms;
    const uint64_t h = heed__hash_one(heed__hash_text(HEED_HASH_BEGIN, key), (uint64_t)failures);
    return pause + (int64_t)(heed__hash_spread(h) % (uint64_t)(pause / 4 + 1));
}

/* Keeps the reason for the state; says it to the log where it is another one than before. */
static void note(heed__sink *s, const char *reason) {
    heed__lock_enter(s->all->lock);
    const bool other = strcmp(s->error, reason) != 0;
    heed__format(s->error, sizeof s->error, "%s", reason);
    heed__lock_leave(s->all->lock);
    if (!other) return;
    if (reason[0])
        heed__log(&s->all->hooks, HEED_LOG_WARN, "sink %s: %s", s->name, reason);
    else
        heed__log(&s->all->hooks, HEED_LOG_INFO, "sink %s: delivers again", s->name);
}

/* Sleeps, but not longer than until the end. */
static void rest(heed__sink *s, int64_t ms) {
    const int64_t until = heed__ticks_ns() + ms * 1000000;
    heed__lock_enter(s->all->lock);
    for (int64_t left = ms; !s->all->stop && left > 0; left = (until - heed__ticks_ns()) / 1000000)
        heed__lock_wait(s->all->lock, left);
    heed__lock_leave(s->all->lock);
}

/* Tells the store what came of a message, as long as that takes: what was delivered and is not
 * noted would be delivered again. */
static void mark(heed__sink *s, const heed_message *m, const heed__outcome *o) {
    heed_store *store = s->all->cfg.store;
    const int64_t tries = s->cfg->tries > 0 ? s->cfg->tries : TRIES;
    const bool dead = o->what == HEED_SINK_DEAD || m->tries + 1 >= tries;
    int64_t due = 0;
    if (!dead) {
        const int64_t pause = pause_of(s->all, m->key, m->tries);
        due = heed__sink_now(s->all) + (o->after_ms > pause ? o->after_ms : pause);
    }
    for (int64_t failures = 0;; failures++) {
        heed_error err = { 0 };
        const int status = o->what == HEED_SINK_SENT
                               ? heed_store_sent(store, m->id, &err)
                               : heed_store_retry(store, m->id, due, o->reason, &err);
        if (!status || status == HEED_ENOTFOUND) break; /* forgotten meanwhile */
        note(s, err.msg);
        if (heed__sink_stopping(s)) return;
        rest(s, pause_of(s->all, m->key, failures));
    }
    if (o->what != HEED_SINK_SENT && dead) {
        heed__metric_add(s->dead, 1);
        heed__log(&s->all->hooks, HEED_LOG_WARN, "sink %s: message %s is put aside: %s", s->name,
                  m->key, o->reason);
    }
}

/* Counts and holds; true: the next message may be tried. */
static bool went_on(heed__sink *s, const heed_message *m, const heed__outcome *o) {
    if (o->what == HEED_SINK_SENT) {
        heed__metric_add(s->sent, 1);
        s->failures = 0;
        note(s, "");
        return true;
    }
    note(s, o->reason);
    if (!(o->what == HEED_SINK_WAIT && o->after_ms)) heed__metric_add(s->failed, 1);
    if (o->what == HEED_SINK_DEAD) return true;
    int64_t hold = pause_of(s->all, m->key, s->failures++);
    if (hold > 60000) hold = 60000; /* one message at most a minute looks whether it is back */
    if (o->after_ms > hold) hold = o->after_ms;
    s->hold_ticks = heed__ticks_ns() + hold * 1000000;
    return false;
}

/* Delivers what is due; how many were tried. */
static int64_t deliver_due(heed__sink *s) {
    heed__outcome outcome[BATCH];
    heed_message *message = NULL;
    heed_error err = { 0 };
    const int64_t n = heed_store_due(s->all->cfg.store, s->name, heed__sink_now(s->all), BATCH,
                                     &message, &err);
    if (n < 0) {
        note(s, err.msg);
        return 0;
    }
    int64_t done = 0;
    for (bool more = true; more && done < n && !heed__sink_stopping(s); done++) {
        heed__outcome *o = &outcome[done];
        *o = (heed__outcome){ .what = HEED_SINK_SENT };
        const int64_t began = heed__ticks_ns();
        s->kind->deliver(s, &message[done], o);
        heed__metric_observe(s->seconds, (double)(heed__ticks_ns() - began) * 1e-9);
        if (s->kind->flush) {
            more = o->what == HEED_SINK_SENT;
        } else {
            if (o->what != HEED_SINK_WAIT) mark(s, &message[done], o);
            more = went_on(s, &message[done], o);
        }
    }
    if (s->kind->flush && done > 0) {
        const bool safe = s->kind->flush(s, &err) == 0;
        for (int64_t i = 0; i < done; i++) {
            if (!safe && outcome[i].what == HEED_SINK_SENT)
                heed__sink_say(&outcome[i], HEED_SINK_WAIT, "%s", err.msg);
            if (outcome[i].what != HEED_SINK_WAIT) mark(s, &message[i], &outcome[i]);
            if (!went_on(s, &message[i], &outcome[i]) && !safe) break;
        }
    }
    heed__free(&s->all->hooks, message);
    return done;
}

static void work(void *arg) {
    heed__sink *s = arg;
    for (;;) {
        int64_t wait = s->all->cfg.look_ms;
        const int64_t hold = (s->hold_ticks - heed__ticks_ns()) / 1000000 + 1;
        const bool held = s->hold_ticks > 0 && hold > 1;
        if (held && hold < wait) wait = hold;
        const bool tried = !held && deliver_due(s) > 0;
        heed__lock_enter(s->all->lock);
        if (!s->all->stop && !tried && (held || !s->woken)) heed__lock_wait(s->all->lock, wait);
        if (!held) s->woken = false;
        const bool stop = s->all->stop;
        heed__lock_leave(s->all->lock);
        if (stop) return;
    }
}

/* -- starting and stopping --------------------------------------------------------------------- */

static int start_one(heed__sink *s, heed_error *err) {
    const heed_sinks *all = s->all;
    char labels[128];
    heed__format(labels, sizeof labels, "sink=\"%.100s\"", s->name);
    s->sent = heed__counter(all->cfg.metrics, "heed_sink_sent_total", "messages delivered", labels);
    s->failed = heed__counter(all->cfg.metrics, "heed_sink_failed_total", "deliveries that failed",
                              labels);
    s->dead = heed__counter(all->cfg.metrics, "heed_sink_dead_total",
                            "messages put aside as undeliverable", labels);
    s->seconds = heed__histogram(all->cfg.metrics, "heed_sink_seconds", "time of a delivery",
                                 labels);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k]->name, s->cfg->kind) == 0) s->kind = kinds[k];
    if (!s->kind)
        return heed__error(err, HEED_EINVALID, "sink %s: there is no kind '%s'", s->name,
                           s->cfg->kind);
    const int status = s->kind->open ? s->kind->open(s, err) : HEED_OK;
    if (status) return status;
    char name[16];
    heed__format(name, sizeof name, "sink %s", s->name);
    s->thread = heed__thread_start(&all->hooks, name, work, s, err);
    return s->thread ? HEED_OK : HEED_ENOMEM;
}

heed_sinks *heed_sinks_start(const heed_sinks_cfg *cfg, heed_error *err) {
    heed_sinks *all = heed__calloc(cfg->hooks, 1, sizeof *all);
    if (!all) {
        heed__error(err, HEED_ENOMEM, "out of memory for sinks");
        return NULL;
    }
    if (cfg->hooks) all->hooks = *cfg->hooks;
    all->cfg = *cfg;
    if (!all->cfg.first_pause_ms) all->cfg.first_pause_ms = FIRST_MS;
    if (!all->cfg.most_pause_ms) all->cfg.most_pause_ms = MOST_MS;
    if (!all->cfg.look_ms) all->cfg.look_ms = LOOK_MS;
    if (!all->cfg.call_ms) all->cfg.call_ms = CALL_MS;
    all->begun_ms = heed__now_ms();
    all->begun_ticks = heed__ticks_ns();
    int status = HEED_OK;
    all->lock = heed__lock_new(&all->hooks, err);
    if (!all->lock) status = HEED_ENOMEM;
    if (!status && cfg->flow->sinks > 0) {
        all->sink = heed__calloc(&all->hooks, (size_t)cfg->flow->sinks, sizeof *all->sink);
        if (!all->sink) status = heed__error(err, HEED_ENOMEM, "out of memory for sinks");
    }
    for (int64_t i = 0; !status && i < cfg->flow->sinks; i++) {
        heed__sink *s = &all->sink[all->len++];
        s->all = all;
        s->cfg = &cfg->flow->sink[i];
        s->name = s->cfg->name;
        status = start_one(s, err);
    }
    if (!status) return all;
    heed_sinks_stop(all);
    return NULL;
}

void heed_sinks_wake(heed_sinks *all) {
    heed__lock_enter(all->lock);
    for (int64_t i = 0; i < all->len; i++) all->sink[i].woken = true;
    heed__lock_leave(all->lock);
    heed__lock_wake(all->lock);
}

json_t *heed_sinks_state(heed_sinks *all) {
    json_t *list = json_array();
    for (int64_t i = 0; list && all && i < all->len; i++) {
        heed__sink *s = &all->sink[i];
        int64_t waiting = 0, dead = 0;
        heed_error err;
        char error[HEED_SINK_REASON];
        heed__lock_enter(all->lock);
        memcpy(error, s->error, sizeof error);
        heed__lock_leave(all->lock);
        if (heed_store_outbox(all->cfg.store, s->name, &waiting, &dead, &err))
            heed__format(error, sizeof error, "%s", err.msg);
        json_t *one = json_pack("{s:s, s:s, s:I, s:I, s:s?}", "name", s->name, "kind", s->cfg->kind,
                                "waiting", (json_int_t)waiting, "dead", (json_int_t)dead, "error",
                                error[0] ? error : NULL);
        if (!one || json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

void heed_sinks_stop(heed_sinks *all) {
    if (!all) return;
    if (all->lock) {
        heed__lock_enter(all->lock);
        all->stop = true;
        heed__lock_leave(all->lock);
        heed__lock_wake(all->lock);
    }
    for (int64_t i = 0; i < all->len; i++) heed__thread_join(all->sink[i].thread);
    for (int64_t i = 0; i < all->len; i++)
        if (all->sink[i].kind && all->sink[i].kind->close) all->sink[i].kind->close(&all->sink[i]);
    heed__lock_free(all->lock);
    const heed_hooks hooks = all->hooks;
    heed__free(&hooks, all->sink);
    heed__free(&hooks, all);
}
