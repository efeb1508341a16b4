/* classifier_run.c: a classifier's answers, one or many, with what it attended to. */
#include "tasks/classifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"

static int check_kind(const heed_classifier *c, const heed_examples *x, heed_error *err) {
    const int rc = heed__beside_check(&c->beside, x->array, x->len, err);
    if (rc) return rc;
    if (!c->head.cfg.pairs == !x->text2) return 0;
    return heed__error(err, HEED_EINVALID,
                       c->head.cfg.pairs ? "classifier: this model reads pairs of texts"
                                         : "classifier: this model reads single texts, not pairs");
}

heed_examples heed__examples_part(const heed_examples *x, int64_t at, int64_t n,
                                  heed_array *array) {
    if (x->array) {
        *array = *x->array;
        if (at) array->data += at * array->steps * array->dim;
    }
    return (heed_examples){ .len = n,
                            .text = x->text ? x->text + at : NULL,
                            .text2 = x->text2 ? x->text2 + at : NULL,
                            .array = x->array ? array : NULL };
}

static int classify_piece(heed_classifier *c, const heed_examples *x, float *out, heed_error *err) {
    heed_pairs p;
    int rc = heed__classifier_encode(c, x, c->windows, &p, err);
    if (rc) return rc;
    rc = heed__classifier_answers(c, &p, false, out, err);
    heed__pairs_free(&p);
    return rc;
}

int heed_classify_examples(heed_classifier *c, const heed_examples *x, float *out,
                           heed_error *err) {
    if (heed__lacks(c, "classify", "classifier", err) ||
        heed__lacks(x, "classify", "list of examples", err) ||
        heed__lacks_room(out, x->len, "classify", "answers", err))
        return HEED_EINVALID;
    int rc = check_kind(c, x, err);
    if (rc == 0 && (heed__lacks_any(x->text, x->len, "encode", "text", err) ||
                    (x->text2 && heed__lacks_any(x->text2, x->len, "encode", "text", err))))
        rc = HEED_EINVALID;
    if (rc) return rc;
    int64_t at = 0, n = 0, end = x->len;
    if (c->rehearses) {
        memset(out, 0, (size_t)(x->len * heed__classifier_width(c)) * sizeof *out);
        heed__largest_piece(x, &at, &end);
    }
    for (; rc == 0 && at < end; at += n) {
        n = heed__piece(x, at);
        heed_array array;
        const heed_examples some = heed__examples_part(x, at, n, &array);
        rc = classify_piece(c, &some, out + at * heed__classifier_width(c), err);
    }
    return rc;
}

int heed_classify_many(heed_classifier *c, int64_t len, const char *const *text, float *probs,
                       heed_error *err) {
    return heed_classify_examples(c, &(heed_examples){ .len = len, .text = text }, probs, err);
}

/* Best first, ties by the order of labels, which is that of their bytes. */
static int by_score(const void *a, const void *b) {
    const heed_label *x = a, *y = b;
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Puts element `at` of a heap of n, whose root is the worst, where it belongs. */
static void sift(heed_label *heap, int n, int at) {
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && by_score(&heap[child + 1], &heap[child]) > 0) child++;
        if (by_score(&heap[at], &heap[child]) >= 0) return;
        const heed_label swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

/* The n largest of p [K], largest first, ties by the order of labels. How many there are. */
static int best(const heed_classifier *c, const float *p, heed_label *top, int n) {
    if (n > c->labels) n = (int)c->labels;
    if (n <= 0) return 0;
    for (int k = 0; k < n; k++) top[k] = (heed_label){ c->label[k], p[k] };
    for (int at = n / 2 - 1; at >= 0; at--) sift(top, n, at);
    for (int64_t k = n; k < c->labels; k++) {
        const heed_label one = { c->label[k], p[k] };
        if (by_score(&one, &top[0]) >= 0) continue;
        top[0] = one;
        sift(top, n, 0);
    }
    qsort(top, (size_t)n, sizeof *top, by_score);
    return n;
}

int heed_classify(heed_classifier *c, const char *text, heed_label *top, int n, heed_error *err) {
    if (heed__lacks(c, "classify", "classifier", err) ||
        heed__lacks(text, "classify", "text", err) ||
        heed__lacks_room(top, n, "classify", "labels", err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    float *probs = heed__calloc(&c->hooks, (size_t)heed__classifier_width(c), sizeof *probs);
    if (!probs) return heed__error(err, HEED_ENOMEM, "classifier: out of memory");
    const int rc = heed_classify_many(c, 1, &text, probs, err);
    if (rc == 0) n = best(c, probs, top, n);
    heed__free(&c->hooks, probs);
    return rc ? rc : n;
}

/* -- what it attended to ---------------------------------------------------------------------- */

/* Adds the logits of one window to z and its attention to weight [units]. 0 or a status. */
static int look(heed_classifier *c, const heed_pairs *in, heed_span span, float *z, float *weight) {
    const heed_body_kind *kind = c->body->kind;
    heed_body_call call = { .want_weights = true };
    heed_tensor *y = kind->apply(c->cx, c->body, &in->rows, &span, 1, &call), *y2 = NULL;
    if (c->head.cfg.pairs) {
        const heed_span second = heed__window(c, &in->rows2, 0, 0);
        const heed_context_call both = { &in->rows, &in->rows2, &span, &second, 1 };
        if (c->context.in)
            y = heed__context_join(c->cx, &c->context, c->body, &both, y);
        else
            y2 = kind->apply(c->cx, c->body, &in->rows2, &second, 1, NULL);
    }
    y = heed__beside_join(c->cx, &c->beside, &in->array, NULL, y);
    heed_tensor *p = heed__head_apply(c->cx, &c->head, y, y2);
    if (call.evidence) p = heed_add(c->cx, p, call.evidence);
    if (!p || !call.weights) return HEED_ENOMEM;
    for (int64_t k = 0; k < p->len; k++) {
        z[k] += HEED_F32_DATA(p)[k];
        if (!isfinite(HEED_F32_DATA(p)[k])) return HEED_ENONFINITE;
    }
    for (int64_t u = span.begin; u < span.end; u++)
        weight[u] += HEED_F32_DATA(call.weights)[u - span.begin];
    return 0;
}

static int look_at_all(heed_classifier *c, const heed_pairs *in, float *z, float *weight,
                       heed_error *err) {
    const heed_rows *rows = &in->rows;
    const int64_t windows = heed__windows(c, rows, 0), K = heed__classifier_width(c);
    for (int64_t w = 0; w < windows; w++) {
        const int rc = look(c, in, heed__window(c, rows, 0, w), z, weight);
        const heed_error *why = heed_ctx_error(c->cx);
        if (rc)
            heed__error(err, why ? why->code : rc, "%s",
                        why ? why->msg : "classifier: a logit is not a finite number");
        heed_ctx_reset(c->cx);
        if (rc) return err->code;
    }
    for (int64_t k = 0; windows > 1 && k < K; k++) z[k] /= (float)windows;
    for (int64_t u = 0; windows > 1 && u < rows->start[1]; u++) weight[u] /= (float)windows;
    return 0;
}

/* Of row i: how much was seen, and where there is room the words with their weights. */
static void fill_words(const heed_classifier *c, const heed_rows *rows, int64_t i,
                       const float *weight, heed_explanation *x) {
    const heed_span row = heed__row(rows, i), first = heed__window(c, rows, i, 0);
    const bool all = heed__windows(c, rows, i) > 1;
    const int64_t n = rows->total[i], begin = all ? row.begin : first.begin;
    const int64_t end = all ? row.begin + n : first.end;
    x->total = n;
    x->seen = n ? end - begin : 0;
    const int64_t from = row.begin + (n > x->word_cap ? n - x->word_cap : 0);
    for (int64_t u = row.begin; u < row.begin + n; u++) {
        const bool sees = u >= begin && u < end;
        x->known += sees && rows->known[u];
        if (u >= from)
            x->word[u - from] = (heed_attended){ rows->place[u].begin, rows->place[u].end,
                                                 sees ? weight[u] : 0.0f };
    }
    x->word_len = row.begin + n - from;
}

heed_words_weight heed__words_weight(const heed_attended *word, int64_t n) {
    heed_words_weight all = { 0 };
    for (int64_t i = 0; i < n; i++) {
        if (word[i].weight > all.most) all.most = word[i].weight;
        all.sum += word[i].weight;
    }
    all.alike = n > 1 && all.most * (float)n <= 1.1f * all.sum;
    return all;
}

/* The second text of a pair is counted; its words are not shown. */
static void add_second(const heed_classifier *c, const heed_rows *rows, heed_explanation *x) {
    const heed_span s = heed__window(c, rows, 0, 0);
    x->total += rows->total[0];
    x->seen += rows->total[0] ? s.end - s.begin : 0;
}

static void add_parents(const heed_classifier *c, const float *probs, heed_explanation *x) {
    enum { MOST = sizeof x->parent / sizeof *x->parent };
    size_t size;
    int64_t likeliest = 0;
    if (!c->labels) return; /* a score */
    for (int64_t k = 1; k < c->labels; k++)
        if (probs[k] > probs[likeliest]) likeliest = k;
    for (const char *at = strchr(c->label[likeliest], '/'); at && x->parents < MOST;
         at = strchr(at + 1, '/'), x->parents++)
        x->parent[x->parents] = heed_classifier_parent(c, probs, likeliest, x->parents, &size);
}

/* What is promised of an answer can be promised by this classifier. */
static int check_promises(const heed_classifier *c, const heed_explanation *x, heed_error *err) {
    if (!(x->coverage >= 0 && x->coverage <= 1) || !(x->scope >= 0 && x->scope <= 1))
        return heed__error(err, HEED_EINVALID,
                           "classifier: coverage %g and scope %g, where both are from 0 to 1",
                           x->coverage, x->scope);
    if ((x->coverage <= 0 && x->scope <= 0) || c->calibration.len) return 0;
    return heed__error(err, HEED_EUNSUPPORTED,
                       "classifier: no coverage or scope can be promised: this model was trained "
                       "with nothing held out, or gives no single label");
}

static void clear(heed_explanation *x) {
    x->total = x->seen = x->known = x->word_len = x->parents = 0;
    x->in_scope = true;
}

static void fill_scope(const heed_classifier *c, const float *logits, heed_explanation *x) {
    if (c->head.cfg.target == HEED_TARGET_LABEL && x->scope > 0)
        x->in_scope = heed__scope_score(logits, c->labels) >=
                      heed__scope_limit(&c->calibration, x->scope);
}

static void fill_labels(const heed_classifier *c, const float *probs, heed_explanation *x) {
    const bool one = c->head.cfg.target == HEED_TARGET_LABEL;
    const double limit = one && x->coverage > 0 ? heed__coverage_limit(&c->calibration, x->coverage)
                                                : (double)INFINITY;
    x->set_len = isfinite(limit) ? 0 : c->labels;
    for (int64_t k = 0; isfinite(limit) && k < c->labels; k++)
        x->set_len += heed__covered(probs[k], limit);
    x->top_len = best(c, probs, x->top, x->top_cap);
    x->value = c->head.cfg.target == HEED_TARGET_SCORE ? probs[0] : 0;
    if (c->hierarchy) add_parents(c, probs, x);
}

static bool lacks_rooms(const heed_explanation *x, heed_error *err) {
    return heed__lacks_room(x->top, x->top_cap, "classify", "labels", err) ||
           heed__lacks_room(x->word, x->word_cap, "classify", "words", err);
}

int heed_classify_explain(heed_classifier *c, const char *text, heed_explanation *x,
                          heed_error *err) {
    if (heed__lacks(c, "classify", "classifier", err) ||
        heed__lacks(text, "classify", "text", err) ||
        heed__lacks(x, "classify", "explanation", err) || lacks_rooms(x, err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    clear(x);
    const heed_examples single = { .len = 1,
                                   .text = &text,
                                   .text2 = x->text2 ? &x->text2 : NULL,
                                   .array = x->array.data ? &x->array : NULL };
    heed_pairs in = { .array = x->array };
    heed_body_memo *memo = c->context.in ? NULL : c->memo;
    int rc = check_promises(c, x, err);
    if (rc == 0) rc = check_kind(c, &single, err);
    if (rc == 0)
        rc = heed__body_encode(c->body, &(heed_texts){ .len = 1, .text = &text },
                               &(heed_rows_cfg){ .places = true, .memo = memo }, &in.rows, err);
    if (rc) return rc;
    if (x->text2)
        rc = heed__body_encode(c->body, &(heed_texts){ .len = 1, .text = &x->text2 },
                               &(heed_rows_cfg){ .memo = memo }, &in.rows2, err);
    float *probs = heed__calloc(&c->hooks, (size_t)heed__classifier_width(c), sizeof *probs);
    float *weight = heed__calloc(&c->hooks, (size_t)in.rows.start[1], sizeof *weight);
    if (rc == 0)
        rc = probs && weight ? look_at_all(c, &in, probs, weight, err)
                             : heed__error(err, HEED_ENOMEM, "classifier: out of memory");
    if (rc == 0) fill_scope(c, probs, x);
    if (rc == 0) rc = heed__classifier_finish(c, 1, probs, err);
    if (rc == 0) {
        fill_labels(c, probs, x);
        fill_words(c, &in.rows, 0, weight, x);
        if (x->text2) add_second(c, &in.rows2, x);
    }
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, weight);
    heed__pairs_free(&in);
    return rc;
}

/* The numbers beside the texts, side by side; none where the first has none. 0 or a status. */
static int gather(const heed_classifier *c, int64_t len, const heed_explanation *x, heed_array *all,
                  float **numbers, heed_error *err) {
    if (len < 1 || !x[0].array.data) return 0;
    const int rc = heed__beside_check(&c->beside, &x[0].array, 1, err);
    if (rc) return rc;
    const int64_t each = x[0].array.steps * x[0].array.dim;
    for (int64_t i = 0; i < len; i++)
        if (!x[i].array.data || x[i].array.steps != x[0].array.steps ||
            x[i].array.dim != x[0].array.dim)
            return heed__error(err, HEED_EINVALID,
                               "classifier: texts answered together have features of one shape");
    *numbers = heed__calloc(&c->hooks, (size_t)len, (size_t)each * sizeof **numbers);
    if (!*numbers) return heed__error(err, HEED_ENOMEM, "classifier: out of memory");
    for (int64_t i = 0; i < len; i++)
        memcpy(*numbers + i * each, x[i].array.data, (size_t)each * sizeof **numbers);
    *all = x[0].array;
    all->data = *numbers;
    return 0;
}

int heed_classify_explain_many(heed_classifier *c, int64_t len, const char *const *text,
                               heed_explanation *x, heed_error *err) {
    if (heed__lacks(c, "classify", "classifier", err) ||
        heed__lacks_list(text, len, "classify", "texts", err) ||
        heed__lacks_room(x, len, "classify", "explanations", err))
        return HEED_EINVALID;
    for (int64_t i = 0; i < len; i++)
        if (lacks_rooms(&x[i], err)) return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    const int64_t K = heed__classifier_width(c);
    heed_pairs in = { .rows2 = { .len = 0 } };
    float *numbers = NULL;
    int rc = gather(c, len, x, &in.array, &numbers, err);
    const heed_examples all = { .len = len,
                                .text = text,
                                .array = in.array.data ? &in.array : NULL };
    if (rc == 0) rc = check_kind(c, &all, err);
    for (int64_t i = 0; rc == 0 && i < len; i++) {
        clear(&x[i]);
        rc = x[i].text2 || x[i].word_cap ? heed__error(err, HEED_EINVALID,
                                                       "classifier: many texts are explained "
                                                       "without their words, and not as pairs")
                                         : check_promises(c, &x[i], err);
    }
    if (rc == 0)
        rc = heed__body_encode(c->body, &(heed_texts){ .len = len, .text = text },
                               &(heed_rows_cfg){ .places = true, .memo = c->memo }, &in.rows, err);
    if (rc) {
        heed__free(&c->hooks, numbers);
        return rc;
    }
    float *probs = heed__calloc(&c->hooks, (size_t)len, (size_t)K * sizeof *probs);
    rc = probs ? heed__classifier_answers(c, &in, true, probs, err)
               : heed__error(err, HEED_ENOMEM, "classifier: out of memory");
    for (int64_t i = 0; rc == 0 && i < len; i++) fill_scope(c, probs + i * K, &x[i]);
    if (rc == 0) rc = heed__classifier_finish(c, len, probs, err);
    for (int64_t i = 0; rc == 0 && i < len; i++) {
        fill_labels(c, probs + i * K, &x[i]);
        fill_words(c, &in.rows, i, NULL, &x[i]);
    }
    heed__free(&c->hooks, probs);
    heed__free(&c->hooks, numbers);
    heed__pairs_free(&in);
    return rc;
}
