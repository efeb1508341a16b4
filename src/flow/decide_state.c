/* decide_state.c: everything a decider remembers as bytes and back. One walk over the state serves
 * both ways, so that what is written and what is read cannot differ: `io` puts a number into the
 * bytes or takes it out of them. Numbers are little-endian; floating ones by their bits. What is
 * read is looked at before it is believed: lengths against limits and what is left of the bytes,
 * places against what they point into, numbers against being finite.
 *
 * It begins with a version and a print of those settings that give the memory its meaning (rules'
 * kinds, conditions, keys, windows, courses; zone; whether stories are folded): with others the
 * bytes are refused. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "flow/decide_story.h"

static const uint64_t magic = UINT64_C(0x3264636564656568); /* "heedecd2" */

typedef struct io {
    const heed_hooks *hooks;
    bool writing, failed, bad; /* failed: out of memory; bad: not what it should be */
    char *data;
    int64_t size, cap; /* writing: so far; reading: in all */
    int64_t at;
} io;

static void raw(io *o, void *bytes, int64_t n) {
    if (o->failed || o->bad || n <= 0) return;
    if (o->writing) {
        if (heed__grow(o->hooks, &o->data, &o->cap, o->size + n, 1) != 0) {
            o->failed = true;
            return;
        }
        memcpy(o->data + o->size, bytes, (size_t)n);
        o->size += n;
    } else if (n > o->size - o->at) {
        o->bad = true;
    } else {
        memcpy(bytes, o->data + o->at, (size_t)n);
        o->at += n;
    }
}

static void put_int(io *o, int64_t *value, int64_t least, int64_t most) {
    raw(o, value, sizeof *value);
    if (*value >= least && *value <= most) return;
    o->bad = true;
    *value = least;
}

static void put_count(io *o, int64_t *value) {
    put_int(o, value, 0, INT64_MAX / 4);
}

static void put_int32(io *o, int32_t *value, int32_t least, int32_t most) {
    raw(o, value, sizeof *value);
    if (*value >= least && *value <= most) return;
    o->bad = true;
    *value = least;
}

static void put_bool(io *o, bool *value) {
    uint8_t byte = *value;
    raw(o, &byte, 1);
    if (byte > 1) o->bad = true;
    *value = byte == 1;
}

static void put_double(io *o, double *value) {
    raw(o, value, sizeof *value);
    if (fabs(*value) <= 1e300) return;
    o->bad = true;
    *value = 0;
}

/* Counts and weights of the usual course are never negative. */
static void put_amount(io *o, double *value) {
    put_double(o, value);
    if (*value >= 0 && *value <= 1e15) return;
    o->bad = true;
    *value = 0;
}

static void put_within(io *o, double *value, double most) {
    put_double(o, value);
    if (fabs(*value) <= most) return;
    o->bad = true;
    *value = 0;
}

static void put_text(io *o, char **text) {
    int64_t len = o->writing ? (int64_t)strlen(*text) : 0;
    put_int(o, &len, 0, 1 << 24);
    if (!o->writing) {
        *text = NULL;
        if (o->bad || o->failed || len > o->size - o->at) {
            o->bad = true;
            return;
        }
        *text = heed__calloc(o->hooks, 1, (size_t)len + 1);
        if (!*text) {
            o->failed = true;
            return;
        }
    }
    raw(o, *text, len);
    if (!o->writing &&
        (strlen(*text) != (size_t)len || heed__utf8_check(*text, (size_t)len) != (size_t)len))
        o->bad = true;
}

/* Whether to go on: n items of at least `size` bytes each are to come. */
static bool room(io *o, int64_t n, int64_t size) {
    if (!o->writing && n > (o->size - o->at) / size) o->bad = true;
    return !o->bad && !o->failed;
}

/* -- rules ----------------------------------------------------------------------------------- */

static void put_course(io *o, heed_course *c) {
    for (int i = 0; i < c->cells; i++) {
        put_amount(o, &c->n[i]);
        put_amount(o, &c->hours[i]);
    }
    put_double(o, &c->spread);
    put_amount(o, &c->spread_info);
    put_bool(o, &c->young);
}

static void put_usual(io *o, const heed_watch *w, heed_slot *s, float *cells) {
    put_amount(o, &s->usual.total);
    put_amount(o, &s->usual.recent);
    put_amount(o, &s->usual.expected);
    put_double(o, &s->usual.spread);
    put_amount(o, &s->usual.spread_info);
    put_amount(o, &s->usual.windows);
    put_amount(o, &s->usual.left_out);
    put_amount(o, &s->hour_n);
    put_amount(o, &s->window_n);
    raw(o, cells, w->cells * (int64_t)sizeof *cells);
    for (int64_t i = 0; i < w->cells; i++)
        if (!(cells[i] >= 0 && (double)cells[i] < 1e18)) o->bad = true, cells[i] = 0;
}

/* slots: of the whole rule, known before its keys are. */
static void put_leans(io *o, heed_watch *w, int64_t at) {
    put_amount(o, &w->slot[at].mass);
    for (int i = 0; i < 2 * LEVELS; i++) put_amount(o, &w->slot[at].said[i / LEVELS][i % LEVELS]);
    for (int level = 0; level < LEVELS; level++) {
        heed_lean *lean = &w->lean[at * LEVELS + level];
        put_amount(o, &lean->total);
        for (int i = 0; i < LEANS && lean->total > 0; i++) {
            put_amount(o, &lean->weight[i]);
            put_int32(o, &lean->slot[i], 0, MOST_KEYS - 1);
        }
    }
}

static void put_slot(io *o, const heed_decider *d, heed_watch *w, int64_t at) {
    heed_slot *s = &w->slot[at];
    uint32_t *ring = w->bucket + at * w->stride;
    put_text(o, &s->key);
    put_count(o, &s->seen);
    put_count(o, &s->bucket);
    put_count(o, &s->examples);
    for (int i = 0; i < EXAMPLES; i++) put_count(o, &s->example[i]);
    raw(o, ring, w->stride * (int64_t)sizeof *ring);
    if (w->course) put_usual(o, w, s, w->cell + at * w->cells);
    if (w->scored) put_leans(o, w, at);
    if (o->writing || o->bad || o->failed) return;
    if (s->bucket > d->now_ms / w->bucket_ms) o->bad = true;
    s->alert = -1;
    s->hash = heed__hash_text(s->key, strlen(s->key), 0);
    json_t *key = json_loads(s->key, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(key)) o->bad = true;
    json_decref(key);
    s->n = s->whole = 0;
    for (int i = 0; i < BUCKETS; i++) {
        s->n += ring[i];
        for (int64_t k = BUCKETS + i; k < w->stride; k += BUCKETS)
            *(w->scored ? &s->n : &s->whole) += ring[k];
    }
}

/* No label has more of some events' scores than of all events'. */
static bool is_lean(const heed_watch *w, const heed_lean *lean) {
    if (lean->total > w->mass) return false;
    for (int i = 0; i < LEANS; i++)
        if (lean->slot[i] >= w->slots || lean->weight[i] > w->slot[lean->slot[i]].mass)
            return false;
    return true;
}

static void put_watch(io *o, heed_decider *d, heed_watch *w) {
    int64_t n = w->slots;
    put_int(o, &n, 0, MOST_KEYS);
    put_count(o, &w->began_ms);
    if (w->course) {
        put_count(o, &w->hour_from);
        put_count(o, &w->next_hour);
        put_count(o, &w->window_from);
        put_count(o, &w->next_window);
        put_course(o, w->course);
        if (w->scored) put_amount(o, &w->mass);
        if (!o->writing && w->began_ms &&
            (d->now_ms == 0 || w->next_hour <= d->now_ms || w->next_window <= d->now_ms ||
             w->next_hour - d->now_ms > HEED_HOUR_MS || w->hour_from > w->next_hour ||
             w->window_from > w->next_window || w->next_window - d->now_ms > w->span_ms))
            o->bad = true;
    }
    if (!room(o, n, 64)) return;
    if (!o->writing && heed__rule_reserve(d, w, n) != 0) {
        o->failed = true;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!o->writing) {
            w->slot[i] = (heed_slot){ .alert = -1 };
            if (w->scored) memset(w->lean + i * LEVELS, 0, LEVELS * sizeof *w->lean);
            w->slots = i + 1;
        }
        put_slot(o, d, w, i);
        if (o->bad || o->failed) return;
        if (!o->writing) heed__rule_link(w, i);
    }
    if (o->writing || !w->course) return;
    for (int64_t i = 0; w->scored && i < n * LEVELS; i++)
        if (!is_lean(w, &w->lean[i])) o->bad = true;
    w->course->keys = w->slots;
    heed__course_settle(w->course);
}

/* -- alerts ---------------------------------------------------------------------------------- */

static void put_verdict(io *o, heed_verdict *v) {
    put_double(o, &v->n);
    put_double(o, &v->whole);
    put_double(o, &v->usual);
    put_double(o, &v->spread);
    put_double(o, &v->p);
    put_double(o, &v->worth);
    put_double(o, &v->odds);
}

static void put_alert(io *o, heed_decider *d, heed_record *a) {
    int64_t rule = a->rule, grade = a->grade, state = a->state;
    put_count(o, &a->id);
    put_count(o, &a->opened_seq);
    put_count(o, &a->opened_ms);
    put_count(o, &a->fired_ms);
    put_count(o, &a->changed_seq);
    put_count(o, &a->changed_ms);
    put_count(o, &a->silent_until);
    put_count(o, &a->count);
    put_count(o, &a->told_count);
    put_count(o, &a->told_ms);
    put_count(o, &a->notices);
    put_count(o, &a->changes);
    put_int(o, &rule, 0, d->flow->rules - 1);
    put_int(o, &grade, 0, 2);
    put_int(o, &state, STATE_OPEN, STATE_CLOSED);
    put_bool(o, &a->by_person);
    put_bool(o, &a->escalated);
    put_verdict(o, &a->peak);
    for (int i = 0; i < MOST_HISTORY; i++) {
        put_count(o, &a->history_ms[i]);
        raw(o, &a->history[i], 1);
        if (a->history[i] > STATE_CLOSED) o->bad = true, a->history[i] = 0;
    }
    if (o->bad || o->failed) return;
    a->rule = (int)rule, a->grade = (int)grade, a->state = (unsigned)state;
    put_int(o, &a->slot, -1, d->watch[rule].slots - 1);
    put_text(o, &a->key);
    if (!o->bad && !o->failed) put_text(o, &a->title);
    if (!o->bad && !o->failed) put_text(o, &a->gates);
}

static void put_alerts(io *o, heed_decider *d) {
    int64_t n = d->alerts;
    put_int(o, &n, 0, MOST_ALERTS);
    put_int(o, &d->next_alert_ms, 0, INT64_MAX);
    if (!room(o, n, 64)) return;
    if (!o->writing && heed__grow(&d->hooks, &d->alert, &d->alert_cap, n, sizeof *d->alert) != 0) {
        o->failed = true;
        return;
    }
    for (int64_t i = 0; i < n && !o->bad && !o->failed; i++) {
        heed_record *a = &d->alert[i];
        if (!o->writing) {
            memset(a, 0, sizeof *a);
            d->alerts = i + 1;
        }
        put_alert(o, d, a);
        if (o->writing || o->bad || o->failed) continue;
        heed_watch *w = &d->watch[a->rule];
        w->open += a->state == STATE_OPEN || a->state == STATE_ACKNOWLEDGED;
        if (a->slot >= 0 && w->slot[a->slot].alert >= 0)
            o->bad = true;
        else if (a->slot >= 0)
            w->slot[a->slot].alert = (int32_t)i;
        json_t *gates = json_loads(a->gates, 0, NULL), *key = json_loads(a->key, 0, NULL);
        if (!json_is_array(gates) || !json_is_object(key)) o->bad = true;
        json_decref(gates);
        json_decref(key);
    }
}

/* -- votes, events, stories ------------------------------------------------------------------ */

static void put_features(io *o, heed_features *f) {
    put_int32(o, &f->n, 0, MOST_FEATURES);
    raw(o, f->slot, f->n * (int64_t)sizeof *f->slot);
    raw(o, f->size, f->n);
    put_within(o, &f->prior, 1000);
    for (int i = 0; i < f->n; i++)
        if (f->slot[i] >= SLOTS) o->bad = true, f->slot[i] = 0;
}

static void put_deeds(io *o, heed_decider *d) {
    int64_t n = d->deeds;
    put_int(o, &n, 0, MOST_DEEDS);
    if (!room(o, n, 64)) return;
    if (!o->writing && heed__grow(&d->hooks, &d->deed, &d->deed_cap, n, sizeof *d->deed) != 0) {
        o->failed = true;
        return;
    }
    for (int64_t i = 0; i < n && !o->bad && !o->failed; i++) {
        heed_deed *v = &d->deed[i];
        if (!o->writing) memset(v, 0, sizeof *v);
        int64_t kind = v->kind, was = v->was_state;
        put_count(o, &v->entry);
        put_count(o, &v->time_ms);
        raw(o, &v->target, sizeof v->target);
        put_int(o, &kind, DEED_VOTE, DEED_UNDO);
        put_bool(o, &v->undone);
        put_int(o, &v->value, -1, INT64_MAX / 4);
        put_int(o, &was, STATE_OPEN, STATE_CLOSED);
        put_bool(o, &v->was_by_person);
        put_count(o, &v->was_silent_until);
        if (kind == DEED_VOTE) put_features(o, &v->features);
        v->kind = (unsigned)kind, v->was_state = (unsigned)was;
    }
    if (!o->writing && !o->bad && !o->failed) d->deeds = n;
}

/* Weights that are not zero, with their places. */
static void put_weights(io *o, double *weight, int32_t *votes) {
    int64_t n = 0, at = 0;
    for (int i = 0; i < SLOTS && o->writing; i++) n += votes[i] != 0;
    put_int(o, &n, 0, SLOTS);
    for (int64_t i = 0; i < n && !o->bad && !o->failed; i++, at++) {
        while (o->writing && votes[at] == 0) at++;
        put_int(o, &at, 0, SLOTS - 1);
        put_within(o, &weight[at], 8);
        put_int32(o, &votes[at], 1, INT32_MAX);
    }
}

static void put_event(io *o, heed_decider *d, heed_event *e, int64_t *last) {
    put_int(o, &e->seq, *last + 1, d->seq);
    *last = e->seq;
    put_count(o, &e->time_ms);
    put_count(o, &e->story);
    put_features(o, &e->features);
    if (!d->stories) return;
    put_count(o, &e->shingle);
    put_int32(o, &e->shingles, 0, MOST_SHINGLES);
    put_int32(o, &e->words, 0, INT32_MAX);
    put_int32(o, &e->tellings, 0, INT32_MAX - 1);
    if (e->shingle < 0) e->shingle = 0;
}

static void put_events(io *o, heed_decider *d) {
    int64_t last = 0, cap = d->event_cap;
    put_count(o, &d->events);
    put_int(o, &cap, 0, MOST_EVENTS);
    const int64_t n = d->events < cap ? d->events : cap;
    if (d->events > cap && cap != MOST_EVENTS) o->bad = true;
    if (!room(o, n, 36)) return;
    if (!o->writing) {
        d->event = heed__calloc(&d->hooks, (size_t)cap + 1, sizeof *d->event);
        if (!d->event) {
            o->failed = true;
            return;
        }
        d->event_cap = cap;
    }
    for (int64_t i = d->events - n; i < d->events && !o->bad && !o->failed; i++)
        put_event(o, d, &d->event[i % cap], &last);
}

/* Chains are made anew: what they held beyond the ring is not looked at any more. */
static void put_postings(io *o, heed_stories *s, int64_t events) {
    int64_t postings = s->postings;
    put_count(o, &postings);
    const int64_t from = postings > POSTINGS ? postings - POSTINGS : 0;
    if (!room(o, postings - from, 8)) return;
    if (!o->writing) s->postings = from;
    for (int64_t i = from; i < postings && !o->bad && !o->failed; i++) {
        uint32_t pair[2] = { 0, 0 };
        if (o->writing) {
            const heed_posting *p = &s->posting[i % POSTINGS];
            const int64_t age = events - p->event; /* forgotten ones are all alike */
            pair[0] = age > MOST_EVENTS ? MOST_EVENTS + 1 : (uint32_t)age;
            pair[1] = p->shingle;
        }
        raw(o, pair, sizeof pair);
        if (o->writing) continue;
        if (pair[0] < 1 || pair[0] > MOST_EVENTS + 1)
            o->bad = true;
        else
            heed__stories_post(s, events - (int64_t)pair[0], &pair[1], 1);
    }
}

static void put_stories(io *o, heed_decider *d) {
    heed_stories *s = d->stories;
    if (!s) return;
    put_count(o, &s->pooled);
    put_int(o, &s->stories, 0, DFS);
    const int64_t from = s->pooled > POOL ? s->pooled - POOL : 0;
    if (!room(o, s->pooled - from, 4)) return;
    for (int64_t i = from; i < s->pooled && !o->bad; i++)
        raw(o, &s->pool[i % POOL], sizeof *s->pool);
    raw(o, s->df, (int64_t)DFS * (int64_t)sizeof *s->df);
    put_postings(o, s, d->events);
    put_int(o, &s->dim, 0, MOST_DIM);
    put_count(o, &s->vector_from);
    if (o->bad || o->failed || s->dim == 0) return;
    if (!o->writing) {
        s->vectors = VECTOR_BYTES / s->dim;
        s->vector = heed__calloc(&d->hooks, (size_t)s->vectors, (size_t)s->dim);
        if (!s->vector) o->failed = true;
    }
    int64_t first = d->events - s->vectors;
    if (first < s->vector_from) first = s->vector_from;
    if (!room(o, d->events - first, s->dim)) return;
    for (int64_t i = first; i < d->events && !o->bad; i++)
        raw(o, s->vector + i % s->vectors * s->dim, s->dim);
}

/* -- all of it ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, const char *text) {
    return heed__hash_text(text ? text : "", text ? strlen(text) : 0, h * 31 + 1);
}

static uint64_t print_of(const heed_decider *d) {
    const heed_flow *f = d->flow;
    uint64_t h = mix((uint64_t)f->rules, f->zone);
    for (int64_t i = 0; i < f->rules; i++) {
        const heed_rule_cfg *r = &f->rule[i];
        h = mix(mix(mix(h, r->name), r->kind), r->course);
        h = h * 31 + (uint64_t)d->watch[i].window_ms * 2 + d->watch[i].scored;
        for (int64_t k = 0; k < r->whens; k++) {
            h = mix(mix(h, r->when[k].analysis), r->when[k].of);
            for (int64_t l = 0; l < r->when[k].labels; l++) h = mix(h, r->when[k].label[l]);
        }
        for (int64_t k = 0; k < r->by_len; k++) h = mix(h, r->by[k]);
        for (int64_t k = 0; k < r->of_len; k++) h = mix(h, r->of[k]);
    }
    return h * 2 + f->stories;
}

static void put_all(io *o, heed_decider *d) {
    uint64_t head[2] = { magic, print_of(d) };
    const uint64_t ours[2] = { head[0], head[1] };
    raw(o, head, sizeof head);
    if (memcmp(head, ours, sizeof head) != 0) o->bad = true;
    put_int(o, &d->now_ms, 0, INT64_C(1) << 53);
    put_int(o, &d->seq, 0, INT64_C(1) << 53);
    for (int64_t i = 0; i < d->flow->rules && !o->bad && !o->failed; i++)
        put_watch(o, d, &d->watch[i]);
    if (!o->bad && !o->failed) put_alerts(o, d);
    if (!o->bad && !o->failed) put_deeds(o, d);
    if (!o->bad && !o->failed) put_weights(o, d->base, d->base_votes);
    if (!o->bad && !o->failed) put_weights(o, d->weight, d->votes);
    if (!o->bad && !o->failed) put_events(o, d);
    if (!o->bad && !o->failed) put_stories(o, d);
}

int heed_decider_save(const heed_decider *d, char **data, size_t *size, heed_error *err) {
    io o = { .hooks = &d->hooks, .writing = true };
    *data = NULL;
    put_all(&o, (heed_decider *)(uintptr_t)d); /* writing changes nothing */
    if (o.failed || o.bad) {
        heed__free(&d->hooks, o.data);
        return heed__error(err, HEED_ENOMEM, "the decider's state does not fit in memory");
    }
    *data = o.data;
    *size = (size_t)o.size;
    return 0;
}

int heed_decider_load(heed_decider *d, const char *data, size_t size, heed_error *err) {
    if (d->seq || size > (size_t)1 << 32)
        return heed__error(err, d->seq ? HEED_EINVALID : HEED_EFORMAT,
                           d->seq ? "a state is loaded into a decider that is new"
                                  : "the decider's state is larger than one can be");
    io o = { .hooks = &d->hooks, .data = (char *)(uintptr_t)data, .size = (int64_t)size };
    put_all(&o, d);
    if (!o.failed && !o.bad && o.at != o.size) o.bad = true;
    if (o.failed)
        return heed__error(err, HEED_ENOMEM, "the decider's state does not fit in memory");
    return o.bad ? heed__error(err, HEED_EFORMAT,
                               "the decider's state is not one of these rules: replay the log")
                 : 0;
}
