/* decide_rank.c: what deserves attention: the chance that a person would vote an event up, by a
 * logistic model over named features: its source, what each analysis says, how novel it is, which
 * rules it fired, whether it was told before and how often.
 *
 *     p = 1 / (1 + e^-z)      z = Σ (prior_i + w_i) x_i
 *
 * Priors say what a newcomer may expect (a critical alert counts 2.7, a fired rule of grade info
 * 0.9, a text told before -1.5 ...); w begin at 0 and are learnt vote by vote,
 *
 *     w_i += 0.7 (y - p) x_i / sqrt(1 + n_i)      |w_i| <= 8, x <= 4
 *
 * n_i: votes that feature has had (AdaGrad's schedule with gradients of one: Duchi et al. 2011).
 * Votes are kept with the features of their events, and the weights are those that come of the
 * votes in force, in order: a vote undone leaves the very bits of a ranking that never had it. */
#include <math.h>
#include <string.h>

#include "base/elementary.h"
#include "flow/decide_impl.h"

/* What a feature is called: up to four texts in a row. */
typedef struct name {
    const char *part[4];
} name;

typedef struct builder {
    heed_features *f;
    name named[MOST_FEATURES];
    double prior[MOST_FEATURES];
} builder;

static void add(builder *b, name n, double size, double prior) {
    if (b->f->n == MOST_FEATURES) return;
    uint64_t h = 7;
    for (int i = 0; i < 4 && n.part[i]; i++)
        h = heed__hash_text(n.part[i], strlen(n.part[i]), h * 31);
    const int64_t sixteenths = (int64_t)(size * 16 + 0.5);
    const int at = b->f->n++;
    b->f->slot[at] = (uint16_t)(h % SLOTS);
    b->f->size[at] = (uint8_t)(sixteenths < 0 ? 0 : sixteenths > 64 ? 64 : sixteenths);
    b->named[at] = n;
    b->prior[at] = prior;
    b->f->prior += prior * b->f->size[at] / 16;
}

static const heed_analysis_cfg *analysis_of(const heed_flow *flow, const char *called) {
    for (int64_t i = 0; i < flow->analyses; i++)
        if (strcmp(flow->analysis[i].name, called) == 0) return &flow->analysis[i];
    return NULL;
}

static void add_finding(const heed_decider *d, builder *b, const heed_finding *f) {
    const heed_analysis_cfg *a = analysis_of(d->flow, f->name);
    const char *kind = a && a->kind ? a->kind : "";
    if (strcmp(kind, "novelty") == 0) {
        add(b, (name){ { f->name } }, f->confidence, 1);
        return;
    }
    if (!f->label || f->abstained) return;
    double prior = 0;
    if (strcmp(kind, "risk") == 0)
        for (int64_t i = 0; i < a->grades; i++)
            if (strcmp(a->grade[i].name, f->label) == 0)
                prior = 2 * (double)(a->grades - i) / (double)a->grades;
    add(b, (name){ { f->name, "=", f->label } }, 1, prior);
}

/* log2(1 + n), halves between powers: 1, 1.5, 2, 2.5 ... */
static double doublings(int64_t n) {
    double size = 0;
    for (n++; n > 1; n /= 2) size += n == 3 ? 1.5 : 1;
    return size < 4 ? size : 4;
}

static void put_reasons(const heed_decider *d, const builder *b, heed_line *l) {
    bool told[MOST_FEATURES] = { false };
    heed__line_put(l, "[");
    for (int k = 0; k < 3; k++) {
        int best = -1;
        double most = 0.005;
        for (int i = 1; i < b->f->n; i++) {
            const double size = b->f->size[i] / 16.0;
            const double adds = fabs((b->prior[i] + d->weight[b->f->slot[i]]) * size);
            if (!told[i] && adds > most) best = i, most = adds;
        }
        if (best < 0) break;
        told[best] = true;
        heed__line_put(l, k ? ",[\"" : "[\"");
        for (int i = 0; i < 4 && b->named[best].part[i]; i++)
            heed__line_within(l, b->named[best].part[i], strlen(b->named[best].part[i]));
        heed__line_put(l, "\",");
        heed__line_number(l,
                          (b->prior[best] + d->weight[b->f->slot[best]]) * b->f->size[best] / 16);
        heed__line_put(l, "]");
    }
    heed__line_put(l, "]");
}

static double chance(const double *weight, const heed_features *f) {
    double z = f->prior;
    for (int i = 0; i < f->n; i++) z += weight[f->slot[i]] * f->size[i] / 16;
    return 1 / (1 + heed__exp(-z));
}

double heed__rank_event(heed_decider *d, const heed_seen *seen, const heed_event *e,
                        heed_features *f, heed_line *reasons) {
    builder b = { .f = f };
    memset(f, 0, sizeof *f);
    add(&b, (name){ { "any" } }, 1, -1.5);
    if (seen->entry->kind == HEED_ENTRY_EVENT) {
        for (int64_t i = 0; i < d->flow->rules; i++) {
            const heed_gate gate = d->verdict[i].gate;
            if (gate < GATE_JOINED) continue;
            const double prior = 0.9 * (d->watch[i].grade + 1);
            add(&b, (name){ { "rule ", d->watch[i].cfg->name } }, gate == GATE_FIRED ? 1 : 0.5,
                prior);
        }
        if (e->story && e->story != e->seq) add(&b, (name){ { "told before" } }, 1, -1.5);
        if (e->tellings > 1) add(&b, (name){ { "tellings" } }, doublings(e->tellings), 0.4);
    }
    if (seen->entry->source && seen->entry->kind == HEED_ENTRY_EVENT)
        add(&b, (name){ { "source ", seen->entry->source } }, 1, 0);
    for (int64_t i = 0; i < seen->findings; i++) add_finding(d, &b, &seen->finding[i]);
    if (reasons) put_reasons(d, &b, reasons);
    return chance(d->weight, f);
}

void heed__rank_learn(double *weight, int32_t *votes, const heed_deed *vote) {
    const heed_features *f = &vote->features;
    const double off = (vote->value > 0 ? 1 : 0) - chance(weight, f);
    for (int i = 0; i < f->n; i++) {
        const int slot = f->slot[i];
        double w = weight[slot] + 0.7 * off * f->size[i] / 16 / sqrt(1.0 + votes[slot]);
        weight[slot] = w < -8 ? -8 : w > 8 ? 8 : w;
        if (votes[slot] < INT32_MAX) votes[slot]++;
    }
}
