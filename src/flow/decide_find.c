/* decide_find.c: what an event's findings say to a rule: whether a condition holds, and the values
 * under which it is counted. */
#include <string.h>

#include "base/json.h"
#include "flow/decide_impl.h"

uint64_t heed__hash_text(const char *text, size_t len, uint64_t seed) {
    uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325); /* FNV-1a, its end stirred (MurmurHash3) */
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

const heed_finding *heed__find(const heed_seen *seen, const char *name) {
    for (int64_t i = 0; i < seen->findings; i++)
        if (strcmp(seen->finding[i].name, name) == 0) return &seen->finding[i];
    return NULL;
}

static const double least_score = 0.01; /* below, a label is not thought possible */

/* A list in a finding's detail: itself, or its field of that name; NULL: none. */
static const json_t *part_of_detail(heed_view *v, const heed_finding *f, const char *name) {
    const int64_t at = f - v->seen->finding;
    if (at >= MOST_PARSED || !f->detail) return NULL;
    if (!v->parsed[at]) {
        heed_error err;
        v->parsed[at] = heed__json_parse(f->detail, strlen(f->detail), "detail", &err);
        if (!v->parsed[at]) {
            if (err.code == HEED_ENOMEM) v->failed = true;
            return NULL;
        }
    }
    const json_t *tree = v->parsed[at];
    return json_is_object(tree) ? json_object_get(tree, name) : tree;
}

static const json_t *entities(heed_view *v, const heed_finding *f) {
    return part_of_detail(v, f, "entities");
}

int heed__scores(heed_view *view, const char *analysis, const char *said, const char **label,
                 double *score) {
    const heed_finding *f = heed__find(view->seen, analysis);
    label[0] = said;
    score[0] = 1;
    if (!f || !f->label || strcmp(f->label, said) != 0) return 1;
    int n = 1;
    size_t i;
    const json_t *one;
    json_array_foreach((json_t *)(uintptr_t)part_of_detail(view, f, "labels"), i, one) {
        const char *name = json_string_value(json_object_get(one, "label"));
        const double x = json_number_value(json_object_get(one, "score"));
        if (!name || !(x > 0 && x <= 1)) continue;
        if (strcmp(name, said) == 0)
            score[0] = x;
        else if (x >= least_score && n < MOST_SCORES)
            label[n] = name, score[n++] = x;
    }
    return n;
}

void heed__view_end(heed_view *view) {
    for (int i = 0; i < MOST_PARSED; i++) {
        json_decref(view->parsed[i]);
        view->parsed[i] = NULL;
    }
}

static const char *entity_text(const json_t *entity, const char *type, double least) {
    const char *is = json_string_value(json_object_get(entity, "type"));
    const json_t *sure = json_object_get(entity, "confidence");
    if (type && (!is || strcmp(is, type) != 0)) return NULL;
    if (least > 0 && json_is_number(sure) && json_number_value(sure) < least) return NULL;
    return json_string_value(json_object_get(entity, "text"));
}

static bool one_of(const heed_condition *c, const char *label) {
    for (int64_t i = 0; i < c->labels; i++)
        if (strcmp(c->label[i], label) == 0) return true;
    return c->labels == 0;
}

/* The event's own: its source or user; NULL: it has none; false: it is an analysis's name. */
static bool of_entry(const heed_seen *seen, const char *name, const char **value) {
    if (strcmp(name, "source") == 0) return *value = seen->entry->source, true;
    if (strcmp(name, "user") == 0) return *value = seen->entry->user, true;
    return false;
}

bool heed__holds(heed_view *view, const heed_condition *c) {
    const heed_seen *seen = view->seen;
    const char *own = NULL;
    if (of_entry(seen, c->analysis, &own)) return own && one_of(c, own);
    const heed_finding *f = heed__find(seen, c->analysis);
    if (!f) return false;
    if (c->of) {
        size_t i;
        json_t *entity;
        json_array_foreach((json_t *)(uintptr_t)entities(view, f), i, entity) {
            const char *text = entity_text(entity, c->of, c->least);
            if (text && one_of(c, text)) return true;
        }
        return false;
    }
    if (c->labels == 0 && !f->label) return !f->abstained && f->confidence >= c->least;
    return f->label && !f->abstained && f->confidence >= c->least && one_of(c, f->label);
}

bool heed__part_of(const heed_rule_cfg *rule, const heed_condition *c) {
    for (int64_t i = 0; i < rule->of_len; i++)
        if (strcmp(rule->of[i], c->analysis) == 0) return true;
    return rule->of_len == 0;
}

static bool is_tagger(const heed_flow *flow, const char *name) {
    for (int64_t i = 0; i < flow->analyses; i++)
        if (strcmp(flow->analysis[i].name, name) == 0)
            return flow->analysis[i].kind && strcmp(flow->analysis[i].kind, "tag") == 0;
    return false;
}

int heed__values(heed_view *view, const heed_rule_cfg *rule, const char *analysis,
                 const char **value) {
    const heed_seen *seen = view->seen;
    const char *own = NULL, *type = NULL;
    double least = 0;
    if (of_entry(seen, analysis, &own)) return own ? (value[0] = own, 1) : 0;
    const heed_finding *f = heed__find(seen, analysis);
    if (!f) return 0;
    if (!is_tagger(view->flow, analysis))
        return f->label && !f->abstained ? (value[0] = f->label, 1) : 0;
    for (int64_t i = 0; i < rule->whens; i++)
        if (strcmp(rule->when[i].analysis, analysis) == 0)
            type = rule->when[i].of, least = rule->when[i].least;
    int n = 0;
    size_t i;
    json_t *entity;
    json_array_foreach((json_t *)(uintptr_t)entities(view, f), i, entity) {
        const char *text = entity_text(entity, type, least);
        if (!text || !text[0] || n == MOST_VALUES) continue;
        int same = 0;
        while (same < n && strcmp(value[same], text) != 0) same++;
        if (same == n) value[n++] = text;
    }
    return n;
}
