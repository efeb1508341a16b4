/* decide_rules.c: the monitor: every rule counts the events that hold its conditions, key by key,
 * over a sliding window, and tells at which gate each event stopped.
 *
 * Gates, in order: the conditions of `when`; a value for each analysis of `by`; (share) the
 * conditions that make the part; (surge) learn: enough time was watched; (surge, count, share)
 * least: so many events in the window; (surge) chance: so many or more are less likely than p under
 * the usual course (decide_course.h); (share) share: the part is large enough; then what stands
 * between a rule that holds and a new alert: hold, silence, inhibit (decide_alert.c).
 *
 * A window is 64 parts; its beginning is rounded up to one, so that it never holds what is older
 * than it. A rule remembers 4,096 keys; the rarest makes room. */
#include <math.h>
#include <string.h>

#include "flow/decide_impl.h"

enum { MOST_BY = 6 };
static const int64_t gap_ms = 86400000; /* without any entry: nothing was watched */

static int64_t zone_offset(const char *zone) {
    if (!zone || (zone[0] != '+' && zone[0] != '-') || strlen(zone) != 6) return 0;
    const int64_t hours = (zone[1] - '0') * 10 + (zone[2] - '0'),
                  minutes = (zone[4] - '0') * 10 + (zone[5] - '0');
    return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60000;
}

static int kind_of(const char *kind) {
    static const char *const names[] = { "match", "surge", "count", "share" };
    for (int i = 0; i < 4; i++)
        if (kind && strcmp(kind, names[i]) == 0) return i;
    return RULE_MATCH;
}

static int watch_init(heed_decider *d, heed_watch *w, const heed_rule_cfg *cfg) {
    w->cfg = cfg;
    w->kind = (unsigned)kind_of(cfg->kind);
    w->grade = 1;
    if (cfg->grade) w->grade = cfg->grade[0] == 'i' ? 0 : cfg->grade[0] == 'c' ? 2 : 1;
    w->window_ms = cfg->window_ms > 0 ? cfg->window_ms : 600000;
    w->bucket_ms = (w->window_ms + BUCKETS - 1) / BUCKETS;
    w->span_ms = w->window_ms < 300000 ? 300000 : w->window_ms;
    if (w->span_ms > 86400000) w->span_ms = 86400000;
    w->keep = 1 - 0.2 * (double)w->span_ms / (168.0 * HEED_HOUR_MS);
    w->least = cfg->least > 0 ? cfg->least : 1;
    w->p = cfg->p > 0 ? cfg->p : 1e-6;
    w->scored = w->kind == RULE_SURGE && cfg->counts && cfg->counts[0] == 's';
    w->odds = cfg->odds > 0 ? cfg->odds : 200;
    w->stride = w->kind == RULE_SHARE ? 2 * BUCKETS : w->scored ? LEVELS * BUCKETS : BUCKETS;
    w->index = heed__calloc(&d->hooks, INDEX, sizeof *w->index);
    if (!w->index) return HEED_ENOMEM;
    if (w->kind != RULE_SURGE) return 0;
    w->course = heed__calloc(&d->hooks, 1, sizeof *w->course);
    if (!w->course) return HEED_ENOMEM;
    const char *course = cfg->course ? cfg->course : "week";
    w->cells = course[0] == 'n' ? 1 : course[0] == 'd' ? 24 : 168;
    w->step_ms = HEED_HOUR_MS;
    if (w->cells == 1 && w->window_ms < HEED_HOUR_MS) w->step_ms = w->window_ms;
    heed__course_init(w->course, (int)w->cells, zone_offset(d->flow->zone));
    return 0;
}

int heed__rules_init(heed_decider *d, heed_error *err) {
    const int64_t n = d->flow->rules;
    if (n > MOST_RULES)
        return heed__error(err, HEED_EINVALID, "%lld rules are more than %d", (long long)n,
                           MOST_RULES);
    d->watch = heed__calloc(&d->hooks, (size_t)n + 1, sizeof *d->watch);
    d->verdict = heed__calloc(&d->hooks, (size_t)n + 1, sizeof *d->verdict);
    int status = d->watch && d->verdict ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        if (d->flow->rule[i].by_len > MOST_BY)
            return heed__error(err, HEED_EINVALID, "rule '%s' counts by more than %d analyses",
                               d->flow->rule[i].name, MOST_BY);
    for (int64_t i = 0; i < n && !status; i++)
        status = watch_init(d, &d->watch[i], &d->flow->rule[i]);
    return status ? heed__error(err, status, "the rules' memory does not fit") : 0;
}

void heed__rules_free(heed_decider *d) {
    for (int64_t i = 0; d->watch && i < d->flow->rules; i++) {
        heed_watch *w = &d->watch[i];
        for (int64_t k = 0; k < w->slots; k++) heed__free(&d->hooks, w->slot[k].key);
        heed__free(&d->hooks, w->slot);
        heed__free(&d->hooks, w->bucket);
        heed__free(&d->hooks, w->cell);
        heed__free(&d->hooks, w->index);
        heed__free(&d->hooks, w->course);
        heed__free(&d->hooks, w->lean);
    }
    heed__free(&d->hooks, d->watch);
    heed__free(&d->hooks, d->verdict);
}

/* -- keys ------------------------------------------------------------------------------------ */

float *heed__rule_cells(const heed_watch *w, int64_t slot) {
    return w->cells ? w->cell + slot * w->cells : NULL;
}

int64_t heed__rule_slot(const heed_watch *w, const char *key, uint64_t hash) {
    for (uint64_t at = hash % INDEX; w->index[at]; at = (at + 1) % INDEX) {
        const heed_slot *s = &w->slot[w->index[at] - 1];
        if (s->hash == hash && strcmp(s->key, key) == 0) return w->index[at] - 1;
    }
    return -1;
}

void heed__rule_link(heed_watch *w, int64_t slot) {
    uint64_t at = w->slot[slot].hash % INDEX;
    while (w->index[at]) at = (at + 1) % INDEX;
    w->index[at] = (int32_t)slot + 1;
}

/* Out of the table, closing the gap (Knuth 6.4, algorithm R). */
static void unlink_slot(heed_watch *w, int64_t slot) {
    uint64_t at = w->slot[slot].hash % INDEX;
    while (w->index[at] != slot + 1) at = (at + 1) % INDEX;
    for (uint64_t next = at;;) {
        w->index[at] = 0;
        for (;;) {
            next = (next + 1) % INDEX;
            if (!w->index[next]) return;
            const uint64_t home = w->slot[w->index[next] - 1].hash % INDEX;
            if ((next - home + INDEX) % INDEX >= (next - at + INDEX) % INDEX) break;
        }
        w->index[at] = w->index[next];
        at = next;
    }
}

int heed__rule_reserve(heed_decider *d, heed_watch *w, int64_t slots) {
    int status = heed__grow(&d->hooks, &w->slot, &w->slot_cap, slots, sizeof *w->slot);
    if (!status)
        status = heed__grow(&d->hooks, &w->bucket, &w->bucket_cap, slots * w->stride,
                            sizeof *w->bucket);
    if (!status && w->cells)
        status = heed__grow(&d->hooks, &w->cell, &w->cell_cap, slots * w->cells, sizeof *w->cell);
    if (!status && w->scored)
        status = heed__grow(&d->hooks, &w->lean, &w->lean_cap, slots * LEVELS, sizeof *w->lean);
    return status;
}

/* The rarest key without an alert, of them the longest unseen. */
static int64_t rarest(const heed_watch *w) {
    int64_t best = -1;
    for (int64_t i = 0; i < w->slots; i++) {
        const heed_slot *s = &w->slot[i];
        if (s->alert >= 0) continue;
        const heed_slot *b = best < 0 ? NULL : &w->slot[best];
        if (!b || s->usual.total < b->usual.total ||
            (!(s->usual.total > b->usual.total) && s->seen < b->seen))
            best = i;
    }
    return best;
}

int heed__rule_add_slot(heed_decider *d, heed_watch *w, const char *key, uint64_t hash) {
    int64_t at = w->slots;
    char *text = heed__strdup(&d->hooks, key);
    if (!text) return HEED_ENOMEM;
    if (at == MOST_KEYS) {
        at = rarest(w);
        unlink_slot(w, at);
        heed__free(&d->hooks, w->slot[at].key);
        if (w->scored) heed__scores_forget(w, at);
    } else if (heed__rule_reserve(d, w, at + 1) != 0) {
        heed__free(&d->hooks, text);
        return HEED_ENOMEM;
    } else {
        w->slots++;
    }
    w->slot[at] = (heed_slot){ .key = text, .hash = hash, .alert = -1 };
    memset(w->bucket + at * w->stride, 0, (size_t)w->stride * sizeof *w->bucket);
    if (w->scored) memset(w->lean + at * LEVELS, 0, LEVELS * sizeof *w->lean);
    if (w->cells) memset(heed__rule_cells(w, at), 0, (size_t)w->cells * sizeof(float));
    heed__rule_link(w, at);
    if (w->course) w->course->keys = w->slots;
    return (int)at;
}

/* -- the clock ------------------------------------------------------------------------------- */

static int64_t after(int64_t time_ms, int64_t step, int64_t offset) {
    return ((time_ms + offset) / step + 1) * step - offset;
}

static void watch_from(heed_watch *w, int64_t now_ms) {
    w->hour_from = w->window_from = now_ms;
    w->next_hour = after(now_ms, w->step_ms, w->course->offset_ms);
    w->next_window = after(now_ms, w->span_ms, w->course->offset_ms);
    for (int64_t i = 0; i < w->slots; i++) {
        w->slot[i].hour_n = w->slot[i].window_n = 0;
        memset(w->slot[i].said, 0, sizeof w->slot[i].said);
    }
}

/* What was said becomes what is counted, of all keys before any of them learns. */
static void weigh_said(heed_watch *w, int which, int64_t from_ms, int64_t to_ms) {
    for (int64_t i = 0; i < w->slots; i++) {
        heed_slot *s = &w->slot[i];
        const heed_counted y = heed__scores_seen(w, i, which, (heed_span){ from_ms, to_ms, 0 });
        if (which)
            s->window_n = y.n, s->variance = y.variance;
        else
            s->hour_n = y.n;
    }
    for (int64_t i = 0; i < w->slots; i++)
        memset(w->slot[i].said[which], 0, sizeof w->slot[i].said[which]);
}

/* Counts of a step are learnt: of an hour; of a course without hours as often as a window passes,
 * so that it can learn within seconds. */
static void end_hour(heed_watch *w) {
    heed_course *c = w->course;
    const int cell = heed__course_cell(c, w->hour_from);
    const double part = (double)(w->next_hour - w->hour_from) / (double)HEED_HOUR_MS;
    double sum = 0;
    heed__course_step(c, part);
    if (w->scored) weigh_said(w, 0, w->hour_from, w->next_hour);
    for (int64_t i = 0; i < w->slots; i++) {
        heed_slot *s = &w->slot[i];
        sum += heed__course_hour(c, &s->usual, heed__rule_cells(w, i), cell, part, s->hour_n);
        s->hour_n = 0;
    }
    c->n[cell] = c->n[cell] * c->decay + sum;
    c->hours[cell] = c->hours[cell] * c->decay + part;
    heed__course_settle(c);
    w->hour_from = w->next_hour;
    w->next_hour += w->step_ms;
}

static void end_window(heed_watch *w) {
    heed_course *c = w->course;
    const bool whole = w->next_window - w->window_from == w->span_ms && !c->young;
    if (w->scored) weigh_said(w, 1, w->window_from, w->next_window);
    if (whole) c->spread *= w->keep, c->spread_info *= w->keep;
    for (int64_t i = 0; i < w->slots; i++) {
        heed_slot *s = &w->slot[i];
        if (whole) {
            const heed_expected e = heed__course_expect(c, &s->usual, heed__rule_cells(w, i),
                                                        w->window_from, w->next_window);
            heed__course_window(c, &s->usual, e, (heed_counted){ s->window_n, s->variance },
                                w->keep);
        }
        s->window_n = 0;
    }
    if (whole) heed__course_settle(c);
    w->window_from = w->next_window;
    w->next_window += w->span_ms;
}

void heed__rules_clock(heed_decider *d, int64_t now_ms, bool begin) {
    for (int64_t i = 0; i < d->flow->rules; i++) {
        heed_watch *w = &d->watch[i];
        if (!w->course || (!w->began_ms && !begin)) continue;
        if (!w->began_ms) {
            w->began_ms = now_ms > 0 ? now_ms : 1;
            w->course->young = true;
            watch_from(w, now_ms);
        } else if (now_ms - d->now_ms > gap_ms) {
            watch_from(w, now_ms);
        }
        while (w->next_window <= now_ms || w->next_hour <= now_ms) {
            if (now_ms - w->next_hour > 2 * HEED_HOUR_MS && w->step_ms < HEED_HOUR_MS)
                w->next_hour += HEED_HOUR_MS / w->step_ms * w->step_ms; /* a long silence at once */
            if (w->next_window <= w->next_hour)
                end_window(w);
            else
                end_hour(w);
        }
        w->course->young = now_ms - w->began_ms < w->cfg->learn_ms || w->course->all <= 0;
    }
}

/* -- one event ------------------------------------------------------------------------------- */

void heed__rule_slide(heed_watch *w, int64_t slot, int64_t bucket) {
    heed_slot *s = &w->slot[slot];
    uint32_t *ring = w->bucket + slot * w->stride;
    if (bucket - s->bucket >= BUCKETS || s->bucket > bucket) {
        memset(ring, 0, (size_t)w->stride * sizeof *ring);
        s->n = s->whole = 0;
    } else {
        for (int64_t b = s->bucket + 1; b <= bucket; b++) {
            for (int64_t k = b % BUCKETS; k < w->stride; k += BUCKETS) {
                *(k >= BUCKETS && !w->scored ? &s->whole : &s->n) -= ring[k];
                ring[k] = 0;
            }
        }
    }
    s->bucket = bucket;
}

static void test_key(heed_decider *d, heed_watch *w, int64_t slot, heed_verdict *v) {
    const heed_slot *s = &w->slot[slot];
    v->n = (double)s->n;
    v->whole = (double)s->whole;
    v->gate = GATE_FIRED;
    if (w->kind == RULE_MATCH) return;
    if (w->kind == RULE_SURGE && w->course->young) {
        v->left = w->cfg->learn_ms - (d->now_ms - w->began_ms);
        if (v->left < 0) v->left = 0;
        v->gate = GATE_LEARN;
        return;
    }
    if (!w->scored && (w->kind == RULE_SHARE ? s->whole : s->n) < w->least) {
        v->gate = GATE_LEAST;
        return;
    }
    if (w->kind == RULE_SHARE && v->n < w->cfg->share * v->whole) v->gate = GATE_SHARE;
    if (w->kind != RULE_SURGE) return;
    int64_t from = (s->bucket - BUCKETS + 1) * w->bucket_ms;
    if (from < w->began_ms) from = w->began_ms;
    const int64_t to = d->now_ms > from ? d->now_ms : from + 1;
    if (w->scored) {
        v->gate = heed__scores_test(w, slot, (heed_span){ from, to, s->bucket }, v);
        return;
    }
    const heed_expected e = heed__course_expect(w->course, &s->usual, heed__rule_cells(w, slot),
                                                from, to);
    v->usual = e.mean;
    v->spread = e.variation;
    v->p = heed__course_chance(v->n, e);
    if (v->p > w->p) v->gate = GATE_CHANCE;
}

/* The keys that an event said to be of `slot` may be of in truth: each analysis's other labels with
 * their scores, at most MOST_VALUES combinations. Its level of sureness. */
static int count_scores(heed_decider *d, heed_watch *w, int64_t slot, const char *const *chosen) {
    const heed_rule_cfg *rule = w->cfg;
    const char *label[MOST_BY][MOST_SCORES], *one[MOST_BY];
    double score[MOST_BY][MOST_SCORES], part[MOST_VALUES] = { 1 };
    int32_t at[MOST_VALUES] = { (int32_t)slot };
    int n[MOST_BY], keys = 1, len = 0;
    for (int64_t i = 0; i < rule->by_len; i++) {
        n[i] = heed__scores(&d->view, rule->by[i], chosen[i], label[i], score[i]);
        keys *= n[i];
    }
    while (keys > MOST_VALUES) {
        int64_t most = 0;
        for (int64_t i = 1; i < rule->by_len; i++)
            if (n[i] > n[most]) most = i;
        keys = keys / n[most] * (n[most] - 1);
        n[most]--;
    }
    for (int k = 0; k < keys; k++) {
        int rest = k;
        double p = 1;
        for (int64_t i = rule->by_len; i-- > 0; rest /= n[i])
            one[i] = label[i][rest % n[i]], p *= score[i][rest % n[i]];
        if (k > 0) {
            heed__rule_key(&d->name, rule, one);
            if (d->name.failed) return HEED_ENOMEM;
            const uint64_t hash = heed__hash_text(d->name.text, (size_t)d->name.len, 0);
            slot = heed__rule_slot(w, d->name.text, hash);
            if (slot < 0 && w->slots == MOST_KEYS) continue; /* what was said goes first */
            if (slot < 0) slot = heed__rule_add_slot(d, w, d->name.text, hash);
            if (slot < 0) return (int)slot;
        }
        at[len] = (int32_t)slot, part[len++] = p;
    }
    return heed__scores_learn(w, at, part, len);
}

/* The event counts for one key; v: how far it came. */
static int count_key(heed_decider *d, heed_watch *w, const char *const *chosen, bool part,
                     heed_verdict *v) {
    const heed_seen *seen = d->view.seen;
    const uint64_t hash = heed__hash_text(d->name.text, (size_t)d->name.len, 0);
    int64_t slot = heed__rule_slot(w, d->name.text, hash);
    if (slot < 0) slot = heed__rule_add_slot(d, w, d->name.text, hash);
    if (slot < 0) return (int)slot;
    heed_slot *s = &w->slot[slot];
    heed__rule_slide(w, slot, d->now_ms / w->bucket_ms);
    uint32_t *ring = w->bucket + slot * w->stride;
    s->seen = seen->entry->seq;
    if (w->kind == RULE_SHARE) ring[BUCKETS + s->bucket % BUCKETS]++, s->whole++;
    if (!part) return 0;
    int level = 0;
    if (w->scored && (level = count_scores(d, w, slot, chosen)) < 0) return level;
    s = &w->slot[slot], ring = w->bucket + slot * w->stride; /* keys may have moved */
    ring[level * BUCKETS + s->bucket % BUCKETS]++;
    s->n++;
    if (!w->scored) s->hour_n++, s->window_n++;
    s->example[s->examples++ % EXAMPLES] = seen->entry->seq;
    test_key(d, w, slot, v);
    if (v->gate == GATE_FIRED) heed__alert_fire(d, (int)(w - d->watch), slot, v);
    return 0;
}

void heed__rule_key(heed_line *l, const heed_rule_cfg *rule, const char *const *value) {
    heed__line_start(l);
    heed__line_put(l, "{");
    for (int64_t i = 0; i < rule->by_len; i++) {
        if (i) heed__line_put(l, ",");
        heed__line_json(l, rule->by[i]);
        heed__line_put(l, ":\"");
        size_t len = strlen(value[i]);
        if (len > 120)
            for (len = 120; len > 0 && ((unsigned char)value[i][len] & 0xC0) == 0x80;) len--;
        heed__line_within(l, value[i], len);
        heed__line_put(l, "\"");
    }
    heed__line_put(l, "}");
}

static int count_event(heed_decider *d, heed_watch *w, bool part, heed_verdict *v) {
    const heed_rule_cfg *rule = w->cfg;
    const char *value[MOST_BY][MOST_VALUES], *chosen[MOST_BY];
    const int64_t by = rule->by_len;
    int n[MOST_BY], keys = 1;
    for (int64_t i = 0; i < by; i++) {
        n[i] = heed__values(&d->view, rule, rule->by[i], value[i]);
        if (n[i] == 0) {
            v->gate = GATE_BY;
            v->which = (int)i;
            return 0;
        }
        keys *= n[i];
    }
    if (keys > MOST_VALUES) keys = MOST_VALUES;
    const heed_verdict before = *v;
    for (int k = 0; k < keys; k++) {
        int rest = k;
        for (int64_t i = by; i-- > 0; rest /= n[i]) chosen[i] = value[i][rest % n[i]];
        heed__rule_key(&d->name, rule, chosen);
        if (d->name.failed) d->failed = true;
        if (d->failed) return HEED_ENOMEM;
        heed_verdict one = before;
        const int status = count_key(d, w, chosen, part, &one);
        if (status < 0) return status;
        if (one.gate > v->gate) *v = one;
    }
    return 0;
}

static int judge(heed_decider *d, heed_watch *w, heed_verdict *v) {
    const heed_rule_cfg *rule = w->cfg;
    bool part = true;
    *v = (heed_verdict){ .gate = GATE_NONE, .p = 1, .by = -1 };
    for (int64_t i = 0; i < rule->whens; i++) {
        const bool of = w->kind == RULE_SHARE && heed__part_of(rule, &rule->when[i]);
        if ((of && !part) || heed__holds(&d->view, &rule->when[i])) continue;
        v->which = (int)i;
        if (!of) {
            v->gate = GATE_WHEN;
            return 0;
        }
        part = false;
        v->gate = GATE_PART;
    }
    return count_event(d, w, part, v);
}

int heed__rules_event(heed_decider *d, heed_error *err) {
    memset(d->used, 0, sizeof d->used);
    for (int64_t i = 0; i < d->flow->rules; i++) {
        const int status = judge(d, &d->watch[i], &d->verdict[i]);
        if (status || d->failed || d->view.failed)
            return heed__error(err, HEED_ENOMEM, "the keys of rule '%s' do not fit in memory",
                               d->flow->rule[i].name);
    }
    return 0;
}
