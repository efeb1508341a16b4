/* decide_play.c: see decide_play.h. */
#include "decide_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void play_open(play *p, const heed_flow *flow) {
    heed_error err = { 0 };
    memset(p, 0, sizeof *p);
    p->flow = *flow;
    p->now_ms = INT64_C(1767571200000); /* Monday 2026-01-05 00:00 UTC */
    p->d = heed_decider_new(&p->flow, NULL, &err);
    if (!p->d) fail_msg("%s", err.msg);
}

void play_close(play *p) {
    heed_decider_free(p->d);
    free(p->log);
    free(p->gates);
}

static void write_down(play *p, const char *text) {
    const size_t len = strlen(text);
    if (p->log_len + len + 2 > p->log_cap) {
        p->log_cap = (p->log_len + len + 2) * 2;
        p->log = realloc(p->log, p->log_cap);
    }
    memcpy(p->log + p->log_len, text, len);
    p->log_len += len;
    p->log[p->log_len++] = '\n';
    p->log[p->log_len] = 0;
}

static void note_step(play *p) {
    char line[200];
    const heed_decisions *o = &p->out;
    snprintf(line, sizeof line, "%lld story %lld rank %a", (long long)p->seq, (long long)o->story,
             o->rank);
    write_down(p, line);
    write_down(p, o->gates);
    for (int64_t i = 0; i < o->alerts; i++) {
        const heed_alert *a = &o->alert[i];
        p->last_alert = a->id;
        snprintf(line, sizeof line, "alert %lld %lld %lld %s %s", (long long)a->id,
                 (long long)a->seq, (long long)a->time_ms, a->grade, a->state);
        write_down(p, line);
        write_down(p, a->rule), write_down(p, a->key), write_down(p, a->title);
        write_down(p, a->why);
    }
    for (int64_t i = 0; i < o->messages; i++) {
        const heed_message *m = &o->message[i];
        write_down(p, m->sink), write_down(p, m->key), write_down(p, m->body);
    }
    for (int64_t i = 0; i < o->moves; i++) {
        snprintf(line, sizeof line, "moved %lld to %lld", (long long)o->moved[i].seq,
                 (long long)o->moved[i].story);
        write_down(p, line);
    }
    free(p->gates);
    p->gates = strdup(o->gates);
}

static void step(play *p, heed_entry *e, const heed_finding *finding, int64_t n) {
    heed_error err = { 0 };
    e->seq = ++p->seq;
    e->time_ms = p->now_ms;
    const heed_seen seen = { .entry = e,
                             .finding = finding,
                             .findings = n,
                             .vector = p->dim ? p->vector : NULL,
                             .dim = p->dim };
    if (heed_decider_step(p->d, &seen, &p->out, &err) != 0) fail_msg("%s", err.msg);
    note_step(p);
}

int64_t play_event(play *p, int64_t ms, const char *text, const char *a, const char *b,
                   const char *c) {
    const char *given[3] = { a, b, c };
    char name[3][64];
    heed_finding finding[3];
    int64_t n = 0;
    for (int i = 0; i < 3; i++) {
        if (!given[i]) continue;
        snprintf(name[n], sizeof name[n], "%s", given[i]);
        char *label = strchr(name[n], '=');
        *label++ = 0;
        finding[n] = (heed_finding){ .name = name[n], .label = label, .confidence = 0.9 };
        if (*label == '?') finding[n].label++, finding[n].abstained = true;
        if (*label == '[') finding[n].detail = label, finding[n].label = NULL;
        if (*label >= '0' && *label <= '9')
            finding[n].confidence = atof(label), finding[n].label = NULL;
        n++;
    }
    p->now_ms += ms;
    heed_entry e = { .kind = HEED_ENTRY_EVENT,
                     .source = p->source ? p->source : "wire",
                     .text = text };
    step(p, &e, finding, n);
    return p->seq;
}

int64_t play_entry(play *p, int64_t ms, heed_entry_kind kind, const char *body) {
    p->now_ms += ms;
    heed_entry e = { .kind = kind, .body = body };
    step(p, &e, NULL, 0);
    return p->seq;
}

void play_tick(play *p, int64_t ms) {
    play_entry(p, ms, HEED_ENTRY_TICK, NULL);
}

void play_reload(play *p) {
    heed_error err = { 0 };
    char *data;
    size_t size;
    if (heed_decider_save(p->d, &data, &size, &err) != 0) fail_msg("%s", err.msg);
    heed_decider_free(p->d);
    p->d = heed_decider_new(&p->flow, NULL, &err);
    if (!p->d || heed_decider_load(p->d, data, size, &err) != 0) fail_msg("%s", err.msg);
    heed__free(NULL, data);
}

const char *play_note(play *p, const char *rule) {
    static char note[256];
    json_t *tree = json_loads(p->gates, 0, NULL);
    const char *text = json_string_value(json_object_get(tree, rule));
    snprintf(note, sizeof note, "%s", text ? text : "(none)");
    json_decref(tree);
    return note;
}

const heed_alert *play_alert(const play *p, int64_t i) {
    static const heed_alert none = { .state = "", .grade = "", .rule = "", .key = "", .title = "" };
    return i < p->out.alerts ? &p->out.alert[i] : &none;
}

typedef struct counted {
    int64_t calls, fail_at, live;
} counted;

static void *take(void *user, size_t size) {
    counted *c = user;
    if (c->calls++ >= c->fail_at) return NULL;
    c->live++;
    return malloc(size);
}

static void give(void *user, void *memory) {
    if (memory) ((counted *)user)->live--;
    free(memory);
}

int play_save_and_free(heed_decider *d, const heed_flow *flow, int status, const heed_hooks *hooks,
                       heed_error *err) {
    heed_decider *other = NULL;
    char *data = NULL;
    size_t size = 0;
    if (!status) status = heed_decider_save(d, &data, &size, err);
    if (!status && !(other = heed_decider_new(flow, hooks, err))) status = err->code;
    if (!status) status = heed_decider_load(other, data, size, err);
    heed__free(hooks, data);
    heed_decider_free(other);
    heed_decider_free(d);
    return status;
}

void play_without_memory(int (*steps)(const heed_hooks *hooks, heed_error *err), int64_t least) {
    counted c = { .fail_at = INT64_MAX };
    const heed_hooks hooks = { .user = &c, .alloc = take, .release = give };
    heed_error err = { 0 };
    assert_int_equal(steps(&hooks, &err), 0);
    const int64_t calls = c.calls;
    assert_true(calls > least);
    for (int64_t at = 0; at < calls; at++) {
        c = (counted){ .fail_at = at };
        err = (heed_error){ 0 };
        assert_int_equal(steps(&hooks, &err), HEED_ENOMEM);
        assert_true(strlen(err.msg) > 10);
        assert_int_equal(c.live, 0);
    }
}
