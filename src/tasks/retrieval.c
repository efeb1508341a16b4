/* retrieval.c: how well second texts are found by their first ones. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "heed/ops.h"
#include "tasks/bootstrap.h"
#include "tasks/classifier_data.h"
#include "tasks/embedder.h"

enum { BLOCK = 128 };

/* -- equal texts ------------------------------------------------------------------------------ */

typedef struct place {
    const char *text;
    int64_t at;
} place;

static int by_text(const void *a, const void *b) {
    const place *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

int heed__distinct(heed_distinct *d, const char *const *text, int64_t len,
                   const heed_hooks *hooks) {
    place *sorted = heed__calloc(hooks, (size_t)len, sizeof *sorted);
    *d = (heed_distinct){ 0 };
    d->id = heed__calloc(hooks, (size_t)len, sizeof *d->id);
    d->first = heed__calloc(hooks, (size_t)len, sizeof *d->first);
    if (!sorted || !d->id || !d->first || len > INT32_MAX) {
        heed__free(hooks, sorted);
        heed__distinct_free(d, hooks);
        return HEED_ENOMEM;
    }
    for (int64_t i = 0; i < len; i++) sorted[i] = (place){ text[i], i };
    qsort(sorted, (size_t)len, sizeof *sorted, by_text);
    int64_t *of = d->first; /* first text that each equals, before numbers are given */
    for (int64_t i = 0; i < len; i++) {
        const bool same = i && strcmp(sorted[i].text, sorted[i - 1].text) == 0;
        of[sorted[i].at] = same ? of[sorted[i - 1].at] : sorted[i].at;
    }
    for (int64_t i = 0; i < len; i++) {
        const int64_t first =
            of[i]; /* at most i, so that of[d->len] is read before it is written */
        d->id[i] = first == i ? (int32_t)d->len : d->id[first];
        if (first == i) of[d->len++] = i;
    }
    heed__free(hooks, sorted);
    return 0;
}

void heed__distinct_free(heed_distinct *d, const heed_hooks *hooks) {
    heed__free(hooks, d->id);
    heed__free(hooks, d->first);
    *d = (heed_distinct){ 0 };
}

/* -- ranks ------------------------------------------------------------------------------------ */

/* Rank and -ln softmax of candidate `right` among scores [m]. */
static int64_t rank_of(const float *s, int64_t m, int32_t right, double scale, double *loss) {
    int64_t rank = 0;
    float most = s[0];
    double sum = 0;
    for (int64_t j = 0; j < m; j++) {
        rank += s[j] >= s[right];
        if (s[j] > most) most = s[j];
    }
    for (int64_t j = 0; j < m; j++) sum += heed__exp(((double)s[j] - (double)most) * scale);
    *loss += heed__ln(sum) - ((double)s[right] - (double)most) * scale;
    return rank;
}

int heed__ranks(heed_embedder *e, const heed_quest *x, int64_t *rank, double *loss,
                heed_error *err) {
    heed_ctx *cx = e->c->cx;
    const int64_t C = e->c->body->dim;
    *loss = 0;
    for (int64_t at = 0; at < x->n; at += BLOCK) {
        const int64_t n = x->n - at < BLOCK ? x->n - at : BLOCK;
        heed_tensor *q = heed_from_f32(cx, 2, (int64_t[]){ n, C }, x->q + at * C);
        heed_tensor *d = heed_from_f32(cx, 2, (int64_t[]){ x->m, C }, x->d);
        heed_tensor *s = heed_matmul(cx, q, d, false, true);
        if (!s) {
            const heed_error *why = heed_ctx_error(cx);
            const int rc = heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                                       why ? why->msg : "out of memory");
            heed_ctx_reset(cx);
            return rc;
        }
        for (int64_t i = 0; i < n; i++)
            rank[at + i] = rank_of(HEED_F32_DATA(s) + i * x->m, x->m, x->right[at + i],
                                   1 / e->temperature, loss);
        heed_ctx_reset(cx);
        if (e->c->rehearses) break;
    }
    *loss /= (double)(x->n ? x->n : 1);
    return 0;
}

void heed__retrieval(heed_retrieval *r, const int64_t *rank, int64_t n) {
    int64_t first = 0, ten = 0;
    r->n = n;
    r->mrr = 0;
    for (int64_t i = 0; i < n; i++) {
        first += rank[i] <= 1;
        ten += rank[i] <= 10;
        r->mrr += 1 / (double)rank[i];
    }
    r->mrr /= (double)n;
    r->recall_1 = (double)first / (double)n;
    r->recall_10 = (double)ten / (double)n;
    r->recall_1_95 = heed__wilson(first, n);
    r->recall_10_95 = heed__wilson(ten, n);
}

typedef struct ranks {
    const int64_t *rank;
    int64_t n;
} ranks;

static void measure_mrr(const void *answers, const int32_t *times, double *out) {
    const ranks *x = answers;
    double sum = 0;
    for (int64_t i = 0; i < x->n; i++) sum += (times ? times[i] : 1) / (double)x->rank[i];
    out[0] = sum / (double)x->n;
}

int heed__retrieval_interval(heed_retrieval *r, const int64_t *rank, const heed_hooks *hooks) {
    static const heed_measures mrr = { measure_mrr, 1, -1 };
    const ranks x = { rank, r->n };
    return heed__bootstrap(&mrr, &x, r->n, &r->mrr, &r->mrr_95, hooks);
}

/* -- candidates of one query ------------------------------------------------------------------ */

/* Both texts as vectors, and which texts are equal. */
typedef struct sides {
    heed_distinct first, second;
    float *q, *d; /* of the different first and second texts */
} sides;

static int embed_distinct(heed_embedder *e, const heed_distinct *d, const char *const *text,
                          float **out, heed_error *err) {
    const heed_hooks *hooks = &e->c->hooks;
    const char **once = heed__calloc(hooks, (size_t)d->len, sizeof *once);
    *out = heed__calloc(hooks, (size_t)(d->len * e->c->body->dim), sizeof **out);
    int rc;
    if (once && *out) {
        for (int64_t i = 0; i < d->len; i++) once[i] = text[d->first[i]];
        rc = heed_embedder_apply(e, d->len, once, *out, err);
    } else {
        rc = heed__error(err, HEED_ENOMEM, "embedder: out of memory");
    }
    heed__free(hooks, once);
    return rc;
}

static int embed_sides(heed_embedder *e, const heed_examples *x, sides *s, heed_error *err) {
    const heed_hooks *hooks = &e->c->hooks;
    if (heed__distinct(&s->first, x->text, x->len, hooks) ||
        heed__distinct(&s->second, x->text2, x->len, hooks))
        return heed__error(err, HEED_ENOMEM, "embedder: out of memory");
    const int rc = embed_distinct(e, &s->first, x->text, &s->q, err);
    return rc ? rc : embed_distinct(e, &s->second, x->text2, &s->d, err);
}

static bool is_right(const char *label) {
    return label && strcmp(label, "1") == 0;
}

static bool has_labels(const heed_examples *x) {
    bool any = false, all = true;
    for (int64_t i = 0; x->label && all && i < x->len; i++) {
        const char *label = x->label[i];
        all = label && (strcmp(label, "0") == 0 || strcmp(label, "1") == 0);
        any |= all && is_right(label);
    }
    return x->label && all && any;
}

static bool has_wrong(const heed_examples *x) {
    int64_t i = 0;
    while (i < x->len && is_right(x->label[i])) i++;
    return i < x->len;
}

/* An example under its query: which, its cosine. */
typedef struct answer {
    int32_t query;
    bool right;
    float score;
} answer;

static int by_query(const void *a, const void *b) {
    const answer *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->score < y->score || x->score > y->score) return x->score > y->score ? -1 : 1;
    return (int)x->right - (int)y->right; /* of equals the right one is last */
}

/* Mean average precision and mean reciprocal rank over queries with a right answer. */
static int within_queries(heed_embedder *e, const heed_examples *x, const sides *s,
                          heed_retrieval *r, heed_error *err) {
    const int64_t C = e->c->body->dim;
    answer *a = heed__calloc(&e->c->hooks, (size_t)x->len, sizeof *a);
    if (!a) return heed__error(err, HEED_ENOMEM, "embedder: out of memory");
    for (int64_t i = 0; i < x->len; i++) {
        const float *q = s->q + s->first.id[i] * C, *d = s->d + s->second.id[i] * C;
        float score = 0;
        for (int64_t k = 0; k < C; k++) score += q[k] * d[k];
        a[i] = (answer){ s->first.id[i], is_right(x->label[i]), score };
    }
    qsort(a, (size_t)x->len, sizeof *a, by_query);
    for (int64_t at = 0, end; at < x->len; at = end) {
        double precision = 0, first = 0;
        int64_t hits = 0;
        for (end = at; end < x->len && a[end].query == a[at].query; end++) {
            if (!a[end].right) continue;
            precision += (double)++hits / (double)(end - at + 1);
            if (hits == 1) first = 1 / (double)(end - at + 1);
        }
        if (!hits) continue;
        r->queries++;
        r->map += precision / (double)hits;
        r->query_mrr += first;
    }
    r->map /= (double)r->queries;
    r->query_mrr /= (double)r->queries;
    heed__free(&e->c->hooks, a);
    return 0;
}

static int measure(heed_embedder *e, const heed_quest *x, int64_t *rank, heed_retrieval *r,
                   heed_error *err) {
    const int rc = heed__ranks(e, x, rank, &r->loss, err);
    if (rc || e->c->rehearses) return rc;
    heed__retrieval(r, rank, x->n);
    if (heed__retrieval_interval(r, rank, &e->c->hooks))
        return heed__error(err, HEED_ENOMEM, "embedder: out of memory");
    return 0;
}

/* Ranks every right pair's second text among all. */
static int among_all(heed_embedder *e, const heed_examples *x, const sides *s, heed_retrieval *r,
                     heed_error *err) {
    const heed_hooks *hooks = &e->c->hooks;
    const int64_t C = e->c->body->dim;
    const bool labels = has_labels(x);
    float *q = heed__calloc(hooks, (size_t)(x->len * C), sizeof *q);
    int32_t *right = heed__calloc(hooks, (size_t)x->len, sizeof *right);
    int64_t *rank = heed__calloc(hooks, (size_t)x->len, sizeof *rank), n = 0;
    const bool room = q && right && rank;
    for (int64_t i = 0; room && i < x->len; i++) {
        if (labels && !is_right(x->label[i])) continue;
        memcpy(q + n * C, s->q + s->first.id[i] * C, (size_t)C * sizeof *q);
        right[n++] = s->second.id[i];
    }
    const heed_quest quest = { q, s->d, n, s->second.len, right };
    const int rc = room ? measure(e, &quest, rank, r, err)
                        : heed__error(err, HEED_ENOMEM, "embedder: out of memory");
    r->candidates = s->second.len;
    heed__free(hooks, q);
    heed__free(hooks, right);
    heed__free(hooks, rank);
    return rc;
}

int heed_embedder_test(heed_embedder *e, const heed_examples *x, heed_retrieval *r,
                       heed_error *err) {
    if (heed__lacks(e, "test", "embedder", err) ||
        heed__lacks(x, "test", "list of examples", err) ||
        heed__lacks(r, "test", "room for measures", err))
        return HEED_EINVALID;
    if (heed__lacks_any(x->text, x->len, "test", "text", err) ||
        (x->text2 && heed__lacks_any(x->text2, x->len, "test", "second text", err)) ||
        (x->label && heed__label_one_check(x, "test", err)))
        return HEED_EINVALID;
    heed_error own;
    sides s = { .q = NULL };
    if (!err) err = &own;
    *r = (heed_retrieval){ 0 };
    if (x->len < 1 || !x->text2)
        return heed__error(err, HEED_EINVALID, "test: pairs of texts are needed");
    int rc = embed_sides(e, x, &s, err);
    if (rc == 0) rc = among_all(e, x, &s, r, err);
    if (rc == 0 && has_labels(x) && has_wrong(x)) rc = within_queries(e, x, &s, r, err);
    const heed_hooks *hooks = &e->c->hooks;
    heed__distinct_free(&s.first, hooks);
    heed__distinct_free(&s.second, hooks);
    heed__free(hooks, s.q);
    heed__free(hooks, s.d);
    return rc;
}
