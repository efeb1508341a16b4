/* decide_scores.c: surges of labels that a model gave, counted by the scores of all its labels.
 *
 * A model takes some texts of one label for those of another, so a surge of "neutral" echoes in
 * "bullish", and of a surge of "bearish" a part is missing. What it said is therefore read as
 * evidence. Each event is a symbol s: the label said and how sure that was (four levels). Of each
 * symbol the rule learns the mean score of every label, p(j|s), and of each label its part π_j of
 * all: so p(s|j) ∝ p(j|s) / π_j, the model's confusions as it tells them itself. With c_s events of
 * symbol s in the window, which hold μ_j of label j in truth,
 *
 *     ln L(μ) = -Σ_j μ_j + Σ_s c_s ln Σ_j μ_j p(s|j)                                          (1)
 *
 * Labels on their usual course add the logarithm of a Gamma density with the course's mean and
 * variation (decide_course.h). The largest value is found by expectation-maximization, as Saerens,
 * Latinne and Decaestecker (2002, Neural Computation 14) do for the parts of labels in new data.
 *
 *     evidence  E = max ln L with label k free and all others usual - the same with all usual
 *     odds      exp(max ln L with all free - the same with k usual)
 *
 * `worth` is the number of events of k without any doubt that would give the evidence E: with
 * scores of one it is the number counted. Its chance is that of any number (heed__course_chance).
 * The odds tell how much likelier a surge of k makes the window than any change of the others
 * would: small where another label's surge explains what was seen.
 *
 * What an hour held in truth, for the course to learn, is its expected number with every label
 * usual; of a window the variance of that number is told too, so that the spread is not taken for
 * smaller than it is. Only the labels that k's symbols lean to most are looked at; all others
 * together are one more, always usual. */
#include <math.h>
#include <string.h>

#include "base/elementary.h"
#include "flow/decide_impl.h"

enum { LABELS = 8, COLUMNS = LABELS + 1, SYMBOLS = LABELS * LEVELS, ROUNDS = 200 };
static const double whole = 0.9;        /* what is left of the scores then is no label's */
static const double remembered = 65536; /* events, after which all that was learnt is halved */
static const double worth_a_look = 0.1, least_usual = 1e-6, least_spread = 0.005;

/* -- learning -------------------------------------------------------------------------------- */

static int level_of(double score) {
    return score < 0.5 ? 0 : score < 0.7 ? 1 : score < 0.9 ? 2 : 3;
}

static void weigh(heed_lean *lean, int32_t slot, double part) {
    int at = 0;
    for (int i = 0; i < LEANS; i++) {
        if (lean->weight[i] > 0 && lean->slot[i] == slot) {
            lean->weight[i] += part;
            return;
        }
        if (lean->weight[i] < lean->weight[at]) at = i;
    }
    if (lean->weight[at] >= part) return;
    lean->weight[at] = part;
    lean->slot[at] = slot;
}

static void halve(heed_watch *w) {
    w->mass /= 2;
    for (int64_t i = 0; i < w->slots; i++) w->slot[i].mass /= 2;
    for (int64_t i = 0; i < w->slots * LEVELS; i++) {
        w->lean[i].total /= 2;
        for (int k = 0; k < LEANS; k++) w->lean[i].weight[k] /= 2;
    }
}

int heed__scores_learn(heed_watch *w, const int32_t *slot, const double *score, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += score[i];
    const int level = level_of(score[0]);
    heed_lean *lean = &w->lean[slot[0] * LEVELS + level];
    for (int i = 0; i < n; i++) {
        heed_slot *s = &w->slot[slot[i]];
        const double part = sum > whole ? score[i] / sum : score[i];
        s->mass += part;
        weigh(lean, slot[i], part);
    }
    lean->total += 1;
    w->slot[slot[0]].said[0][level] += 1;
    w->slot[slot[0]].said[1][level] += 1;
    w->mass += 1;
    if (w->mass >= remembered) halve(w);
    return level;
}

void heed__scores_forget(heed_watch *w, int64_t slot) {
    memset(w->lean + slot * LEVELS, 0, LEVELS * sizeof *w->lean);
    for (int64_t i = 0; i < w->slots * LEVELS; i++)
        for (int k = 0; k < LEANS; k++)
            if (w->lean[i].slot[k] == slot) w->lean[i].slot[k] = 0, w->lean[i].weight[k] = 0;
}

/* -- what a window holds --------------------------------------------------------------------- */

/* Columns: k, the labels near it, the rest. reach: part of a label's events that these symbols
 * hold. shape: 1 / variation. */
typedef struct mix {
    int labels, symbols;
    int64_t slot[LABELS];
    double count[SYMBOLS], like[SYMBOLS][COLUMNS];
    double usual[COLUMNS], shape[COLUMNS], reach[COLUMNS];
    double rest; /* for each event of these labels, so many of the rest */
} mix;

/* The labels to which k's symbols lean most. */
static void near(const heed_watch *w, int64_t slot, mix *m) {
    int32_t found[LEVELS * LEANS];
    double weight[LEVELS * LEANS];
    int n = 0;
    for (int i = 0; i < LEVELS * LEANS; i++) {
        const heed_lean *lean = &w->lean[slot * LEVELS + i / LEANS];
        const double more = lean->weight[i % LEANS];
        int at = 0;
        if (!(more > 0) || lean->slot[i % LEANS] == slot) continue;
        while (at < n && found[at] != lean->slot[i % LEANS]) at++;
        if (at == n) found[n] = lean->slot[i % LEANS], weight[n++] = 0;
        weight[at] += more;
    }
    m->slot[0] = slot;
    for (m->labels = 1; m->labels < LABELS && n > 0; m->labels++) {
        int best = 0;
        for (int i = 1; i < n; i++)
            if (weight[i] > weight[best]) best = i;
        m->slot[m->labels] = found[best];
        found[best] = found[--n], weight[best] = weight[n];
    }
}

static double weight_of(const heed_lean *lean, int64_t slot) {
    for (int i = 0; i < LEANS; i++)
        if (lean->slot[i] == slot) return lean->weight[i];
    return 0;
}

/* How often a symbol was seen: which < 0: in the window; else of what is being learnt. */
static double seen_of(const heed_watch *w, int64_t slot, int level, int which) {
    if (which >= 0) return w->slot[slot].said[which][level];
    const uint32_t *ring = w->bucket + slot * w->stride + level * BUCKETS;
    double count = 0;
    for (int b = 0; b < BUCKETS; b++) count += ring[b];
    return count;
}

/* Symbols of the labels at hand: counts, and p(s|j) but for a factor of s alone. */
static void fill(heed_watch *w, heed_span span, int which, mix *m) {
    double rest_mass = 0, mass_of_all = 0;
    for (int j = 0; j < COLUMNS; j++) m->reach[j] = j == m->labels;
    m->symbols = 0;
    for (int i = 0; i < m->labels; i++) {
        if (which < 0) heed__rule_slide(w, m->slot[i], span.bucket);
        for (int level = 0; level < LEVELS; level++) {
            const heed_lean *lean = &w->lean[m->slot[i] * LEVELS + level];
            const double count = seen_of(w, m->slot[i], level, which);
            double rest = lean->total, *like = m->like[m->symbols];
            if (!(lean->total > 0)) continue;
            for (int j = 0; j < m->labels; j++) {
                const double weight = weight_of(lean, m->slot[j]), mass = w->slot[m->slot[j]].mass;
                rest -= weight;
                m->reach[j] += weight / mass;
                like[j] = weight / lean->total * w->mass / mass;
            }
            if (rest < 0) rest = 0;
            rest_mass += rest, mass_of_all += lean->total;
            like[m->labels] = rest / lean->total;
            if (count > 0) m->count[m->symbols++] = count;
        }
    }
    const double scale = rest_mass > 0 ? w->mass / rest_mass : 0;
    for (int s = 0; s < m->symbols; s++) m->like[s][m->labels] *= scale;
    m->rest = mass_of_all > rest_mass ? rest_mass / (mass_of_all - rest_mass) : 1;
}

/* What is usual of each label, between two times. */
static void expect(const heed_watch *w, heed_span span, mix *m, heed_expected *of) {
    double sum = 0;
    for (int j = 0; j < m->labels; j++) {
        const int64_t at = m->slot[j];
        of[j] = heed__course_expect(w->course, &w->slot[at].usual, heed__rule_cells(w, at),
                                    span.from_ms, span.to_ms);
        m->usual[j] = of[j].mean > least_usual ? of[j].mean : least_usual;
        m->shape[j] = 1 / (of[j].variation > least_spread ? of[j].variation : least_spread);
        sum += m->usual[j] * m->reach[j];
    }
    m->usual[m->labels] = m->rest * sum > least_usual ? m->rest * sum : least_usual;
    m->shape[m->labels] = m->shape[0];
}

/* The largest ln L (1) over μ, which is found; of each label whether it is free. */
static double largest(const mix *m, const bool *is_free, double *mu) {
    const int columns = m->labels + 1;
    double sum = 0, value = 0, log_like = 0;
    for (int s = 0; s < m->symbols; s++) sum += m->count[s];
    for (int j = 0; j < columns; j++) mu[j] = m->usual[j] + (j < m->labels ? sum / columns : 0);
    for (int round = 0; round < ROUNDS; round++) {
        double got[COLUMNS] = { 0 }, moved = 0;
        for (int s = 0; s < m->symbols; s++) {
            double z = 0;
            for (int j = 0; j < columns; j++) z += mu[j] * m->like[s][j];
            if (!(z > 0)) continue;
            for (int j = 0; j < columns; j++) got[j] += m->count[s] * mu[j] * m->like[s][j] / z;
        }
        for (int j = 0; j < columns; j++) {
            const double was = mu[j];
            if (is_free[j])
                mu[j] = got[j] / (m->reach[j] > 0 ? m->reach[j] : 1);
            else
                mu[j] = (got[j] + m->shape[j]) / (m->reach[j] + m->shape[j] / m->usual[j]);
            if (mu[j] < 1e-9) mu[j] = 1e-9;
            if (fabs(mu[j] - was) > moved) moved = fabs(mu[j] - was);
        }
        if (moved < 1e-6) break;
    }
    for (int j = 0; j < columns; j++) {
        value -= mu[j] * m->reach[j];
        if (!is_free[j])
            value += m->shape[j] * (heed__ln(mu[j] / m->usual[j]) - mu[j] / m->usual[j] + 1);
    }
    for (int s = 0; s < m->symbols; s++) {
        double z = 0;
        for (int j = 0; j < columns; j++) z += mu[j] * m->like[s][j];
        if (z > 0) log_like += m->count[s] * heed__ln(z);
    }
    return value + log_like;
}

/* The evidence of n events without doubt: (1) with one label and one symbol. */
static double evidence_of(double n, double usual, double shape) {
    const double mu = (n + shape) / (1 + shape / usual);
    return n * heed__ln(n / mu) - n + mu - shape * (heed__ln(mu / usual) - mu / usual + 1);
}

static double worth_of(double evidence, double usual, double shape) {
    double low = usual, high = usual + 1;
    while (high < 1e9 && evidence_of(high, usual, shape) < evidence) high *= 2;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        *(evidence_of(middle, usual, shape) < evidence ? &low : &high) = middle;
    }
    return high;
}

heed_counted heed__scores_seen(heed_watch *w, int64_t slot, int which, heed_span span) {
    mix m;
    double mu[COLUMNS];
    heed_counted seen = { 0 };
    bool is_free[COLUMNS] = { false };
    heed_expected of[LABELS];
    near(w, slot, &m);
    fill(w, span, which, &m);
    if (m.symbols == 0) return seen;
    expect(w, span, &m, of);
    (void)largest(&m, is_free, mu);
    for (int s = 0; s < m.symbols; s++) {
        double z = 0;
        for (int j = 0; j <= m.labels; j++) z += mu[j] * m.like[s][j];
        const double part = z > 0 ? mu[0] * m.like[s][0] / z : 0;
        seen.n += m.count[s] * part;
        seen.variance += m.count[s] * part * (1 - part);
    }
    return seen;
}

heed_gate heed__scores_test(heed_watch *w, int64_t slot, heed_span span, heed_verdict *v) {
    mix m;
    double mu[COLUMNS];
    bool is_free[COLUMNS] = { false };
    heed_expected of[LABELS];
    near(w, slot, &m);
    fill(w, span, -1, &m);
    v->worth = 0;
    for (int s = 0; s < m.symbols; s++) v->worth += m.count[s] * m.like[s][0];
    v->worth *= w->slot[slot].mass / w->mass;
    if (v->n > v->worth) v->worth = v->n;
    if (v->worth < (double)w->least) return GATE_LEAST;
    expect(w, span, &m, of);
    v->usual = of[0].mean;
    v->spread = of[0].variation;
    v->odds = 1;
    v->p = heed__course_chance(v->worth, of[0]);
    if (v->p > worth_a_look) return GATE_CHANCE;
    const double usual = largest(&m, is_free, mu);
    is_free[0] = true;
    const double surge = largest(&m, is_free, mu);
    const double evidence = mu[0] > m.usual[0] && surge > usual ? surge - usual : 0;
    v->worth = worth_of(evidence, m.usual[0], m.shape[0]);
    v->p = evidence > 0 ? heed__course_chance(v->worth, of[0]) : 1;
    if (v->p > w->p) return GATE_CHANCE;
    for (int j = 0; j < m.labels; j++) is_free[j] = true;
    const double all = largest(&m, is_free, mu);
    const bool above = mu[0] > m.usual[0];
    is_free[0] = false;
    const double others = largest(&m, is_free, mu);
    const double gain = above && all > others ? all - others : 0;
    v->odds = heed__exp(gain < 46 ? gain : 46);
    return v->odds < w->odds ? GATE_ODDS : GATE_FIRED;
}
