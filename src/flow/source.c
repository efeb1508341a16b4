/* source.c: the life of a source: its thread, what it gives, its pauses, what is told of it. */
#include "flow/source.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/source_impl.h"

enum { PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 300000, BATCH_BYTES = 4 << 20, LOG_MOST = 20 };
static const int64_t LOG_EVERY_NS = 10000000000;

static int push_nothing(heed_source *s, heed_error *err) {
    (void)s, (void)err;
    return 0;
}

/* HTTP gives what is pushed; the source is a name. */
const heed_source_kind heed__source_push = { .name = "push", .open = push_nothing };

static const heed_source_kind *const kinds[] = {
    &heed__source_csv,  &heed__source_tail, &heed__source_dir,     &heed__source_stdin,
    &heed__source_push, &heed__source_feed, &heed__source_maildir,
};

/* -- what is told ----------------------------------------------------------------------------- */

static void tell(heed_source *s, const char *state, const char *error) {
    heed__lock_enter(s->lock);
    if (s->state != state) s->since_ms = heed__now_ms();
    s->state = state;
    if (error) heed__format(s->error, sizeof s->error, "%s", error);
    heed__lock_leave(s->lock);
}

void heed__source_wrong(heed_source *s, const char *format, ...) {
    char text[sizeof s->error];
    va_list args;
    va_start(args, format);
    heed__vformat(text, sizeof text, format, args);
    va_end(args);
    heed__metric_add(s->errors, 1);
    const int64_t now = heed__ticks_ns();
    if (now - s->log_ns > LOG_EVERY_NS) { /* a file full of mistakes does not fill the log */
        if (s->logged > LOG_MOST)
            heed__log(&s->hooks, HEED_LOG_WARN, "source %s: and %lld more mistakes", s->cfg->name,
                      (long long)(s->logged - LOG_MOST));
        s->log_ns = now;
        s->logged = 0;
    }
    if (++s->logged <= LOG_MOST)
        heed__log(&s->hooks, HEED_LOG_WARN, "source %s: %s", s->cfg->name, text);
    heed__lock_enter(s->lock);
    memcpy(s->error, text, sizeof text);
    heed__lock_leave(s->lock);
}

struct json_t *heed_source_state(const heed_source *source) {
    heed_source *s = (heed_source *)(uintptr_t)source;
    char since[HEED_DATE_SIZE];
    heed__lock_enter(s->lock);
    heed__date_text(s->since_ms, since);
    json_t *state = json_pack(
        "{s:s,s:s,s:s,s:s?,s:I,s:s}", "name", s->cfg->name, "kind", s->cfg->kind, "state", s->state,
        "error", s->error[0] ? s->error : NULL, "events", (json_int_t)s->events, "since", since);
    heed__lock_leave(s->lock);
    return state;
}

/* -- waiting ---------------------------------------------------------------------------------- */

bool heed__source_stopping(heed_source *s) {
    heed__lock_enter(s->lock);
    const bool stop = s->stop;
    heed__lock_leave(s->lock);
    return stop || (s->intake.stopping && s->intake.stopping(s->intake.user));
}

bool heed__source_sleep(heed_source *s, int64_t ms) {
    const int64_t until = heed__ticks_ns() + ms * 1000000;
    for (;;) {
        if (heed__source_stopping(s)) return true;
        const int64_t left = (until - heed__ticks_ns() + 999999) / 1000000;
        if (left <= 0) return false;
        heed__lock_enter(s->lock); /* the intake's wish to stop wakes nobody: look often */
        if (!s->stop) heed__lock_wait(s->lock, left < 250 ? left : 250);
        heed__lock_leave(s->lock);
    }
}

/* 1 s, 2 s, 4 s ... 5 min, each longer by up to a quarter: drawn from the source's name, so that
 * sources that failed together do not come back together, and every run draws the same. */
static int64_t pause_ms(const heed_source *s) {
    const int shift = s->failures < 10 ? (int)s->failures : 10;
    int64_t ms = (int64_t)PAUSE_LEAST_MS << (shift > 0 ? shift - 1 : 0);
    if (ms > PAUSE_MOST_MS) ms = PAUSE_MOST_MS;
    const uint64_t name = heed__hash_text(HEED_HASH_BEGIN, s->cfg->name);
    heed_rng rng = { .seed = name, .stream = (uint64_t)s->failures };
    return ms + (int64_t)heed_rng_below(&rng, (uint64_t)ms / 4 + 1);
}

/* -- giving ----------------------------------------------------------------------------------- */

int heed__source_no_memory(const heed_source *s, heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "source %s: out of memory", s->cfg->name);
}

bool heed__batch_full(const heed_source *s) {
    return s->batch.len == HEED_BATCH_MOST || s->batch.size > BATCH_BYTES;
}

heed_entry *heed__batch_add(heed_source *s) {
    if (heed__batch_full(s)) return NULL;
    heed_entry *e = &s->batch.entry[s->batch.len++];
    *e = (heed_entry){ .kind = HEED_ENTRY_EVENT, .source = s->cfg->name };
    return e;
}

const char *heed__batch_text(heed_source *s, const char *text, bool *failed) {
    if (!text) return NULL;
    const size_t size = strlen(text) + 1;
    char *copy = heed__arena_alloc(&s->batch.arena, size);
    if (copy)
        memcpy(copy, text, size);
    else
        *failed = true;
    s->batch.size += size;
    return copy;
}

static void empty(heed_source *s) {
    s->batch.len = 0;
    s->batch.size = 0;
    heed__arena_reset(&s->batch.arena);
}

/* Counts what was taken; what the store knew already has the negative number of the first. */
static void count(heed_source *s, const heed_entry *entry, int64_t n) {
    int64_t fresh = 0;
    for (int64_t i = 0; i < n; i++) fresh += entry[i].seq >= 0;
    heed__metric_add(s->taken, (double)fresh);
    heed__lock_enter(s->lock);
    s->events += fresh;
    heed__lock_leave(s->lock);
}

/* Gives n events until they are taken. 0; HEED_EINVALID: they never will be; HEED_ECANCELLED. */
static int give_some(heed_source *s, heed_entry *entry, int64_t n, heed_error *err) {
    for (bool failing = false;; failing = true) {
        if (heed__source_stopping(s))
            return heed__error(err, HEED_ECANCELLED, "source %s: stopped", s->cfg->name);
        const int status = s->intake.take(s->intake.user, entry, n, err);
        if (status == 0) {
            if (failing) tell(s, "reading", "");
            s->failures = 0;
            count(s, entry, n);
            return 0;
        }
        if (status == HEED_ECANCELLED || status == HEED_EINVALID) return status;
        s->failures++;
        heed__source_wrong(s, "not taken, tried again: %s", err->msg);
        tell(s, "failing", NULL);
        heed__source_sleep(s, pause_ms(s));
    }
}

int heed__source_give(heed_source *s, heed_error *err) {
    heed_entry *entry = s->batch.entry;
    const int64_t n = s->batch.len;
    int status = n > 0 ? give_some(s, entry, n, err) : 0;
    if (status == HEED_EINVALID) { /* one of them is bad: the others are not to wait for it */
        status = 0;
        for (int64_t i = 0; i < n && !status; i++) {
            status = give_some(s, &entry[i], 1, err);
            if (status != HEED_EINVALID) continue;
            heed__source_wrong(s, "event %s cannot be taken, passed over: %s",
                               entry[i].id ? entry[i].id : "", err->msg);
            status = 0;
        }
    }
    empty(s);
    return status;
}

/* -- keeping ---------------------------------------------------------------------------------- */

static char *kept_name(heed_source *s, const char *key, heed_error *err) {
    const size_t size = strlen(s->cfg->name) + strlen(key) + 16;
    char *name = heed__malloc(&s->hooks, size);
    if (name)
        heed__format(name, size, "source/%s/%s", s->cfg->name, key);
    else
        heed__source_no_memory(s, err);
    return name;
}

int heed__source_set(heed_source *s, const char *key, const char *value, heed_error *err) {
    char *name = kept_name(s, key, err);
    if (!name) return HEED_ENOMEM;
    const int status = heed_store_set(s->store, name, value, err);
    heed__free(&s->hooks, name);
    return status;
}

char *heed__source_get(heed_source *s, const char *key, heed_error *err) {
    char *name = kept_name(s, key, err);
    if (!name) return NULL;
    err->code = 0;
    char *value = heed_store_get(s->store, name, err);
    heed__free(&s->hooks, name);
    return value;
}

/* -- the thread ------------------------------------------------------------------------------- */

static void failed(heed_source *s, const heed_error *why) {
    s->failures++;
    heed__source_wrong(s, "%s", why->msg);
    tell(s, "failing", NULL);
    const int64_t ms = s->retry_ms > 0 ? s->retry_ms : pause_ms(s);
    s->retry_ms = 0;
    empty(s);
    heed__source_sleep(s, ms);
}

static void run(void *arg) {
    heed_source *s = arg;
    while (!heed__source_stopping(s)) {
        heed_error err = { 0 };
        const int got = s->kind->step(s, &err);
        if (got == HEED_ECANCELLED) break;
        if (got < 0) {
            failed(s, &err);
            continue;
        }
        s->failures = 0;
        if (got == HEED_SOURCE_ENDED) break;
        tell(s, got == HEED_SOURCE_IDLE ? "waiting" : "reading",
             s->state && strcmp(s->state, "failing") == 0 ? "" : NULL);
        if (got == HEED_SOURCE_IDLE) heed__source_sleep(s, s->wait_ms);
    }
    tell(s, "ended", NULL);
    heed__log(&s->hooks, HEED_LOG_DEBUG, "source %s: ended after %lld events", s->cfg->name,
              (long long)s->events);
}

static void free_source(heed_source *s) {
    const heed_hooks hooks = s->hooks;
    if (s->own && s->kind->close) s->kind->close(s);
    heed__free(&hooks, s->own);
    heed__arena_free(&s->batch.arena);
    heed__lock_free(s->lock);
    heed__free(&hooks, s);
}

/* source="a": names hold neither quotes nor backslashes (flow_decode.c). */
static void make_metrics(heed_source *s, heed_metrics_set *metrics) {
    char label[96];
    heed__format(label, sizeof label, "source=\"%s\"", s->cfg->name);
    s->taken = heed__counter(metrics, "heed_source_events_total", "new events of a source", label);
    s->errors = heed__counter(metrics, "heed_source_errors_total", "what went wrong in a source",
                              label);
}

heed_source *heed_source_start(const heed_source_cfg *cfg, const heed_intake *intake,
                               heed_store *store, heed_metrics_set *metrics,
                               const heed_hooks *hooks, heed_error *err) {
    const heed_source_kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, cfg->kind) == 0) kind = kinds[i];
    if (!kind) {
        heed__error(err, HEED_EINVALID, "source %s: there is no kind '%s'", cfg->name, cfg->kind);
        return NULL;
    }
    heed_source *s = heed__calloc(hooks, 1, sizeof *s);
    if (!s) {
        heed__error(err, HEED_ENOMEM, "source %s: out of memory", cfg->name);
        return NULL;
    }
    s->cfg = cfg;
    s->intake = *intake;
    s->store = store;
    s->kind = kind;
    if (hooks) s->hooks = *hooks;
    heed__arena_init(&s->batch.arena, hooks);
    s->state = kind->step ? "reading" : "waiting";
    s->since_ms = heed__now_ms();
    s->wait_ms = cfg->every_ms > 0 ? cfg->every_ms : 1000;
    make_metrics(s, metrics);
    s->lock = heed__lock_new(hooks, err);
    if (s->lock) {
        s->own = heed__calloc(hooks, 1, kind->size ? kind->size : 1);
        if (!s->own) heed__source_no_memory(s, err);
    }
    if (s->own && (!kind->open || kind->open(s, err) == 0)) {
        if (!kind->step) return s;
        char name[16];
        heed__format(name, sizeof name, "src-%s", cfg->name);
        s->thread = heed__thread_start(hooks, name, run, s, err);
        if (s->thread) return s;
    }
    free_source(s);
    return NULL;
}

void heed_source_stop(heed_source *s) {
    if (!s) return;
    heed__lock_enter(s->lock);
    s->stop = true;
    heed__lock_wake(s->lock);
    heed__lock_leave(s->lock);
    heed__thread_join(s->thread);
    free_source(s);
}
