/* decide_expect.c: what is usual, for charts: the course that a surge rule has learnt of a key,
 * step by step, beside what was counted. */
#include <string.h>

#include "base/date.h"
#include "flow/decide_impl.h"

/* A series: its key, and the source whose events alone it counts; NULL: those of all. */
typedef struct series_of {
    json_t *key;
    const char *source;
} series_of;

/* The label that the series' events have of an analysis; NULL: they have several. */
static const char *label_of(const series_of *s, const char *analysis) {
    if (strcmp(analysis, "source") == 0) return s->source;
    return json_string_value(json_object_get(s->key, analysis));
}

static bool counts_by(const heed_rule_cfg *rule, const char *analysis) {
    for (int64_t i = 0; i < rule->by_len; i++)
        if (strcmp(rule->by[i], analysis) == 0) return true;
    return false;
}

/* Whether the rule looks at where an event comes from. */
static bool knows_source(const heed_rule_cfg *rule) {
    bool knows = counts_by(rule, "source");
    for (int64_t i = 0; i < rule->whens; i++)
        knows = knows || strcmp(rule->when[i].analysis, "source") == 0;
    return knows;
}

/* Whether the rule counts the events of a series, and no others; value [by_len]: the labels of what
 * it counts by. Where a flow has one source, all events are that source's. */
static bool counts_these(const heed_flow *flow, const heed_rule_cfg *rule, series_of s,
                         const char **value) {
    const char *only = flow->sources == 1 ? flow->source[0].name : NULL;
    const bool source = knows_source(rule);
    if (!source && s.source && !(only && strcmp(only, s.source) == 0)) return false;
    if (!s.source) s.source = only;
    if (rule->by_len > MOST_VALUES ||
        json_object_size(s.key) + source != (size_t)(rule->by_len + rule->whens))
        return false;
    for (int64_t i = 0; i < rule->by_len; i++)
        if (!(value[i] = label_of(&s, rule->by[i]))) return false;
    for (int64_t i = 0; i < rule->whens; i++) {
        const heed_condition *c = &rule->when[i];
        const char *label = label_of(&s, c->analysis);
        if (!label || counts_by(rule, c->analysis) || c->of || c->least > 0 || c->labels != 1 ||
            strcmp(c->label[0], label) != 0)
            return false;
    }
    return true;
}

/* Where the series begins and what a step is; false: not in that shape. */
static bool times_of(const json_t *counts, int64_t *from_ms, int64_t *step_ms) {
    const char *from = json_string_value(json_object_get(counts, "from"));
    *step_ms = json_integer_value(json_object_get(counts, "step_ms"));
    return from && *step_ms > 0 && heed__date_read(from, strlen(from), from_ms);
}

static json_t *course_of(const heed_watch *w, int64_t slot, int64_t from, int64_t step, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++, from += step) {
        const int64_t to = from + step;
        const int64_t begin = from < w->began_ms ? w->began_ms : from;
        json_t *one = to <= w->began_ms
                          ? json_null()
                          : json_real(heed__course_expect(w->course, &w->slot[slot].usual,
                                                          heed__rule_cells(w, slot), begin, to)
                                          .mean);
        if (!list || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* The course of one series by the first rule that knows it; json null: none does. */
static json_t *expected(const heed_decider *d, json_t *series, const char *source, int64_t from,
                        int64_t step) {
    const series_of s = { json_object_get(series, "key"), source };
    const size_t n = json_array_size(json_object_get(series, "count"));
    heed_line name = { .hooks = &d->hooks };
    json_t *list = json_null();
    for (int64_t r = 0; r < d->flow->rules; r++) {
        const heed_watch *w = &d->watch[r];
        const char *value[MOST_VALUES];
        if (w->kind != RULE_SURGE || w->course->young || !counts_these(d->flow, w->cfg, s, value))
            continue;
        heed__rule_key(&name, w->cfg, value);
        if (name.failed) {
            list = NULL;
            break;
        }
        const int64_t slot = heed__rule_slot(w, name.text,
                                             heed__hash_text(name.text, (size_t)name.len, 0));
        if (slot < 0) continue;
        list = course_of(w, slot, from, step, n);
        break;
    }
    heed__line_free(&name);
    return list;
}

int heed_decider_expect(const heed_decider *d, json_t *counts, const char *source,
                        heed_error *err) {
    int64_t from = 0, step = 1;
    if (!times_of(counts, &from, &step))
        return heed__error(err, HEED_EINVALID, "counts have no 'from' or 'step_ms'");
    size_t i;
    json_t *series;
    json_array_foreach(json_object_get(counts, "series"), i, series) {
        json_t *list = expected(d, series, source, from, step);
        if (!list || json_object_set_new(series, "expected", list) != 0)
            return heed__error(err, HEED_ENOMEM, "the usual course does not fit in memory");
    }
    return 0;
}
