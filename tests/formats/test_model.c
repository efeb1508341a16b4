/* test_model.c: model folders of every format_version that there ever was open, and answer as they
 * did when they were written (tests/formats/make/model.sh made them). One of the present version,
 * saved again, is the very same bytes: whoever changes the format must give it a new number. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"

#define MODELS HEED_SOURCE_DIR "/tests/formats/models"

static heed_classifier *open_version(int version) {
    char path[512];
    heed_error err;
    snprintf(path, sizeof path, MODELS "/v%d", version);
    heed_classifier *c = heed_classifier_open(path, &(heed_open_cfg){ .threads = 1 }, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static void expect_answers(heed_classifier *c, int version) {
    char path[512], line[512];
    snprintf(path, sizeof path, MODELS "/v%d.tsv", version);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    int lines = 0;
    for (; fgets(line, sizeof line, in); lines++) {
        heed_error err;
        heed_label top;
        char *label = strchr(line, '\t'), *score = strrchr(line, '\t');
        assert_non_null(label);
        *label++ = *score++ = 0;
        assert_int_equal(heed_classify(c, line, &top, 1, &err), 1);
        assert_string_equal(top.name, label);
        const double want = strtod(score, NULL);
        if (!(fabs((double)top.score - want) <= 1e-5))
            fail_msg("%s: %.7f instead of %.7f", line, (double)top.score, want);
    }
    assert_true(lines >= 10);
    fclose(in);
}

static void test_every_version_opens(void **state) {
    (void)state;
    for (int version = 1; version <= HEED_CLASSIFIER_FORMAT; version++) {
        heed_classifier *c = open_version(version);
        expect_answers(c, version);
        heed_classifier_close(c);
    }
}

static void expect_same_file(const char *a, const char *b, const char *name) {
    char path[512], *one, *two;
    size_t one_size, two_size;
    heed_error err;
    snprintf(path, sizeof path, "%s/%s", a, name);
    if (heed__file_read(NULL, path, 1 << 20, &one, &one_size, &err)) fail_msg("%s", err.msg);
    snprintf(path, sizeof path, "%s/%s", b, name);
    if (heed__file_read(NULL, path, 1 << 20, &two, &two_size, &err)) fail_msg("%s", err.msg);
    if (one_size != two_size || memcmp(one, two, one_size) != 0)
        fail_msg("%s is written in another way than format_version %d has it", name,
                 HEED_CLASSIFIER_FORMAT);
    heed__free(NULL, one);
    heed__free(NULL, two);
    unlink(path);
}

static void test_present_version_is_written_as_it_was(void **state) {
    (void)state;
    char folder[] = "/tmp/heed-model-XXXXXX", was[512];
    heed_error err;
    assert_non_null(mkdtemp(folder));
    heed_classifier *c = open_version(HEED_CLASSIFIER_FORMAT);
    if (heed_classifier_save(c, folder, &err)) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    snprintf(was, sizeof was, MODELS "/v%d", HEED_CLASSIFIER_FORMAT);
    expect_same_file(was, folder, "config.json");
    expect_same_file(was, folder, "vocab.txt");
    expect_same_file(was, folder, "model.safetensors");
    assert_int_equal(rmdir(folder), 0); /* nothing else lay there */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_version_opens),
        cmocka_unit_test(test_present_version_is_written_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
