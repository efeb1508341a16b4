/* The classifier's calls with what should not be given to them, and at the edge of what may be. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/tasks.h"

static const char *const text[] = { "red apple", "green pear", "blue plum", "" };
static const char *const label[] = { "a", "b", "a", "b" };

static void expect(int code, const heed_examples *data, const heed_classify_cfg *cfg,
                   const char *want) {
    heed_error err = { 0 };
    assert_null(heed_classifier_train(data, cfg, &err));
    assert_int_equal(err.code, code);
    assert_string_equal(err.msg, want);
    assert_null(heed_classifier_train(data, cfg, NULL));
}

static void expect_refused(const heed_examples *data, const heed_classify_cfg *cfg,
                           const char *want) {
    expect(HEED_EINVALID, data, cfg, want);
}

static void test_bad_examples(void **state) {
    (void)state;
    const heed_classify_cfg cfg = { .recipe = "classic", .threads = 1, .epochs = 1 };
    const char *const hole[] = { "a", NULL, "b" }, *const bytes[] = { "a", "b", "\xff" };
    const char *const alike[] = { "a", "a", "a" };
    expect_refused(&(heed_examples){ .len = 0, .text = text, .label = label }, &cfg,
                   "train: there are no texts");
    expect_refused(&(heed_examples){ .len = 3, .text = text, .label = NULL }, &cfg,
                   "train: texts and labels are both needed");
    expect_refused(&(heed_examples){ .len = 3, .text = NULL, .label = label }, &cfg,
                   "train: texts and labels are both needed");
    expect_refused(&(heed_examples){ .len = 3, .text = text, .label = hole }, &cfg,
                   "train: text 1 or its label is NULL");
    expect_refused(&(heed_examples){ .len = 3, .text = hole, .label = label }, &cfg,
                   "train: text 1 or its label is NULL");
    expect_refused(&(heed_examples){ .len = 3, .text = text, .label = bytes }, &cfg,
                   "train: label 2 is not UTF-8, or holds a control character");
    expect(HEED_EFORMAT, &(heed_examples){ .len = 3, .text = text, .label = alike }, &cfg,
           "train: all texts have the label 'a'; a second one is needed");
}

static void test_bad_settings(void **state) {
    (void)state;
    const heed_examples data = { .len = 4, .text = text, .label = label };
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .vocab = 2 },
                   "train: vocab is 2, not 3 to 9223372036854775807");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .max_len = -1 },
                   "train: max_len is -1, not 1 to 1048576");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .batch = -1 },
                   "train: batch is -1, not 1 to 9223372036854775807");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .epochs = -1 },
                   "train: epochs is -1, not 1 to 1073741824");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .lr = -1 },
                   "train: lr is -1, not 1e-30 to 1e+30");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .lr = (double)NAN },
                   "train: lr is nan, not 1e-30 to 1e+30");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .lr = 1e-50 },
                   "train: lr is 1e-50, not 1e-30 to 1e+30");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .clip = (double)NAN },
                   "train: clip is nan, not -1e+30 to 1e+30");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .weight_decay = -1 },
                   "train: weight_decay is -1, not 0 to 1e+30");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .ema = 1 },
                   "train: ema is 1, not 0 to below 0.99999997");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .label_smoothing = 1 },
                   "train: label_smoothing is 1, not 0 to below 1");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .valid_part = 1 },
                   "train: valid_part is 1, not 0 to below 1");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .warmup = 1 },
                   "train: warmup is 1, not 0 to below 1");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .dropout = 1 },
                   "train: dropout is 1, not below 1");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .dropout = (double)NAN },
                   "train: dropout is nan, not below 1");
    heed_error err = { 0 };
    assert_null(heed_classifier_train(
        &data, &(heed_classify_cfg){ .recipe = "classic", .hidden = 10, .heads = 3 }, &err));
    assert_true(err.code < 0 && strstr(err.msg, "heads"));
    assert_null(heed_classifier_train(
        &data, &(heed_classify_cfg){ .recipe = "classic", .embed = -5 }, &err));
    assert_true(err.code < 0 && strlen(err.msg));
    assert_null(heed_classifier_train(
        &data, &(heed_classify_cfg){ .recipe = "classic", .embed = INT64_MAX / 4, .threads = 1 },
        &err));
    assert_true(err.code < 0 && strlen(err.msg));
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .max_len = INT64_MAX },
                   "train: max_len is 9223372036854775807, not 1 to 1048576");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "classic", .epochs = INT64_MAX },
                   "train: epochs is 9223372036854775807, not 1 to 1073741824");
    expect_refused(&data, &(heed_classify_cfg){ .recipe = "encoder", .layers = 100000 },
                   "train: layers is 100000, not 0 to 100");
    heed_classifier *c = heed_classifier_train(
        &data,
        &(heed_classify_cfg){
            .recipe = "classic", .batch = INT64_MAX, .vocab = INT64_MAX, .epochs = 1 },
        &err);
    if (!c) fail_msg("%s", err.msg);
    heed_classifier_close(c);
}

/* The likeliest n of many labels are those of all probabilities in their order, whatever n. */
static void test_many_labels(void **state) {
    (void)state;
    enum { K = 60 };
    static char name[K][8], words[K][16];
    static const char *many[K], *names[K];
    float p[K];
    heed_label top[K + 1];
    heed_error err = { 0 };
    for (int k = 0; k < K; k++) {
        snprintf(name[k], sizeof name[k], "l%d", k);
        snprintf(words[k], sizeof words[k], "word%d here", k % 50);
        names[k] = name[k];
        many[k] = words[k];
    }
    const heed_classify_cfg cfg = { .recipe = "classic", .epochs = 1, .embed = 8, .hidden = 8 };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = K, .text = many, .label = names }, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    const char *const text7 = "word7 here";
    assert_int_equal(heed_classify_many(c, 1, &text7, p, &err), 0);
    for (int n = 1; n <= K + 1; n++) {
        const int got = heed_classify(c, text7, top, n, &err);
        assert_int_equal(got, n < K ? n : K);
        for (int i = 0; i < got; i++) {
            int better = 0, mine = 0;
            while (strcmp(heed_classifier_label(c, mine), top[i].name) != 0) mine++;
            assert_true(p[mine] >= top[i].score && p[mine] <= top[i].score);
            for (int k = 0; k < K; k++) better += p[k] > p[mine] || (p[k] >= p[mine] && k < mine);
            assert_int_equal(better, i);
        }
    }
    heed_classifier_close(c);
}

/* Any seed goes into the folder and comes back; a text without words is answered like any other. */
static void test_any_seed(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-classifier-XXXXXX", command[64];
    heed_error err = { 0 };
    assert_non_null(mkdtemp(dir));
    const heed_classify_cfg cfg = { .recipe = "classic",
                                    .embed = 4,
                                    .hidden = 4,
                                    .heads = 1,
                                    .epochs = 1,
                                    .seed = UINT64_MAX,
                                    .threads = 1 };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = 4, .text = text, .label = label }, &cfg, &err);
    if (!c || heed_classifier_save(c, dir, &err)) fail_msg("%s", err.msg);
    heed_classifier *d = heed_classifier_open(dir, NULL, &err);
    if (!d) fail_msg("%s", err.msg);
    assert_int_equal(heed_classifier_labels(d), 2);
    assert_string_equal(heed_classifier_label(d, 1), "b");
    assert_null(heed_classifier_label(d, 2));
    assert_null(heed_classifier_label(d, -1));
    heed_label one[9], two[9];
    assert_int_equal(heed_classify(c, "", one, 9, &err), 2);
    assert_int_equal(heed_classify(d, "", two, 9, &err), 2);
    assert_string_equal(one[0].name, two[0].name);
    assert_true(one[0].score == two[0].score && one[0].score >= one[1].score);
    assert_int_equal(heed_classify(d, "\xff\xfe \xc3", two, 0, &err), 0);
    assert_int_equal(heed_classify(d, "x", two, -3, &err), HEED_EINVALID);
    heed_classifier_close(c);
    heed_classifier_close(d);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static bool has_had_enough(void *user) {
    const bool *enough = user;
    return *enough;
}

/* Texts are answered piece by piece: what stops them tells no number of one of the pieces. */
static void test_stopped(void **state) {
    (void)state;
    enum { LEN = 3, SIZE = 300000 };
    heed_error err = { 0 };
    bool enough = false;
    const heed_hooks hooks = { .user = &enough, .cancel = has_had_enough };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = 4, .text = text, .label = label },
        &(heed_classify_cfg){ .recipe = "classic", .epochs = 1, .hooks = &hooks }, &err);
    if (!c) fail_msg("%s", err.msg);
    static char long_text[SIZE];
    for (int i = 0; i < SIZE - 1; i++) long_text[i] = i % 3 ? 'a' : ' ';
    const char *const many[LEN] = { long_text, "blue", long_text };
    float all[LEN * 2], one[2];
    assert_int_equal(heed_classify_many(c, LEN, many, all, &err), 0);
    for (int i = 0; i < LEN; i++) {
        assert_int_equal(heed_classify_many(c, 1, &many[i], one, &err), 0);
        assert_memory_equal(one, all + (ptrdiff_t)2 * i, sizeof one);
    }
    enough = true;
    assert_int_equal(heed_classify_many(c, LEN, many, all, &err), HEED_ECANCELLED);
    assert_string_equal(err.msg, "classifier: stopped");
    heed_classifier_close(c);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bad_examples),
                                        cmocka_unit_test(test_stopped),
                                        cmocka_unit_test(test_bad_settings),
                                        cmocka_unit_test(test_many_labels),
                                        cmocka_unit_test(test_any_seed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
