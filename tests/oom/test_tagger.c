/* Memory runs out while a tagger is trained, saved, opened and asked. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tagged.h"

static tagged data;
static char dir[] = "/tmp/heed-oom-tagger-XXXXXX";
static heed_tagger *trained;

static heed_tag_cfg small(void) {
    heed_tag_cfg cfg = tagged_cfg();
    cfg.epochs = 1;
    cfg.embed = cfg.features = cfg.hidden = 2;
    cfg.field = 1;
    cfg.buckets = 8;
    return cfg;
}

static int train(heed_error *err) {
    const heed_tag_cfg cfg = small();
    heed_tagger *t = heed_tagger_train(&data.data, &cfg, err);
    if (!t) return err->code;
    heed_tagger_close(t);
    return 0;
}

static int learn_on(heed_error *err) {
    heed_tag_cfg cfg = small();
    cfg.from = dir;
    heed_tagger *t = heed_tagger_train(&data.data, &cfg, err);
    if (!t) return err->code;
    heed_tagger_close(t);
    return 0;
}

static int save(heed_error *err) {
    return heed_tagger_save(trained, dir, err);
}

static int answer(heed_error *err) {
    heed_tagger *t = heed_tagger_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!t) return err->code;
    heed_entity e[4];
    heed_tag_metrics m = { 0 };
    const int64_t n = heed_tagger_find(t, "Anna Ahlmann lives in U.S.", e, 4, err);
    int status = n < 0 ? (int)n : 0;
    if (status == 0) status = heed_tagger_test(t, &data.data, &m, err);
    heed_tagger_close(t);
    return status;
}

static void test_train(void **state) {
    (void)state;
    oom_each(train);
}

static void test_save(void **state) {
    (void)state;
    heed_error err;
    const heed_tag_cfg cfg = small();
    trained = heed_tagger_train(&data.data, &cfg, &err);
    assert_non_null(trained);
    oom_spare_json(true);
    oom_each(save);
    heed_tagger_close(trained);
}

static void test_open_and_answer(void **state) {
    (void)state;
    oom_each(answer);
}

static void test_learn_on(void **state) {
    (void)state;
    oom_each(learn_on);
}

static int set_up(void **state) {
    (void)state;
    tagged_make(&data, 0, 12);
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
                                        cmocka_unit_test(test_open_and_answer),
                                        cmocka_unit_test(test_learn_on) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
