/* A search for settings: the trials that the seed fixes, the best of them kept, time that only cuts
 * the tail, and what is refused. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tasks/augment.h"
#include "tasks/choose.h"
#include "tasks/curve.h"
#include "tasks/search.h"
#include "tasks/self_train.h"

enum { N = 90, TRIALS = 14 }; /* the given settings, then 9 + 3 + 1 */

static char words[N][32];
static const char *text[N], *label[N];
static const heed_examples data = { .len = N, .text = text, .label = label };

static int make_data(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "%s %d", i % 3 ? "warm sun" : "cold rain", i % 7);
        text[i] = words[i];
        label[i] = i % 3 ? "good" : "bad";
    }
    return 0;
}

typedef struct seen {
    int len, best;
    heed_trial trial[TRIALS + 1];
} seen;

static void keep(void *arg, const heed_trial *t) {
    seen *s = arg;
    assert_true(s->len < TRIALS + 1);
    if (t->best) s->best = s->len;
    s->trial[s->len++] = *t;
}

static seen search(uint64_t seed, double seconds) {
    seen s = { .len = 0 };
    const heed_classify_cfg base = { .threads = 1, .epochs = 1, .seed = seed };
    const heed_search_cfg cfg = { .seconds = seconds, .rounds = 1, .tell = keep, .arg = &s };
    heed_error err = { 0 };
    heed_classifier *c = heed__classifier_search(&data, &base, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_label top;
    assert_int_equal(heed_classify(c, "warm sun 3", &top, 1, NULL), 1);
    heed_classifier_close(c);
    return s;
}

static void test_trials(void **state) {
    (void)state;
    const seen a = search(3, 1e9), b = search(3, 1e9), other = search(4, 1e9);
    assert_int_equal(a.len, TRIALS);
    assert_int_equal(a.trial[0].settings, 0);
    const int64_t all = a.trial[0].texts;
    for (int i = 0; i < TRIALS; i++) {
        const heed_trial *t = &a.trial[i], *u = &b.trial[i];
        assert_int_equal(t->number, i + 1);
        assert_int_equal(t->texts, i == 0 || i == 13 ? all : i < 10 ? 20 : all / 3);
        assert_string_equal(t->recipe, u->recipe);
        assert_int_equal(t->settings, u->settings);
        assert_memory_equal(&t->lr, &u->lr, sizeof t->lr);
        assert_memory_equal(&t->accuracy, &u->accuracy, sizeof t->accuracy);
        assert_memory_equal(&t->loss, &u->loss, sizeof t->loss);
        if (i > 9) assert_true(t->settings >= 1 && t->settings <= 9);
        if (t->texts == all) assert_true(t->accuracy <= a.trial[a.best].accuracy);
    }
    assert_true(a.trial[a.best].best && a.trial[a.best].texts == all);
    assert_memory_not_equal(&a.trial[1].lr, &other.trial[1].lr, sizeof(double));
}

/* No time at all: what was given is trained with, and nothing else. */
static void test_time(void **state) {
    (void)state;
    const seen s = search(3, 0);
    assert_int_equal(s.len, 1);
    assert_int_equal(s.best, 0);
}

static void refused(heed_classify_cfg cfg, const char *want) {
    heed_error err = { 0 };
    assert_null(heed__classifier_search(&data, &cfg, &(heed_search_cfg){ .seconds = 0 }, &err));
    assert_string_equal(err.msg, want);
}

static bool stop(void *user) {
    (void)user;
    return true;
}

static void test_refused(void **state) {
    (void)state;
    refused((heed_classify_cfg){ .target = HEED_TARGET_SCORE },
            "search: only with one label a text");
    refused((heed_classify_cfg){ .recipe = "none" }, "search: there is no recipe 'none'");
    refused((heed_classify_cfg){ .from = "m" }, "search: does not go with from and pretrain");
    const heed_hooks hooks = { .cancel = stop };
    heed_error err = { 0 };
    assert_null(heed__classifier_search(&data,
                                        &(heed_classify_cfg){ .threads = 1, .hooks = &hooks },
                                        &(heed_search_cfg){ .seconds = 1e9 }, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
}

static int told;

static void count(const heed_curve *k) {
    told++;
    assert_int_equal(k->len, told);
}

/* Parts of one another, at least 20 texts each, and a law through made-up points. */
static void test_curve(void **state) {
    (void)state;
    heed_curve k;
    heed_error err = { 0 };
    heed_classifier *c = heed__classifier_curve(
        &data, &(heed_classify_cfg){ .threads = 1, .epochs = 1 }, &k, count, &err);
    assert_non_null(c);
    assert_int_equal(k.len, told);
    assert_int_equal(k.len, 3);
    assert_int_equal(k.texts[2], 81);
    assert_int_equal(k.texts[1], 40);
    assert_int_equal(k.texts[0], 20);
    heed_classifier_close(c);
    /* parts that have one label alone are left out */
    const char *rare[N];
    for (int i = 0; i < N; i++) rare[i] = i % 30 ? "good" : "bad";
    const heed_examples few = { .len = N, .text = text, .label = rare };
    told = 0;
    c = heed__classifier_curve(&few, &(heed_classify_cfg){ .threads = 1, .epochs = 1 }, &k, count,
                               &err);
    if (!c) fail_msg("%s", err.msg);
    assert_true(k.len >= 1 && k.texts[k.len - 1] >= 80);
    heed_classifier_close(c);
    k = (heed_curve){ .len = 1, .scale = 2, .power = 0.5 };
    assert_true(fabs(heed__curve_expect(&k, 100) - 0.8) < 1e-12);
    k.power = 0;
    assert_true(isnan(heed__curve_expect(&k, 100)));
}

static heed_self_round last;
static int self_rounds;

static void tell_round(const heed_self_round *r) {
    assert_int_equal(r->round, self_rounds++);
    assert_true(r->taken >= last.taken);
    last = *r;
}

static bool stop_now(void *user) {
    return ++*(int *)user > 3;
}

/* Stopped in its first round, it gives what it has, or nothing, and loses nothing else. */
static void stop_self_training(const heed_texts *x) {
    heed_error err = { 0 };
    int asked = 0;
    const heed_hooks hooks = { .user = &asked, .cancel = stop_now };
    heed_classify_cfg cfg = { .recipe = "classic", .threads = 1, .epochs = 15, .hooks = &hooks };
    cfg.keep_stopped = true;
    heed_classifier *c = heed__classifier_self_train(&data, x, &cfg, NULL, &err);
    assert_non_null(c);
    assert_int_equal(err.code, HEED_ECANCELLED);
    heed_classifier_close(c);
    asked = 0;
    cfg.keep_stopped = false;
    assert_null(heed__classifier_self_train(&data, x, &cfg, NULL, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
}

/* Words that no labelled text has are learnt from texts without labels, where known ones stand
 * beside them; each label gets its share. */
static void test_self_training(void **state) {
    (void)state;
    enum { POOL = 80 };
    static char more[POOL][48];
    const char *pool[POOL];
    for (int i = 0; i < POOL; i++) {
        snprintf(more[i], sizeof more[i], "%s %d", i % 2 ? "warm sun picnic" : "cold rain umbrella",
                 i);
        pool[i] = more[i];
    }
    const heed_texts x = { .len = POOL, .text = pool };
    const heed_classify_cfg cfg = { .threads = 1, .epochs = 15, .seed = 5 };
    heed_error err = { 0 };
    heed_label top;
    heed_classifier *c = heed__classifier_self_train(&data, &x, &cfg, tell_round, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(self_rounds, 2);
    assert_true(last.taken > POOL / 5 && last.taken <= POOL / 3 && last.pool == POOL);
    assert_int_equal(heed_classify(c, "umbrella umbrella", &top, 1, NULL), 1);
    assert_string_equal(top.name, "bad");
    heed_classifier_close(c);
    stop_self_training(&x);
    const heed_classify_cfg score = { .target = HEED_TARGET_SCORE };
    assert_null(heed__classifier_self_train(&data, &x, &score, NULL, &err));
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
}

/* Changed copies are learnt from; nothing else is another: the labels, what is held out. */
static void test_augmented(void **state) {
    (void)state;
    heed_error err = { 0 };
    const heed_classify_cfg cfg = { .threads = 1, .epochs = 2, .seed = 5, .valid_part = 0.2 };
    heed_classifier *plain = heed_classifier_train(&data, &cfg, &err);
    heed_classifier *c = heed__classifier_augmented(&data, &cfg, 3, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classifier_labels(c), 2);
    assert_int_equal(heed_classifier_calibrated(c), heed_classifier_calibrated(plain));
    assert_true(heed_classifier_parameters(c) >= heed_classifier_parameters(plain));
    heed_classifier_close(c);
    heed_classifier_close(plain);
    const heed_classify_cfg score = { .target = HEED_TARGET_SCORE };
    assert_null(heed__classifier_augmented(&data, &score, 1, &err));
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
}

/* What to label next: never more than there are, never one text twice, the same ones each time. */
static void test_choose(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_train(
        &data, &(heed_classify_cfg){ .threads = 1, .epochs = 2 }, &err);
    assert_non_null(c);
    const char *pool[] = { "warm sun 1", "warm rain", "cold rain 2", "warm rain", "sun rain" };
    const heed_texts x = { .len = 5, .text = pool };
    heed_choice a[5], b[5];
    const int64_t n = heed__choose(c, &x, 5, a, &err);
    assert_true(n >= 1 && n <= 4);
    assert_int_equal(heed__choose(c, &x, 5, b, &err), n);
    int rain = 0;
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(a[i].item, b[i].item);
        assert_true(a[i].p_first >= a[i].p_second && a[i].first != a[i].second);
        rain += strcmp(pool[a[i].item], "warm rain") == 0;
    }
    assert_true(rain <= 1);
    heed_classifier_close(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trials),    cmocka_unit_test(test_time),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_choose),
        cmocka_unit_test(test_curve),     cmocka_unit_test(test_self_training),
        cmocka_unit_test(test_augmented),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
