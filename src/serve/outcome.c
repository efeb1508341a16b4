/* outcome.c: copies of what a decider told, which it forgets at its next step. */
#include "serve/outcome.h"

#include <string.h>

#include "serve/pipeline_impl.h"

/* Room for one more in an array of the arena: a copy of twice the size when it is full. */
static bool grow(heed_arena *arena, void *array, int64_t len, int64_t *cap, size_t size) {
    if (len < *cap) return true;
    const int64_t more = *cap ? *cap * 2 : 16;
    void *to = heed__arena_alloc(arena, (size_t)more * size), *from;
    if (!to) return false;
    memcpy(&from, array, sizeof from);
    if (len) memcpy(to, from, (size_t)len * size);
    memcpy(array, &to, sizeof to);
    *cap = more;
    return true;
}

static bool texts(heed_arena *arena, const char **const text[], int n) {
    for (int i = 0; i < n; i++)
        if (*text[i] && !(*text[i] = heed__arena_text(arena, *text[i]))) return false;
    return true;
}

static bool keep_alert(heed_outcome *o, const heed_alert *from) {
    heed_commit *c = &o->commit;
    if (!grow(o->arena, &o->alert, c->alerts, &o->alert_cap, sizeof *o->alert)) return false;
    heed_alert *a = &o->alert[c->alerts++];
    *a = *from;
    const char **const text[] = { &a->rule, &a->grade, &a->state, &a->key, &a->title, &a->why };
    return texts(o->arena, text, 6);
}

static bool keep_message(heed_outcome *o, const heed_message *from) {
    heed_commit *c = &o->commit;
    if (!grow(o->arena, &o->message, c->messages, &o->message_cap, sizeof *o->message))
        return false;
    heed_message *m = &o->message[c->messages++];
    *m = *from;
    const char **const text[] = { &m->sink, &m->key, &m->type, &m->body };
    return texts(o->arena, text, 4);
}

bool heed__outcome_keep(heed_outcome *o, const heed_seen *seen, const heed_decisions *d) {
    heed_commit *c = &o->commit;
    bool ok = true;
    if (seen->entry->kind == HEED_ENTRY_EVENT) {
        heed_decided *to = &o->decided[c->decided_len++];
        *to = (heed_decided){ .seq = seen->entry->seq,
                              .finding = seen->finding,
                              .findings = seen->findings,
                              .vector = seen->vector,
                              .dim = seen->dim,
                              .story = d->story,
                              .rank = d->rank,
                              .gates = d->gates };
        const char **const text[] = { &to->gates };
        ok = texts(o->arena, text, 1);
    }
    for (int64_t i = 0; ok && i < d->alerts; i++) ok = keep_alert(o, &d->alert[i]);
    for (int64_t i = 0; ok && i < d->messages; i++) ok = keep_message(o, &d->message[i]);
    for (int64_t i = 0; ok && i < d->moves; i++) {
        ok = grow(o->arena, &o->moved, c->moves, &o->moved_cap, sizeof *o->moved);
        if (ok) o->moved[c->moves++] = d->moved[i];
    }
    return ok;
}
