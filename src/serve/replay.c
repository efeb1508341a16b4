/* replay.c: decides about the log once more and compares. */
#include "serve/replay.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/pipeline_impl.h"
#include "serve/reign.h"
#include "store/look.h"

enum { ALERTS_MOST = 1000000 };

typedef struct told {
    int64_t seq, story;
} told;

typedef struct replaying {
    const heed_hooks *hooks;
    const heed_flow *flow;
    heed_store *store;
    heed_replay_report *report;
    heed_reigns reigns;
    bool ours;
    told *story; /* [stories] of every event, rising seq */
    int64_t stories, story_cap, at;
    heed_arena arena;
    heed_alert *alert; /* [alerts] as each is at the end, by id in the order of their opening */
    int64_t alerts, alert_cap, last;
    bool failed;
} replaying;

static void differs(replaying *r, const char *what, int64_t number, const char *then,
                    const char *now) {
    if (r->report->different++ == 0)
        heed__format(r->report->first, sizeof r->report->first, "%s %lld: then %.80s, now %.80s",
                     what, (long long)number, then ? then : "none", now ? now : "none");
}

static bool same(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void move(replaying *r, const heed_moved *m) {
    int64_t low = 0, high = r->stories;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (r->story[mid].seq < m->seq)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < r->stories && r->story[low].seq == m->seq) r->story[low].story = m->story;
}

static bool keep_alert(replaying *r, const heed_alert *from) {
    int64_t at = r->alerts;
    while (at > 0 && r->alert[at - 1].id != from->id) at--;
    if (at == 0) {
        if (heed__grow(r->hooks, &r->alert, &r->alert_cap, r->alerts + 1, sizeof *r->alert) != 0)
            return false;
        at = ++r->alerts;
    }
    heed_alert *a = &r->alert[at - 1];
    *a = *from;
    const char **const text[] = { &a->rule, &a->grade, &a->state, &a->key, &a->title, &a->why };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (*text[i] && !(*text[i] = heed__arena_text(&r->arena, *text[i]))) return false;
    return true;
}

static void compare_event(replaying *r, const heed_entry *e, const heed_decided *then,
                          const heed_decisions *now) {
    char a[HEED_NUMBER_SIZE], b[HEED_NUMBER_SIZE];
    r->report->events++;
    if (!same(then->gates, now->gates))
        differs(r, "gates of event", e->seq, then->gates, now->gates);
    else if (then->rank < now->rank || then->rank > now->rank)
        differs(r, "rank of event", e->seq, heed__double_text(then->rank, a),
                heed__double_text(now->rank, b));
}

static bool each(void *user, const heed_entry *e, const heed_decided *then,
                 const heed_decisions *now) {
    replaying *r = user;
    r->report->missing += e->seq - r->last - 1 + (e->kind == HEED_ENTRY_FORGOTTEN);
    r->last = e->seq;
    r->ours = heed__reigns_ours(&r->reigns, e->seq, &r->report->from);
    if (r->ours) r->report->entries++;
    if (e->kind == HEED_ENTRY_EVENT) {
        if (r->ours) compare_event(r, e, then, now);
        if (heed__grow(r->hooks, &r->story, &r->story_cap, r->stories + 1, sizeof *r->story) != 0)
            r->failed = true;
        else
            r->story[r->stories++] = (told){ e->seq, now->story };
    }
    for (int64_t i = 0; i < now->moves; i++) move(r, &now->moved[i]);
    for (int64_t i = 0; i < now->alerts && !r->failed; i++)
        r->failed = !keep_alert(r, &now->alert[i]);
    return !r->failed;
}

static bool each_story(void *user, const heed_entry *e, const heed_decided *then) {
    replaying *r = user;
    char a[HEED_NUMBER_SIZE], b[HEED_NUMBER_SIZE];
    if (e->kind != HEED_ENTRY_EVENT || r->at == r->stories) return r->at < r->stories;
    const told *now = &r->story[r->at++];
    if (e->seq >= r->report->from && now->story != then->story) {
        heed__format(a, sizeof a, "%lld", (long long)then->story);
        heed__format(b, sizeof b, "%lld", (long long)now->story);
        differs(r, "story of event", e->seq, a, b);
    }
    return true;
}

/* One row of the store's alerts beside what was decided now. */
static void compare_alert(replaying *r, const json_t *row) {
    const int64_t id = json_integer_value(json_array_get(row, 0));
    const heed_alert *now = NULL;
    for (int64_t i = 0; i < r->alerts && !now; i++)
        if (r->alert[i].id == id) now = &r->alert[i];
    r->report->alerts++;
    if (!now) {
        differs(r, "alert", id, "there", "none");
        return;
    }
    const char *const text[] = {
        now->rule, now->grade, now->state, now->key, now->title, now->why
    };
    bool equal = json_integer_value(json_array_get(row, 1)) == now->seq &&
                 json_integer_value(json_array_get(row, 2)) == now->time_ms;
    if (!equal) differs(r, "alert", id, "of another entry", "of another entry");
    for (size_t i = 0; equal && i < sizeof text / sizeof *text; i++) {
        const char *then = json_string_value(json_array_get(row, 3 + i));
        equal = same(then, text[i]);
        if (!equal) differs(r, "alert", id, then, text[i]);
    }
}

static int compare_alerts(replaying *r, heed_error *err) {
    char sql[256];
    heed__format(sql, sizeof sql,
                 "SELECT id, seq, time_ms, rule, grade, state, key, title, why FROM alert"
                 " WHERE id >= %lld ORDER BY id",
                 (long long)r->report->from * 100);
    json_t *answer = heed_look_sql(r->store, sql, ALERTS_MOST, err), *row;
    if (!answer) return err->code;
    size_t i;
    json_array_foreach(json_object_get(answer, "rows"), i, row) compare_alert(r, row);
    int64_t ours = 0;
    for (int64_t a = 0; a < r->alerts; a++) ours += r->alert[a].id >= r->report->from * 100;
    if (ours > r->report->alerts) differs(r, "alerts", ours - r->report->alerts, "none", "more");
    json_decref(answer);
    return 0;
}

int heed_replay(heed_store *store, const heed_flow *flow, heed_replay_report *report,
                const heed_hooks *hooks, heed_error *err) {
    *report = (heed_replay_report){ 0 };
    replaying r = {
        .hooks = hooks, .flow = flow, .store = store, .report = report, .reigns = { .hooks = hooks }
    };
    heed__arena_init(&r.arena, hooks);
    heed_decider *d = heed_decider_new(flow, hooks, err);
    int rc = d ? heed__reigns_read(&r.reigns, store, flow, hooks, err) : err->code;
    if (rc == 0) rc = heed__decider_replay(store, d, 0, each, &r, err);
    if (rc == 0 && r.failed) rc = heed__error(err, HEED_ENOMEM, "replay: out of memory");
    if (rc == 0 && r.report->from) {
        const int64_t n = heed_store_replay(store, 0, INT64_MAX, each_story, &r, err);
        rc = n < 0 ? (int)n : compare_alerts(&r, err);
    }
    heed_decider_free(d);
    heed__arena_free(&r.arena);
    heed__reigns_free(&r.reigns);
    heed__free(hooks, r.story);
    heed__free(hooks, r.alert);
    return rc;
}
