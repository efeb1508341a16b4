/* desk_test.c: a desk measured, and the weights of its ranking learnt. */
#include "serve/desk_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/elementary.h"
#include "base/input.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/desk_impl.h"

enum { PLACE_SIZE = 4200, HISTORY_MOST = 64 };

/* -- cases ------------------------------------------------------------------------------------ */

typedef struct desk_case {
    json_t *tree; /* owner of the rest */
    const char *question, *reply, *intent;
    const json_t *history;
    bool outside; /* no intent is for it */
} desk_case;

typedef struct cases {
    desk_case *one;
    int64_t len, cap;
} cases;

static void free_cases(const heed_hooks *hooks, cases *c) {
    for (int64_t i = 0; i < c->len; i++) json_decref(c->one[i].tree);
    heed__free(hooks, c->one);
}

static int read_case(json_t *tree, const char *place, desk_case *c, heed_error *err) {
    const json_t *intent = json_object_get(tree, "intent");
    *c = (desk_case){ .tree = tree,
                      .question = json_string_value(json_object_get(tree, "question")),
                      .reply = json_string_value(json_object_get(tree, "reply")),
                      .intent = json_string_value(intent),
                      .history = json_object_get(tree, "history"),
                      .outside = json_is_null(intent) };
    if (!c->question) return heed__error(err, HEED_EFORMAT, "%s: no \"question\"", place);
    for (size_t i = 0; i < json_array_size(c->history); i++)
        if (!json_is_string(json_array_get(c->history, i)) || i == HISTORY_MOST)
            return heed__error(err, HEED_EFORMAT, "%s: history is not a list of at most %d texts",
                               place, HISTORY_MOST);
    return 0;
}

static int read_cases(const heed_hooks *hooks, heed_input *in, cases *to, heed_error *err) {
    char *line, place[PLACE_SIZE];
    size_t size;
    int got;
    while ((got = heed__input_line(in, &line, &size, err)) != HEED_LINE_NONE) {
        if (got < 0) return got;
        if (got == HEED_LINE_LONG || size == 0) continue;
        heed__format(place, sizeof place, "%s:%lld", heed__input_name(in),
                     (long long)heed__input_line_number(in));
        if (heed__grow(hooks, &to->one, &to->cap, to->len + 1, sizeof *to->one))
            return heed__error(err, HEED_ENOMEM, "desk: out of memory");
        json_t *tree = heed__json_parse(line, size, place, err);
        if (!tree) return err->code;
        const int rc = read_case(tree, place, &to->one[to->len++], err);
        if (rc) return rc;
    }
    return to->len ? 0
                   : heed__error(err, HEED_EFORMAT, "%s: no message in it", heed__input_name(in));
}

static int open_cases(const heed_hooks *hooks, const char *path, cases *to, heed_error *err) {
    heed_input *in = heed__input_open(path, hooks, err);
    *to = (cases){ .one = NULL };
    if (!in) return err->code;
    const int rc = read_cases(hooks, in, to, err);
    heed__input_close(in);
    if (rc) free_cases(hooks, to);
    return rc;
}

/* -- testing ---------------------------------------------------------------------------------- */

/* Rank of the reply among all of the desk's, of equals the last; 0: it is none of them. */
static int64_t rank_of(const desk_entries *e, const desk_hit *hit, int64_t n, const char *reply) {
    double score = 0;
    bool found = false;
    int64_t rank = 0;
    for (int64_t i = 0; !found && i < n; i++)
        if (strcmp(e->entry[hit[i].entry].text, reply) == 0) score = hit[i].score, found = true;
    for (int64_t i = 0; found && i < n; i++) rank += hit[i].score >= score;
    return rank;
}

static int rank_replies(heed_desk *d, const desk_case *c, const desk_reading *r, desk_hit *hit,
                        heed_desk_tested *to, heed_error *err) {
    const desk_ask ask = { .text = r->text, .probs = r->probs, .vector = r->vector };
    const int64_t n = heed__desk_rank(d, &d->replies, &ask, hit, d->replies.len, err);
    if (n < 0) return (int)n;
    const int64_t rank = rank_of(&d->replies, hit, n, c->reply);
    to->ranked++;
    to->first += rank == 1;
    to->ten += rank > 0 && rank <= 10;
    to->mrr += rank > 0 ? 1 / (double)rank : 0;
    return 0;
}

/* Whether the intent is seen; without a model, that of the reply that comes first. 1, 0 or a
 * status. */
static int sees(heed_desk *d, const desk_reading *r, const char *intent, heed_error *err) {
    desk_hit hit;
    if (d->mind.intent) return strcmp(heed__mind_label(&d->mind, r->best), intent) == 0;
    const desk_ask ask = { .text = r->text, .vector = r->vector };
    const int64_t n = heed__desk_rank(d, &d->replies, &ask, &hit, 1, err);
    const char *of = n > 0 ? d->replies.entry[hit.entry].intent : NULL;
    return n < 0 ? (int)n : of && strcmp(of, intent) == 0;
}

/* Goes through the history and answers; *handed: a person is called, or it is out of scope. */
static int answer_case(heed_desk *d, const desk_case *c, bool *handed, json_t **state,
                       heed_error *err) {
    json_t *said = NULL, *answer = NULL;
    *state = NULL;
    const size_t n = json_array_size(c->history);
    for (size_t i = 0; i <= n; i++) {
        json_decref(*state);
        *state = json_incref(json_object_get(answer, "state"));
        json_decref(answer);
        said = i < n ? json_array_get(c->history, i) : NULL;
        answer = heed_desk_answer(d, *state, said ? json_string_value(said) : c->question, err);
        if (!answer) return err->code;
    }
    const char *kind = json_string_value(json_object_get(answer, "kind"));
    *handed = strcmp(kind, "hand_over") == 0 || strcmp(kind, "out_of_scope") == 0;
    json_decref(answer);
    return 0;
}

/* *took: nanoseconds of the answer. */
static int test_case(heed_desk *d, const desk_case *c, desk_hit *hit, heed_desk_tested *to,
                     int64_t *took, heed_error *err) {
    desk_reading r = { .best = -1 };
    desk_state none = { .turns = 0 }, s;
    json_t *state = NULL;
    bool handed = false;
    const int64_t start = heed__ticks_ns();
    int rc = answer_case(d, c, &handed, &state, err);
    *took = heed__ticks_ns() - start;
    if (rc == 0 && c->intent) {
        to->intents++;
        to->handed_over += handed;
        rc = heed__desk_read(d, &none, c->question, &r, err);
        const int seen = rc ? rc : sees(d, &r, c->intent, err);
        to->right_alone += seen > 0;
        rc = seen < 0 ? seen : 0;
        heed__desk_reading_free(&d->hooks, &r);
    }
    to->outside += c->outside;
    to->outside_handed_over += c->outside && handed;
    if (rc == 0) rc = heed__desk_state_read(d, state, &s, err);
    if (rc == 0) rc = heed__desk_read(d, &s, c->question, &r, err);
    if (rc == 0 && c->intent) {
        const int seen = sees(d, &r, c->intent, err);
        to->right += seen > 0;
        rc = seen < 0 ? seen : 0;
    }
    if (rc == 0 && c->reply) rc = rank_replies(d, c, &r, hit, to, err);
    heed__desk_reading_free(&d->hooks, &r);
    json_decref(state);
    return rc;
}

static int by_time(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int heed_desk_test(heed_desk *desk, const char *path, heed_desk_tested *to, heed_error *err) {
    cases c;
    *to = (heed_desk_tested){ 0 };
    int rc = open_cases(&desk->hooks, path, &c, err);
    if (rc) return rc;
    desk_hit *hit = heed__calloc(&desk->hooks, (size_t)desk->replies.len, sizeof *hit);
    int64_t *took = heed__calloc(&desk->hooks, (size_t)c.len, sizeof *took);
    if (!hit || !took) rc = heed__error(err, HEED_ENOMEM, "desk: out of memory");
    for (int64_t i = 0; rc == 0 && i < c.len; i++)
        rc = test_case(desk, &c.one[i], hit, to, &took[i], err);
    to->n = c.len;
    for (int64_t i = 0; rc == 0 && i < c.len; i++) to->seconds += (double)took[i] * 1e-9;
    if (rc == 0) qsort(took, (size_t)c.len, sizeof *took, by_time);
    if (rc == 0) to->p99 = (double)took[(c.len - 1) * 99 / 100] * 1e-9;
    heed__free(&desk->hooks, took);
    if (to->ranked) to->mrr /= (double)to->ranked;
    heed__free(&desk->hooks, hit);
    free_cases(&desk->hooks, &c);
    return rc;
}

/* -- learning --------------------------------------------------------------------------------- */

enum { STEPS = 400 };

typedef struct lesson {
    float *x;       /* [cases,replies,HEED_DESK_WEIGHTS] */
    int64_t *right; /* [cases] */
    int64_t len, replies;
} lesson;

static int take_features(heed_desk *d, const cases *c, lesson *l, heed_error *err) {
    desk_state none = { .turns = 0 };
    desk_hit *hit = heed__calloc(&d->hooks, (size_t)l->replies, sizeof *hit);
    int rc = hit ? 0 : heed__error(err, HEED_ENOMEM, "desk: out of memory");
    for (int64_t i = 0; rc == 0 && i < c->len; i++) {
        desk_reading r;
        int64_t right = -1;
        for (int64_t k = 0; right < 0 && c->one[i].reply && k < l->replies; k++)
            if (strcmp(d->replies.entry[k].text, c->one[i].reply) == 0) right = k;
        if (right < 0) continue;
        rc = heed__desk_read(d, &none, c->one[i].question, &r, err);
        const desk_ask ask = { .text = r.text, .probs = r.probs, .vector = r.vector };
        const int64_t n = rc ? rc : heed__desk_rank(d, &d->replies, &ask, hit, l->replies, err);
        if (n < 0) rc = (int)n;
        float *to = l->x + l->len * l->replies * HEED_DESK_WEIGHTS;
        for (int64_t k = 0; k < n; k++) {
            float *x = to + hit[k].entry * HEED_DESK_WEIGHTS;
            x[0] = (float)hit[k].near.words;
            x[1] = (float)hit[k].near.cosine;
            x[2] = (float)hit[k].question.words;
            x[3] = (float)hit[k].question.cosine;
            x[4] = (float)hit[k].intent;
        }
        l->right[l->len++] = right;
        heed__desk_reading_free(&d->hooks, &r);
    }
    heed__free(&d->hooks, hit);
    return rc;
}

/* Adds the gradient of one case's loss to g; its loss. p [replies]. */
static double gradient(const lesson *l, int64_t at, const double *w, double *p, double *g) {
    const float *x = l->x + at * l->replies * HEED_DESK_WEIGHTS;
    double most = -1e300, sum = 0;
    for (int64_t k = 0; k < l->replies; k++) {
        p[k] = 0;
        for (int j = 0; j < HEED_DESK_WEIGHTS; j++)
            p[k] += w[j] * (double)x[k * HEED_DESK_WEIGHTS + j];
        if (p[k] > most) most = p[k];
    }
    const double right = p[l->right[at]] - most;
    for (int64_t k = 0; k < l->replies; k++) sum += p[k] = heed__exp(p[k] - most);
    for (int64_t k = 0; k < l->replies; k++) {
        const double share = p[k] / sum - (k == l->right[at] ? 1 : 0);
        for (int j = 0; j < HEED_DESK_WEIGHTS; j++)
            g[j] += share * (double)x[k * HEED_DESK_WEIGHTS + j];
    }
    return heed__ln(sum) - right;
}

static double total(const lesson *l, const double *w, double *p, double *g) {
    double loss = 0;
    memset(g, 0, HEED_DESK_WEIGHTS * sizeof *g);
    for (int64_t i = 0; i < l->len; i++) loss += gradient(l, i, w, p, g);
    for (int j = 0; j < HEED_DESK_WEIGHTS; j++) g[j] /= (double)l->len;
    return loss / (double)l->len;
}

/* Steps against the sign of the gradient, longer while it keeps its sign (Rprop: Riedmiller and
 * Braun 1993). */
static double descend(const lesson *l, double *w, double *p) {
    double step[HEED_DESK_WEIGHTS], last[HEED_DESK_WEIGHTS] = { 0 }, g[HEED_DESK_WEIGHTS];
    for (int j = 0; j < HEED_DESK_WEIGHTS; j++) step[j] = 0.5;
    for (int t = 0; t < STEPS; t++) {
        total(l, w, p, g);
        for (int j = 0; j < HEED_DESK_WEIGHTS; j++) {
            const double same = g[j] * last[j];
            step[j] *= same > 0 ? 1.2 : same < 0 ? 0.5 : 1;
            if (same < 0) g[j] = 0;
            w[j] -= g[j] > 0 ? step[j] : g[j] < 0 ? -step[j] : 0;
            if (w[j] < 0) w[j] = 0; /* nothing that is near counts against a reply */
            last[j] = g[j];
        }
    }
    return total(l, w, p, g);
}

int heed_desk_learn(heed_desk *desk, const char *path, double weight[HEED_DESK_WEIGHTS],
                    double *loss, heed_error *err) {
    const heed_hooks *hooks = &desk->hooks;
    cases c;
    int rc = open_cases(hooks, path, &c, err);
    if (rc) return rc;
    const size_t n = (size_t)desk->replies.len, all = (size_t)c.len;
    lesson l = { .replies = desk->replies.len };
    l.right = heed__calloc(hooks, all, sizeof *l.right);
    l.x = n && all > SIZE_MAX / n / 64
              ? NULL
              : heed__calloc(hooks, all * n, HEED_DESK_WEIGHTS * sizeof *l.x);
    double *p = heed__calloc(hooks, n, sizeof *p);
    if (!l.right || !l.x || !p) rc = heed__error(err, HEED_ENOMEM, "desk: out of memory");
    if (rc == 0) rc = take_features(desk, &c, &l, err);
    if (rc == 0 && l.len == 0)
        rc = heed__error(err, HEED_EFORMAT, "%s: no reply in it is one of the desk's", path);
    memcpy(weight, heed__desk_weights, HEED_DESK_WEIGHTS * sizeof *weight);
    if (rc == 0) *loss = descend(&l, weight, p);
    heed__free(hooks, l.right);
    heed__free(hooks, l.x);
    heed__free(hooks, p);
    free_cases(hooks, &c);
    return rc;
}
