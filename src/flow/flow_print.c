/* flow_print.c: a flow told to a person: what was understood, and the way through it as a graph. */
#include "flow/flow_print.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

/* "10m", "1h30m", "250ms" */
static const char *time_text(int64_t ms, char room[48]) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
    size_t len = 0;
    room[0] = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const int64_t n = ms / units[i].ms;
        ms %= units[i].ms;
        if (n > 0) len += heed__format(room + len, 48 - len, "%lld%s", (long long)n, units[i].name);
    }
    return len ? room : "0";
}

static void add_names(heed_text *b, const char *before, const char *const *name, int64_t n) {
    for (int64_t i = 0; i < n; i++) heed__text_format(b, "%s%s", i ? ", " : before, name[i]);
}

static void add_when(heed_text *b, const heed_condition *when, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const heed_condition *c = &when[i];
        heed__text_format(b, "%s%s", i ? " and " : ", when ", c->analysis);
        if (c->of) heed__text_format(b, " has %s", c->of);
        add_names(b, c->of ? " " : " is ", c->label, c->labels);
        if (!c->of && !c->labels) heed__text_puts(b, " has a label");
        if (c->least > 0) heed__text_format(b, " (confidence at least %.10g)", c->least);
    }
}

static void add_sources(heed_text *b, const heed_flow *flow) {
    char time[48];
    heed__text_format(b, "sources (%lld)\n", (long long)flow->sources);
    for (int64_t i = 0; i < flow->sources; i++) {
        const heed_source_cfg *s = &flow->source[i];
        heed__text_format(b, "  %s: %s", s->name, s->kind);
        if (s->path || s->url) heed__text_format(b, " %s", s->path ? s->path : s->url);
        if (strcmp(s->kind, "feed") == 0)
            heed__text_format(b, ", every %s", time_text(s->every_ms, time));
        if (s->rate > 0) heed__text_format(b, ", %.10g/s", s->rate);
        if (s->speed > 0) heed__text_format(b, ", %.10g times its own times", s->speed);
        if (s->shuffle)
            heed__text_format(b, ", shuffled with seed %llu", (unsigned long long)s->seed);
        heed__text_format(b, "%s%s\n", s->loop ? ", again at its end" : "",
                          s->allow_private ? ", private addresses allowed" : "");
    }
}

static void add_analyses(heed_text *b, const heed_flow *flow) {
    char time[48];
    heed__text_format(b, "analyses (%lld)\n", (long long)flow->analyses);
    for (int64_t i = 0; i < flow->analyses; i++) {
        const heed_analysis_cfg *a = &flow->analysis[i];
        heed__text_format(b, "  %s: %s", a->name, a->kind);
        if (a->model) heed__text_format(b, " by %s", a->model);
        add_names(b, ", only of ", a->only, a->only_len);
        add_when(b, a->when, a->whens);
        if (a->least > 0) heed__text_format(b, ", abstains below %.10g", a->least);
        if (strcmp(a->kind, "novelty") == 0)
            heed__text_format(b, ", seen before from cosine %.10g on within %s", a->similar,
                              time_text(a->within_ms, time));
        heed__text_put(b, '\n');
        for (int64_t g = 0; g < a->grades; g++) {
            heed__text_format(b, "    %s", a->grade[g].name);
            add_when(b, a->grade[g].when, a->grade[g].whens);
            add_names(b, a->grade[g].whens ? ", or of the words " : ", of the words ",
                      a->grade[g].words, a->grade[g].word_len);
            heed__text_put(b, '\n');
        }
    }
}

static void add_rule(heed_text *b, const heed_rule_cfg *r) {
    char time[48];
    heed__text_format(b, "  %s: %s, %s", r->name, r->kind, r->grade);
    add_when(b, r->when, r->whens);
    add_names(b, ", by ", r->by, r->by_len);
    if (strcmp(r->kind, "match") != 0)
        heed__text_format(b, ", at least %lld within %s", (long long)r->least,
                          time_text(r->window_ms, time));
    if (strcmp(r->kind, "share") == 0) heed__text_format(b, ", share at least %.10g", r->share);
    if (strcmp(r->kind, "surge") == 0)
        heed__text_format(b, ", chance at most %.10g (course: %s), learns %s", r->p, r->course,
                          time_text(r->learn_ms, time));
    if (r->counts && strcmp(r->counts, "scores") == 0)
        heed__text_format(b, ", counts by scores, odds at least %.10g", r->odds);
    heed__text_format(b, ", held %s", time_text(r->hold_ms, time));
    add_names(b, ", to ", r->to, r->to_len);
    if (r->escalate_ms > 0)
        heed__text_format(b, ", escalates after %s", time_text(r->escalate_ms, time));
    add_names(b, " to ", r->escalate_to, r->escalate_to_len);
    add_names(b, ", inhibits ", r->inhibit, r->inhibit_len);
    heed__text_put(b, '\n');
}

static void add_sinks(heed_text *b, const heed_flow *flow) {
    heed__text_format(b, "sinks (%lld)\n", (long long)flow->sinks);
    for (int64_t i = 0; i < flow->sinks; i++) {
        const heed_sink_cfg *s = &flow->sink[i];
        const char *where = s->url ? s->url : s->path ? s->path : s->address ? s->address : "";
        heed__text_format(b, "  %s: %s%s%s", s->name, s->kind, *where ? " " : "", where);
        if (s->url)
            heed__text_puts(b, s->secret_env ? ", signed" : ", not signed (no 'secret_env')");
        heed__text_format(b, "%s\n", s->allow_private ? ", private addresses allowed" : "");
    }
}

char *heed_flow_text(const heed_flow *flow, const heed_hooks *hooks, heed_error *err) {
    heed_text b = { .hooks = hooks };
    char time[48];
    heed__text_format(&b, "%s: %s\n", flow->path, flow->name);
    heed__text_format(&b, "  listens on %s%s%s, keeps %s in %s\n", flow->listen,
                      flow->certificate ? " by TLS" : "", flow->keys ? " with keys" : "",
                      flow->keep_ms ? time_text(flow->keep_ms, time) : "everything", flow->store);
    add_names(&b, "  replaces before storing: ", flow->redact, flow->redact_len);
    if (flow->redact_len) heed__text_put(&b, '\n');
    if (flow->event_clock) heed__text_puts(&b, "  its clock is that of the events\n");
    add_sources(&b, flow);
    add_analyses(&b, flow);
    heed__text_format(&b, "rules (%lld)\n", (long long)flow->rules);
    for (int64_t i = 0; i < flow->rules; i++) add_rule(&b, &flow->rule[i]);
    add_sinks(&b, flow);
    if (flow->desk) {
        const heed_desk_cfg *d = flow->desk;
        heed__text_format(&b, "desk%s%s%s%s%s%s%s%s\n", d->intent ? ": intents by " : "",
                          d->intent ? d->intent : "", d->tag ? ", slots by " : "",
                          d->tag ? d->tag : "", d->replies ? ", replies of " : "",
                          d->replies ? d->replies : "", d->kb ? ", searches " : "",
                          d->kb ? d->kb : "");
    }
    char *text = heed__text_take(&b, NULL);
    if (!text) heed__error(err, HEED_ENOMEM, "%s: out of memory", flow->path);
    return text;
}

/* -- graph ------------------------------------------------------------------------------------ */

/* A text within a Mermaid label: its own signs as numbers. */
static void add_label(heed_text *b, const char *text) {
    for (; *text; text++) {
        if (strchr("\"#<>&`\\", *text))
            heed__text_format(b, "#%d;", *text);
        else
            heed__text_put(b, *text);
    }
}

static void add_node(heed_text *b, const char *id, int64_t i, const char *name, const char *kind) {
    heed__text_format(b, "    %s%lld[\"", id, (long long)i);
    add_label(b, name);
    heed__text_format(b, "<br>%s\"]\n", kind);
}

/* The number of a name in a group; -1: none. */
#define PLACE(array, n, word) place_of(&(array)->name, sizeof *(array), n, word)
static int64_t place_of(const char *const *first, size_t stride, int64_t n, const char *word) {
    for (int64_t i = 0; i < n; i++) {
        const char *name;
        memcpy(&name, (const char *)first + (size_t)i * stride, sizeof name);
        if (strcmp(name, word) == 0) return i;
    }
    return -1;
}

/* Analyses that analysis i goes by. */
static void add_after(heed_text *b, const heed_flow *f, int64_t i, const heed_condition *when,
                      int64_t n) {
    for (int64_t w = 0; w < n; w++) {
        const int64_t from = PLACE(f->analysis, f->analyses, when[w].analysis);
        if (from >= 0) heed__text_format(b, "    a%lld --> a%lld\n", (long long)from, (long long)i);
    }
}

/* What an analysis reads: its sources, or all, and what it goes by. */
static void add_reads(heed_text *b, const heed_flow *f, int64_t i) {
    const heed_analysis_cfg *a = &f->analysis[i];
    for (int64_t k = 0; k < a->only_len; k++)
        heed__text_format(b, "    s%lld --> a%lld\n",
                          (long long)PLACE(f->source, f->sources, a->only[k]), (long long)i);
    if (a->only_len == 0) heed__text_format(b, "    log --> a%lld\n", (long long)i);
    add_after(b, f, i, a->when, a->whens);
    for (int64_t g = 0; g < a->grades; g++) add_after(b, f, i, a->grade[g].when, a->grade[g].whens);
}

/* What a rule reads: analyses of its conditions and its counts, or every event. */
static void add_asks(heed_text *b, const heed_flow *f, int64_t i) {
    const heed_rule_cfg *r = &f->rule[i];
    int64_t edges = 0;
    for (int64_t k = 0; k < r->whens + r->by_len; k++) {
        const char *word = k < r->whens ? r->when[k].analysis : r->by[k - r->whens];
        const int64_t from = PLACE(f->analysis, f->analyses, word);
        if (from < 0) continue;
        heed__text_format(b, "    a%lld --> r%lld\n", (long long)from, (long long)i);
        edges++;
    }
    if (edges == 0) heed__text_format(b, "    log --> r%lld\n", (long long)i);
    for (int64_t k = 0; k < r->to_len; k++)
        heed__text_format(b, "    r%lld --> k%lld\n", (long long)i,
                          (long long)PLACE(f->sink, f->sinks, r->to[k]));
    for (int64_t k = 0; k < r->escalate_to_len; k++)
        heed__text_format(b, "    r%lld -. later .-> k%lld\n", (long long)i,
                          (long long)PLACE(f->sink, f->sinks, r->escalate_to[k]));
    for (int64_t k = 0; k < r->inhibit_len; k++)
        heed__text_format(b, "    r%lld -. quiets .-> r%lld\n", (long long)i,
                          (long long)PLACE(f->rule, f->rules, r->inhibit[k]));
}

char *heed_flow_graph(const heed_flow *flow, const heed_hooks *hooks, heed_error *err) {
    heed_text b = { .hooks = hooks };
    heed__text_puts(&b, "flowchart LR\n    log[(\"");
    add_label(&b, flow->name);
    heed__text_puts(&b, "<br>log\")]\n");
    for (int64_t i = 0; i < flow->sources; i++) {
        add_node(&b, "s", i, flow->source[i].name, flow->source[i].kind);
        heed__text_format(&b, "    s%lld --> log\n", (long long)i);
    }
    for (int64_t i = 0; i < flow->analyses; i++) {
        add_node(&b, "a", i, flow->analysis[i].name, flow->analysis[i].kind);
        add_reads(&b, flow, i);
    }
    for (int64_t i = 0; i < flow->sinks; i++)
        add_node(&b, "k", i, flow->sink[i].name, flow->sink[i].kind);
    for (int64_t i = 0; i < flow->rules; i++)
        add_node(&b, "r", i, flow->rule[i].name, flow->rule[i].kind);
    for (int64_t i = 0; i < flow->rules; i++) add_asks(&b, flow, i);
    if (flow->desk) {
        heed__text_puts(&b, "    desk[\"desk\"]\n");
        const char *const asks[] = { flow->desk->intent, flow->desk->tag };
        for (int i = 0; i < 2; i++) {
            const int64_t from = asks[i] ? PLACE(flow->analysis, flow->analyses, asks[i]) : -1;
            if (from >= 0) heed__text_format(&b, "    a%lld --> desk\n", (long long)from);
        }
    }
    char *text = heed__text_take(&b, NULL);
    if (!text) heed__error(err, HEED_ENOMEM, "%s: out of memory", flow->path);
    return text;
}
