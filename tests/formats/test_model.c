/* test_model.c: model folders of every format_version that there ever was open, and answer as they
 * did when they were written (tests/formats/make/model.sh made them). Those of the versions that
 * are written now, saved again, are the very same bytes: whoever changes the format must give it a
 * new number. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "heed/io.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"
#include "tensor/params.h"

#define MODELS HEED_SOURCE_DIR "/tests/formats/models"

static heed_classifier *open_version(int version) {
    char path[512];
    heed_error err;
    snprintf(path, sizeof path, MODELS "/v%d", version);
    heed_classifier *c = heed_classifier_open(path, &(heed_open_cfg){ .threads = 1 }, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

/* The answers are those of the program that wrote the folder. Recipe attend answers from rows that
 * are rounded to 8 bits, as that program did not: its scores move in the fourth decimal. */
static void expect_answers(heed_classifier *c, int version) {
    const double allowed = strcmp(heed_classifier_recipe(c), "attend") == 0 ? 1e-3 : 1e-5;
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
        if (!(fabs((double)top.score - want) <= allowed))
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
        fail_msg("%s is written in another way than in %s", name, a);
    heed__free(NULL, one);
    heed__free(NULL, two);
    unlink(path);
}

/* Opened and saved again. */
static void expect_written_as_it_was(int version, const char *own_file) {
    char folder[] = "/tmp/heed-model-XXXXXX", was[512];
    heed_error err;
    assert_non_null(mkdtemp(folder));
    heed_classifier *c = open_version(version);
    if (heed_classifier_save(c, folder, &err)) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    snprintf(was, sizeof was, MODELS "/v%d", version);
    expect_same_file(was, folder, "config.json");
    expect_same_file(was, folder, own_file);
    expect_same_file(was, folder, "model.safetensors");
    assert_int_equal(rmdir(folder), 0); /* nothing else lay there */
}

static void test_present_versions_are_written_as_they_were(void **state) {
    (void)state;
    expect_written_as_it_was(HEED_CLASSIFIER_PLAIN, "vocab.txt");
    expect_written_as_it_was(HEED_CLASSIFIER_FORMAT, "features.safetensors");
}

/* A table of another type, or without the scales of its rows, is told of. */
static void test_a_table_in_8_bits_has_its_scales(void **state) {
    (void)state;
    heed_error err;
    heed_params *ps = heed_params_new(NULL, &err);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ .kind = HEED_INIT_NORMAL, .a = 1 }, 2,
                                (int64_t[]){ 3, 5 });
    assert_non_null(w);
    float was[15];
    assert_true(heed__param_round(w));
    memcpy(was, w->data, sizeof was);
    assert_true(heed__param_round(w)); /* again: the same */
    assert_memory_equal(was, w->data, sizeof was);
    char path[] = "/tmp/heed-table-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    if (heed_params_save(ps, path, NULL, &err)) fail_msg("%s", err.msg);
    memset(w->data, 0, sizeof was);
    heed__param_set_rounded(w, false);
    if (heed_params_load(ps, path, &err)) fail_msg("%s", err.msg);
    assert_memory_equal(was, w->data, sizeof was);
    assert_true(heed__param_rounded(w));
    int8_t number[15] = { 1 };
    float scale[3] = { 1, 2, 3 };
    heed_entry entry[2] = {
        { .name = "w", .dtype = HEED_FILE_I8, .ndim = 2, .shape = { 3, 5 }, .data = number },
        { .name = "w.scale", .dtype = HEED_FILE_F32, .ndim = 1, .shape = { 2 }, .data = scale }
    };
    for (int n = 1; n <= 2; n++) { /* none, too few */
        assert_int_equal(heed_safetensors_save(path, entry, n, NULL, NULL, &err), 0);
        assert_int_equal(heed_params_load(ps, path, &err), HEED_EFORMAT);
        assert_non_null(strstr(err.msg, "'w"));
    }
    unlink(path);
    heed_params_free(ps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_version_opens),
        cmocka_unit_test(test_present_versions_are_written_as_they_were),
        cmocka_unit_test(test_a_table_in_8_bits_has_its_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
