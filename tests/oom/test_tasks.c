/* Memory runs out while a classifier is trained, saved, opened and asked. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/tasks.h"

enum { LEN = 20 };
static const char *text[LEN], *label[LEN];
static const char *const unknown[] = { "tea", "rice", "soup" };
static char dir[] = "/tmp/heed-oom-tasks-XXXXXX";

static const heed_classify_cfg cfg = { .recipe = "classic",
                                       .vocab = 12,
                                       .max_len = 5,
                                       .embed = 4,
                                       .hidden = 4,
                                       .heads = 2,
                                       .dense = 3,
                                       .epochs = 1,
                                       .batch = 8,
                                       .threads = 1 };

/* Held-out texts and tests are gone through before the first step too. */
static int train(heed_error *err) {
    const heed_examples x = { .len = LEN, .text = text, .label = label };
    const heed_examples tests = { .len = 3, .text = text, .label = unknown };
    heed_classify_cfg own = cfg;
    own.valid_part = 0.3;
    own.tests = &tests;
    heed_classifier *c = heed_classifier_train(&x, &own, err);
    if (!c) return err->code;
    heed_classifier_close(c);
    return 0;
}

static heed_classifier *trained;

static int save(heed_error *err) {
    return heed_classifier_save(trained, dir, err);
}

static int answer(heed_error *err) {
    heed_classifier *c = heed_classifier_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!c) return err->code;
    heed_label top[2];
    heed_metrics m;
    float probs[LEN * 3];
    const int n = heed_classify(c, text[7], top, 2, err);
    int status = n < 0 ? n : 0;
    if (status == 0) status = heed_classify_many(c, LEN, text, probs, err);
    if (status == 0)
        status = heed_classifier_test(
            c, &(heed_examples){ .len = LEN, .text = text, .label = label }, &m, err);
    heed_classifier_close(c);
    return status;
}

static void test_train(void **state) {
    (void)state;
    oom_each(train);
}

static void test_save(void **state) {
    (void)state;
    heed_error err;
    trained = heed_classifier_train(&(heed_examples){ .len = LEN, .text = text, .label = label },
                                    &cfg, &err);
    assert_non_null(trained);
    oom_spare_json(true);
    oom_each(save);
    heed_classifier_close(trained);
}

static void test_open_and_answer(void **state) {
    (void)state;
    oom_each(answer);
}

static int set_up(void **state) {
    (void)state;
    static char words[LEN][48];
    static const char *const labels[3] = { "fruit", "bread", "tea" };
    for (int i = 0; i < LEN; i++) {
        snprintf(words[i], sizeof words[i], "I would like %s number %d please", labels[i % 3], i);
        text[i] = words[i];
        label[i] = labels[i % 3];
    }
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_train), cmocka_unit_test(test_save),
                                        cmocka_unit_test(test_open_and_answer) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
