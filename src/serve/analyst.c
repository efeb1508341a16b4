/* analyst.c: a flow's analyses and the models behind them. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "serve/analyst_impl.h"
#include "serve/language.h"
#include "tasks/calibration.h"

static const char *const kind_name[] = {
    "classify", "tag", "embed", "language", "novelty", "risk"
};
static const double PROMISED = 0.95; /* of coverage and scope, where the flow says nothing */
static const double SEEN_FROM = 0.5; /* cosines below which an event is told of no other */

/* The model of a folder, opened at its first use; -1 and *err. */
static int model_of(heed_analyst *a, const heed_analysis_cfg *cfg, int threads, heed_error *err) {
    for (int i = 0; i < (int)a->models; i++)
        if (strcmp(heed_served_dir(a->model[i]), cfg->model) == 0) return i;
    const heed_served_cfg c = { .dir = cfg->model,
                                .copies = threads,
                                .threads = threads,
                                .max_wait_ms = a->flow->max_wait_ms,
                                .max_batch = a->flow->max_batch,
                                .hooks = &a->hooks };
    heed_served *m = heed_served_open(&c, err);
    if (!m) return -1;
    a->model[a->models++] = m;
    return (int)a->models - 1;
}

static int kind_of(const heed_flow *flow, const heed_analysis_cfg *cfg, heed_error *err) {
    for (int i = 0; i < (int)(sizeof kind_name / sizeof *kind_name); i++)
        if (strcmp(cfg->kind, kind_name[i]) == 0) return i;
    return heed__error(err, HEED_EINVALID, "%s:%d: no analysis of the kind '%s'", flow->path,
                       cfg->line, cfg->kind);
}

static int check_task(const heed_analyst *a, const analysis *k, heed_error *err) {
    const heed_served *m = a->model[k->model];
    const heed_served_task is = heed_served_task_of(m);
    const bool ok = (k->kind == ANALYSIS_CLASSIFY && is == HEED_SERVED_CLASSIFY) ||
                    (k->kind == ANALYSIS_TAG && is == HEED_SERVED_TAG) ||
                    (k->kind == ANALYSIS_LANGUAGE && is == HEED_SERVED_CLASSIFY &&
                     heed_served_target(m) == HEED_TARGET_LABEL &&
                     heed_served_labels(m) <= HEED_LANGUAGES) ||
                    (k->kind == ANALYSIS_EMBED && is != HEED_SERVED_TAG);
    if (!ok)
        return heed__error(err, HEED_EINVALID, "%s:%d: the model %s cannot %s", a->flow->path,
                           k->cfg->line, k->cfg->model, k->cfg->kind);
    if ((k->cfg->coverage > 0 || k->cfg->scope > 0) && !heed_served_calibrated(m))
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s:%d: %s was trained with nothing held out, so no coverage or scope "
                           "can be promised",
                           a->flow->path, k->cfg->line, k->cfg->model);
    return 0;
}

/* The coverage of an analysis: what its flow says, or what is usual as far as the model can promise
 * it. With fewer texts held out than it needs no set is smaller than all labels, so that no label
 * would be sure: that is told. */
static double coverage_of(const heed_analyst *a, const analysis *k) {
    const heed_analysis_cfg *c = k->cfg;
    const int64_t n = heed_served_calibrated(a->model[k->model]);
    const double wanted = c->coverage > 0 ? c->coverage : PROMISED;
    const long long needed = heed__coverage_needs(wanted);
    if (k->kind != ANALYSIS_CLASSIFY || n == 0 || n >= needed) return wanted;
    if (c->coverage > 0)
        heed__log(&a->hooks, HEED_LOG_WARN,
                  "%s:%d: of texts held out in training coverage %g needs %lld, and %s had %lld: "
                  "none of its labels is sure",
                  a->flow->path, c->line, wanted, needed, c->model, (long long)n);
    else
        heed__log(&a->hooks, HEED_LOG_WARN,
                  "%s:%d: of texts held out in training coverage %g needs %lld, and %s had %lld: "
                  "it promises %.4g",
                  a->flow->path, c->line, wanted, needed, c->model, (long long)n,
                  floor(1e4 * heed__coverage_most(n)) / 1e4);
    return c->coverage > 0 ? wanted : heed__coverage_most(n);
}

static int analysis_open(heed_analyst *a, analysis *k, int threads, heed_error *err) {
    const heed_analysis_cfg *cfg = k->cfg;
    const int kind = kind_of(a->flow, cfg, err);
    if (kind < 0) return kind;
    k->kind = (analysis_kind)kind;
    k->model = -1;
    if (k->kind > ANALYSIS_EMBED && (k->kind != ANALYSIS_LANGUAGE || !cfg->model)) return 0;
    if (!cfg->model)
        return heed__error(err, HEED_EINVALID, "%s:%d: analysis '%s' needs a model", a->flow->path,
                           cfg->line, cfg->name);
    k->model = model_of(a, cfg, threads, err);
    if (k->model < 0) return err->code;
    const int rc = check_task(a, k, err);
    if (rc) return rc;
    const heed_served *m = a->model[k->model];
    k->scope = heed_served_scope_limit(m, cfg->scope > 0 ? cfg->scope : PROMISED);
    k->coverage = heed_served_coverage_limit(m, coverage_of(a, k));
    return 0;
}

/* After the models: novelty goes by the events' vectors where there are any. */
static int novelty_open(heed_analyst *a, analysis *k, heed_error *err) {
    if (k->kind != ANALYSIS_NOVELTY) return 0;
    const int64_t dim = a->vectors < 0 ? 0
                                       : heed_served_dim(a->model[a->analysis[a->vectors].model]);
    const double least = k->cfg->similar < SEEN_FROM ? k->cfg->similar : SEEN_FROM;
    k->novelty = heed_novelty_new(dim, least, k->cfg->within_ms, &a->hooks, err);
    return k->novelty ? 0 : err->code;
}

/* One above the highest rank among the analyses before i that the conditions name, `rank` at
 * least. */
static int rank_above(const heed_analyst *a, int64_t i, const heed_condition *when, int64_t n,
                      int rank) {
    for (int64_t w = 0; w < n; w++)
        for (int64_t j = 0; j < i; j++) {
            const analysis *k = &a->analysis[j];
            if (strcmp(k->cfg->name, when[w].analysis) == 0 && k->rank >= rank) rank = k->rank + 1;
        }
    return rank;
}

/* An analysis is made after those that it goes by, whose models are then asked. */
static void rank_all(heed_analyst *a) {
    for (int64_t i = 0; i < a->analyses; i++) {
        analysis *k = &a->analysis[i];
        k->rank = rank_above(a, i, k->cfg->when, k->cfg->whens, 0);
        for (int64_t g = 0; g < k->cfg->grades; g++)
            k->rank = rank_above(a, i, k->cfg->grade[g].when, k->cfg->grade[g].whens, k->rank);
        if (k->rank >= a->ranks) a->ranks = k->rank + 1;
    }
}

static int open_all(heed_analyst *a, int threads, heed_metrics_set *metrics, heed_error *err) {
    const heed_flow *flow = a->flow;
    a->lock = heed__lock_new(&a->hooks, err);
    a->analysis = heed__calloc(&a->hooks, (size_t)flow->analyses + 1, sizeof *a->analysis);
    a->model = heed__calloc(&a->hooks, (size_t)flow->analyses + 1, sizeof *a->model);
    a->by_name = heed__calloc(&a->hooks, (size_t)flow->analyses + 1, sizeof *a->by_name);
    if (!a->lock || !a->analysis || !a->model || !a->by_name)
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", flow->path);
    a->analyses = flow->analyses;
    a->vectors = -1;
    for (int64_t i = 0; i < flow->analyses; i++) {
        analysis *k = &a->analysis[i];
        k->cfg = &flow->analysis[i];
        const int rc = analysis_open(a, k, threads, err);
        if (rc) return rc;
        if (k->kind == ANALYSIS_EMBED && a->vectors < 0) a->vectors = (int)i;
        char labels[256] = "analysis=\"";
        heed_text l = { .hooks = &a->hooks };
        heed__text_puts(&l, "analysis=");
        heed__json_put_string(&l, k->cfg->name);
        if (!l.failed && l.len < (int64_t)sizeof labels) memcpy(labels, l.bytes, (size_t)l.len + 1);
        heed__text_free(&l);
        k->found = heed__counter(metrics, "heed_findings_total",
                                 "texts of which an analysis said something", labels);
    }
    rank_all(a);
    for (int64_t i = 0; i < a->analyses; i++) {
        int64_t at = i;
        for (;
             at > 0 && strcmp(flow->analysis[a->by_name[at - 1]].name, flow->analysis[i].name) > 0;
             at--)
            a->by_name[at] = a->by_name[at - 1];
        a->by_name[at] = i;
    }
    for (int64_t i = 0; i < a->analyses; i++) {
        const int rc = novelty_open(a, &a->analysis[i], err);
        if (rc) return rc;
    }
    return 0;
}

static void close_all(heed_analyst *a) {
    for (int64_t i = 0; i < a->analyses; i++) heed_novelty_free(a->analysis[i].novelty);
    for (int64_t i = 0; i < a->models; i++) heed_served_close(a->model[i]);
    heed__lock_free(a->lock);
    const heed_hooks hooks = a->hooks;
    heed__free(&hooks, a->analysis);
    heed__free(&hooks, a->model);
    heed__free(&hooks, a->by_name);
    heed__free(&hooks, a);
}

heed_analyst *heed_analyst_open(const heed_flow *flow, int threads, heed_metrics_set *metrics,
                                const heed_hooks *hooks, heed_error *err) {
    heed_analyst *a = heed__calloc(hooks, 1, sizeof *a);
    if (!a) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", flow->path);
        return NULL;
    }
    if (hooks) a->hooks = *hooks;
    a->flow = flow;
    a->users = 1;
    if (open_all(a, threads < 1 ? 1 : threads, metrics, err) == 0) return a;
    close_all(a);
    return NULL;
}

heed_analyst *heed_analyst_hold(heed_analyst *a) {
    heed__lock_enter(a->lock);
    a->users++;
    heed__lock_leave(a->lock);
    return a;
}

int64_t heed_analyst_users(heed_analyst *a) {
    heed__lock_enter(a->lock);
    const int64_t users = a->users;
    heed__lock_leave(a->lock);
    return users;
}

void heed_analyst_drop(heed_analyst *a) {
    if (!a) return;
    heed__lock_enter(a->lock);
    const int64_t left = --a->users;
    heed__lock_leave(a->lock);
    if (left == 0) close_all(a);
}

const analysis *heed__analysis_find(const heed_analyst *a, const char *name, analysis_kind kind,
                                    heed_error *err) {
    for (int64_t i = 0; i < a->analyses; i++) {
        const analysis *k = &a->analysis[i];
        if (k->kind == kind && (!name || strcmp(name, k->cfg->name) == 0)) return k;
    }
    if (name)
        heed__error(err, HEED_ENOTFOUND, "no analysis '%.200s' of the kind %s", name,
                    kind_name[kind]);
    else
        heed__error(err, HEED_ENOTFOUND, "this flow has no analysis of the kind %s",
                    kind_name[kind]);
    return NULL;
}

int64_t heed_analyst_memory(const heed_analyst *a) {
    for (int64_t i = 0; i < a->analyses; i++)
        if (a->analysis[i].novelty) return HEED_NOVELTY_REACH;
    return 0;
}

static bool same_names(const char *const *a, int64_t n, const char *const *b, int64_t m) {
    for (int64_t i = 0; n == m && i < n; i++)
        if (strcmp(a[i], b[i]) != 0) return false;
    return n == m;
}

static const char *vectors_sha(const heed_analyst *a) {
    return a->vectors < 0 ? "" : heed_served_sha(a->model[a->analysis[a->vectors].model]);
}

static bool same_vectors(const heed_analyst *a, const heed_analyst *b) {
    if (strcmp(vectors_sha(a), vectors_sha(b)) != 0) return false;
    if (a->vectors < 0) return true;
    const heed_analysis_cfg *x = a->analysis[a->vectors].cfg, *y = b->analysis[b->vectors].cfg;
    return same_names(x->only, x->only_len, y->only, y->only_len);
}

/* Of b's analyses that which remembers as this one does; NULL: none. */
static analysis *alike(const heed_analyst *b, const analysis *k) {
    for (int64_t i = 0; i < b->analyses; i++) {
        analysis *o = &b->analysis[i];
        if (!o->novelty || strcmp(o->cfg->name, k->cfg->name) != 0) continue;
        const double least = k->cfg->similar < SEEN_FROM ? k->cfg->similar : SEEN_FROM;
        const double other = o->cfg->similar < SEEN_FROM ? o->cfg->similar : SEEN_FROM;
        if (!(least < other) && !(least > other) && k->cfg->within_ms == o->cfg->within_ms &&
            same_names(k->cfg->only, k->cfg->only_len, o->cfg->only, o->cfg->only_len))
            return o;
    }
    return NULL;
}

bool heed_analyst_alike(const heed_analyst *a, const heed_analyst *b) {
    bool same = same_vectors(a, b);
    for (int64_t i = 0; i < a->analyses && same; i++)
        if (a->analysis[i].novelty) same = alike(b, &a->analysis[i]) != NULL;
    return same;
}

void heed_analyst_swap_memory(heed_analyst *a, heed_analyst *b) {
    for (int64_t i = 0; i < a->analyses; i++) {
        analysis *k = &a->analysis[i], *o = k->novelty ? alike(b, k) : NULL;
        if (!o) continue;
        heed_novelty *own = k->novelty;
        k->novelty = o->novelty;
        o->novelty = own;
    }
}

char *heed_analyst_text(const heed_analyst *a, const heed_entry *entry) {
    const char *title = entry->title ? entry->title : "", *text = entry->text ? entry->text : "";
    const size_t n = strlen(title), m = strlen(text);
    char *all = heed__malloc(&a->hooks, n + m + 2);
    if (!all) return NULL;
    memcpy(all, title, n);
    if (n && m) all[n] = '\n';
    memcpy(all + n + (n && m), text, m + 1);
    return all;
}

/* -- models told ------------------------------------------------------------------------------ */

json_t *heed_analyst_models(heed_analyst *a) {
    json_t *list = json_array();
    for (int64_t i = 0; i < a->models; i++)
        json_array_append_new(list, heed_served_about(a->model[i]));
    return list;
}

json_t *heed_analyst_labels(heed_analyst *a, const char *name) {
    json_t *list = json_array();
    for (int64_t i = 0; i < a->analyses; i++) {
        const analysis *k = &a->analysis[i];
        if (k->model < 0 || strcmp(k->cfg->name, name) != 0) continue;
        for (int64_t l = 0; l < heed_served_labels(a->model[k->model]); l++)
            json_array_append_new(list, json_string(heed_served_label(a->model[k->model], l)));
    }
    return list;
}

json_t *heed_analyst_shas(heed_analyst *a) {
    json_t *all = json_object();
    for (int64_t i = 0; i < a->models; i++)
        json_object_set_new(all, heed_served_id(a->model[i]),
                            json_string(heed_served_sha(a->model[i])));
    return all;
}
