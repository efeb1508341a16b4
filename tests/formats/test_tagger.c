/* test_tagger.c: a tagger's folder with a file cut short, and with bits turned over: it opens or is
 * refused in one sentence that names the folder. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "unit/tagged.h"

static tagged data;
static char dir[] = "/tmp/heed-tagger-XXXXXX";
static const char *const files[] = { "config.json", "vocab.txt", "model.safetensors" };

static char *path_of(const char *file) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return path;
}

static void write_file(const char *file, const char *bytes, size_t size) {
    FILE *f = fopen(path_of(file), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* Opens and asks; true where it opened. */
static bool try_open(const char *file, bool must_fail) {
    heed_error err = { 0 };
    heed_tagger *t = heed_tagger_open(dir, &(heed_open_cfg){ .threads = 1 }, &err);
    if (!t) {
        assert_true(err.code < 0);
        if (!strstr(err.msg, dir)) fail_msg("%s damaged, and it says: %s", file, err.msg);
        return false;
    }
    if (must_fail) fail_msg("%s cut short opened", file);
    heed_entity e[8];
    assert_true(heed_tagger_find(t, "Anna Ahlmann lives in U.S.", e, 8, &err) >= -100);
    heed_tagger_close(t);
    return true;
}

static void damage(const char *file, bool bits) {
    char *bytes;
    size_t size;
    heed_error err;
    if (heed__file_read(NULL, path_of(file), 1 << 24, &bytes, &size, &err)) fail_msg("%s", err.msg);
    const int tries = 150;
    for (int i = 0; i < tries; i++) {
        uint32_t random[4];
        heed_philox(5, bits, (uint64_t)i, random);
        const size_t at = random[0] % (bits ? size : size - 2);
        if (bits) bytes[at] = (char)(bytes[at] ^ 1 << random[1] % 8);
        write_file(file, bytes, bits ? size : at);
        try_open(file, !bits && strcmp(file, "vocab.txt") != 0);
        if (bits) bytes[at] = (char)(bytes[at] ^ 1 << random[1] % 8);
    }
    write_file(file, bytes, size);
    assert_true(try_open(file, false));
    heed__free(NULL, bytes);
}

static void files_cut_short(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) damage(files[i], false);
}

static void bits_turned_over(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) damage(files[i], true);
}

static int set_up(void **state) {
    (void)state;
    tagged_make(&data, 0, 40);
    heed_tag_cfg cfg = tagged_cfg();
    heed_error err;
    cfg.epochs = 1;
    heed_tagger *t = heed_tagger_train(&data.data, &cfg, &err);
    if (!t || !mkdtemp(dir)) return -1;
    const int rc = heed_tagger_save(t, dir, &err);
    heed_tagger_close(t);
    return rc;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_cut_short),
                                        cmocka_unit_test(bits_turned_over) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
