/* pipeline_tell.c: events and alerts as lines of JSON for the stream, in the shapes of
 * store/look.h, and the flow's clock thread: figures each second, ticks of a silent flow,
 * retention. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "serve/pipeline_impl.h"

static void put_time(heed_text *l, int64_t ms) {
    char text[HEED_DATE_SIZE];
    heed__date_text(ms, text);
    heed__json_put_string(l, ms ? text : NULL);
}

static void put_finding(heed_text *l, const heed_finding *f) {
    heed__text_puts(l, "{\"name\":");
    heed__json_put_string(l, f->name);
    heed__text_puts(l, ",\"label\":");
    heed__json_put_string(l, f->label);
    heed__text_puts(l, ",\"confidence\":");
    heed__json_put_part(l, f->confidence, 6);
    heed__text_puts(l, f->abstained ? ",\"abstained\":true,\"detail\":"
                                    : ",\"abstained\":false,\"detail\":");
    heed__text_puts(l, f->detail ? f->detail : "null");
    heed__text_puts(l, "}");
}

void heed__event_line(heed_text *l, const heed_entry *e, const heed_decided *d) {
    const char *const name[] = { "id", "source", "user", "session", "title", "text", "url" };
    const char *const text[] = { e->id, e->source, e->user, e->session, e->title, e->text, e->url };
    heed__text_puts(l, "{\"seq\":");
    heed__json_put_int(l, e->seq);
    heed__text_puts(l, ",\"time\":");
    put_time(l, e->time_ms);
    heed__text_puts(l, ",\"happened\":");
    put_time(l, e->happened_ms);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        heed__text_puts(l, ",\"");
        heed__text_puts(l, name[i]);
        heed__text_puts(l, "\":");
        heed__json_put_string(l, text[i]);
    }
    heed__text_puts(l, ",\"fields\":");
    heed__text_puts(l, e->body && *e->body ? e->body : "{}");
    heed__text_puts(l, ",\"findings\":[");
    for (int64_t i = 0; i < d->findings; i++) {
        if (i) heed__text_puts(l, ",");
        put_finding(l, &d->finding[i]);
    }
    heed__text_puts(l, "],\"story\":");
    if (d->story) {
        heed__text_puts(l, "{\"id\":");
        heed__json_put_int(l, d->story);
        heed__text_puts(l, d->story == e->seq ? ",\"size\":1}" : ",\"size\":null}");
    } else {
        heed__text_puts(l, "null");
    }
    heed__text_puts(l, ",\"rank\":");
    heed__json_put_part(l, d->rank, 6);
    heed__text_puts(l, ",\"vote\":null,\"corrected\":{}}");
}

void heed__alert_line(heed_text *l, const heed_alert *a, int64_t opened_ms) {
    heed__text_puts(l, "{\"id\":");
    heed__json_put_int(l, a->id);
    heed__text_puts(l, ",\"rule\":");
    heed__json_put_string(l, a->rule);
    heed__text_puts(l, ",\"grade\":");
    heed__json_put_string(l, a->grade);
    heed__text_puts(l, ",\"state\":");
    heed__json_put_string(l, a->state);
    heed__text_puts(l, ",\"key\":");
    heed__text_puts(l, a->key ? a->key : "{}");
    heed__text_puts(l, ",\"title\":");
    heed__json_put_string(l, a->title);
    heed__text_puts(l, ",\"opened\":");
    put_time(l, opened_ms ? opened_ms : a->time_ms);
    heed__text_puts(l, ",\"time\":");
    put_time(l, a->time_ms);
    heed__text_puts(l, ",\"why\":");
    heed__text_puts(l, a->why ? a->why : "{}");
    heed__text_puts(l, "}");
}

/* -- figures ----------------------------------------------------------------------------------- */

static int64_t resident(void) {
    char *text = NULL;
    size_t size = 0;
    int64_t pages = 0;
    if (heed__file_read(NULL, "/proc/self/statm", 256, &text, &size, NULL) == 0) {
        const char *second = strchr(text, ' ');
        const char *end = second ? strchr(second + 1, ' ') : NULL;
        if (end) heed__parse_int(second + 1, (size_t)(end - second - 1), &pages);
    }
    heed__free(NULL, text);
    return pages * 4096;
}

static int rising(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

heed_pipeline_state heed_pipeline_state_now(heed_pipeline *p) {
    float recent[PIPELINE_RECENT];
    heed__lock_enter(p->lock);
    const int64_t n = p->recents < PIPELINE_RECENT ? p->recents : PIPELINE_RECENT;
    memcpy(recent, p->recent, (size_t)n * sizeof *recent);
    heed_pipeline_state s = { .rate = p->rate,
                              .waiting = p->appended - p->decided,
                              .last = p->appended,
                              .decided = p->decided,
                              .p50_ms = (double)NAN,
                              .p99_ms = (double)NAN,
                              .trouble = p->trouble };
    heed__lock_leave(p->lock);
    s.memory = resident();
    if (n == 0) return s;
    qsort(recent, (size_t)n, sizeof *recent, rising);
    s.p50_ms = 1000 * (double)recent[n / 2];
    s.p99_ms = 1000 * (double)recent[n * 99 / 100];
    return s;
}

static void put(heed_text *l, const char *name, double value) {
    heed__text_puts(l, l->len > 1 ? ",\"" : "\"");
    heed__text_puts(l, name);
    heed__text_puts(l, "\":");
    heed__json_put_real(l, value);
}

static void publish(heed_pipeline *p, heed_text *l) {
    if (!p->cfg.hub) return;
    const heed_pipeline_state s = heed_pipeline_state_now(p);
    l->len = 0;
    l->failed = false;
    heed__text_puts(l, "{");
    put(l, "rate", s.rate);
    put(l, "queue", (double)s.waiting);
    put(l, "clients", (double)heed_hub_listeners(p->cfg.hub));
    put(l, "p50_ms", s.p50_ms);
    put(l, "p99_ms", s.p99_ms);
    put(l, "memory", (double)s.memory);
    put(l, "last", (double)s.last);
    put(l, "decided", (double)s.decided);
    heed__text_puts(l, "}");
    if (!l->failed)
        heed_hub_publish(p->cfg.hub, HEED_TOPIC_STATS, "stats", -1, l->bytes, (size_t)l->len);
}

/* -- the clock --------------------------------------------------------------------------------- */

static void tick(heed_pipeline *p) {
    heed__lock_enter(p->lock);
    const bool silent = heed__now_ms() - p->touched_ms >= PIPELINE_TICK_MS && p->appended > 0;
    const bool own = p->setup->flow->event_clock;
    heed__lock_leave(p->lock);
    heed_error err = { 0 };
    heed_entry e = { .kind = HEED_ENTRY_TICK };
    if (silent && !own) heed_pipeline_take(p, &e, 1, false, &err);
}

/* Every second what became too old in it; what is more (after a pause) goes little by little. */
static void retain(heed_pipeline *p) {
    heed_error err = { 0 };
    heed_setup *s = heed_pipeline_setup(p);
    const int64_t keep = s->flow->keep_ms;
    heed_setup_drop(s);
    if (keep <= 0) return;
    const int64_t n = heed_store_retain(p->store, heed__now_ms() - keep, PIPELINE_RETAIN, &err);
    const int64_t now = heed__ticks_ns();
    if (n >= 0) {
        p->removed += n;
        heed__metric_add(p->old, (double)n);
    }
    if (now < p->retained_ns + 60 * INT64_C(1000000000)) return;
    p->retained_ns = now; /* told of once a minute */
    if (n < 0)
        heed__log(&p->hooks, HEED_LOG_WARN, "old events are not removed: %s", err.msg);
    else if (p->removed > 0)
        heed__log(&p->hooks, HEED_LOG_INFO, "%lld old entries removed", (long long)p->removed);
    p->removed = 0;
}

void heed__pipeline_clock(void *pipeline) {
    heed_pipeline *p = pipeline;
    heed_text line = { .hooks = &p->hooks };
    int64_t next = heed__ticks_ns(), before = 0, then = next;
    for (bool go = true; go;) {
        heed__lock_enter(p->lock);
        int64_t now = heed__ticks_ns();
        while (!p->halt && now < next) {
            heed__lock_wait(p->lock, (next - now) / 1000000 + 1);
            now = heed__ticks_ns();
        }
        go = !p->halt;
        const double seconds = (double)(now - then) * 1e-9;
        if (seconds > 0.5) {
            const double rate = (double)(p->events_decided - before) / seconds;
            p->rate = p->rate > 0 ? 0.7 * p->rate + 0.3 * rate : rate;
            if (p->rate < 0.005) p->rate = 0;
            before = p->events_decided;
            then = now;
        }
        heed__lock_leave(p->lock);
        next = now + 1000000000;
        if (!go) break;
        publish(p, &line);
        tick(p);
        retain(p);
    }
    heed__text_free(&line);
}
