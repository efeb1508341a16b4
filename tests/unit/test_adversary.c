/* test_adversary.c: small changes of the words' vectors that hurt most: in training, where they go
 * along the gradient, are of the length asked for and leave no trace; and in an attack, where the
 * words that an answer hangs on are told by their gradients. */
#include "base/alloc.h"
#include "cmocka_all.h"
#include "heed/ops.h"
#include "heed/tasks.h"
#include "tasks/adversary.h"
#include "tasks/attack.h"
#include "tasks/gradient.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 6, DIM = 3, IDS = 4 };

typedef struct small {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *table;
} small;

static small make(bool sparse) {
    heed_error err;
    small s;
    s.cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    s.ps = heed_params_new(&(heed_params_cfg){ .seed = 4 }, &err);
    s.table = heed_param(s.ps, "table", (heed_init){ HEED_INIT_NORMAL, 1 }, 2,
                         (int64_t[]){ ROWS, DIM });
    assert_non_null(s.table);
    if (sparse) assert_int_equal(heed_param_set_sparse(s.ps, s.table), 0);
    return s;
}

static void end(small *s) {
    heed_params_free(s->ps);
    heed_ctx_free(s->cx);
}

/* Σ x² / 2 of the rows looked up, whose gradient is the rows themselves. */
static double loss_of(small *s, bool back) {
    static const int32_t id[IDS] = { 1, 4, 2, 5 };
    heed_tensor *ids = heed_from_i32(s->cx, 1, (int64_t[]){ IDS }, id);
    heed_tensor *x = heed_embedding(s->cx, s->table, ids, -1);
    heed_tensor *y = heed_scale(s->cx, heed_sum(s->cx, heed_mul(s->cx, x, x)), 0.5f, 0);
    const double loss = (double)heed_item(y);
    if (back) assert_int_equal(heed_backward(s->cx, y), 0);
    heed_ctx_reset(s->cx);
    return loss;
}

static void it_moves_along_the_gradient_and_back(void **state) {
    (void)state;
    for (int kind = HEED_ADVERSARY_FGM; kind <= HEED_ADVERSARY_FREELB; kind++) {
        small s = make(true);
        heed_error err;
        float before[ROWS * DIM], now[ROWS * DIM];
        memcpy(before, s.table->data, sizeof before);
        heed_adversary *a = heed__adversary_new(s.ps, (heed_adversary_kind)kind, 0.25, NULL, &err);
        assert_non_null(a);
        double loss = loss_of(&s, true);
        for (int k = 1; k < heed__adversary_rounds(a); k++) {
            assert_int_equal(heed__adversary_move(a), 0);
            const double next = loss_of(&s, true);
            assert_true(next > loss);
            loss = next;
        }
        memcpy(now, s.table->data, sizeof now);
        double moved = 0, along = 0, length = 0;
        for (int i = 0; i < ROWS * DIM; i++) {
            const double d = (double)now[i] - (double)before[i];
            moved += d * d;
            if (i / DIM == 0 || i / DIM == 3) assert_true(d >= 0 && d <= 0); /* not looked up */
            if (i / DIM != 0 && i / DIM != 3) {
                along += d * (double)before[i];
                length += (double)before[i] * (double)before[i];
            }
        }
        assert_true(fabs(sqrt(moved) - 0.25) < 1e-5);
        assert_true(fabs(along / sqrt(length) - 0.25) < 1e-5); /* straight up the gradient */
        heed__adversary_undo(a);
        assert_memory_equal(before, s.table->data, sizeof before);
        heed__adversary_free(a);
        end(&s);
    }
}

static void a_full_gradient_does_as_well(void **state) {
    (void)state;
    heed_error err;
    heed_adversary_kind kind;
    small s = make(false);
    assert_null(heed__adversary_new(s.ps, HEED_ADVERSARY_FGM, 1, NULL, &err)); /* no table */
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
    end(&s);
    assert_false(heed__adversary_find("pgd", &kind));
    assert_true(heed__adversary_find(NULL, &kind) && kind == HEED_ADVERSARY_NONE);
}

static heed_classifier *learn(const char *recipe, const char *adversary, const char *isa,
                              int threads) {
    static const char *const text[] = { "a fine film",    "fine and warm", "a warm story",
                                        "a dull film",    "dull and cold", "a cold story",
                                        "warm fine film", "cold dull film" };
    static const char *const label[] = {
        "good", "good", "good", "bad", "bad", "bad", "good", "bad"
    };
    const heed_examples data = { .len = 8, .text = text, .label = label };
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_train(&data,
                                               &(heed_classify_cfg){ .recipe = recipe,
                                                                     .embed = 8,
                                                                     .hidden = 8,
                                                                     .epochs = 60,
                                                                     .seed = 3,
                                                                     .adversary = adversary,
                                                                     .isa = isa,
                                                                     .threads = threads },
                                               &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static void training_depends_on_data_alone(void **state) {
    (void)state;
    static const char *const text[] = { "a fine story", "cold", "film" };
    for (int r = 0; r < 2; r++) {
        float p[3][6], plain[6];
        const char *recipe = r ? "classic" : "attend";
        for (int k = 0; k < 3; k++) {
            heed_classifier *c = learn(recipe, k < 2 ? "fgm" : "freelb", k == 1 ? "scalar" : NULL,
                                       1 + k % 2);
            assert_int_equal(heed_classify_many(c, 3, text, p[k], NULL), 0);
            heed_classifier_close(c);
        }
        heed_classifier *c = learn(recipe, NULL, NULL, 1);
        assert_int_equal(heed_classify_many(c, 3, text, plain, NULL), 0);
        heed_classifier_close(c);
        assert_memory_equal(p[0], p[1], sizeof p[0]);
        assert_true(memcmp(p[0], p[2], sizeof p[0]) != 0);
        assert_true(memcmp(p[0], plain, sizeof plain) != 0);
    }
    heed_error err;
    const heed_examples data = { .len = 2,
                                 .text = (const char *const[]){ "a", "b" },
                                 .label = (const char *const[]){ "a", "b" } };
    assert_null(heed_classifier_train(&data, &(heed_classify_cfg){ .adversary = "pgd" }, &err));
    assert_string_equal(err.msg, "train: no adversary 'pgd'; there are fgm, freelb");
}

static double loss_of_text(heed_classifier *c, const char *text, int32_t label) {
    float p[2];
    assert_int_equal(heed_classify_many(c, 1, &text, p, NULL), 0);
    return -log((double)p[label]);
}

/* The rise told is the slope of the loss as the word's vector shrinks. */
static void a_word_counts_by_its_gradient(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_classifier *c = learn("classic", NULL, NULL, 1);
    const char *text = "a fine story, zzz";
    float *weight;
    heed_piece *place;
    const int64_t n = heed__word_gradients(c, text, 1, &weight, &place, &err);
    assert_int_equal(n, 5);
    assert_int_equal(place[1].begin, 2);
    const heed_tensor *table = NULL;
    for (int64_t i = 0; i < heed_params_count(c->ps); i++)
        if (strstr(heed_params_at(c->ps, i)->name, "embed")) table = heed_params_at(c->ps, i);
    assert_non_null(table);
    const char *fine = "fine";
    heed_rows rows = { 0 };
    assert_int_equal(heed__body_encode(c->body, &(heed_texts){ .len = 1, .text = &fine },
                                       &(heed_rows_cfg){ .max_len = 0 }, &rows, &err),
                     0);
    float *row = HEED_F32_DATA(table) + rows.id[0] * table->shape[1];
    const double h = 1e-2, at = loss_of_text(c, text, 1);
    for (int64_t k = 0; k < table->shape[1]; k++) row[k] *= (float)(1 - h);
    const double slope = (loss_of_text(c, text, 1) - at) / h;
    assert_true(fabs(slope - (double)weight[1]) < 0.03 * (1 + fabs(slope)));
    heed__rows_free(&rows);
    heed__free(NULL, weight);
    heed__free(NULL, place);
    heed_classifier_close(c);
}

static void an_aimed_attack_hurts(void **state) {
    (void)state;
    static const char *const text[] = { "a fine film", "a cold film", "warm and fine story" };
    static const char *const label[] = { "good", "bad", "good" };
    const heed_examples x = { .len = 3, .text = text, .label = label };
    heed_classifier *c = learn("classic", NULL, NULL, 1);
    heed_outcome outcome[3];
    heed_error err;
    double accuracy;
    assert_int_equal(heed__classifier_judge(c, &x, outcome, NULL, &err), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(outcome[i].said, outcome[i].right);
    assert_int_equal(heed__attack(c, &x, outcome, HEED_ATTACK_GRADIENT, &accuracy, &err), 0);
    assert_true(accuracy < 0.99);
    heed_classifier_close(c);
}

/* Words too short for typing errors change places by chance, and the order of these is all. */
static void an_aimed_attack_is_no_weaker_than_chance(void **state) {
    (void)state;
    enum { TEXTS = 20 };
    const char *text[TEXTS], *label[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        text[i] = i % 2 ? "go no" : "no go";
        label[i] = i % 2 ? "good" : "bad";
    }
    const heed_examples x = { .len = TEXTS, .text = text, .label = label };
    const heed_classify_cfg cfg = { .recipe = "attend", .epochs = 30, .seed = 3 };
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_train(&x, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_outcome outcome[TEXTS];
    double chance, aimed;
    assert_int_equal(heed__classifier_judge(c, &x, outcome, NULL, &err), 0);
    assert_int_equal(heed__attack(c, &x, outcome, HEED_ATTACK_TYPO, &chance, &err), 0);
    assert_int_equal(heed__attack(c, &x, outcome, HEED_ATTACK_GRADIENT, &aimed, &err), 0);
    if (aimed > chance) fail_msg("%.3f against %.3f", aimed, chance);
    heed_classifier_close(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_moves_along_the_gradient_and_back),
        cmocka_unit_test(a_full_gradient_does_as_well),
        cmocka_unit_test(training_depends_on_data_alone),
        cmocka_unit_test(a_word_counts_by_its_gradient),
        cmocka_unit_test(an_aimed_attack_hurts),
        cmocka_unit_test(an_aimed_attack_is_no_weaker_than_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
