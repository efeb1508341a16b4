/* Memory runs out while an embedder is trained, saved, opened, asked and tested. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/embed.h"

enum { LEN = 8 };
static char words[LEN][2][32];
static const char *text[LEN], *text2[LEN], *label[LEN];
static char dir[] = "/tmp/heed-oom-embedder-XXXXXX";

static heed_embedder_cfg cfg = { .recipe = "classic",
                                 .vocab = 12,
                                 .max_len = 4,
                                 .embed = 4,
                                 .hidden = 4,
                                 .heads = 2,
                                 .buckets = 32,
                                 .epochs = 1,
                                 .batch = 4,
                                 .valid_part = 0.3,
                                 .threads = 1 };

static int train(heed_error *err) {
    const heed_examples x = { .len = LEN, .text = text, .text2 = text2 };
    const heed_examples tests = { .len = LEN, .text = text, .text2 = text2, .label = label };
    heed_embedder_cfg own = cfg;
    own.tests = &tests;
    heed_embedder *e = heed_embedder_train(&x, &own, err);
    if (!e) return err->code;
    heed_embedder_close(e);
    return 0;
}

static heed_embedder *trained;

static int save(heed_error *err) {
    return heed_embedder_save(trained, dir, err);
}

static int ask(heed_error *err) {
    heed_embedder *e = heed_embedder_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!e) return err->code;
    float v[LEN * 4];
    heed_retrieval r;
    const heed_examples x = { .len = LEN, .text = text, .text2 = text2, .label = label };
    int rc = heed_embedder_apply(e, LEN, text, v, err);
    if (rc == 0) rc = heed_embedder_test(e, &x, &r, err);
    heed_embedder_close(e);
    return rc;
}

static void test_recipe(const char *recipe) {
    strcpy(dir, "/tmp/heed-oom-embedder-XXXXXX");
    cfg.recipe = recipe;
    heed_error err;
    oom_spare_json(false);
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < LEN; i++) {
        snprintf(words[i][0], 32, "question %d about it", i / 2);
        snprintf(words[i][1], 32, "answer %d", i);
        text[i] = words[i][0];
        text2[i] = words[i][1];
        label[i] = i % 2 ? "0" : "1";
    }
    oom_each(train);
    const heed_examples x = { .len = LEN, .text = text, .text2 = text2 };
    trained = heed_embedder_train(&x, &cfg, &err);
    assert_non_null(trained);
    oom_spare_json(true);
    oom_each(save);
    heed_embedder_close(trained);
    oom_each(ask);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void test_classic(void **state) {
    (void)state;
    test_recipe("classic");
}

static void test_match(void **state) {
    (void)state;
    test_recipe("match");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_classic),
                                        cmocka_unit_test(test_match) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
