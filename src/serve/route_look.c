/* route_look.c: alerts and why, feedback and its undoing, the monitor. */
#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "serve/route.h"
#include "store/look.h"

enum {
    LIST_MOST = 1000,
    LIST_TOLD = 50,
    BY_MOST = 3,
    STEPS_MOST = 2000,
    NOTE_MOST = 2000,
    LABEL_MOST = 200
};

static const int64_t MINUTE = 60000, HOUR = 3600000, DAY = 86400000;

/* -- alerts ----------------------------------------------------------------------------------- */

static bool one_of(const char *what, const char *const *list) {
    for (; what && *list; list++)
        if (strcmp(what, *list) == 0) return true;
    return false;
}

void heed__route_alerts(void *server, heed_request *rq) {
    static const char *const states[] = { "open",      "acknowledged", "silenced",
                                          "inhibited", "closed",       NULL };
    heed_server *s = server;
    int64_t most, before;
    heed_error err = { 0 };
    const char *state = heed_request_query(rq, "state");
    if (!heed__route_ready(s, rq)) return;
    if (state && !one_of(state, states))
        heed_reply_problem(rq, 400,
                           "state is '%.100s', not one of open, acknowledged, silenced, inhibited, "
                           "closed",
                           state);
    else if (heed_request_int(rq, "most", 1, LIST_MOST, LIST_TOLD, &most) &&
             heed_request_int(rq, "before", 0, HEED_SEQ_MOST, 0, &before))
        heed__route_reply(rq, heed_look_alerts(s->store, state, before, most, &err), &err);
}

void heed__route_alert(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t id;
    heed_error err = { 0 };
    if (heed__route_ready(s, rq) && heed__route_number(rq, "id", &id))
        heed__route_reply(rq, heed_look_alert(s->store, id, &err), &err);
}

/* Whether the alert is there; else a problem is the answer. */
static bool has_alert(heed_server *s, heed_request *rq, int64_t id) {
    heed_error err = { 0 };
    json_t *alert = heed_look_alert(s->store, id, &err);
    if (!alert) heed__route_reply(rq, NULL, &err);
    json_decref(alert);
    return alert != NULL;
}

void heed__route_alert_do(void *server, heed_request *rq) {
    static const char *const what[] = { "ack", "close", "silence", NULL };
    heed_server *s = server;
    int64_t id, minutes = 60;
    heed_error err = { 0 };
    const char *act = NULL, *note = NULL;
    if (!heed__route_ready(s, rq) || !heed__route_number(rq, "id", &id)) return;
    json_t *body = heed__route_object(rq);
    if (body && heed__member_text(rq, body, "do", &act) &&
        heed__member_text(rq, body, "note", &note) &&
        heed__member_int(rq, body, "minutes", 1, 525600, &minutes)) {
        if (!one_of(act, what))
            heed_reply_problem(rq, 400, "do is not one of ack, close, silence");
        else if (note && heed__letters(note) > NOTE_MOST)
            heed_reply_problem(rq, 400, "note is longer than %d letters", NOTE_MOST);
        else if (has_alert(s, rq, id)) {
            json_t *entry = json_pack("{s:s, s:I, s:I, s:s*}", "do", act, "alert", (json_int_t)id,
                                      "minutes", (json_int_t)minutes, "note", note);
            /* the alert as it is then, and the entry by which it can be undone */
            const int64_t made = heed__route_enter(s, rq, HEED_ENTRY_ACTION, entry);
            json_t *alert = made ? heed_look_alert(s->store, id, &err) : NULL;
            if (alert) json_object_set_new(alert, "entry", json_integer((json_int_t)made));
            if (made) heed__route_reply(rq, alert, &err);
        }
    }
    json_decref(body);
}

void heed__route_why(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t alert, seq;
    heed_error err = { 0 };
    if (!heed__route_ready(s, rq) || !heed_request_int(rq, "alert", 1, HEED_SEQ_MOST, 0, &alert) ||
        !heed_request_int(rq, "seq", 1, HEED_SEQ_MOST, 0, &seq))
        return;
    if (!alert && !seq)
        heed_reply_problem(rq, 404, "of what? alert, an alert's id, or seq, an event's number");
    else if (alert)
        heed__route_reply(rq, heed_look_alert(s->store, alert, &err), &err);
    else
        heed__route_reply(
            rq, heed_pipeline_why(s->pipeline, seq, heed_request_query(rq, "rule"), &err), &err);
}

/* -- feedback --------------------------------------------------------------------------------- */

static bool has_event(heed_server *s, heed_request *rq, int64_t seq) {
    heed_error err = { 0 };
    json_t *event = heed_look_event(s->store, seq, &err);
    if (!event) heed__route_reply(rq, NULL, &err);
    json_decref(event);
    return event != NULL;
}

static void entered(heed_request *rq, int64_t seq) {
    if (seq) heed_reply_json(rq, 200, json_pack("{s:I}", "seq", (json_int_t)seq));
}

static bool is_analysis(const heed_setup *setup, const char *name) {
    for (int64_t i = 0; i < setup->flow->analyses; i++)
        if (strcmp(setup->flow->analysis[i].name, name) == 0) return true;
    return false;
}

static void feedback(heed_server *s, heed_request *rq, const json_t *body) {
    static const char *const votes[] = { "up", "down", "none", NULL };
    int64_t seq = 0;
    const char *vote = NULL, *analysis = NULL, *label = NULL;
    heed_setup *setup;
    if (!heed__member_int(rq, body, "seq", 1, HEED_SEQ_MOST, &seq) ||
        !heed__member_text(rq, body, "vote", &vote) ||
        !heed__member_text(rq, body, "analysis", &analysis) ||
        !heed__member_text(rq, body, "label", &label))
        return;
    if (!seq || !vote == !(analysis && label) || (vote && (analysis || label))) {
        heed_reply_problem(rq, 400, "give seq, and either vote or analysis and label");
        return;
    }
    if (vote && !one_of(vote, votes)) {
        heed_reply_problem(rq, 400, "vote is not one of up, down, none");
        return;
    }
    if (label && (!*label || heed__letters(label) > LABEL_MOST)) {
        heed_reply_problem(rq, 400, "label has no letter, or more than %d", LABEL_MOST);
        return;
    }
    if (!(setup = heed__route_setup(s, rq))) return;
    if (analysis && !is_analysis(setup, analysis))
        heed_reply_problem(rq, 404, "this flow has no analysis '%.200s'", analysis);
    else if (has_event(s, rq, seq))
        entered(rq, heed__route_enter(
                        s, rq, HEED_ENTRY_FEEDBACK,
                        vote ? json_pack("{s:I, s:s}", "seq", (json_int_t)seq, "vote", vote)
                             : json_pack("{s:I, s:s, s:s}", "seq", (json_int_t)seq, "analysis",
                                         analysis, "label", label)));
    heed_setup_drop(setup);
}

void heed__route_feedback(void *server, heed_request *rq) {
    json_t *body = heed__route_ready(server, rq) ? heed__route_object(rq) : NULL;
    if (body) feedback(server, rq, body);
    json_decref(body);
}

static bool look_kind(void *user, const heed_entry *e) {
    heed_entry *to = user;
    to->seq = e->seq;
    to->kind = e->kind;
    return false;
}

void heed__route_undo(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t seq = 0;
    heed_error err = { 0 };
    json_t *body = heed__route_ready(s, rq) ? heed__route_object(rq) : NULL;
    if (body && heed__member_int(rq, body, "entry", 1, HEED_SEQ_MOST, &seq)) {
        heed_entry e = { 0 };
        if (seq && heed_store_read(s->store, seq - 1, 1, look_kind, &e, &err) < 0)
            heed__route_reply(rq, NULL, &err);
        else if (!seq)
            heed_reply_problem(rq, 400, "entry, the number of what is to be undone, is missing");
        else if (e.seq != seq || (e.kind != HEED_ENTRY_FEEDBACK && e.kind != HEED_ENTRY_ACTION))
            heed_reply_problem(rq, 404, "entry %lld is no feedback or action", (long long)seq);
        else
            entered(rq, heed__route_enter(
                            s, rq, HEED_ENTRY_ACTION,
                            json_pack("{s:s, s:I}", "do", "undo", "entry", (json_int_t)seq)));
    }
    json_decref(body);
}

void heed__route_split(void *server, heed_request *rq) {
    heed_server *s = server;
    int64_t id, seq = 0;
    if (!heed__route_ready(s, rq) || !heed__route_number(rq, "id", &id)) return;
    json_t *body = heed__route_object(rq);
    if (body && heed__member_int(rq, body, "seq", 1, HEED_SEQ_MOST, &seq)) {
        if (!seq)
            heed_reply_problem(rq, 400, "seq, the event that is a story of its own, is missing");
        else if (has_event(s, rq, seq))
            entered(rq, heed__route_enter(
                            s, rq, HEED_ENTRY_ACTION,
                            json_pack("{s:s, s:I}", "do", "split", "seq", (json_int_t)seq)));
    }
    json_decref(body);
}

/* -- the monitor ------------------------------------------------------------------------------ */

/* Names between commas, in place. How many, or -1: too many. */
static int cut_names(char *text, const char **name) {
    int n = 0;
    for (char *at = text; at && *at;) {
        char *comma = strchr(at, ',');
        if (comma) *comma = 0;
        if (*at && n == BY_MOST) return -1;
        if (*at) name[n++] = at;
        at = comma ? comma + 1 : NULL;
    }
    return n;
}

/* Alerts that changed within [from, to). */
static json_t *alerts_in(heed_server *s, int64_t from, int64_t to, heed_error *err) {
    json_t *all = heed_look_alerts(s->store, NULL, 0, LIST_MOST, err), *alert;
    json_t *list = all ? json_array() : NULL;
    size_t i;
    json_array_foreach(json_object_get(all, "alerts"), i, alert) {
        const char *text = json_string_value(json_object_get(alert, "time"));
        int64_t ms;
        if (text && heed__date_read(text, strlen(text), &ms) && ms >= from && ms < to)
            json_array_append(list, alert);
    }
    json_decref(all);
    return list;
}

typedef struct clock_at {
    int64_t ms;
} clock_at;

static bool look_time(void *user, const heed_entry *e) {
    ((clock_at *)user)->ms = e->time_ms;
    return false;
}

/* Where the flow's clock stands, which in a replay is not the day's. */
static int64_t flow_now(heed_server *s) {
    clock_at at = { heed__now_ms() };
    heed_error err = { 0 };
    const int64_t last = heed_store_last(s->store);
    if (last) heed_store_read(s->store, last - 1, 1, look_time, &at, &err);
    return at.ms + 1;
}

static const char no_course[] =
    "what is usual of this source alone is not known: no surge rule counts these events by source "
    "(by: [source, ...]) or under a condition on it (when: {source: ...})";

static bool any_expected(const json_t *counts) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(counts, "series"), i,
                       one) if (json_is_array(json_object_get(one, "expected"))) return true;
    return false;
}

static void monitor(heed_server *s, heed_request *rq, const char *const *by, int n) {
    heed_look look = { .source = heed_request_query(rq, "source"), .most = 20 };
    const int64_t now = flow_now(s);
    int64_t step;
    heed_error err = { 0 };
    if (!heed_request_int(rq, "step", 1000, 31 * DAY, HOUR, &step) ||
        !heed__route_time(rq, "to", (now + step - 1) / step * step, &look.to_ms) ||
        !heed__route_time(rq, "from", look.to_ms - DAY, &look.from_ms) ||
        !heed_request_int(rq, "most", 1, 100, 20, &look.most))
        return;
    /* minutes, which the store has counted already */
    if (step % MINUTE == 0 && look.from_ms > MINUTE) look.from_ms -= look.from_ms % MINUTE;
    if (look.from_ms > look.to_ms - step) look.from_ms = look.to_ms - step;
    if ((look.to_ms - look.from_ms) / step > STEPS_MOST)
        look.from_ms = look.to_ms - STEPS_MOST * step;
    json_t *counts = heed_look_counts(s->store, &look, by, n, step, &err);
    json_t *alerts = counts ? alerts_in(s, look.from_ms, look.to_ms, &err) : NULL;
    if (alerts && heed_pipeline_expect(s->pipeline, counts, look.source, &err) != 0) {
        json_decref(alerts);
        alerts = NULL;
    }
    if (alerts && look.source && !any_expected(counts))
        json_object_set_new(counts, "note", json_string(no_course));
    if (alerts) json_object_set_new(counts, "alerts", alerts);
    if (counts && !alerts) {
        json_decref(counts);
        counts = NULL;
    }
    heed__route_reply(rq, counts, &err);
}

void heed__route_monitor(void *server, heed_request *rq) {
    heed_server *s = server;
    const char *query = heed_request_query(rq, "by"), *by[BY_MOST];
    heed_setup *setup = heed__route_setup(s, rq);
    if (!setup) return;
    char *names = heed__strdup(&s->hooks, query ? query : "");
    int n = names ? cut_names(names, by) : 0;
    bool known = n >= 0;
    for (int64_t i = 0; !query && n == 0 && i < setup->flow->analyses; i++)
        if (strcmp(setup->flow->analysis[i].kind, "classify") == 0)
            by[n++] = setup->flow->analysis[i].name;
    for (int i = 0; i < n; i++) known = known && is_analysis(setup, by[i]);
    if (known)
        monitor(s, rq, by, n);
    else
        heed_reply_problem(rq, 404, "by is not one to %d of this flow's analyses, with commas",
                           BY_MOST);
    heed__free(&s->hooks, names);
    heed_setup_drop(setup);
}
