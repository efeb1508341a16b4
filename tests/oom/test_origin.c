/* Memory runs out while a model starts from one of another task. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "heed/embed.h"

enum { LEN = 6 };
static const char *const text[LEN] = { "warm sun",   "cold rain", "warm day",
                                       "cold night", "sun rain",  "day night" };
static const char *const label[LEN] = { "a", "b", "a", "b", "a", "b" };
static const char *const word[] = { "warm", "sun", "in", "Basel" };
static const char *const tag[] = { "O", "O", "O", "B-P" };
static const int64_t start[] = { 0, 2, 4 };
static char dir[] = "/tmp/heed-oom-origin-XXXXXX";

static heed_tagger *tagger(const char *from, heed_error *err) {
    const heed_tagged x = { .len = 2, .start = start, .word = word, .tag = tag };
    const heed_tag_cfg cfg = { .from = from,
                               .valid_part = -1,
                               .embed = 4,
                               .features = 2,
                               .field = 2,
                               .buckets = 8,
                               .hidden = 4,
                               .epochs = 1,
                               .threads = 1 };
    return heed_tagger_train(&x, &cfg, err);
}

static int classify(heed_error *err) {
    const heed_examples x = { .len = LEN, .text = text, .label = label };
    const heed_classify_cfg cfg = { .from = dir, .epochs = 1, .threads = 1, .heads = 2 };
    heed_classifier *c = heed_classifier_train(&x, &cfg, err);
    if (!c) return err->code;
    heed_classifier_close(c);
    return 0;
}

static int pairs(heed_error *err) {
    const heed_examples x = { .len = LEN, .text = text, .text2 = text };
    const heed_embedder_cfg cfg = {
        .from = dir, .epochs = 1, .threads = 1, .heads = 2, .batch = 3
    };
    heed_embedder *e = heed_embedder_train(&x, &cfg, err);
    if (!e) return err->code;
    heed_embedder_close(e);
    return 0;
}

static int tags(heed_error *err) {
    heed_tagger *t = tagger(dir, err);
    if (!t) return err->code;
    heed_tagger_close(t);
    return 0;
}

static void test_origin(void **state) {
    (void)state;
    char command[96];
    heed_error err = { 0 };
    oom_spare_json(true);
    assert_non_null(mkdtemp(dir));
    heed_tagger *t = tagger(NULL, &err);
    if (!t) fail_msg("%s", err.msg);
    assert_int_equal(heed_tagger_save(t, dir, &err), 0);
    heed_tagger_close(t);
    assert_true(oom_each(classify) > 50);
    assert_true(oom_each(pairs) > 50);
    snprintf(command, sizeof command, "rm -r %s/*", dir);
    assert_int_equal(system(command), 0);
    const heed_examples x = { .len = LEN, .text = text, .label = label };
    const heed_classify_cfg cfg = { .embed = 4, .epochs = 1, .threads = 1 };
    heed_classifier *c = heed_classifier_train(&x, &cfg, &err);
    assert_non_null(c);
    assert_int_equal(heed_classifier_save(c, dir, &err), 0);
    heed_classifier_close(c);
    assert_true(oom_each(tags) > 50);
    assert_true(oom_each(pairs) > 50);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_origin) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
