/* analyst_run.c: events in, findings out: each model reads each text once, whatever the number of
 * analyses that stand on it. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/analyst_impl.h"
#include "serve/language.h"
#include "store/vectors.h"

enum { ENTITIES = 64, LABELS_TOLD = 3 };

/* Everything of one call; given back with the findings. */
typedef struct run {
    heed_analyst *a;
    heed_arena arena;
    const heed_entry *entry;
    int64_t n;
    const char **text;     /* [n] */
    heed_said *said;       /* [models]; n 0: not asked */
    int64_t **place;       /* [models][n] where text i stands in said; -1: it was not asked */
    heed_entity **entity;  /* [analyses*n] */
    int64_t *entities;     /* [analyses*n] */
    heed_finding *finding; /* [n*analyses] */
    int64_t *start;        /* [n+1] */
    float *vector;
    heed_novel **novel; /* [analyses]; NULL: it is not novelty */
    int64_t **asked;    /* [analyses][n] where event i stands in novel */
    heed_text line;
} run;

static void run_free(run *r) {
    if (!r) return;
    for (int64_t i = 0; r->said && i < r->a->models; i++) heed_said_free(&r->said[i]);
    heed__text_free(&r->line);
    heed__arena_free(&r->arena);
    const heed_hooks hooks = r->a->hooks;
    heed__free(&hooks, r);
}

void heed_found_free(heed_found *found) {
    run_free(found->memory);
    *found = (heed_found){ 0 };
}

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "analyses: out of memory");
}

static char *keep(run *r, const char *data, size_t size) {
    char *own = heed__arena_alloc(&r->arena, size + 1);
    if (!own) return NULL;
    memcpy(own, data, size);
    own[size] = 0;
    return own;
}

/* Whether an analysis is for this event's source. */
static bool applies(const analysis *k, const heed_entry *e) {
    if (k->cfg->only_len == 0) return true;
    for (int64_t i = 0; e->source && i < k->cfg->only_len; i++)
        if (strcmp(k->cfg->only[i], e->source) == 0) return true;
    return false;
}

/* -- conditions: by what else was found -------- */

static bool one_of(const char *what, const char *const *list, int64_t n) {
    for (int64_t i = 0; what && i < n; i++)
        if (strcmp(what, list[i]) == 0) return true;
    return false;
}

/* Whether a condition holds; *confidence: of what it rests on. */
static bool holds(const run *r, const heed_condition *c, int64_t i, double *confidence) {
    const heed_analyst *a = r->a;
    const heed_entry *e = &r->entry[i];
    *confidence = 1;
    if (strcmp(c->analysis, "source") == 0) return one_of(e->source, c->label, c->labels);
    if (strcmp(c->analysis, "user") == 0) return one_of(e->user, c->label, c->labels);
    for (int64_t j = 0; j < a->analyses; j++) {
        if (strcmp(a->analysis[j].cfg->name, c->analysis) != 0) continue;
        for (int64_t at = 0; c->of && at < r->entities[j * r->n + i]; at++) {
            const heed_entity *x = &r->entity[j * r->n + i][at];
            *confidence = (double)x->confidence;
            if (strcmp(x->type, c->of) == 0 && *confidence >= c->least) return true;
        }
        const heed_finding *f = &r->finding[i * a->analyses + j];
        if (c->of || !f->name || !f->label || f->abstained) return false;
        *confidence = f->confidence;
        return f->confidence >= c->least &&
               (c->labels == 0 || one_of(f->label, c->label, c->labels));
    }
    return false;
}

/* Whether an analysis is for event i: of its sources, and all it goes by holds. */
static bool wanted(const run *r, const analysis *k, int64_t i) {
    double confidence;
    if (!applies(k, &r->entry[i])) return false;
    for (int64_t w = 0; w < k->cfg->whens; w++)
        if (!holds(r, &k->cfg->when[w], i, &confidence)) return false;
    return true;
}

/* -- texts and models -------- */

static int take_texts(run *r, heed_error *err) {
    r->text = heed__arena_alloc(&r->arena, (size_t)(r->n + 1) * sizeof *r->text);
    if (!r->text) return no_memory(err);
    for (int64_t i = 0; i < r->n; i++) {
        const heed_entry *e = &r->entry[i];
        if (!e->title || !*e->title) {
            r->text[i] = e->text ? e->text : "";
            continue;
        }
        char *all = heed_analyst_text(r->a, e);
        r->text[i] = all ? keep(r, all, strlen(all)) : NULL;
        heed__free(&r->a->hooks, all);
        if (!r->text[i]) return no_memory(err);
    }
    return 0;
}

/* A model is asked once, with the first of its analyses; about what is not yet known of the others
 * then, too. */
static int rank_of(const heed_analyst *a, int m) {
    int rank = a->ranks;
    for (int64_t j = 0; j < a->analyses; j++)
        if (a->analysis[j].model == m && a->analysis[j].rank < rank) rank = a->analysis[j].rank;
    return rank;
}

/* Asks model m about the texts that any analysis on it is for. */
static int ask(run *r, int m, int rank, heed_error *err) {
    heed_analyst *a = r->a;
    int64_t *place = heed__arena_alloc(&r->arena, (size_t)(r->n + 1) * sizeof *place), n = 0;
    const char **text = heed__arena_alloc(&r->arena, (size_t)(r->n + 1) * sizeof *text);
    if (!place || !text) return no_memory(err);
    r->place[m] = place;
    bool asked = false;
    for (int64_t i = 0; i < r->n; i++) {
        place[i] = -1;
        for (int64_t j = 0; j < a->analyses && place[i] < 0; j++) {
            const analysis *k = &a->analysis[j];
            if (k->model != m || k->kind == ANALYSIS_TAG) continue;
            if (k->rank > rank ? !applies(k, &r->entry[i]) : !wanted(r, k, i)) continue;
            place[i] = n;
            text[n++] = r->text[i];
        }
        asked = asked || place[i] >= 0;
    }
    r->said[m].want_vectors = a->vectors >= 0 && a->analysis[a->vectors].model == m;
    return asked ? heed_served_ask(a->model[m], n, text, &r->said[m], err) : 0;
}

int64_t heed__entities(heed_analyst *a, const analysis *k, const char *text, heed_arena *arena,
                       heed_entity **entity, heed_error *err) {
    int64_t room = ENTITIES;
    for (;;) {
        *entity = heed__arena_alloc(arena, (size_t)room * sizeof **entity);
        if (!*entity) return no_memory(err);
        const int64_t n = heed_served_entities(a->model[k->model], text, *entity, room, err);
        if (n <= room) return n;
        room = n;
    }
}

static int find_entities(run *r, int rank, heed_error *err) {
    heed_analyst *a = r->a;
    for (int64_t j = 0; j < a->analyses; j++) {
        const analysis *k = &a->analysis[j];
        for (int64_t i = 0; k->kind == ANALYSIS_TAG && k->rank == rank && i < r->n; i++) {
            if (!wanted(r, k, i)) continue;
            const int64_t n = heed__entities(a, k, r->text[i], &r->arena, &r->entity[j * r->n + i],
                                             err);
            if (n < 0) return (int)n;
            r->entities[j * r->n + i] = n;
        }
    }
    return 0;
}

static int take_vectors(run *r, heed_error *err) {
    const heed_analyst *a = r->a;
    if (a->vectors < 0) return 0;
    const int m = a->analysis[a->vectors].model;
    const size_t D = (size_t)heed_served_dim(a->model[m]);
    r->vector = heed__arena_alloc(&r->arena, ((size_t)r->n * D + 1) * sizeof(float));
    if (!r->vector) return no_memory(err);
    for (int64_t i = 0; i < r->n; i++) {
        const int64_t at = r->place[m][i];
        if (at >= 0)
            memcpy(r->vector + (size_t)i * D, r->said[m].vector + (size_t)at * D,
                   D * sizeof(float));
        else
            memset(r->vector + (size_t)i * D, 0, D * sizeof(float));
    }
    /* as the store keeps them, so that what is decided now is decided again in a replay */
    for (size_t i = 0; i < (size_t)r->n * D; i++)
        r->vector[i] = heed__half_float(heed__half(r->vector[i]));
    return 0;
}

/* -- findings --------------------------------------------------------------------------------- */

int heed__likeliest(const float *probs, int64_t labels, int *top, int n) {
    if (n > labels) n = (int)labels;
    int len = 0;
    for (int64_t k = 0; k < labels; k++) {
        if (len == n && (n == 0 || probs[k] <= probs[top[len - 1]])) continue;
        int at = len < n ? len++ : n - 1;
        for (; at > 0 && probs[k] > probs[top[at - 1]]; at--) top[at] = top[at - 1];
        top[at] = (int)k;
    }
    return len;
}

verdict heed__verdict(const heed_analyst *a, const analysis *k, const heed_said *said, int64_t i,
                      int best) {
    const heed_served *m = a->model[k->model];
    const float *p = said->probs + i * said->labels;
    if (heed_served_target(m) == HEED_TARGET_SCORE) return (verdict){ .confidence = (double)p[0] };
    verdict v = { heed_served_label(m, best), (double)p[best], false };
    v.abstained = v.confidence < k->cfg->least || said->known[i] == 0;
    if (heed_served_target(m) == HEED_TARGET_LABELS)
        v.abstained = v.abstained || v.confidence < 0.5;
    if (heed_served_target(m) != HEED_TARGET_LABEL || !heed_served_calibrated(m)) return v;
    v.abstained = v.abstained || !heed_served_is_sure(m, p, k->coverage) ||
                  !heed_served_in_scope(m, said->logits + i * said->labels, k->scope);
    return v;
}

/* What was written into the line, kept; NULL where memory was short. */
static const char *line_end(run *r) {
    const char *own = r->line.failed ? NULL : keep(r, r->line.bytes, (size_t)r->line.len);
    r->line.len = 0;
    r->line.failed = false;
    return own;
}

static int classify(run *r, const analysis *k, int64_t i, heed_finding *f) {
    const heed_said *said = &r->said[k->model];
    const int64_t at = r->place[k->model][i];
    int top[LABELS_TOLD];
    const int n = heed__likeliest(said->probs + at * said->labels, said->labels, top, LABELS_TOLD);
    const verdict v = heed__verdict(r->a, k, said, at, top[0]);
    f->label = v.label;
    f->confidence = v.confidence;
    f->abstained = v.abstained;
    if (!v.label) return 0;
    heed__text_puts(&r->line, "{\"labels\":[");
    for (int t = 0; t < n; t++) {
        heed__text_puts(&r->line, t ? ",{\"label\":" : "{\"label\":");
        heed__json_put_string(&r->line, heed_served_label(r->a->model[k->model], top[t]));
        heed__text_puts(&r->line, ",\"score\":");
        heed__json_put_part(&r->line, (double)said->probs[at * said->labels + top[t]], 6);
        heed__text_puts(&r->line, "}");
    }
    heed__text_puts(&r->line, "]}");
    return (f->detail = line_end(r)) ? 0 : HEED_ENOMEM;
}

/* The surest entity's type is the label; all are in the detail. */
static int tag(run *r, int64_t j, int64_t i, heed_finding *f) {
    const heed_entity *e = r->entity[j * r->n + i];
    const int64_t n = r->entities[j * r->n + i];
    heed__text_puts(&r->line, "{\"entities\":[");
    for (int64_t at = 0; at < n; at++) {
        if (!f->label || (double)e[at].confidence > f->confidence) {
            f->label = e[at].type;
            f->confidence = (double)e[at].confidence;
        }
        heed__text_puts(&r->line, at ? ",{\"begin\":" : "{\"begin\":");
        heed__json_put_int(&r->line, (int64_t)e[at].begin);
        heed__text_puts(&r->line, ",\"end\":");
        heed__json_put_int(&r->line, (int64_t)e[at].end);
        heed__text_puts(&r->line, ",\"text\":");
        heed__json_put_text(&r->line, r->text[i] + e[at].begin, e[at].end - e[at].begin);
        heed__text_puts(&r->line, ",\"type\":");
        heed__json_put_string(&r->line, e[at].type);
        heed__text_puts(&r->line, ",\"confidence\":");
        heed__json_put_part(&r->line, (double)e[at].confidence, 6);
        heed__text_puts(&r->line, "}");
    }
    heed__text_puts(&r->line, "]}");
    return (f->detail = line_end(r)) ? 0 : HEED_ENOMEM;
}

static int language(run *r, const analysis *k, int64_t i, heed_finding *f) {
    heed_spoken s = heed_language(r->text[i]);
    if (s.asks && k->model >= 0) {
        const heed_served *m = r->a->model[k->model];
        const heed_said *said = &r->said[k->model];
        const char *label[HEED_LANGUAGES];
        for (int64_t l = 0; l < said->labels && l < HEED_LANGUAGES; l++)
            label[l] = heed_served_label(m, l);
        s = heed_language_of(r->text[i], label, said->probs + r->place[k->model][i] * said->labels,
                             said->labels);
    }
    f->label = s.code ? s.code : "und";
    f->confidence = s.confidence;
    f->abstained = !s.code || s.confidence < k->cfg->least;
    return 0;
}

/* Asks novelty analysis j about all events that it is for, in the log's order. */
static int ask_novelty(run *r, int64_t j, heed_error *err) {
    heed_analyst *a = r->a;
    const analysis *k = &a->analysis[j];
    heed_novel *x = heed__arena_alloc(&r->arena, (size_t)(r->n + 1) * sizeof *x);
    int64_t *at = heed__arena_alloc(&r->arena, (size_t)(r->n + 1) * sizeof *at), n = 0;
    if (!x || !at) return no_memory(err);
    const int64_t dim = r->vector ? heed_served_dim(a->model[a->analysis[a->vectors].model]) : 0;
    for (int64_t i = 0; i < r->n; i++) {
        if (!applies(k, &r->entry[i])) continue;
        at[i] = n;
        x[n++] = (heed_novel){ .seq = r->entry[i].seq,
                               .time_ms = r->entry[i].time_ms,
                               .text = r->text[i],
                               .vector = dim ? r->vector + i * dim : NULL };
    }
    r->novel[j] = x;
    r->asked[j] = at;
    return heed_novelty_step(k->novelty, x, n, err);
}

static int ask_novelties(run *r, heed_error *err) {
    int rc = 0;
    for (int64_t j = 0; rc == 0 && j < r->a->analyses; j++)
        if (r->a->analysis[j].novelty) rc = ask_novelty(r, j, err);
    return rc;
}

static int novelty(run *r, int64_t j, int64_t i, heed_finding *f) {
    const heed_novel *x = &r->novel[j][r->asked[j][i]];
    const double cosine = x->cosine;
    f->label = x->nearest && cosine >= r->a->analysis[j].cfg->similar ? "seen" : "new";
    f->confidence = 1 - cosine < 0 ? 0 : 1 - cosine;
    if (!x->nearest) return 0;
    heed__text_puts(&r->line, "{\"nearest\":");
    heed__json_put_int(&r->line, x->nearest);
    heed__text_puts(&r->line, ",\"similar\":");
    heed__json_put_part(&r->line, cosine, 6);
    heed__text_puts(&r->line, "}");
    return (f->detail = line_end(r)) ? 0 : HEED_ENOMEM;
}

/* -- risk: grades by words and by what else was found ------------------------------------------ */

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool is_letter(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether a word or phrase stands in a text, by itself where it begins or ends with a letter;
 * ASCII's capitals are as its small ones. */
static bool has_word(const char *text, const char *word) {
    const size_t n = strlen(word);
    for (const char *at = text; n && *at; at++) {
        size_t i = 0;
        while (i < n && at[i] && lower(at[i]) == lower(word[i])) i++;
        const bool begins = at == text || !is_letter(word[0]) || !is_letter(at[-1]);
        if (i == n && begins && (!is_letter(word[n - 1]) || !is_letter(at[n]))) return true;
    }
    return false;
}

static int risk(run *r, const analysis *k, int64_t i, heed_finding *f) {
    for (int64_t g = 0; g < k->cfg->grades; g++) {
        const heed_grade *grade = &k->cfg->grade[g];
        const char *word = NULL;
        for (int64_t w = 0; w < grade->word_len && !word; w++)
            if (has_word(r->text[i], grade->words[w])) word = grade->words[w];
        double least = 1, confidence;
        bool all = grade->whens > 0;
        for (int64_t w = 0; w < grade->whens && all; w++) {
            all = holds(r, &grade->when[w], i, &confidence);
            if (confidence < least) least = confidence;
        }
        if (!all && !word) continue;
        f->label = grade->name;
        f->confidence = all && !word ? least : 1;
        heed__text_puts(&r->line, "{\"by\":");
        heed__json_put_string(&r->line, word ? "word" : "conditions");
        if (word) heed__text_puts(&r->line, ",\"word\":");
        if (word) heed__json_put_string(&r->line, word);
        heed__text_puts(&r->line, "}");
        return (f->detail = line_end(r)) ? 0 : HEED_ENOMEM;
    }
    return 0;
}

static int find(run *r, int64_t j, int64_t i, heed_error *err) {
    const analysis *k = &r->a->analysis[j];
    heed_finding *f = &r->finding[i * r->a->analyses + j];
    if (k->kind == ANALYSIS_EMBED || !wanted(r, k, i)) return 0;
    f->name = k->cfg->name;
    int rc = 0;
    switch (k->kind) {
    case ANALYSIS_CLASSIFY:
        rc = classify(r, k, i, f);
        break;
    case ANALYSIS_TAG:
        rc = tag(r, j, i, f);
        break;
    case ANALYSIS_LANGUAGE:
        rc = language(r, k, i, f);
        break;
    case ANALYSIS_NOVELTY:
        rc = novelty(r, j, i, f);
        break;
    default:
        rc = risk(r, k, i, f);
    }
    return rc ? no_memory(err) : 0;
}

/* Those that were made move together, in the order of their names, in which the store gives them
 * back: an analysis that is not for an event leaves no finding. of [analyses] is room. */
static void close_up(run *r, heed_finding *of, heed_found *found) {
    const int64_t A = r->a->analyses;
    int64_t len = 0;
    for (int64_t i = 0; i < r->n; i++) {
        r->start[i] = len;
        memcpy(of, r->finding + i * A, (size_t)A * sizeof *of);
        for (int64_t o = 0; o < A; o++) {
            const int64_t j = r->a->by_name[o];
            if (!of[j].name) continue;
            heed__metric_add(r->a->analysis[j].found, 1);
            r->finding[len++] = of[j];
        }
    }
    r->start[r->n] = len;
    *found = (heed_found){
        .finding = r->finding,
        .start = r->start,
        .vector = r->vector,
        .dim = r->vector ? heed_served_dim(r->a->model[r->a->analysis[r->a->vectors].model]) : 0,
        .memory = r
    };
}

static int room(run *r, heed_error *err) {
    const size_t A = (size_t)r->a->analyses, n = (size_t)r->n, M = (size_t)r->a->models;
    r->said = heed__arena_alloc(&r->arena, (M + 1) * sizeof *r->said);
    if (r->said) memset(r->said, 0, (M + 1) * sizeof *r->said);
    r->place = heed__arena_alloc(&r->arena, (M + 1) * sizeof *r->place);
    r->entity = heed__arena_alloc(&r->arena, (A * n + 1) * sizeof *r->entity);
    r->entities = heed__arena_alloc(&r->arena, (A * n + 1) * sizeof *r->entities);
    r->finding = heed__arena_alloc(&r->arena, (A * n + 1) * sizeof *r->finding);
    r->start = heed__arena_alloc(&r->arena, (n + 1) * sizeof *r->start);
    r->novel = heed__arena_alloc(&r->arena, (A + 1) * sizeof *r->novel);
    r->asked = heed__arena_alloc(&r->arena, (A + 1) * sizeof *r->asked);
    if (!r->said || !r->place || !r->entity || !r->entities || !r->finding || !r->start ||
        !r->novel || !r->asked)
        return no_memory(err);
    memset(r->entities, 0, (A * n + 1) * sizeof *r->entities);
    memset(r->finding, 0, (A * n + 1) * sizeof *r->finding);
    return 0;
}

static run *run_new(heed_analyst *a, const heed_entry *entry, int64_t n, heed_error *err) {
    run *r = heed__calloc(&a->hooks, 1, sizeof *r);
    if (!r) {
        no_memory(err);
        return NULL;
    }
    r->a = a;
    r->entry = entry;
    r->n = n;
    r->line.hooks = &a->hooks;
    heed__arena_init(&r->arena, &a->hooks);
    if (room(r, err) == 0 && take_texts(r, err) == 0) return r;
    run_free(r);
    return NULL;
}

/* All analyses of a rank, which go by those of lower ranks. */
static int run_rank(run *r, int rank, heed_error *err) {
    const heed_analyst *a = r->a;
    int rc = 0;
    for (int m = 0; rc == 0 && m < (int)a->models; m++)
        if (rank_of(a, m) == rank && heed_served_task_of(a->model[m]) != HEED_SERVED_TAG)
            rc = ask(r, m, rank, err);
    if (rc == 0) rc = find_entities(r, rank, err);
    if (rc == 0 && rank == 0) rc = take_vectors(r, err); /* these go by nothing else */
    if (rc == 0 && rank == 0) rc = ask_novelties(r, err);
    for (int64_t i = 0; rc == 0 && i < r->n; i++)
        for (int64_t j = 0; rc == 0 && j < a->analyses; j++)
            if (a->analysis[j].rank == rank) rc = find(r, j, i, err);
    return rc;
}

int heed_analyst_run(heed_analyst *a, const heed_entry *entry, int64_t n, heed_found *found,
                     heed_error *err) {
    *found = (heed_found){ 0 };
    run *r = run_new(a, entry, n, err);
    if (!r) return err->code;
    int rc = 0;
    for (int rank = 0; rc == 0 && rank < a->ranks; rank++) rc = run_rank(r, rank, err);
    heed_finding *of = heed__arena_alloc(&r->arena, (size_t)(a->analyses + 1) * sizeof *of);
    if (rc == 0 && !of) rc = no_memory(err);
    if (rc)
        run_free(r);
    else
        close_up(r, of, found);
    return rc;
}

int heed_analyst_recall(heed_analyst *a, const heed_entry *entry, int64_t n, heed_error *err) {
    run *r = run_new(a, entry, n, err);
    if (!r) return err->code;
    int rc = 0;
    if (a->vectors >= 0) rc = ask(r, a->analysis[a->vectors].model, 0, err);
    if (rc == 0) rc = take_vectors(r, err);
    if (rc == 0) rc = ask_novelties(r, err);
    run_free(r);
    return rc;
}
