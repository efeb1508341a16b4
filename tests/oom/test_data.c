/* Memory runs out while data files are read: every form, archives, sentences, comparison. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/file.h"
#include "io/conll.h"
#include "io/dataset.h"
#include "base/input.h"
#include "io/npy.h"
#include "io/vectors.h"

static const char *text, *name;
static size_t size;
static heed_dataset_cfg cfg;

static int read_data(heed_error *err) {
    heed_dataset d;
    int rc = heed__dataset_parse(&d, text, size, name, &cfg, err);
    if (rc) return rc;
    const int64_t same = heed__dataset_overlap(&d, &d, NULL, err);
    if (same < 0) rc = (int)same;
    heed__dataset_free(&d);
    return rc;
}

static int read_columns(heed_error *err) {
    heed_conll c;
    const int rc = heed__conll_parse(&c, text, size, name, &(heed_conll_cfg){ 0 }, err);
    if (rc == 0) heed__conll_free(&c);
    return rc;
}

static int read_long_line(heed_error *err) {
    heed_input *in = heed__input_from(text, size, name, NULL, err);
    if (!in) return err->code;
    char *line;
    size_t len;
    int got;
    while ((got = heed__input_line(in, &line, &len, err)) > 0) continue;
    heed__input_close(in);
    return got;
}

static void each(const char *of, const char *what) {
    name = of;
    text = what;
    size = strlen(what);
    print_message("%s: %lld allocations\n", of, (long long)oom_each(read_data));
}

static void test_forms(void **state) {
    (void)state;
    each("x.tsv", "label\ttext\ttitle\na\tb\tt\nb\tc\tt\nb\tc\tt\n");
    each("x.csv", "label,text\na,\"b \"\"c\"\"\nd\"\nb,c\n");
    each("x", "__label__a __label__b text\n__label__c text\n");
    cfg = (heed_dataset_cfg){ .text = "text,title", .label_sep = "," };
    each("x.tsv", "label\ttext\ttitle\na,b\tb\tt\nb\tc\tt\n");
    cfg = (heed_dataset_cfg){ .pairs = true };
    each("x.tsv", "label\tquestion\tanswer\na\tb\tc\n");
    cfg = (heed_dataset_cfg){ 0 };
    oom_spare_json(true);
    each("x.jsonl", "{\"text\":\"a\",\"label\":[\"x\",3]}\n{\"text\":\"b\",\"label\":\"y\"}\n");
    oom_spare_json(false);
}

static void test_archive(void **state) {
    (void)state;
    static const char plain[] = "label\ttext\na\tb\nb\tc\n";
    char packed[200];
    size = ZSTD_compress(packed, sizeof packed, plain, sizeof plain - 1, 1);
    assert_false(ZSTD_isError(size));
    name = "x.zst";
    text = packed;
    oom_each(read_data);
    static const char gz[] = /* printf 'a\tb\nb\tc\n' | gzip -n */
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xe4\x4c\xe2\x4a\xe2\x4c\xe6\x02\x00\x12\x59"
        "\x8c\xd3\x08\x00\x00\x00";
    name = "x.gz";
    text = gz;
    size = sizeof gz - 1;
    oom_each(read_data);
}

static int read_vectors(heed_error *err) {
    heed_vectors *v = heed__vectors_from(text, size, name, NULL, err);
    if (!v) return err->code;
    const char *word;
    const float *numbers;
    size_t len;
    int got;
    while ((got = heed__vectors_next(v, &word, &len, &numbers, err)) > 0) continue;
    heed__vectors_close(v);
    return got;
}

static void test_vectors(void **state) {
    (void)state;
    name = "x";
    text = "2 2\na 1 2\nb 3 4\n";
    size = strlen(text);
    oom_each(read_vectors);
}

static int read_npy(heed_error *err) {
    heed_npy n;
    const int rc = heed__npy_parse(&n, (const unsigned char *)text, size, name, NULL, err);
    heed__npy_free(&n);
    return rc;
}

static void test_npy(void **state) {
    (void)state;
    static const char file[] = "\x93NUMPY\x01\x00\x3b\x00"
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\0\0\0";
    name = "x";
    text = file;
    size = sizeof file;
    oom_each(read_npy);
}

static void test_columns(void **state) {
    (void)state;
    name = "x";
    text = "a\tO\nb\tB\n\nc\tO\n";
    size = strlen(text);
    oom_each(read_columns);
}

static void test_long_line(void **state) {
    (void)state;
    enum { LONG = 3 << 20 };
    char *bytes = malloc(LONG);
    memset(bytes, 'x', LONG);
    name = "x";
    text = bytes;
    size = LONG;
    oom_each(read_long_line);
    free(bytes);
}

static char dir[] = "/tmp/heed-oom-data-XXXXXX";

static int read_folder(heed_error *err) {
    heed_dataset d;
    const int rc = heed__dataset_read(&d, dir, &cfg, err);
    if (rc == 0) heed__dataset_free(&d);
    return rc;
}

static void test_folder(void **state) {
    (void)state;
    char path[100], command[64];
    heed_error err;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%d", dir, i / 2);
        assert_int_equal(heed__folder_make(path, &err), 0);
        snprintf(path, sizeof path, "%s/%d/%d", dir, i / 2, i);
        assert_int_equal(heed__file_write(NULL, path, "text\n", 5, &err), 0);
    }
    oom_each(read_folder);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_archive),
        cmocka_unit_test(test_columns), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_npy),     cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_folder)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
