/* classifier_answer.c: from encoded texts to the head's numbers: windows of long texts, batches of
 * like length, averages over windows. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "ops/op.h"
#include "tasks/classifier.h"

static size_t bytes_of(const heed_examples *x, int64_t i) {
    return strlen(x->text[i]) + (x->text2 ? strlen(x->text2[i]) : 0);
}

int64_t heed__piece(const heed_examples *x, int64_t at) {
    static const size_t MOST = (size_t)1 << 18; /* bytes */
    size_t bytes = 0;
    int64_t n = 0;
    while (at + n < x->len && (n == 0 || bytes < MOST)) bytes += bytes_of(x, at + n++);
    return n;
}

void heed__largest_piece(const heed_examples *x, int64_t *at, int64_t *end) {
    size_t most = 0;
    *at = *end = 0;
    for (int64_t i = 0, n; i < x->len; i += n) {
        size_t bytes = 1; /* of empty texts too there is a largest piece */
        n = heed__piece(x, i);
        for (int64_t j = 0; j < n; j++) bytes += bytes_of(x, i + j);
        if (bytes <= most) continue;
        most = bytes;
        *at = i, *end = i + n;
    }
}

int heed__classifier_encode(const heed_classifier *c, const heed_examples *x, bool whole,
                            heed_pairs *p, heed_error *err) {
    const heed_rows_cfg cfg = { .max_len = whole ? 0 : c->max_len,
                                .keep = c->keep,
                                .memo = c->context.in ? NULL : c->memo };
    *p = (heed_pairs){ 0 };
    if (x->array) p->array = *x->array;
    int rc = heed__body_encode(c->body, &(heed_texts){ .len = x->len, .text = x->text }, &cfg,
                               &p->rows, err);
    if (rc == 0 && c->head.cfg.pairs)
        rc = heed__body_encode(c->body, &(heed_texts){ .len = x->len, .text = x->text2 }, &cfg,
                               &p->rows2, err);
    if (rc) heed__pairs_free(p);
    return rc;
}

void heed__pairs_free(heed_pairs *p) {
    heed__rows_free(&p->rows);
    heed__rows_free(&p->rows2);
}

int64_t heed__windows(const heed_classifier *c, const heed_rows *rows, int64_t i) {
    const heed_span all = heed__row(rows, i);
    if (!c->windows || c->head.cfg.pairs) return 1;
    return (all.end - all.begin + c->max_len - 1) / c->max_len;
}

heed_span heed__window(const heed_classifier *c, const heed_rows *rows, int64_t i, int64_t w) {
    heed_span s = heed__row(rows, i);
    const int64_t n = s.end - s.begin, windows = heed__windows(c, rows, i);
    if (n <= c->max_len) return s;
    if (windows > 1) { /* of equal length, but for one unit */
        const int64_t begin = s.begin;
        s.begin = begin + w * (n / windows) + (w < n % windows ? w : n % windows);
        s.end = s.begin + n / windows + (w < n % windows);
    } else if (c->keep == HEED_KEEP_HEAD) {
        s.end = s.begin + c->max_len;
    } else {
        s.begin = s.end - c->max_len;
    }
    return s;
}

static int context_error(heed_classifier *c, heed_error *err) {
    const heed_error *why = heed_ctx_error(c->cx);
    const int rc = heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                               why ? why->msg : "classifier: out of memory");
    heed_ctx_reset(c->cx);
    return rc;
}

/* All windows of all rows. */
typedef struct pieces {
    int64_t width; /* K: numbers of each */
    bool vectors;  /* the body's, not the head's numbers */
    int64_t len;
    heed_span *span; /* [len] */
    int64_t *row;    /* [len] whose they are, rising */
    int64_t *length; /* [len] */
    int64_t *order;  /* [len] like lengths together */
    float *out;      /* [len,K] */
} pieces;

static void pieces_free(const heed_classifier *c, pieces *p) {
    heed__free(&c->hooks, p->span);
    heed__free(&c->hooks, p->row);
    heed__free(&c->hooks, p->length);
    heed__free(&c->hooks, p->order);
    heed__free(&c->hooks, p->out);
}

static int cut(const heed_classifier *c, const heed_rows *rows, pieces *p) {
    for (int64_t i = 0; i < rows->len; i++) p->len += heed__windows(c, rows, i);
    const size_t n = (size_t)p->len, K = (size_t)p->width;
    p->span = heed__calloc(&c->hooks, n, sizeof *p->span);
    p->row = heed__calloc(&c->hooks, n, sizeof *p->row);
    p->length = heed__calloc(&c->hooks, n, sizeof *p->length);
    p->order = heed__calloc(&c->hooks, n, sizeof *p->order);
    p->out = heed__calloc(&c->hooks, n, K * sizeof *p->out);
    if (!p->span || !p->row || !p->length || !p->order || !p->out) return HEED_ENOMEM;
    if (c->rehearses) memset(p->out, 0, n * K * sizeof *p->out);
    int64_t at = 0;
    for (int64_t i = 0; i < rows->len; i++)
        for (int64_t w = 0; w < heed__windows(c, rows, i); w++, at++) {
            p->span[at] = heed__window(c, rows, i, w);
            p->row[at] = i;
            p->length[at] = p->span[at].end - p->span[at].begin;
        }
    heed__length_order(p->length, p->len, p->order);
    return 0;
}

enum {
    MOST = 256,
    UNITS = 4096
}; /* texts answered at once; units, where they are more than asked */

/* The head's numbers [n,K] of pieces order[at .. at+n): a tensor of the step, or NULL. */
static heed_tensor *forward(heed_classifier *c, const heed_pairs *x, const pieces *p, int64_t at,
                            int64_t n) {
    heed_span span[MOST] = { { 0, 0 } };
    heed_tensor *y2 = NULL;
    for (int64_t i = 0; i < n; i++) span[i] = p->span[p->order[at + i]];
    heed_body_call call = { .want_weights = false };
    heed_body_call *asked = p->vectors ? NULL : &call;
    heed_tensor *y = c->body->kind->apply(c->cx, c->body, &x->rows, span, n, asked);
    if (p->vectors) return y;
    if (c->beside.in) {
        int64_t row[MOST];
        for (int64_t i = 0; i < n; i++) row[i] = p->row[p->order[at + i]];
        y = heed__beside_join(c->cx, &c->beside, &x->array, row, y);
    }
    if (c->head.cfg.pairs) {
        heed_span second[MOST];
        for (int64_t i = 0; i < n; i++)
            second[i] = heed__window(c, &x->rows2, p->row[p->order[at + i]], 0);
        const heed_context_call call2 = { &x->rows, &x->rows2, span, second, n };
        if (c->context.in)
            y = heed__context_join(c->cx, &c->context, c->body, &call2, y);
        else
            y2 = c->body->kind->apply(c->cx, c->body, &x->rows2, second, n, NULL);
    }
    y = heed__head_apply(c->cx, &c->head, y, y2);
    return call.evidence ? heed_add(c->cx, y, call.evidence) : y;
}

/* Units of pieces order[at .. at+n), padding included. */
static int64_t padded(const pieces *p, int64_t at, int64_t n) {
    int64_t longest = 0;
    for (int64_t i = at; i < at + n; i++)
        if (p->length[p->order[i]] > longest) longest = p->length[p->order[i]];
    return n * longest;
}

/* Texts answered at once from `at` on. Where what short texts share is computed once, more of
 * them; where few long ones fill the products already, fewer, which take less memory. */
static int64_t together(const heed_classifier *c, const pieces *p, int64_t at) {
    const heed_body_kind *kind = c->body->kind;
    const int64_t left = p->len - at, batch = c->batch < MOST ? c->batch : MOST;
    int64_t n = 0, longest = 0, units = 0;
    for (; n < left && n < batch; n++) {
        const int64_t length = p->length[p->order[at + n]];
        if (length > longest) longest = length;
        if (kind->units && n > 0 && (n + 1) * longest > kind->units) break;
    }
    if (!kind->shares || c->head.cfg.pairs) return n;
    for (int64_t i = 0; i < n; i++) units += p->length[p->order[at + i]];
    for (; n < left && n < MOST; n++) {
        units += p->length[p->order[at + n]];
        if (units > UNITS) break;
    }
    return n;
}

/* The batch [*at,*end) that has the most units, padding included. */
static void largest_batch(const heed_classifier *c, const pieces *p, int64_t *at, int64_t *end) {
    int64_t most = -1;
    for (int64_t i = 0, n; i < p->len; i += n) {
        n = together(c, p, i);
        const int64_t units = padded(p, i, n);
        if (units <= most) continue;
        most = units;
        *at = i, *end = i + n;
    }
}

static int each_batch(heed_classifier *c, const heed_pairs *x, pieces *p, heed_error *err) {
    const int64_t K = p->width;
    int64_t at = 0, n = 0, end = p->len;
    if (c->rehearses) largest_batch(c, p, &at, &end);
    for (; at < end; at += n) {
        n = together(c, p, at);
        heed_tensor *z = forward(c, x, p, at, n);
        const bool sound = z && isfinite(c->cx->k->row->sum(HEED_F32_DATA(z), z->len));
        for (int64_t i = 0; z && !sound && i < z->len; i++)
            if (!isfinite(HEED_F32_DATA(z)[i]))
                z = heed_fail(c->cx, HEED_ENONFINITE,
                              "classifier: a logit is not a finite number, so the model's "
                              "weights are not or are far too large");
        if (!z) return context_error(c, err);
        for (int64_t i = 0; i < n; i++)
            memcpy(p->out + p->order[at + i] * K, HEED_F32_DATA(z) + i * K,
                   (size_t)K * sizeof *p->out);
        heed_ctx_reset(c->cx);
        if (c->hooks.cancel && c->hooks.cancel(c->hooks.user))
            return heed__error(err, HEED_ECANCELLED, "classifier: stopped");
    }
    return 0;
}

/* The mean of each row's pieces. */
static void average(const pieces *p, int64_t K, float *out) {
    for (int64_t at = 0; at < p->len;) {
        int64_t n = 1;
        while (at + n < p->len && p->row[at + n] == p->row[at]) n++;
        float *to = out + p->row[at] * K;
        memcpy(to, p->out + at * K, (size_t)K * sizeof *to);
        for (int64_t w = 1; w < n; w++)
            for (int64_t k = 0; k < K; k++) to[k] += p->out[(at + w) * K + k];
        for (int64_t k = 0; n > 1 && k < K; k++) to[k] /= (float)n;
        at += n;
    }
}

int heed__classifier_finish(heed_classifier *c, int64_t n, float *z, heed_error *err) {
    const int64_t K = heed__classifier_width(c), batch = 64; /* a few numbers at a time stay near */
    const bool cooled = c->head.cfg.target == HEED_TARGET_LABEL && c->calibration.len;
    for (int64_t at = 0; at < n; at += batch) {
        const int64_t m = n - at < batch ? n - at : batch, shape[2] = { m, K };
        heed_tensor *y = heed_from_f32(c->cx, 2, shape, z + at * K);
        if (cooled) y = heed_scale(c->cx, y, (float)(1 / c->calibration.temperature), 0);
        y = heed__head_answer(c->cx, &c->head, y);
        if (!y) return context_error(c, err);
        memcpy(z + at * K, HEED_F32_DATA(y), (size_t)(m * K) * sizeof *z);
        heed_ctx_reset(c->cx);
    }
    return 0;
}

int heed__classifier_answers(heed_classifier *c, const heed_pairs *x, bool logits, float *out,
                             heed_error *err) {
    pieces p = { .width = heed__classifier_width(c) };
    int rc = cut(c, &x->rows, &p);
    if (rc)
        heed__error(err, rc, "texts: out of memory");
    else
        rc = each_batch(c, x, &p, err);
    if (rc == 0) average(&p, heed__classifier_width(c), out);
    pieces_free(c, &p);
    return rc || logits ? rc : heed__classifier_finish(c, x->rows.len, out, err);
}

int heed__classifier_vectors(heed_classifier *c, const heed_rows *rows, float *out,
                             heed_error *err) {
    const heed_pairs x = { .rows = *rows };
    pieces p = { .width = c->body->dim, .vectors = true };
    int rc = cut(c, rows, &p);
    if (rc)
        heed__error(err, rc, "texts: out of memory");
    else
        rc = each_batch(c, &x, &p, err);
    if (rc == 0) average(&p, p.width, out);
    pieces_free(c, &p);
    return rc;
}
