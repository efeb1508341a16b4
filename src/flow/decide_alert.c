/* decide_alert.c: the life of an alert. A rule that holds for a key opens one; while that is open,
 * what comes is grouped into it. It closes after `close_ms` without the rule holding, and within
 * `hold_ms` after that the same alert opens again instead of another. A person acknowledges, closes
 * or silences it; an open alert of a rule keeps the rules that it inhibits from sending; one that
 * nobody acknowledged escalates. Whatever happens by time alone happens at the first entry of the
 * log after it was due. */
#include <string.h>

#include "flow/decide_impl.h"

static const char *const state_names[] = { "open", "acknowledged", "silenced", "inhibited",
                                           "closed" };
static const char *const grade_names[] = { "info", "warning", "critical" };
static const int64_t never = INT64_MAX;

static bool is_open(heed_alert_state s) {
    return s == STATE_OPEN || s == STATE_ACKNOWLEDGED;
}

static int64_t close_after(const heed_rule_cfg *rule) {
    return rule->close_ms > 0 ? rule->close_ms : rule->hold_ms > 0 ? rule->hold_ms : 60000;
}

/* When it changes by itself. */
static int64_t due(const heed_decider *d, const heed_record *a) {
    const heed_rule_cfg *rule = d->watch[a->rule].cfg;
    if (a->state == STATE_SILENCED) return a->silent_until;
    if (a->state == STATE_CLOSED) return a->fired_ms + rule->hold_ms;
    int64_t at = a->fired_ms + close_after(rule);
    if (a->state == STATE_OPEN && rule->escalate_ms > 0 && !a->escalated &&
        a->opened_ms + rule->escalate_ms < at)
        at = a->opened_ms + rule->escalate_ms;
    return at;
}

static void await(heed_decider *d, const heed_record *a) {
    const int64_t at = due(d, a);
    if (at < d->next_alert_ms) d->next_alert_ms = at;
}

heed_record *heed__alert_by_id(heed_decider *d, int64_t id) {
    for (int64_t i = 0; i < d->alerts; i++)
        if (d->alert[i].id == id) return &d->alert[i];
    return NULL;
}

void heed__alert_change(heed_decider *d, heed_record *a, heed_alert_state state) {
    heed_watch *w = &d->watch[a->rule];
    w->open += is_open(state) - is_open(a->state);
    a->state = state;
    a->history_ms[a->changes % MOST_HISTORY] = d->now_ms;
    a->history[a->changes % MOST_HISTORY] = (uint8_t)state;
    a->changes++;
    await(d, a);
}

static void free_texts(heed_decider *d, heed_record *a) {
    heed__free(&d->hooks, a->key);
    heed__free(&d->hooks, a->title);
    heed__free(&d->hooks, a->gates);
}

void heed__alert_forget(heed_decider *d, int64_t at) {
    heed_record *a = &d->alert[at];
    if (is_open(a->state)) d->watch[a->rule].open--;
    if (a->slot >= 0) d->watch[a->rule].slot[a->slot].alert = -1;
    free_texts(d, a);
    *a = d->alert[--d->alerts];
    if (at < d->alerts && a->slot >= 0) d->watch[a->rule].slot[a->slot].alert = (int32_t)at;
}

void heed__alerts_free(heed_decider *d) {
    for (int64_t i = 0; i < d->alerts; i++) free_texts(d, &d->alert[i]);
    heed__free(&d->hooks, d->alert);
}

/* -- telling --------------------------------------------------------------------------------- */

static char *kept(heed_decider *d, const heed_line *l) {
    if (l->failed || !l->text) return d->failed = true, NULL;
    char *text = heed__arena_alloc(&d->memory, (size_t)l->len + 1);
    if (!text) return d->failed = true, NULL;
    memcpy(text, l->text, (size_t)l->len + 1);
    return text;
}

/* {"gates":[...],"count","examples":[...],"history":[{"state","time"}...]} */
static void put_why(heed_decider *d, heed_line *l, const heed_record *a) {
    const heed_watch *w = &d->watch[a->rule];
    heed__line_put(l, "{\"gates\":");
    heed__line_put(l, a->gates);
    heed__line_put(l, ",\"events\":");
    heed__line_int(l, a->count);
    heed__line_put(l, ",\"most\":{\"n\":");
    heed__line_number(l, a->peak.n);
    if (w->kind == RULE_SURGE) {
        if (w->scored) {
            heed__line_put(l, ",\"worth\":");
            heed__line_number(l, a->peak.worth);
        }
        heed__line_put(l, ",\"usual\":");
        heed__line_number(l, a->peak.usual);
        heed__line_put(l, ",\"p\":");
        heed__line_number(l, a->peak.p);
        if (w->scored) {
            heed__line_put(l, ",\"odds\":");
            heed__line_number(l, a->peak.odds);
        }
    }
    if (w->kind == RULE_SHARE) {
        heed__line_put(l, ",\"whole\":");
        heed__line_number(l, a->peak.whole);
    }
    heed__line_put(l, "},\"examples\":[");
    const heed_slot *s = a->slot >= 0 ? &w->slot[a->slot] : NULL;
    const int64_t n = s ? s->examples < EXAMPLES ? s->examples : EXAMPLES : 0;
    for (int64_t i = n; i > 0; i--) {
        if (i < n) heed__line_put(l, ",");
        heed__line_int(l, s->example[(s->examples - i) % EXAMPLES]);
    }
    heed__line_put(l, "],\"history\":[");
    const int64_t from = a->changes > MOST_HISTORY ? a->changes - MOST_HISTORY : 0;
    for (int64_t i = from; i < a->changes; i++) {
        heed__line_put(l, i > from ? ",{\"state\":\"" : "{\"state\":\"");
        heed__line_put(l, state_names[a->history[i % MOST_HISTORY]]);
        heed__line_put(l, "\",\"time\":");
        heed__line_time(l, a->history_ms[i % MOST_HISTORY]);
        heed__line_put(l, "}");
    }
    heed__line_put(l, "]}");
}

static void put_message(heed_decider *d, const heed_record *a, const heed_alert *out,
                        const char *notice) {
    heed_line *l = &d->line;
    const heed_rule_cfg *rule = d->watch[a->rule].cfg;
    const bool up = strcmp(notice, "escalated") == 0;
    const char *const *to = up ? rule->escalate_to : rule->to;
    const int64_t n = up ? rule->escalate_to_len : rule->to_len;
    if (n == 0) return;
    heed__line_start(l);
    heed__line_put(l, "{\"id\":");
    heed__line_int(l, a->id);
    heed__line_put(l, ",\"notice\":\"");
    heed__line_put(l, notice);
    heed__line_put(l, "\",\"rule\":");
    heed__line_json(l, out->rule);
    heed__line_put(l, ",\"grade\":\"");
    heed__line_put(l, out->grade);
    heed__line_put(l, "\",\"state\":\"");
    heed__line_put(l, out->state);
    heed__line_put(l, "\",\"key\":");
    heed__line_put(l, out->key);
    heed__line_put(l, ",\"title\":");
    heed__line_json(l, out->title);
    heed__line_put(l, ",\"opened\":");
    heed__line_time(l, a->opened_ms);
    heed__line_put(l, ",\"time\":");
    heed__line_time(l, d->now_ms);
    heed__line_put(l, ",\"why\":");
    heed__line_put(l, out->why);
    heed__line_put(l, "}");
    const char *body = kept(d, l);
    heed__line_start(l);
    heed__line_put(l, "alert-");
    heed__line_int(l, a->id);
    heed__line_put(l, "-");
    heed__line_int(l, a->notices);
    heed__line_put(l, "-");
    heed__line_put(l, notice);
    const char *key = kept(d, l);
    if (d->failed || heed__grow(&d->hooks, &d->out_message, &d->out_message_cap,
                                d->out_messages + n, sizeof *d->out_message) != 0) {
        d->failed = true;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        d->out_message[d->out_messages++] = (heed_message){
            .sink = to[i], .key = key, .type = "alert", .body = body
        };
}

void heed__alert_tell(heed_decider *d, heed_record *a, const char *notice) {
    a->changed_seq = d->seq;
    a->changed_ms = d->now_ms;
    a->told_count = a->count;
    a->told_ms = d->now_ms;
    heed__line_start(&d->line);
    put_why(d, &d->line, a);
    const char *why = kept(d, &d->line);
    heed__line_start(&d->line);
    heed__line_put(&d->line, a->key);
    const char *key = kept(d, &d->line);
    heed__line_start(&d->line);
    heed__line_put(&d->line, a->title);
    const char *title = kept(d, &d->line);
    int64_t at = 0;
    while (at < d->out_alerts && d->out_alert[at].id != a->id) at++;
    if (d->failed || heed__grow(&d->hooks, &d->out_alert, &d->out_alert_cap, at + 1,
                                sizeof *d->out_alert) != 0) {
        d->failed = true;
        return;
    }
    if (at == d->out_alerts) d->out_alerts++;
    d->out_alert[at] = (heed_alert){ .id = a->id,
                                     .seq = d->seq,
                                     .time_ms = d->now_ms,
                                     .rule = d->watch[a->rule].cfg->name,
                                     .grade = grade_names[a->grade],
                                     .state = state_names[a->state],
                                     .key = key,
                                     .title = title,
                                     .why = why };
    if (!notice) return;
    a->notices++;
    put_message(d, a, &d->out_alert[at], notice);
}

/* -- firing ---------------------------------------------------------------------------------- */

static int inhibitor(const heed_decider *d, int rule) {
    const char *name = d->watch[rule].cfg->name;
    for (int64_t i = 0; i < d->flow->rules; i++) {
        const heed_rule_cfg *r = d->watch[i].cfg;
        if (i == rule || d->watch[i].open == 0) continue;
        for (int64_t k = 0; k < r->inhibit_len; k++)
            if (strcmp(r->inhibit[k], name) == 0) return (int)i;
    }
    return -1;
}

/* "bad news: finance, negative: 14 in 10 min, usually 3.1" */
static void put_title(heed_decider *d, heed_line *l, int rule, const heed_slot *s,
                      const heed_verdict *v) {
    const heed_watch *w = &d->watch[rule];
    heed__line_put(l, w->cfg->name);
    json_t *tree = json_loads(s->key, 0, NULL), *value;
    if (!tree) d->failed = true;
    const char *name, *between = ": ";
    json_object_foreach(tree, name, value) {
        heed__line_put(l, between);
        heed__line_put(l, json_is_string(value) ? json_string_value(value) : "");
        between = ", ";
    }
    json_decref(tree);
    if (w->kind == RULE_MATCH) return;
    heed__line_put(l, ": ");
    heed__line_int(l, (int64_t)v->n);
    if (w->kind == RULE_SHARE) {
        heed__line_put(l, " of ");
        heed__line_int(l, (int64_t)v->whole);
    }
    heed__line_put(l, " in ");
    heed__line_span(l, w->window_ms);
    if (w->scored) {
        heed__line_put(l, ", worth ");
        heed__line_number(l, v->worth);
    }
    if (w->kind == RULE_SURGE) {
        heed__line_put(l, ", usually ");
        heed__line_number(l, v->usual);
    }
}

static char *copy_of(heed_decider *d, const heed_line *l) {
    char *text = l->failed || !l->text ? NULL : heed__strdup(&d->hooks, l->text);
    if (!text) d->failed = true;
    return text;
}

/* Room for one more: the longest quiet goes, closed ones first. */
static void make_room(heed_decider *d) {
    if (d->alerts < MOST_ALERTS) return;
    int64_t at = 0;
    for (int64_t i = 1; i < d->alerts; i++) {
        const heed_record *a = &d->alert[i], *b = &d->alert[at];
        const bool ca = a->state == STATE_CLOSED, cb = b->state == STATE_CLOSED;
        if (ca != cb ? ca : a->fired_ms < b->fired_ms) at = i;
    }
    if (d->alert[at].state != STATE_CLOSED) {
        heed__alert_change(d, &d->alert[at], STATE_CLOSED);
        heed__alert_tell(d, &d->alert[at], NULL);
    }
    heed__alert_forget(d, at);
}

/* Two digits that tell alerts opened by one event apart: the rule's, then those above all rules. */
static int number_of(heed_decider *d, int rule) {
    int number = rule;
    if (d->used[rule]) number = (int)d->flow->rules;
    while (number <= MOST_RULES && d->used[number]) number++;
    return number <= MOST_RULES ? number : -1;
}

static void open_alert(heed_decider *d, int rule, int64_t slot, heed_verdict *v) {
    heed_watch *w = &d->watch[rule];
    const int number = number_of(d, rule);
    if (number < 0) {
        v->gate = GATE_HOLD;
        return;
    }
    make_room(d);
    if (heed__grow(&d->hooks, &d->alert, &d->alert_cap, d->alerts + 1, sizeof *d->alert) != 0) {
        d->failed = true;
        return;
    }
    d->used[number] = true;
    heed_record *a = &d->alert[d->alerts++];
    *a = (heed_record){ .id = d->seq * 100 + number,
                        .opened_seq = d->seq,
                        .opened_ms = d->now_ms,
                        .fired_ms = d->now_ms,
                        .count = 1,
                        .rule = rule,
                        .grade = w->grade,
                        .slot = slot,
                        .state = STATE_CLOSED };
    w->slot[slot].alert = (int32_t)(d->alerts - 1);
    v->by = inhibitor(d, rule);
    v->alert = a->id;
    v->gate = v->by >= 0 ? GATE_INHIBIT : GATE_FIRED;
    a->peak = *v;
    heed__line_start(&d->line);
    heed__gates(d, &d->line, rule, &d->view, v);
    a->gates = copy_of(d, &d->line);
    heed__line_start(&d->line);
    put_title(d, &d->line, rule, &w->slot[slot], v);
    a->title = copy_of(d, &d->line);
    a->key = heed__strdup(&d->hooks, w->slot[slot].key);
    if (!a->key) d->failed = true;
    if (d->failed) return;
    heed__alert_change(d, a, v->by >= 0 ? STATE_INHIBITED : STATE_OPEN);
    heed__alert_tell(d, a, v->by >= 0 ? NULL : "opened");
}

/* The rule holds again for a key that has an alert. */
static void join_alert(heed_decider *d, heed_record *a, heed_verdict *v) {
    const char *notice = NULL;
    bool changed = false;
    v->alert = a->id;
    v->gate = GATE_JOINED;
    if (a->state == STATE_INHIBITED) v->by = inhibitor(d, a->rule);
    a->count++;
    a->fired_ms = a->state == STATE_CLOSED && a->by_person ? a->fired_ms : d->now_ms;
    if (v->p < a->peak.p || (!(v->p > a->peak.p) && v->n > a->peak.n)) a->peak = *v;
    if (a->state == STATE_CLOSED && a->by_person) {
        v->gate = GATE_HOLD;
    } else if (a->state == STATE_SILENCED) {
        v->gate = GATE_SILENCE;
    } else if (a->state == STATE_INHIBITED && v->by >= 0) {
        v->gate = GATE_INHIBIT;
    } else if (!is_open(a->state)) {
        notice = a->state == STATE_INHIBITED ? "opened" : "again";
        changed = true;
        v->gate = GATE_FIRED;
        heed__alert_change(d, a, STATE_OPEN);
    }
    if (changed || a->count <= 8 || a->count >= a->told_count + a->told_count / 8 + 1 ||
        d->now_ms - a->told_ms >= 60000)
        heed__alert_tell(d, a, notice);
}

void heed__alert_fire(heed_decider *d, int rule, int64_t slot, heed_verdict *v) {
    const int32_t at = d->watch[rule].slot[slot].alert;
    if (at >= 0)
        join_alert(d, &d->alert[at], v);
    else
        open_alert(d, rule, slot, v);
}

/* -- time ------------------------------------------------------------------------------------ */

static void pass_time(heed_decider *d, heed_record *a) {
    const heed_rule_cfg *rule = d->watch[a->rule].cfg;
    const bool quiet = d->now_ms - a->fired_ms >= close_after(rule);
    if (a->state == STATE_SILENCED) {
        if (d->now_ms < a->silent_until) return;
        heed__alert_change(d, a, quiet ? STATE_CLOSED : STATE_OPEN);
        heed__alert_tell(d, a, quiet ? NULL : "again");
        return;
    }
    if (a->state == STATE_CLOSED) return;
    if (quiet) {
        const bool told = is_open(a->state);
        a->by_person = false;
        heed__alert_change(d, a, STATE_CLOSED);
        heed__alert_tell(d, a, told ? "closed" : NULL);
    } else if (a->state == STATE_OPEN && rule->escalate_ms > 0 && !a->escalated &&
               d->now_ms - a->opened_ms >= rule->escalate_ms) {
        a->escalated = true;
        if (a->grade < 2) a->grade++;
        heed__alert_tell(d, a, "escalated");
    }
}

void heed__alert_clock(heed_decider *d) {
    if (d->now_ms < d->next_alert_ms) return;
    for (int64_t i = 0; i < d->alerts; i++) pass_time(d, &d->alert[i]);
    for (int64_t i = 0; i < d->alerts;) {
        const heed_record *a = &d->alert[i];
        if (a->state == STATE_CLOSED && due(d, a) <= d->now_ms)
            heed__alert_forget(d, i);
        else
            i++;
    }
    d->next_alert_ms = never;
    for (int64_t i = 0; i < d->alerts; i++) await(d, &d->alert[i]);
}
