/* decide.c: the decider's entrance: one entry of the log in, what follows from it out. The parts:
 * decide_rules.c counts and tests, decide_course.c knows the usual course, decide_alert.c keeps
 * alerts, decide_story.c folds what was told before, decide_rank.c says what deserves attention,
 * decide_deed.c does and undoes what people do, decide_why.c answers why, decide_state.c remembers
 * it all across a restart. */
#include <string.h>

#include "flow/decide_impl.h"

static int init(heed_decider *d, heed_error *err) {
    heed__arena_init(&d->memory, &d->hooks);
    d->gates.hooks = d->line.hooks = d->name.hooks = &d->hooks;
    d->next_alert_ms = INT64_MAX;
    d->view.flow = d->flow;
    const int status = heed__rules_init(d, err);
    if (status) return status;
    return d->flow->stories ? heed__stories_init(d, err) : 0;
}

heed_decider *heed_decider_new(const heed_flow *flow, const heed_hooks *hooks, heed_error *err) {
    heed_decider *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) {
        heed__error(err, HEED_ENOMEM, "the decider's memory does not fit");
        return NULL;
    }
    if (hooks) d->hooks = *hooks;
    d->flow = flow;
    if (init(d, err) == 0) return d;
    heed_decider_free(d);
    return NULL;
}

void heed_decider_free(heed_decider *d) {
    if (!d) return;
    const heed_hooks hooks = d->hooks;
    heed__view_end(&d->view);
    heed__alerts_free(d);
    heed__rules_free(d);
    heed__stories_free(d);
    heed__free(&hooks, d->deed);
    heed__free(&hooks, d->event);
    heed__free(&hooks, d->out_alert);
    heed__free(&hooks, d->out_message);
    heed__line_free(&d->gates);
    heed__line_free(&d->line);
    heed__line_free(&d->name);
    heed__arena_free(&d->memory);
    heed__free(&hooks, d);
}

/* The ring grows by doubling until it has its full size. */
static heed_event *next_event(heed_decider *d) {
    if (d->events == d->event_cap && d->event_cap < MOST_EVENTS &&
        heed__grow(&d->hooks, &d->event, &d->event_cap, d->events ? d->events * 2 : 64,
                   sizeof *d->event) != 0)
        return NULL;
    if (d->event_cap > MOST_EVENTS) d->event_cap = MOST_EVENTS;
    return &d->event[d->events++ % d->event_cap];
}

static void put_gates(heed_decider *d, const heed_event *e, double similar) {
    heed_line *l = &d->gates;
    heed__line_start(l);
    heed__line_put(l, "{");
    for (int64_t i = 0; i < d->flow->rules; i++) {
        heed__line_json(l, d->watch[i].cfg->name);
        heed__line_put(l, ":\"");
        heed__note(l, d, (int)i, &d->verdict[i]);
        heed__line_put(l, "\",");
    }
    if (similar > 0) {
        heed__line_put(l, "\"@story\":{\"of\":");
        heed__line_int(l, e->story);
        heed__line_put(l, ",\"similar\":");
        heed__line_number(l, similar);
        heed__line_put(l, "},");
    }
    heed__line_put(l, "\"@rank\":");
}

static int step_event(heed_decider *d, const heed_seen *seen, heed_decisions *out,
                      heed_error *err) {
    const heed_entry *entry = seen->entry;
    heed_event e = { .seq = entry->seq, .time_ms = d->now_ms };
    const int status = heed__rules_event(d, err);
    if (status) return status;
    const double similar = d->stories ? heed__stories_find(d, seen, &e) : 0;
    put_gates(d, &e, similar);
    out->rank = heed__rank_event(d, seen, &e, &e.features, &d->gates);
    heed__line_put(&d->gates, "}");
    heed_event *kept = next_event(d);
    if (!kept || d->gates.failed) return heed__error(err, HEED_ENOMEM, "events do not fit");
    *kept = e;
    if (similar > 0) kept->tellings = 0;
    if (d->stories) heed__stories_keep(d, seen, kept);
    out->story = d->stories ? kept->story : 0;
    out->gates = d->gates.text;
    return 0;
}

int heed_decider_step(heed_decider *d, const heed_seen *seen, heed_decisions *out,
                      heed_error *err) {
    const heed_entry *entry = seen->entry;
    memset(out, 0, sizeof *out);
    out->gates = "{}";
    heed__arena_reset(&d->memory);
    d->out_alerts = d->out_messages = d->out_moves = 0;
    d->view.seen = seen;
    int64_t now = entry->time_ms > d->now_ms ? entry->time_ms : d->now_ms;
    if (now < 1) now = 1;
    heed__rules_clock(d, now, entry->kind == HEED_ENTRY_EVENT || entry->kind == HEED_ENTRY_TICK);
    d->now_ms = now;
    d->seq = entry->seq;
    heed__alert_clock(d);
    int status = 0;
    if (entry->kind == HEED_ENTRY_EVENT) status = step_event(d, seen, out, err);
    if (entry->kind == HEED_ENTRY_FEEDBACK || entry->kind == HEED_ENTRY_ACTION)
        status = heed__deed_entry(d, seen, err);
    heed__view_end(&d->view);
    if (!status && (d->failed || d->line.failed))
        status = heed__error(err, HEED_ENOMEM, "what follows from entry %lld does not fit",
                             (long long)entry->seq);
    out->alert = d->out_alert;
    out->alerts = d->out_alerts;
    out->message = d->out_message;
    out->messages = d->out_messages;
    out->moved = &d->out_moved;
    out->moves = d->out_moves;
    return status;
}
