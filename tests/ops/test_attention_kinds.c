/* test_attention_kinds.c: the whole product of attention's axes: every combination is either
 * refused, where the header says so and in one sentence, or computed right: output, penalty and all
 * gradients against the reference in double.
 *
 * HEED_LONG=1 computes every combination (long_attention_kinds); otherwise one in five is computed
 * (all are checked for refusal). `HEED_KIND="score weights visible positions extra"` computes that
 * one alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention_problem.h"

typedef struct walk {
    heed_ctx *cx;
    sizes z;
    bool general;
    int64_t computed, refused, wrong, kinks;
} walk;

static void say_wrong(walk *w, const problem *p, const char *what, double got, double want) {
    w->wrong++;
    if (w->wrong < 20)
        print_error("%s: %s is %.9g, not %.9g (%d %d %d %d %d)\n", problem_text(p), what, got, want,
                    p->kind.score, p->kind.weights, p->kind.visible, p->kind.positions,
                    p->kind.extra);
}

static void check_output(walk *w, problem *p, const heed_tensor *out, float loss) {
    const int64_t len = p->ref.B * p->ref.T * p->ref.H * p->ref.Dv;
    double *want = malloc((size_t)(len + 1) * sizeof *want);
    const double ref_loss = problem_ref_loss(p, want);
    double largest = 1e-3;
    for (int64_t i = 0; i < len; i++) largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < len; i++)
        if (!(fabs((double)HEED_F32_DATA(out)[i] - want[i]) <= 4e-6 * largest)) {
            say_wrong(w, p, "an output", (double)HEED_F32_DATA(out)[i], want[i]);
            break;
        }
    if (!(fabs((double)loss - ref_loss) <= 1e-5 * (1 + fabs(ref_loss))))
        say_wrong(w, p, "the loss", (double)loss, ref_loss);
    free(want);
}

/* d loss / d step along `direction` of tensor i; *kink where two steps disagree. */
static double difference(problem *p, int i, const double *direction, bool *kink) {
    double by[2];
    double *x = p->ref.t[i], *keep = malloc((size_t)p->len[i] * sizeof *keep);
    memcpy(keep, x, (size_t)p->len[i] * sizeof *keep);
    for (int n = 0; n < 2; n++) {
        const double step = n ? 3e-6 : 1e-5;
        double side[2];
        for (int e = 0; e < 2; e++) {
            for (int64_t j = 0; j < p->len[i]; j++)
                x[j] = keep[j] + (e ? -step : step) * direction[j];
            side[e] = problem_ref_loss(p, NULL);
        }
        by[n] = (side[0] - side[1]) / (2 * step);
    }
    memcpy(x, keep, (size_t)p->len[i] * sizeof *keep);
    free(keep);
    *kink = fabs(by[0] - by[1]) > 1e-5 * (1 + fabs(by[0]));
    return by[1];
}

static void check_gradients(walk *w, problem *p) {
    for (int i = 0; i < REF_TENSORS; i++) {
        if (!p->in[i]) continue;
        double *direction = malloc((size_t)(p->len[i] + 1) * sizeof *direction);
        double along = 0, mass = 0;
        for (int64_t j = 0; j < p->len[i]; j++) {
            direction[j] = problem_random(&p->seed);
            const double g = p->in[i]->grad ? (double)p->in[i]->grad[j] : 0;
            along += g * direction[j];
            mass += fabs(g * direction[j]);
        }
        bool kink;
        const double want = difference(p, i, direction, &kink);
        char what[64];
        snprintf(what, sizeof what, "the gradient of tensor %d", i);
        /* A deviation of nearly 0, as two close scores have, leaves few digits. */
        const double part = p->cfg.score_std ? 5e-4 : 3e-5;
        w->kinks += kink;
        if (!kink && !(fabs(along - want) <= part * (mass + 0.1 + p->cfg.score_std)))
            say_wrong(w, p, what, along, want);
        free(direction);
    }
}

static void check_refusal(walk *w, const problem *p, const heed_tensor *out) {
    const heed_error *err = heed_ctx_error(w->cx);
    w->refused++;
    if (out || !err)
        say_wrong(w, p, "a refusal", 0, 1);
    else if ((err->code != HEED_EUNSUPPORTED && err->code != HEED_EINVALID) ||
             strncmp(err->msg, "attention: ", 11) != 0 || strchr(err->msg, '\n'))
        say_wrong(w, p, err->msg, 0, 1);
}

static void check_kind(walk *w, const kind *k, bool compute) {
    problem p;
    problem_init(&p, w->cx, k, &w->z);
    if (problem_refused(&p)) {
        check_refusal(w, &p, problem_run(&p, w->cx, w->general));
    } else if (compute) {
        problem_choose(&p);
        heed_tensor *out = problem_run(&p, w->cx, w->general);
        heed_tensor *loss = problem_loss(&p, w->cx, out);
        w->computed++;
        if (!loss || heed_backward(w->cx, loss)) {
            const heed_error *err = heed_ctx_error(w->cx);
            say_wrong(w, &p, err ? err->msg : "no error", 0, 1);
        } else {
            check_output(w, &p, out, heed_item(loss));
            check_gradients(w, &p);
        }
    }
    problem_free(&p);
    heed_ctx_reset(w->cx);
}

static kind kind_at(int64_t n) {
    kind k;
    k.extra = (int)(n % KIND_EXTRAS), n /= KIND_EXTRAS;
    k.positions = (int)(n % KIND_POSITIONS), n /= KIND_POSITIONS;
    k.visible = (int)(n % KIND_VISIBLE), n /= KIND_VISIBLE;
    k.weights = (int)(n % KIND_WEIGHTS), n /= KIND_WEIGHTS;
    k.score = (int)n;
    return k;
}

static const int64_t kinds = (int64_t)KIND_SCORES * KIND_WEIGHTS * KIND_VISIBLE * KIND_POSITIONS *
                             KIND_EXTRAS;

static void finish(const walk *w) {
    print_message("%lld computed, %lld refused, %lld kinks passed over, %lld wrong\n",
                  (long long)w->computed, (long long)w->refused, (long long)w->kinks,
                  (long long)w->wrong);
    assert_int_equal(w->wrong, 0);
    assert_true(w->kinks * 100 <= w->computed);
}

static walk walk_new(const sizes *z, bool general) {
    heed_error err;
    walk w = { .z = *z, .general = general };
    w.cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    assert_non_null(w.cx);
    heed_ctx_set_record(w.cx, true);
    return w;
}

/* Those at `phase` of each `every` are computed; all are asked for refusals, in the first walk. */
static void walk_product(const sizes *z, bool general, int64_t every, int64_t phase) {
    const bool refusals = phase == 0;
    walk w = walk_new(z, general);
    const char *one = getenv("HEED_KIND");
    kind k;
    if (getenv("HEED_LONG")) every = every < 100 ? 1 : every / 10, phase = 0;
    if (one &&
        sscanf(one, "%d%d%d%d%d", &k.score, &k.weights, &k.visible, &k.positions, &k.extra) == 5)
        check_kind(&w, &k, true);
    for (int64_t n = 0; !one && n < kinds; n++) {
        k = kind_at(n);
        if (refusals || n % every == phase) check_kind(&w, &k, n % every == phase);
    }
    finish(&w);
    heed_ctx_free(w.cx);
}

static void test_general_path(void **state) {
    (void)state;
    walk_product(&(sizes){ 2, 4, 5, 2, 1, 3, 2 }, true, 5, 0);
}

static void test_operation(void **state) {
    (void)state;
    walk_product(&(sizes){ 2, 4, 5, 2, 2, 3, 3 }, false, 5, 3);
}

/* More queries than a block, more keys than a step of the origin's grid. */
static void test_larger(void **state) {
    (void)state;
    walk_product(&(sizes){ 2, 37, 141, 4, 2, 5, 3 }, true, 6007, 5);
}

/* Heads of which one row fills many panels. */
static void test_wide(void **state) {
    (void)state;
    walk w = walk_new(&(sizes){ 1, 3, 4, 2, 1, 1100, 1050 }, false);
    for (int score = 0; score < KIND_SCORES; score++)
        if (score != HEED_SCORE_BILINEAR) check_kind(&w, &(kind){ .score = score }, true);
    finish(&w);
    heed_ctx_free(w.cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_general_path),
        cmocka_unit_test(test_operation),
        cmocka_unit_test(test_larger),
        cmocka_unit_test(test_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
