/* decide_why.c: how far an event came with each rule, told twice: as a short note that is stored
 * beside the event ("chance n=7 usual=2.31 spread=0.05 p=0.013"), and gate by gate with values,
 * bounds and a sentence, made from the event, its findings and that note. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "flow/decide_impl.h"

static const char *const gate_names[] = { "none",    "when",    "by",     "when",  "learn",
                                          "least",   "chance",  "odds",   "share", "hold",
                                          "silence", "inhibit", "joined", "fired" };

/* -- notes ----------------------------------------------------------------------------------- */

static void put_pair(heed_line *l, const char *name, double value) {
    heed__line_put(l, name);
    heed__line_number(l, value);
}

void heed__note(heed_line *l, const heed_decider *d, int rule, const heed_verdict *v) {
    const heed_watch *w = &d->watch[rule];
    heed__line_put(l, gate_names[v->gate]);
    if (v->gate <= GATE_PART) {
        const char *name = v->gate == GATE_BY ? w->cfg->by[v->which]
                                              : w->cfg->when[v->which].analysis;
        heed__line_put(l, " ");
        heed__line_within(l, name, strlen(name));
        return;
    }
    if (v->gate >= GATE_HOLD) {
        heed__line_put(l, " id=");
        heed__line_int(l, v->alert);
    }
    if (v->gate == GATE_LEARN) {
        heed__line_put(l, " left=");
        heed__line_int(l, v->left);
    }
    if (w->kind == RULE_MATCH) return;
    heed__line_put(l, " n=");
    heed__line_int(l, (int64_t)v->n);
    if (w->kind == RULE_SHARE) {
        heed__line_put(l, " whole=");
        heed__line_int(l, (int64_t)v->whole);
    }
    if (w->kind != RULE_SURGE || v->gate < GATE_CHANCE) return;
    if (w->scored) put_pair(l, " worth=", v->worth);
    put_pair(l, " usual=", v->usual);
    put_pair(l, " spread=", v->spread);
    put_pair(l, " p=", v->p);
    if (w->scored && v->gate >= GATE_ODDS) put_pair(l, " odds=", v->odds);
}

static double number_in(const char *note, const char *name) {
    const char *at = strstr(note, name);
    double value = 0;
    if (!at) return 0;
    at += strlen(name);
    return heed__parse_double(at, strcspn(at, " "), &value) ? value : 0;
}

static int64_t integer_in(const char *note, const char *name) {
    const char *at = strstr(note, name);
    int64_t value = 0;
    if (!at) return 0;
    at += strlen(name);
    return heed__parse_int(at, strcspn(at, " "), &value) ? value : 0;
}

/* The other way round. Conditions are looked at again; a note of them only names one. */
static void read_note(const heed_watch *w, const char *note, heed_verdict *v) {
    const size_t len = strcspn(note, " ");
    *v = (heed_verdict){ .gate = GATE_NONE, .p = 1, .by = -1 };
    for (int g = GATE_WHEN; g <= GATE_FIRED; g++)
        if (strlen(gate_names[g]) == len && strncmp(gate_names[g], note, len) == 0) {
            v->gate = (heed_gate)g;
            break;
        }
    const char *name = note[len] ? note + len + 1 : "";
    if (v->gate == GATE_WHEN) {
        while (v->which < w->cfg->whens - 1 && strcmp(w->cfg->when[v->which].analysis, name) != 0)
            v->which++;
        if (w->kind == RULE_SHARE && w->cfg->whens &&
            heed__part_of(w->cfg, &w->cfg->when[v->which]))
            v->gate = GATE_PART;
    } else if (v->gate == GATE_BY) {
        while (v->which < w->cfg->by_len - 1 && strcmp(w->cfg->by[v->which], name) != 0) v->which++;
    }
    if (v->gate <= GATE_PART) return;
    v->alert = integer_in(note, " id=");
    v->left = integer_in(note, " left=");
    v->n = number_in(note, " n=");
    v->whole = number_in(note, " whole=");
    v->usual = number_in(note, " usual=");
    v->spread = number_in(note, " spread=");
    v->worth = number_in(note, " worth=");
    v->odds = number_in(note, " odds=");
    if (strstr(note, " p=")) v->p = number_in(note, " p=");
}

/* -- gates ----------------------------------------------------------------------------------- */

/* One gate of the list: begin, its value, bound, its bound, says, a sentence, end. */
typedef struct list {
    heed_line *l;
    bool any;
} list;

static void begin(list *g, const char *gate, const char *of) {
    heed__line_put(g->l, g->any ? ",{\"gate\":\"" : "{\"gate\":\"");
    heed__line_put(g->l, gate);
    if (of) heed__line_put(g->l, " "), heed__line_within(g->l, of, strlen(of));
    heed__line_put(g->l, "\",\"value\":");
    g->any = true;
}

static void says(list *g, bool held) {
    heed__line_put(g->l, held ? ",\"held\":true,\"says\":\"" : ",\"held\":false,\"says\":\"");
}

static void within(list *g, const char *text) {
    heed__line_within(g->l, text, strlen(text));
}

static void end(list *g) {
    heed__line_put(g->l, "\"}");
}

/* "finance, stocks" */
static void put_labels(list *g, const heed_condition *c) {
    for (int64_t i = 0; i < c->labels; i++) {
        if (i) heed__line_put(g->l, ", ");
        within(g, c->label[i]);
    }
    if (c->labels == 0) heed__line_put(g->l, c->of ? "any" : "said");
    if (c->of) heed__line_put(g->l, " of "), within(g, c->of);
    if (c->least > 0) heed__line_put(g->l, " from "), heed__line_number(g->l, c->least);
}

static const char *value_of(const heed_view *view, const heed_condition *c,
                            const heed_finding **f) {
    *f = NULL;
    if (strcmp(c->analysis, "source") == 0) return view->seen->entry->source;
    if (strcmp(c->analysis, "user") == 0) return view->seen->entry->user;
    *f = heed__find(view->seen, c->analysis);
    return *f ? (*f)->label : NULL;
}

static void put_condition(list *g, heed_view *view, const heed_condition *c, bool held) {
    const heed_finding *f;
    const char *value = value_of(view, c, &f);
    begin(g, "when", c->analysis);
    heed__line_put(g->l, value ? "\"" : f && !c->of ? "" : "null");
    if (value) {
        within(g, value);
        if (f) heed__line_put(g->l, " "), heed__line_number(g->l, f->confidence);
        heed__line_put(g->l, "\"");
    } else if (f && !c->of) {
        heed__line_number(g->l, f->confidence);
    }
    heed__line_put(g->l, ",\"bound\":\"");
    put_labels(g, c);
    heed__line_put(g->l, "\"");
    says(g, held);
    within(g, c->analysis);
    if (c->of) {
        heed__line_put(g->l, held ? " names one" : " names none");
    } else if (value) {
        heed__line_put(g->l, f && f->abstained ? " would rather not say, at best " : " is ");
        within(g, value);
        if (f) heed__line_put(g->l, " ("), heed__line_number(g->l, f->confidence);
        if (f) heed__line_put(g->l, ")");
    } else if (f) {
        heed__line_put(g->l, " is ");
        heed__line_number(g->l, f->confidence);
    } else {
        heed__line_put(g->l, " says nothing of it");
    }
    end(g);
}

/* Conditions of the whole (part false) or of the part; false: one did not hold. */
static bool put_conditions(list *g, const heed_watch *w, heed_view *view, bool part,
                           const heed_verdict *v) {
    const heed_gate stop = part ? GATE_PART : GATE_WHEN;
    for (int64_t i = 0; i < w->cfg->whens; i++) {
        const heed_condition *c = &w->cfg->when[i];
        if ((w->kind == RULE_SHARE && heed__part_of(w->cfg, c)) != part) continue;
        const bool held = v->gate == stop && v->which == i ? false
                          : v->gate > stop                 ? true
                                                           : heed__holds(view, c);
        put_condition(g, view, c, held);
        if (!held) return false;
    }
    return true;
}

static bool put_by(list *g, const heed_watch *w, heed_view *view, const heed_verdict *v) {
    for (int64_t i = 0; i < w->cfg->by_len; i++) {
        const char *value[MOST_VALUES];
        const bool held = !(v->gate == GATE_BY && v->which == i);
        const int n = heed__values(view, w->cfg, w->cfg->by[i], value);
        begin(g, "by", w->cfg->by[i]);
        heed__line_put(g->l, n ? "\"" : "null");
        for (int k = 0; k < n; k++) {
            if (k) heed__line_put(g->l, ", ");
            within(g, value[k]);
        }
        heed__line_put(g->l, n ? "\",\"bound\":\"a value\"" : ",\"bound\":\"a value\"");
        says(g, held);
        heed__line_put(g->l, held ? "counted by " : "cannot be counted by ");
        within(g, w->cfg->by[i]);
        end(g);
        if (!held) return false;
    }
    return true;
}

static bool put_learn(list *g, const heed_watch *w, const heed_verdict *v) {
    const bool held = v->gate != GATE_LEARN;
    begin(g, "learn", NULL);
    heed__line_int(g->l, held ? w->cfg->learn_ms : w->cfg->learn_ms - v->left);
    heed__line_put(g->l, ",\"bound\":");
    heed__line_int(g->l, w->cfg->learn_ms);
    says(g, held);
    heed__line_put(g->l, held ? "the usual course was watched for "
                              : "the usual course was not yet watched for ");
    heed__line_span(g->l, w->cfg->learn_ms);
    end(g);
    return held;
}

static bool put_least(list *g, const heed_watch *w, const heed_verdict *v) {
    const bool held = v->gate != GATE_LEAST;
    const int64_t n = (int64_t)(w->kind == RULE_SHARE ? v->whole : v->n);
    begin(g, "least", NULL);
    heed__line_int(g->l, n);
    heed__line_put(g->l, ",\"bound\":");
    heed__line_int(g->l, w->least);
    says(g, held);
    heed__line_int(g->l, n);
    heed__line_put(g->l, " in ");
    heed__line_span(g->l, w->window_ms);
    heed__line_put(g->l, held ? ", at least " : ", not ");
    heed__line_int(g->l, w->least);
    end(g);
    return held;
}

static bool put_chance(list *g, const heed_watch *w, const heed_verdict *v) {
    const bool held = v->gate != GATE_CHANCE;
    begin(g, "chance", NULL);
    heed__line_number(g->l, v->p);
    heed__line_put(g->l, ",\"bound\":");
    heed__line_number(g->l, w->p);
    says(g, held);
    heed__line_int(g->l, (int64_t)v->n);
    heed__line_put(g->l, " in ");
    heed__line_span(g->l, w->window_ms);
    if (w->scored) {
        heed__line_put(g->l, " said, worth ");
        heed__line_number(g->l, v->worth);
        heed__line_put(g->l, " without doubt,");
    }
    heed__line_put(g->l, " where ");
    heed__line_number(g->l, v->usual);
    heed__line_put(g->l, v->p < 1 ? " are usual: so many or more have a chance of "
                                  : " are usual: not above the usual");
    if (v->p < 1) heed__line_number(g->l, v->p);
    end(g);
    return held;
}

static bool put_odds(list *g, const heed_watch *w, const heed_verdict *v) {
    const bool held = v->gate != GATE_ODDS;
    begin(g, "odds", NULL);
    heed__line_number(g->l, v->odds);
    heed__line_put(g->l, ",\"bound\":");
    heed__line_number(g->l, w->odds);
    says(g, held);
    heed__line_put(g->l, "a surge is ");
    heed__line_number(g->l, v->odds);
    heed__line_put(g->l, " times as likely as that the model mistook other labels for it");
    end(g);
    return held;
}

static bool put_share(list *g, const heed_watch *w, const heed_verdict *v) {
    const bool held = v->gate != GATE_SHARE;
    const double part = v->whole > 0 ? v->n / v->whole : 0;
    begin(g, "share", NULL);
    heed__line_number(g->l, part);
    heed__line_put(g->l, ",\"bound\":");
    heed__line_number(g->l, w->cfg->share);
    says(g, held);
    heed__line_int(g->l, (int64_t)v->n);
    heed__line_put(g->l, " of ");
    heed__line_int(g->l, (int64_t)v->whole);
    heed__line_put(g->l, " in ");
    heed__line_span(g->l, w->window_ms);
    end(g);
    return held;
}

/* What stands between a rule that holds and an alert. */
static void put_alert(list *g, const heed_verdict *v) {
    static const char *const text[] = { "a person closed alert ", "a person silenced alert ",
                                        "another rule's alert keeps this one quiet: alert ",
                                        "grouped into alert ", "opened alert " };
    begin(g, v->gate >= GATE_JOINED ? "alert" : gate_names[v->gate], NULL);
    heed__line_int(g->l, v->alert);
    heed__line_put(g->l, ",\"bound\":null");
    says(g, v->gate >= GATE_JOINED);
    heed__line_put(g->l, text[v->gate - GATE_HOLD]);
    heed__line_int(g->l, v->alert);
    end(g);
}

static void put_gates(list *g, const heed_watch *w, heed_view *view, const heed_verdict *v) {
    if (!put_conditions(g, w, view, false, v) || !put_by(g, w, view, v)) return;
    if (w->kind == RULE_SHARE && !put_conditions(g, w, view, true, v)) return;
    if (v->gate <= GATE_PART) {
        begin(g, "noted", NULL);
        heed__line_put(g->l, "null,\"bound\":null");
        says(g, false);
        heed__line_put(g->l, "the rule was not in force then");
        end(g);
        return;
    }
    if (w->kind == RULE_SURGE && !put_learn(g, w, v)) return;
    if (w->kind != RULE_MATCH && !put_least(g, w, v)) return;
    if (w->kind == RULE_SURGE && !put_chance(g, w, v)) return;
    if (w->scored && !put_odds(g, w, v)) return;
    if (w->kind == RULE_SHARE && !put_share(g, w, v)) return;
    if (v->gate >= GATE_HOLD) put_alert(g, v);
}

void heed__gates(const heed_decider *d, heed_line *l, int rule, heed_view *view,
                 const heed_verdict *v) {
    list g = { .l = l };
    heed__line_put(l, "[");
    put_gates(&g, &d->watch[rule], view, v);
    heed__line_put(l, "]");
}

/* -- the question ---------------------------------------------------------------------------- */

static void put_rule(const heed_decider *d, heed_line *l, int rule, heed_view *view,
                     const char *note) {
    heed_verdict v;
    read_note(&d->watch[rule], note, &v);
    heed__line_put(l, "{\"rule\":");
    heed__line_json(l, d->watch[rule].cfg->name);
    heed__line_put(l, v.gate >= GATE_JOINED ? ",\"fired\":true,\"stopped_at\":null,\"gates\":"
                                            : ",\"fired\":false,\"stopped_at\":");
    if (v.gate < GATE_JOINED) {
        const bool named = v.gate >= GATE_WHEN && v.gate <= GATE_PART;
        if (v.gate == GATE_NONE)
            heed__line_put(l, "\"noted\"");
        else if (named)
            heed__line_json(l, note);
        else
            heed__line_json(l, gate_names[v.gate]);
        heed__line_put(l, ",\"gates\":");
    }
    heed__gates(d, l, rule, view, &v);
    heed__line_put(l, "}");
}

static int put_why(const heed_decider *d, heed_line *l, heed_view *view, const json_t *notes,
                   const char *rule) {
    bool any = false;
    heed__line_put(l, "{\"seq\":");
    heed__line_int(l, view->seen->entry->seq);
    heed__line_put(l, ",\"rules\":[");
    for (int64_t i = 0; i < d->flow->rules; i++) {
        const char *name = d->watch[i].cfg->name;
        if (rule && strcmp(rule, name) != 0) continue;
        const char *note = json_string_value(json_object_get(notes, name));
        if (any) heed__line_put(l, ",");
        put_rule(d, l, (int)i, view, note ? note : "");
        any = true;
    }
    heed__line_put(l, "]}");
    return any || !rule ? 0 : HEED_ENOTFOUND;
}

json_t *heed_decider_why(const heed_decider *d, const heed_seen *seen, const char *gates,
                         const char *rule, heed_error *err) {
    json_t *notes = heed__json_parse(gates && gates[0] ? gates : "{}",
                                     gates && gates[0] ? strlen(gates) : 2, "gates", err);
    if (!notes) return NULL;
    heed_view view = { .flow = d->flow, .seen = seen };
    heed_line l = { .hooks = &d->hooks };
    json_t *why = NULL;
    const int status = put_why(d, &l, &view, notes, rule);
    if (status)
        heed__error(err, status, "the flow has no rule '%s'", rule);
    else if (l.failed || view.failed)
        heed__error(err, HEED_ENOMEM, "the answer does not fit in memory");
    else
        why = heed__json_parse(l.text, (size_t)l.len, "why", err);
    heed__view_end(&view);
    heed__line_free(&l);
    json_decref(notes);
    return why;
}
