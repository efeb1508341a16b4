/* desk_rank.c: which reply or passage fits a message: words and vectors of the text and of the
 * question that it once answered, and the intent, joined. */
#include <string.h>

#include "base/elementary.h"
#include "serve/desk_impl.h"

/* What each counts: words and vectors of the reply, words and vectors of its question, its intent;
 * learnt by recipes/desk.sh on pairs that no model was trained on. */
const double heed__desk_weights[5] = { 9, 12.5, 9, 8, 0.5 };
static const double least_chance = 1e-4; /* no intent is less likely than this */

typedef struct ranking {
    heed_desk *d;
    const desk_entries *e;
    const desk_ask *ask;
} ranking;

static bool may_answer(const desk_entry *e, const desk_ask *ask) {
    if (ask->answers && e->intent && !e->question) return false;
    if (!ask->intent) return true;
    return e->intent && strcmp(e->intent, ask->intent) == 0;
}

static double intent_of(const ranking *r, const desk_entry *e) {
    if (!r->ask->probs || !e->intent) return 0;
    for (int64_t k = 0; k < r->d->mind.labels; k++)
        if (strcmp(heed__mind_label(&r->d->mind, k), e->intent) == 0) {
            const double p = (double)r->ask->probs[k];
            return heed__ln(p > least_chance ? p : least_chance);
        }
    return heed__ln(least_chance);
}

/* Puts a hit in its place among the best n; how many there are then. */
static int64_t insert(desk_hit *hit, int64_t n, int64_t most, const desk_hit *new) {
    if (n == most && !(new->score > hit[n - 1].score)) return n;
    int64_t at = n < most ? n++ : n - 1;
    for (; at > 0 && new->score > hit[at - 1].score; at--) hit[at] = hit[at - 1];
    hit[at] = *new;
    return n;
}

static int64_t best_of(const ranking *r, const heed_near *text, const heed_near *question,
                       desk_hit *hit, int64_t most) {
    const double *w = heed__desk_weights;
    int64_t n = 0;
    for (int64_t i = 0; i < r->e->len; i++) {
        const desk_entry *e = &r->e->entry[i];
        if (!may_answer(e, r->ask) || (r->ask->end && (i < r->ask->begin || i >= r->ask->end)))
            continue;
        desk_hit h = { .entry = i, .near = text[i] };
        if (question && e->question) h.question = question[i];
        h.intent = intent_of(r, e);
        h.score = w[0] * h.near.words + w[1] * h.near.cosine + w[2] * h.question.words +
                  w[3] * h.question.cosine + w[4] * h.intent;
        n = insert(hit, n, most, &h);
    }
    return n;
}

int64_t heed__desk_rank(heed_desk *d, const desk_entries *e, const desk_ask *ask, desk_hit *hit,
                        int64_t most, heed_error *err) {
    const ranking r = { .d = d, .e = e, .ask = ask };
    const heed_query q = { ask->text, ask->vector };
    const bool asked = e->questions.len > 0;
    if (e->len == 0) return 0;
    heed_near *text = heed__calloc(&d->hooks, (size_t)e->len, sizeof *text);
    heed_near *question = heed__calloc(&d->hooks, (size_t)e->len, sizeof *question);
    int64_t rc = text && question ? 0 : heed__error(err, HEED_ENOMEM, "desk: out of memory");
    if (rc == 0) rc = heed__shelf_ask(&e->texts, &q, text, err);
    if (rc == 0 && asked) rc = heed__shelf_ask(&e->questions, &q, question, err);
    if (rc == 0) rc = best_of(&r, text, asked ? question : NULL, hit, most);
    heed__free(&d->hooks, text);
    heed__free(&d->hooks, question);
    return rc;
}
