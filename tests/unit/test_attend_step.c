/* test_attend_step.c: what a step of the recipe attend computes, against its formula in double, and
 * its gradients against differences of that; what it leaves out by chance, and when. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heed/ops.h"
#include "tasks/body_attend.h"
#include "tensor/params.h"

enum { D = 5, H = 3, TEXTS = 8, APART = 6, MOST_C = (H + 1) * D };

/* Of one word, of none, and of many: most words come in two texts, so that they have numbers. Those
 * of text APART have no feature in common, and one of them has no pieces. */
static const char *const texts[TEXTS] = { "where is my card",
                                          "my card never came at all, no",
                                          "card",
                                          "",
                                          "where, at all, is no a",
                                          "zzz a never qqq a",
                                          "umbrella \xe5\x8d\xa1 thunderstorm",
                                          "thunderstorm umbrella x \xe5\x8d\xa1" };

typedef struct rig {
    heed_ctx *cx;
    heed_params *ps;
    heed_attend *a;
    heed_rows rows;
    heed_span span[TEXTS];
    uint64_t state;
} rig;

static float drawn(rig *r) {
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(r->state >> 40) / 0x1p23 - 1);
}

static void fill(rig *r, heed_tensor *t) {
    for (int64_t i = 0; t && i < t->len; i++) HEED_F32_DATA(t)[i] = drawn(r);
}

static void begin(rig *r, const heed_body_cfg *cfg) {
    heed_error err = { 0 };
    *r = (rig){ .state = 3 };
    r->cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = true }, &err);
    r->ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err);
    heed_body *b = heed__body_new(heed__body_kind_find("attend"), cfg, r->ps, NULL, &err);
    assert_string_equal(err.msg, "");
    const heed_texts x = { .len = TEXTS, .text = texts };
    assert_int_equal(b->kind->learn(b, &x, &err), 0);
    assert_int_equal(heed__body_encode(b, &x, &(heed_rows_cfg){ 0 }, &r->rows, &err), 0);
    for (int i = 0; i < TEXTS; i++) r->span[i] = heed__row(&r->rows, i);
    r->a = (heed_attend *)b;
    assert_true(r->a->rows > 50);
    fill(r, r->a->table);
    fill(r, r->a->near.w);
    fill(r, r->a->near.b);
    fill(r, r->a->query.w);
    fill(r, r->a->gain);
    fill(r, r->a->bias);
}

static void end(rig *r) {
    heed__rows_free(&r->rows);
    heed__body_free(&r->a->body);
    heed_params_free(r->ps);
    heed_ctx_free(r->cx);
}

/* -- the formula ------------------------------------------------------------------------------ */

/* What it is computed with: of one number that lies at `moved`, another value. */
typedef struct formula {
    const heed_attend *a;
    const heed_rows *rows;
    const float *moved;
    double by;
} formula;

static double at(const formula *f, const heed_tensor *t, int64_t i) {
    const float *p = HEED_F32_DATA(t) + i;
    return (double)*p + (p == f->moved ? f->by : 0);
}

static void vector_of(const formula *f, int64_t u, double *x) {
    const heed_rows *rows = f->rows;
    int64_t n = 0;
    memset(x, 0, D * sizeof *x);
    for (int64_t k = rows->bag[u]; k < rows->bag[u + 1]; k++) {
        if (rows->feature[k] >= f->a->rows) continue;
        for (int d = 0; d < D; d++) x[d] += at(f, f->a->table, rows->feature[k] * D + d);
        n++;
    }
    for (int d = 0; d < D && n; d++) x[d] /= (double)n;
}

/* h [L,D] of units begin.. */
static void states_of(const formula *f, int64_t begin, int64_t L, double *h) {
    double *x = calloc((size_t)((L + 2) * D), sizeof *x);
    for (int64_t t = 0; t < L; t++) vector_of(f, begin + t, x + (t + 1) * D);
    for (int64_t t = 0; t < L; t++)
        for (int d = 0; d < D; d++) {
            double z = at(f, f->a->near.b, d);
            for (int k = 0; k < 3 * D; k++) z += at(f, f->a->near.w, d * 3 * D + k) * x[t * D + k];
            h[t * D + d] = x[(t + 1) * D + d] + z * 0.5 * (1 + erf(z / sqrt(2)));
        }
    free(x);
}

/* y [C] of a span, and the mean over heads of what it weighs. */
static void formula_of(const formula *f, heed_span s, double *y, double *weight) {
    const int64_t L = s.end - s.begin, heads = f->a->heads, C = (heads + 1) * D;
    double *h = calloc((size_t)(L * D), sizeof *h), *w = calloc((size_t)L, sizeof *w);
    double mean = 0, square = 0;
    states_of(f, s.begin, L, h);
    memset(weight, 0, (size_t)L * sizeof *weight);
    memset(y, 0, (size_t)C * sizeof *y);
    for (int64_t q = 0; q < heads; q++) {
        double sum = 0;
        for (int64_t t = 0; t < L; t++) {
            double score = 0;
            for (int d = 0; d < D && !f->a->mean; d++)
                score += at(f, f->a->query.w, q * D + d) * h[t * D + d];
            sum += w[t] = exp(score);
        }
        for (int64_t t = 0; t < L; t++) {
            weight[t] += w[t] / sum / (double)heads;
            for (int d = 0; d < D; d++) y[q * D + d] += w[t] / sum * h[t * D + d];
        }
    }
    for (int d = 0; d < D; d++) {
        y[heads * D + d] = h[d];
        for (int64_t t = 1; t < L; t++) y[heads * D + d] = fmax(y[heads * D + d], h[t * D + d]);
    }
    for (int64_t c = 0; c < C; c++) mean += y[c] / (double)C;
    for (int64_t c = 0; c < C; c++) square += (y[c] - mean) * (y[c] - mean) / (double)C;
    for (int64_t c = 0; c < C; c++)
        y[c] = (y[c] - mean) / sqrt(square + 1e-5) * at(f, f->a->gain, c) + at(f, f->a->bias, c);
    free(h);
    free(w);
}

/* -- a step without chance -------------------------------------------------------------------- */

static double loss_of(const rig *r, const float *weight, const float *moved, double by) {
    const formula f = { r->a, &r->rows, moved, by };
    double y[MOST_C], ignored[64], sum = 0;
    for (int i = 0; i < TEXTS; i++) {
        formula_of(&f, r->span[i], y, ignored);
        for (int64_t c = 0; c < r->a->body.dim; c++)
            sum += (double)weight[i * r->a->body.dim + c] * y[c];
    }
    return sum;
}

static void near(double got, double want, double off, const char *what, int64_t i) {
    if (!(fabs(got - want) < off * (1 + fabs(want))))
        fail_msg("%s[%lld] is %g, not %g", what, (long long)i, got, want);
}

/* The gradient of a tensor, of a table of all its rows. */
static void check_gradient(const rig *r, const heed_tensor *t, const float *weight,
                           const char *what) {
    enum { BY = 16384 };
    const heed_sparse *s = t->sparse;
    for (int64_t i = 0, k = 0; i < t->len; i++) {
        const float *x = HEED_F32_DATA(t) + i;
        const double want = (loss_of(r, weight, x, 1.0 / BY) - loss_of(r, weight, x, -1.0 / BY)) *
                            BY / 2;
        while (s && k < s->len && s->row[k] < i / D) k++;
        const float got = !s                                 ? t->grad[i]
                          : k < s->len && s->row[k] == i / D ? s->val[k * D + i % D]
                                                             : 0;
        near((double)got, want, 2e-4, what, i);
    }
}

static void step_without_chance(const heed_body_cfg *cfg) {
    rig r;
    begin(&r, cfg);
    heed_ctx_set_train(r.cx, false);
    heed_ctx_set_record(r.cx, true); /* not the answer's own way */
    assert_false(heed__attend_answers(r.cx, r.a));
    heed_body_call call = { .want_weights = true };
    heed_tensor *y = r.a->body.kind->apply(r.cx, &r.a->body, &r.rows, r.span, TEXTS, &call);
    if (!y) fail_msg("%s", heed_ctx_error(r.cx)->msg);
    const formula f = { r.a, &r.rows, NULL, 0 };
    const int64_t C = r.a->body.dim, T = call.weights->shape[1];
    assert_int_equal(y->len, TEXTS * C);
    double want[MOST_C], weight[64] = { 0 };
    for (int i = 0; i < TEXTS; i++) {
        formula_of(&f, r.span[i], want, weight);
        for (int64_t c = 0; c < C; c++)
            near((double)HEED_F32_DATA(y)[i * C + c], want[c], 1e-5, "y", i * C + c);
        for (int64_t t = 0; t < T; t++)
            near((double)HEED_F32_DATA(call.weights)[i * T + t],
                 t < r.span[i].end - r.span[i].begin ? weight[t] : 0, 1e-5, "weights", i * T + t);
    }
    float dy[TEXTS * MOST_C];
    for (int64_t i = 0; i < y->len; i++) dy[i] = drawn(&r);
    assert_int_equal(heed_backward_from(r.cx, y, dy), 0);
    check_gradient(&r, r.a->table, dy, "table");
    check_gradient(&r, r.a->near.w, dy, "near.w");
    check_gradient(&r, r.a->near.b, dy, "near.b");
    if (!r.a->mean) check_gradient(&r, r.a->query.w, dy, "query.w");
    check_gradient(&r, r.a->gain, dy, "gain");
    check_gradient(&r, r.a->bias, dy, "bias");
    end(&r);
}

static void test_formula(void **state) {
    (void)state;
    step_without_chance(&(heed_body_cfg){ .vocab = 1000, .embed = D, .heads = H, .seed = 2 });
    step_without_chance(
        &(heed_body_cfg){ .vocab = 1000, .embed = D, .heads = 1, .no_attention = true, .seed = 2 });
}

/* -- what is left out by chance --------------------------------------------------------------- */

/* The rows of the table that step s learns of a text; how many, in row [most]. */
static int64_t rows_of_step(rig *r, int text, uint64_t s, int64_t *row) {
    heed_tensor *lengths;
    heed_ctx_reset(r->cx);
    heed_ctx_set_step(r->cx, s);
    heed_sparse *got = r->a->table->sparse;
    heed__sparse_clear(got);
    heed_tensor *h = r->a->body.kind->states(r->cx, &r->a->body, &r->rows, &r->span[text], 1,
                                             &lengths);
    if (!h || heed_backward(r->cx, heed_sum(r->cx, h))) fail_msg("%s", heed_ctx_error(r->cx)->msg);
    memcpy(row, got->row, (size_t)got->len * sizeof *row);
    return got->len;
}

/* The parts of words and of their pieces that steps take, of a text whose words are all different.
 * A word that is one feature has nothing to be known by without it: only the word is left out. */
static void parts_taken(rig *r, int text, double *words, double *pieces, double *alone) {
    enum { STEPS = 2000 };
    int64_t row[512], units = 0, features = 0, taken = 0, lone = 0;
    *words = *alone = 0;
    for (uint64_t s = 0; s < STEPS; s++) {
        const int64_t n = rows_of_step(r, text, s, row);
        for (int64_t u = r->span[text].begin; u < r->span[text].end; u++) {
            int64_t has = 0, here = 0;
            for (int64_t k = r->rows.bag[u]; k < heed__attend_bag_end(r->a, &r->rows, u);
                 k++, has++)
                for (int64_t i = 0; i < n; i++) here += row[i] == r->rows.feature[k];
            if (has > 9)
                units++, *words += here > 0; /* all of so many are not left out one by one */
            if (has > 9 && here) features += has, taken += here;
            if (has == 1) lone++, *alone += (double)here;
        }
    }
    *words /= (double)units;
    *pieces = (double)taken / (double)features;
    *alone /= (double)lone;
    assert_true(units > 0 && lone > 0);
}

static void test_left_out(void **state) {
    (void)state;
    int64_t row[512], other[512];
    rig r;
    begin(&r, &(heed_body_cfg){ .vocab = 1000, .embed = D, .heads = H, .dropout = -1, .seed = 2 });
    double words, pieces, alone;
    parts_taken(&r, APART, &words, &pieces, &alone);
    near(words, 0.9, 0.01, "words", 0);
    near(pieces, 0.7, 0.01, "pieces", 0);
    near(alone, 0.9, 0.01, "words of one feature", 0);
    /* anew at each step, the same again at the same one; others of another seed */
    int64_t n = rows_of_step(&r, APART, 7, row), alike = 0;
    for (uint64_t s = 8; s < 12; s++) {
        const int64_t m = rows_of_step(&r, APART, s, other);
        alike += m == n && memcmp(row, other, (size_t)n * sizeof *row) == 0;
    }
    assert_int_equal(alike, 0);
    assert_int_equal(rows_of_step(&r, APART, 7, other), n);
    assert_memory_equal(row, other, (size_t)n * sizeof *row);
    r.a->body.cfg.seed = 3;
    const int64_t m = rows_of_step(&r, APART, 7, other);
    assert_false(m == n && memcmp(row, other, (size_t)n * sizeof *row) == 0);
    r.a->dropout = 0.5; /* numbers of their vectors */
    heed_tensor *lengths, *h[2];
    for (int i = 0; i < 2; i++, r.a->dropout = 0)
        h[i] = r.a->body.kind->states(r.cx, &r.a->body, &r.rows, &r.span[APART], 1, &lengths);
    assert_memory_not_equal(h[0]->data, h[1]->data, (size_t)h[0]->len * sizeof(float));
    heed_ctx_set_train(r.cx, false); /* nothing where nothing is learnt */
    heed_ctx_set_record(r.cx, true);
    n = rows_of_step(&r, APART, 7, row);
    for (uint64_t s = 8; s < 12; s++) assert_int_equal(rows_of_step(&r, APART, s, other), n);
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
