/* decide_deed.c: what people do: votes, which teach the ranking; alerts acknowledged, silenced and
 * closed; events split off their story; and the undoing of each, also of an undoing. The last 4,096
 * are kept; older votes have become the ranking's base. */
#include <string.h>

#include "base/json.h"
#include "flow/decide_impl.h"

/* -- votes ----------------------------------------------------------------------------------- */

enum { TARGETS = 4 * MOST_DEEDS };

/* Marks in `last` [deeds] the votes in force: of each event the last that was not undone. */
static int in_force(heed_decider *d, bool *last) {
    int64_t *seen = heed__calloc(&d->hooks, TARGETS, sizeof *seen);
    if (!seen) return HEED_ENOMEM;
    for (int64_t i = d->deeds; i-- > 0;) {
        const heed_deed *v = &d->deed[i];
        last[i] = false;
        if (v->kind != DEED_VOTE || v->undone) continue;
        uint64_t at = ((uint64_t)v->target * UINT64_C(0x9e3779b97f4a7c15)) % TARGETS;
        while (seen[at] && seen[at] != v->target) at = (at + 1) % TARGETS;
        last[i] = seen[at] != v->target && v->value != 0;
        seen[at] = v->target;
    }
    heed__free(&d->hooks, seen);
    return 0;
}

/* The weights that come of all votes in force. */
static int rebuild(heed_decider *d) {
    bool *last = heed__malloc(&d->hooks, (size_t)d->deeds + 1);
    int status = last ? in_force(d, last) : HEED_ENOMEM;
    if (!status) {
        memcpy(d->weight, d->base, sizeof d->weight);
        memcpy(d->votes, d->base_votes, sizeof d->votes);
        for (int64_t i = 0; i < d->deeds; i++)
            if (last[i]) heed__rank_learn(d->weight, d->votes, &d->deed[i]);
    }
    heed__free(&d->hooks, last);
    return status;
}

/* The oldest quarter can no longer be undone. */
static int settle(heed_decider *d) {
    const int64_t n = MOST_DEEDS / 4;
    bool *last = heed__malloc(&d->hooks, (size_t)d->deeds + 1);
    int status = last ? in_force(d, last) : HEED_ENOMEM;
    if (!status) {
        for (int64_t i = 0; i < n; i++)
            if (last[i]) heed__rank_learn(d->base, d->base_votes, &d->deed[i]);
        d->deeds -= n;
        memmove(d->deed, d->deed + n, (size_t)d->deeds * sizeof *d->deed);
    }
    heed__free(&d->hooks, last);
    return status;
}

static heed_deed *add_deed(heed_decider *d, int kind, int64_t entry, int64_t target) {
    if (d->deeds == MOST_DEEDS && settle(d) != 0) return NULL;
    if (heed__grow(&d->hooks, &d->deed, &d->deed_cap, d->deeds + 1, sizeof *d->deed) != 0)
        return NULL;
    heed_deed *deed = &d->deed[d->deeds++];
    memset(deed, 0, sizeof *deed);
    deed->entry = entry;
    deed->time_ms = d->now_ms;
    deed->target = target;
    deed->kind = (unsigned)kind;
    return deed;
}

static int vote(heed_decider *d, const heed_seen *seen, const json_t *body) {
    const int64_t seq = json_integer_value(json_object_get(body, "seq"));
    const char *way = json_string_value(json_object_get(body, "vote"));
    if (!way || seq <= 0 || !d->flow->ranking) return 0;
    const int value = strcmp(way, "up") == 0 ? 1 : strcmp(way, "down") == 0 ? -1 : 0;
    if (!value && strcmp(way, "none") != 0) return 0;
    heed_deed *deed = add_deed(d, DEED_VOTE, seen->entry->seq, seq);
    if (!deed) return HEED_ENOMEM;
    const heed_event *e = heed__event_by_seq(d, seq), none = { 0 };
    deed->value = value;
    if (e)
        deed->features = e->features;
    else
        heed__rank_event(d, seen, &none, &deed->features, NULL);
    return rebuild(d);
}

/* -- actions --------------------------------------------------------------------------------- */

static void set_alert(heed_decider *d, heed_record *a, heed_alert_state state, bool by_person,
                      int64_t silent_until) {
    a->by_person = by_person;
    a->silent_until = silent_until;
    heed__alert_change(d, a, state);
    heed__alert_tell(d, a, NULL);
}

/* Does a deed, for the first time or again. */
static void perform(heed_decider *d, heed_deed *deed) {
    heed_record *a = heed__alert_by_id(d, deed->target);
    if (deed->kind == DEED_SPLIT) {
        if (heed__stories_move(d, deed->target, 0))
            d->out_moved = (heed_moved){ deed->target, deed->target }, d->out_moves = 1;
        return;
    }
    if (!a) return;
    deed->was_state = a->state;
    deed->was_by_person = a->by_person;
    deed->was_silent_until = a->silent_until;
    if (deed->kind == DEED_SILENCE) {
        set_alert(d, a, STATE_SILENCED, false, deed->value);
    } else if (deed->kind == DEED_CLOSE) {
        set_alert(d, a, STATE_CLOSED, true, 0);
    } else if (a->state != STATE_CLOSED) {
        set_alert(d, a, STATE_ACKNOWLEDGED, false, 0);
    }
}

static void take_back(heed_decider *d, const heed_deed *deed) {
    if (deed->kind == DEED_SPLIT) {
        if (deed->value && heed__stories_move(d, deed->target, deed->value))
            d->out_moved = (heed_moved){ deed->target, deed->value }, d->out_moves = 1;
        return;
    }
    static const heed_alert_state made[] = { [DEED_ACK] = STATE_ACKNOWLEDGED,
                                             [DEED_CLOSE] = STATE_CLOSED,
                                             [DEED_SILENCE] = STATE_SILENCED };
    heed_record *a = heed__alert_by_id(d, deed->target);
    if (!a || deed->kind > DEED_SILENCE || a->state != made[deed->kind]) return; /* it went on */
    if (deed->kind == DEED_CLOSE && !a->by_person) return;
    set_alert(d, a, deed->was_state, deed->was_by_person, deed->was_silent_until);
}

/* On: the deed is in force again; off: it is as if it had never been. */
static int set_force(heed_decider *d, heed_deed *deed, bool on) {
    for (;;) { /* an undoing undone is its target in force, and so on down */
        if (deed->undone == !on) return 0;
        deed->undone = !on;
        if (deed->kind != DEED_UNDO) break;
        heed_deed *target = NULL;
        for (int64_t i = 0; i < d->deeds && d->deed[i].entry < deed->entry; i++)
            if (d->deed[i].entry == deed->target) target = &d->deed[i];
        if (!target) return 0;
        deed = target;
        on = !on;
    }
    if (deed->kind == DEED_VOTE) return rebuild(d);
    if (on)
        perform(d, deed);
    else
        take_back(d, deed);
    return 0;
}

static int undo(heed_decider *d, const heed_seen *seen, const json_t *body) {
    const int64_t entry = json_integer_value(json_object_get(body, "entry"));
    heed_deed *deed = add_deed(d, DEED_UNDO, seen->entry->seq, entry);
    if (!deed) return HEED_ENOMEM;
    deed->undone = true; /* so that putting it in force does it */
    return set_force(d, deed, true);
}

static int act(heed_decider *d, const heed_seen *seen, const json_t *body) {
    static const char *const names[] = { "ack", "close", "silence" };
    const char *what = json_string_value(json_object_get(body, "do"));
    if (!what) return 0;
    if (strcmp(what, "undo") == 0) return undo(d, seen, body);
    heed_deed *deed = NULL;
    if (strcmp(what, "split") == 0) {
        const int64_t seq = json_integer_value(json_object_get(body, "seq"));
        const heed_event *e = heed__event_by_seq(d, seq);
        deed = add_deed(d, DEED_SPLIT, seen->entry->seq, seq);
        if (deed) deed->value = e && e->story != seq ? e->story : 0;
        if (deed) perform(d, deed);
        return deed ? 0 : HEED_ENOMEM;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(what, names[i]) != 0) continue;
        const json_t *minutes = json_object_get(body, "minutes");
        double length = json_is_number(minutes) ? json_number_value(minutes) : 60;
        if (!(length > 0)) length = 0;
        if (length > 527040) length = 527040; /* a year */
        deed = add_deed(d, DEED_ACK + i, seen->entry->seq,
                        json_integer_value(json_object_get(body, "alert")));
        if (!deed) return HEED_ENOMEM;
        deed->value = d->now_ms + (int64_t)(length * 60000);
        perform(d, deed);
    }
    return 0;
}

int heed__deed_entry(heed_decider *d, const heed_seen *seen, heed_error *err) {
    const char *body = seen->entry->body;
    if (!body) return 0;
    heed_error why;
    json_t *tree = heed__json_parse(body, strlen(body), "body", &why);
    int status = 0;
    if (!tree)
        status = why.code == HEED_ENOMEM ? HEED_ENOMEM : 0;
    else if (seen->entry->kind == HEED_ENTRY_FEEDBACK)
        status = vote(d, seen, tree);
    else
        status = act(d, seen, tree);
    json_decref(tree);
    if (d->failed) status = HEED_ENOMEM;
    return status ? heed__error(err, status, "a vote or an action does not fit in memory") : 0;
}
