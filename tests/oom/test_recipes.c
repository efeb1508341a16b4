/* Memory runs out in trainings of every kind: several labels with data held out, scores of pairs,
 * an encoder that learns the language first, a model to start from, attend and its folder; and in
 * what they are asked. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/tasks.h"

enum { LEN = 24 };
static const char *text[LEN], *text2[LEN], *label[2 * LEN];
static int64_t start[LEN + 1];
static double score[LEN];
static char dir[] = "/tmp/heed-oom-recipes-XXXXXX";
static char model[64];

static const heed_classify_cfg small = { .recipe = "classic",
                                         .vocab = 12,
                                         .max_len = 4,
                                         .embed = 4,
                                         .hidden = 4,
                                         .heads = 2,
                                         .epochs = 1,
                                         .batch = 8,
                                         .threads = 1 };

static heed_examples several(void) {
    return (heed_examples){ .len = LEN, .text = text, .label = label, .label_start = start };
}

static int end(heed_classifier *c, int status) {
    heed_classifier_close(c);
    return status;
}

static int labels(heed_error *err) {
    heed_classify_cfg cfg = small;
    cfg.target = HEED_TARGET_LABELS;
    cfg.valid_part = 0.3;
    cfg.windows = true;
    cfg.optimizer = "sgd";
    const heed_examples data = several();
    heed_labels_metrics m;
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    return c ? end(c, heed_classifier_test_labels(c, &data, &m, err)) : err->code;
}

static int pairs(heed_error *err) {
    heed_classify_cfg cfg = small;
    cfg.target = HEED_TARGET_SCORE;
    cfg.valid_part = 0.3;
    const heed_examples data = { .len = LEN, .text = text, .text2 = text2, .score = score };
    heed_score_metrics m;
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    if (!c) return err->code;
    heed_explanation x = { .text2 = text[3] };
    int status = heed_classifier_test_score(c, &data, &m, err);
    if (status == 0) status = heed_classify_explain(c, text[0], &x, err);
    return end(c, status);
}

/* Features in steps beside the texts: trained, asked. */
static int features(heed_error *err) {
    static float numbers[LEN * 3 * 2];
    for (int i = 0; i < LEN * 6; i++) numbers[i] = (float)(i * 7 % 5);
    const heed_array array = { numbers, 3, 2, true };
    heed_classify_cfg cfg = small;
    cfg.valid_part = 0.3;
    const heed_examples data = { .len = LEN, .text = text, .label = label, .array = &array };
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    if (!c) return err->code;
    heed_explanation x[2] = { { .array = array }, { .array = array } };
    return end(c, heed_classify_explain_many(c, 2, text, x, err));
}

static int paths(heed_error *err) {
    heed_classify_cfg cfg = small;
    cfg.hierarchy = cfg.balanced = true;
    double accuracy[1];
    const heed_examples data = { .len = LEN, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    return c ? end(c, heed_classifier_test_levels(c, &data, accuracy, 1, err)) : err->code;
}

static int encoder(heed_error *err) {
    heed_classify_cfg cfg = small;
    const heed_examples more = { .len = LEN, .text = text2 };
    cfg.recipe = "encoder";
    cfg.layers = 1;
    cfg.pretrain = &more;
    cfg.pretrain_epochs = 1;
    const heed_examples data = { .len = LEN, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    if (!c) return err->code;
    heed_label top;
    heed_attended word[8];
    heed_explanation x = { .top = &top, .top_cap = 1, .word = word, .word_cap = 8 };
    return end(c, heed_classify_explain(c, text[5], &x, err));
}

static int attend(heed_error *err) {
    heed_classify_cfg cfg = small;
    cfg.recipe = "attend";
    cfg.vocab = 100;
    const heed_examples data = { .len = 6, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    if (!c) return err->code;
    int status = heed_classifier_save(c, model, err);
    heed_classifier_close(c);
    if (status) return status;
    c = heed_classifier_open(model, NULL, err);
    if (!c) return err->code;
    heed_label top;
    heed_attended word[8];
    heed_explanation x = { .top = &top, .top_cap = 1, .word = word, .word_cap = 8 };
    return end(c, heed_classify_explain(c, text[5], &x, err));
}

static int from(heed_error *err) {
    heed_classify_cfg cfg = small;
    cfg.from = model;
    cfg.freeze = true;
    const heed_examples data = { .len = LEN, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    return c ? end(c, 0) : err->code;
}

static void test_labels(void **state) {
    (void)state;
    oom_each(labels);
}

static void test_pairs(void **state) {
    (void)state;
    oom_each(pairs);
}

static void test_paths(void **state) {
    (void)state;
    oom_each(paths);
}

static void test_features(void **state) {
    (void)state;
    oom_spare_json(true);
    oom_each(features);
    oom_spare_json(false);
}

static void test_encoder(void **state) {
    (void)state;
    oom_each(encoder);
}

static void test_attend(void **state) {
    (void)state;
    oom_spare_json(true);
    oom_each(attend);
    oom_spare_json(false);
}

static void test_from(void **state) {
    (void)state;
    heed_error err;
    const heed_examples data = { .len = LEN, .text = text, .label = label };
    heed_classifier *c = heed_classifier_train(&data, &small, &err);
    if (!c || heed_classifier_save(c, model, &err)) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    oom_spare_json(true);
    oom_each(from);
    oom_spare_json(false);
}

static int set_up(void **state) {
    (void)state;
    static char words[LEN][48], others[LEN][48];
    static const char *const labels3[3] = { "food/fruit", "food/bread", "tea" };
    for (int i = 0; i < LEN; i++) {
        snprintf(words[i], sizeof words[i], "I would like %s number %d please", labels3[i % 3], i);
        snprintf(others[i], sizeof others[i], "some %s then", labels3[i % 2]);
        text[i] = words[i];
        text2[i] = others[i];
        label[2 * i] = labels3[i % 3];
        label[2 * i + 1] = labels3[(i + 1) % 3];
        start[i + 1] = 2 * i + 2;
        score[i] = i;
    }
    if (!mkdtemp(dir)) return -1;
    snprintf(model, sizeof model, "%s/model", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels), cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_paths),  cmocka_unit_test(test_encoder),
        cmocka_unit_test(test_from),   cmocka_unit_test(test_features),
        cmocka_unit_test(test_attend),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
