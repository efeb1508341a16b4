/* What the evidence counts beside the head: measured on texts that neither has learnt from, where
 * there are many, also where none are held out; and what is measured makes them likelier. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/classifier_data.h"

enum { TEXTS = 10000, WORDS = 6 };

static char text[TEXTS][WORDS * 6 + 1];
static const char *texts[TEXTS], *labels[TEXTS];

/* Words drawn of 400, each a little more of one label than of the other; a fifth of the labels are
 * wrong. */
static void make(int n) {
    heed_rng rng = { .seed = 5 };
    for (int i = 0; i < n; i++) {
        double sum = 0;
        int at = 0;
        for (int w = 0; w < WORDS; w++) {
            const int word = (int)(heed_rng_uniform(&rng) * 400);
            sum += word % 40 - 19.5;
            at += snprintf(text[i] + at, sizeof text[i] - (size_t)at, "w%d ", word);
        }
        const bool wrong = heed_rng_uniform(&rng) < 0.2f;
        texts[i] = text[i];
        labels[i] = (sum > 0) != wrong ? "more" : "less";
    }
}

static heed_classifier *train(int n, double valid_part) {
    heed_error err = { 0 };
    make(n);
    const heed_classify_cfg cfg = { .recipe = "attend",
                                    .embed = 4,
                                    .heads = 1,
                                    .epochs = 1,
                                    .batch = 256,
                                    .valid_part = valid_part,
                                    .seed = 1,
                                    .threads = 1 };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = n, .text = texts, .label = labels }, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static float gain_of(const heed_classifier *c) {
    const float *gain = c->body->kind->gain(c->body);
    assert_non_null(gain);
    return *gain;
}

static void measured_where_there_are_many(void **state) {
    (void)state;
    heed_classifier *few = train(1000, 0.1), *held = train(TEXTS, 0.1), *all = train(TEXTS, 0);
    assert_true(fabs((double)gain_of(few) - 4 * HEED_CALIBRATION_USUAL / 6) < 1e-5); /* by rule */
    assert_true(gain_of(held) != 4 && gain_of(held) > 0);
    assert_true(gain_of(all) != 4 && gain_of(all) > 0);
    assert_true(held->calibration.len > 0 && all->calibration.len == 0);
    /* head and evidence are scaled together: little is left for a temperature, */
    assert_true(fabs(held->calibration.temperature - 1) < 0.2); /* but what is usual draws it */
    heed_classifier_close(few);
    heed_classifier_close(held);
    heed_classifier_close(all);
}

/* Answers of the part as its labels' mean loss. */
static double loss_of(heed_classifier *c, heed_part *p) {
    heed_score s;
    assert_int_equal(heed__part_score(c, p, &s, NULL), 0);
    return s.loss;
}

static void what_is_measured_is_likelier(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_classifier *c = train(1000, 0);
    heed_part held = { 0 }, none = { 0 };
    make(3000);
    const heed_examples x = { .len = 2000, .text = texts + 1000, .label = labels + 1000 };
    assert_int_equal(heed__data_split(c, &x, &(heed_classify_cfg){ .seed = 1 }, &held, &none, &err),
                     0);
    assert_int_equal(heed__part_encode(c, &held, &err), 0);
    const double before = loss_of(c, &held);
    assert_int_equal(heed__part_weigh(c, &held, &err), 0);
    const double after = loss_of(c, &held);
    assert_true(after < before);
    assert_int_equal(heed__part_weigh(c, &held, &err), 0); /* all that there is to have */
    assert_true(fabs(loss_of(c, &held) - after) < 0.01);
    heed__part_free(&held, &c->hooks);
    heed_classifier_close(c);
}

/* A few texts are learnt by heart; of others that is no reason to be sure, whether or not some were
 * held out. */
static void few_texts_make_nobody_sure(void **state) {
    (void)state;
    static const double part[] = { 0, 0.1 };
    heed_error err = { 0 };
    for (int i = 0; i < 2; i++) {
        make(60);
        const heed_classify_cfg cfg = {
            .recipe = "attend", .batch = 8, .valid_part = part[i], .seed = 1, .threads = 1
        };
        heed_classifier *c = heed_classifier_train(
            &(heed_examples){ .len = 60, .text = texts, .label = labels }, &cfg, &err);
        if (!c) fail_msg("%s", err.msg);
        make(1060);
        float *all = calloc(1000, 2 * sizeof *all);
        assert_non_null(all);
        assert_int_equal(heed_classify_many(c, 1000, texts + 60, all, &err), 0);
        double loss = 0;
        for (int k = 0; k < 1000; k++)
            loss -= log((double)all[2 * k + (strcmp(c->label[1], labels[60 + k]) == 0)]) / 1000;
        free(all);
        assert_true(loss < 0.75); /* ln 2 = 0.69 says nothing */
        heed_classifier_close(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(measured_where_there_are_many),
                                        cmocka_unit_test(what_is_measured_is_likelier),
                                        cmocka_unit_test(few_texts_make_nobody_sure) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
