/* attack.c: how many answers stay right when texts are changed a little. */
#include "tasks/attack.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tasks/gradient.h"

static const uint64_t STREAM = 0x61747461636bu;

typedef struct siege {
    heed_classifier *c;
    const heed_examples *x;
    char **text;           /* [len] changed copies of those that stand */
    const char **label;    /* [len] theirs */
    int64_t *item;         /* [len] whose they are */
    bool *fallen;          /* [len] */
    heed_outcome *outcome; /* [len] */
    size_t **aim;          /* [len] gradient: where the words are, the worst first */
    int64_t *aims;         /* [len] how many */
    heed_error *err;
} siege;

typedef struct ranked {
    float weight;
    size_t at;
} ranked;

/* The heaviest first; of equal ones the earlier. */
static int by_weight(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->weight > y->weight || x->weight < y->weight) return x->weight > y->weight ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b) {
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Where typing errors in text i hurt most: words that have room for one, the first first. */
static int take_aim(siege *s, int64_t i, int32_t right) {
    const heed_hooks *h = &s->c->hooks;
    float *weight;
    heed_piece *place;
    const int64_t n = heed__word_gradients(s->c, s->x->text[i], right, &weight, &place, s->err);
    if (n < 0) return (int)n;
    ranked *r = heed__calloc(h, (size_t)n, sizeof *r);
    s->aim[i] = heed__calloc(h, (size_t)n, sizeof *s->aim[i]);
    const bool room = r && s->aim[i];
    int64_t len = 0;
    for (int64_t u = 0; room && u < n; u++)
        if (place[u].end - place[u].begin >= 3) r[len++] = (ranked){ weight[u], place[u].begin };
    if (room) qsort(r, (size_t)len, sizeof *r, by_weight);
    for (int64_t k = 0; k < len; k++) s->aim[i][k] = r[k].at;
    s->aims[i] = len;
    heed__free(h, r);
    heed__free(h, weight);
    heed__free(h, place);
    return room ? 0 : heed__error(s->err, HEED_ENOMEM, "attack: out of memory");
}

/* A copy with errors in one word and a sixth of all: the worst at first, then drawn from the worst
 * two times as many. */
static char *aimed_copy(const siege *s, int64_t i, int64_t attempt, heed_rng *rng) {
    enum { MOST = 256 };
    size_t at[2 * MOST];
    const int64_t n = s->aims[i], sixth = n / 6 + (n > 0);
    const int64_t chosen = sixth < MOST ? sixth : MOST;
    const int64_t pool = attempt == 0 ? chosen : 2 * chosen < n ? 2 * chosen : n;
    memcpy(at, s->aim[i], (size_t)pool * sizeof *at);
    for (int64_t k = 0; k < chosen; k++) { /* the first of a shuffle */
        const int64_t other = k + (int64_t)heed_rng_below(rng, (uint64_t)(pool - k));
        const size_t swap = at[k];
        at[k] = at[other];
        at[other] = swap;
    }
    qsort(at, (size_t)chosen, sizeof *at, by_place);
    return heed__noise_aimed(s->x->text[i], at, chosen, rng, &s->c->hooks);
}

static char *changed_copy(const siege *s, heed_attack_kind kind, int64_t i, int64_t attempt) {
    heed_rng rng = { .seed = (uint64_t)(i * HEED_ATTACK_TRIES + attempt),
                     .stream = STREAM + (uint64_t)kind };
    if (kind == HEED_ATTACK_GRADIENT) return aimed_copy(s, i, attempt, &rng);
    return heed__noise((heed_noise)kind, s->x->text[i], &rng, &s->c->hooks);
}

/* One changed copy of each text that stands. 0 or a status. */
static int try_once(siege *s, heed_attack_kind kind, int64_t attempt) {
    const heed_hooks *h = &s->c->hooks;
    int64_t n = 0;
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < s->x->len; i++) {
        if (s->fallen[i]) continue;
        s->text[n] = changed_copy(s, kind, i, attempt);
        if (!s->text[n]) rc = heed__error(s->err, HEED_ENOMEM, "attack: out of memory");
        s->label[n] = s->x->label[i];
        s->item[n] = i;
        n += rc == 0;
    }
    const heed_examples changed = { .len = n,
                                    .text = (const char *const *)s->text,
                                    .label = s->label };
    if (rc == 0 && n) rc = heed__classifier_judge(s->c, &changed, s->outcome, NULL, s->err);
    for (int64_t i = 0; i < n; i++) {
        if (rc == 0 && s->outcome[i].said != s->outcome[i].right) s->fallen[s->item[i]] = true;
        heed__free(h, s->text[i]);
    }
    return rc;
}

int heed__attack(heed_classifier *c, const heed_examples *x, const heed_outcome *outcome,
                 heed_attack_kind kind, double *accuracy, heed_error *err) {
    const heed_hooks *h = &c->hooks;
    const size_t n = (size_t)x->len;
    siege s = { .c = c, .x = x, .err = err };
    if (c->head.cfg.target != HEED_TARGET_LABEL || c->head.cfg.pairs || c->beside.in)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "attack: only on models that give one label to single texts without "
                           "features");
    s.text = heed__calloc(h, n, sizeof *s.text);
    s.label = heed__calloc(h, n, sizeof *s.label);
    s.item = heed__calloc(h, n, sizeof *s.item);
    s.fallen = heed__calloc(h, n, sizeof *s.fallen);
    s.outcome = heed__calloc(h, n, sizeof *s.outcome);
    s.aim = heed__calloc(h, n, sizeof *s.aim);
    s.aims = heed__calloc(h, n, sizeof *s.aims);
    int rc = s.text && s.label && s.item && s.fallen && s.outcome && s.aim && s.aims
                 ? 0
                 : heed__error(err, HEED_ENOMEM, "attack: out of memory");
    for (int64_t i = 0; rc == 0 && i < x->len; i++)
        s.fallen[i] = outcome[i].said != outcome[i].right;
    for (int64_t i = 0; rc == 0 && kind == HEED_ATTACK_GRADIENT && i < x->len; i++)
        if (!s.fallen[i]) rc = take_aim(&s, i, outcome[i].right);
    for (int64_t t = 0; rc == 0 && t < HEED_ATTACK_TRIES; t++) rc = try_once(&s, kind, t);
    for (int64_t t = 0; rc == 0 && kind == HEED_ATTACK_GRADIENT && t < HEED_ATTACK_TRIES; t++)
        rc = try_once(&s, HEED_ATTACK_TYPO, t);
    int64_t stand = 0;
    for (int64_t i = 0; rc == 0 && i < x->len; i++) stand += !s.fallen[i];
    *accuracy = x->len ? (double)stand / (double)x->len : 0;
    for (int64_t i = 0; s.aim && i < x->len; i++) heed__free(h, s.aim[i]);
    heed__free(h, s.aim);
    heed__free(h, s.aims);
    heed__free(h, s.text);
    heed__free(h, s.label);
    heed__free(h, s.item);
    heed__free(h, s.fallen);
    heed__free(h, s.outcome);
    return rc;
}
