/* Memory runs out in the base: pool, arena, growing arrays, files, JSON. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"

static char path[] = "/tmp/heed-oom-XXXXXX";

static int make_pool(heed_error *err) {
    heed_pool *pool = heed_pool_new(3, NULL, err);
    if (!pool) return err->code;
    heed_pool_free(pool);
    return 0;
}

static int fill_arena(heed_error *err) {
    heed_arena a;
    int status = 0;
    heed__arena_init(&a, NULL);
    for (int step = 0; step < 3 && !status; step++) {
        for (int i = 0; i < 5 && !status; i++) {
            if (!heed__arena_alloc(&a, 40000)) status = heed__error(err, HEED_ENOMEM, "arena");
        }
        heed__arena_reset(&a);
    }
    heed__arena_free(&a);
    return status;
}

static int grow_array(heed_error *err) {
    int32_t *items = NULL;
    int64_t cap = 0;
    int status = 0;
    for (int32_t i = 0; i < 100 && !status; i++) {
        status = heed__grow(NULL, &items, &cap, i + 1, sizeof *items);
        if (!status) items[i] = i;
    }
    heed__free(NULL, items);
    return status ? heed__error(err, status, "array") : 0;
}

static int write_and_read(heed_error *err) {
    char *data;
    size_t size;
    int status = heed__file_write(NULL, path, "{\"a\": 1}", 8, err);
    if (!status) status = heed__file_read(NULL, path, 100, &data, &size, err);
    if (!status) heed__free(NULL, data);
    return status;
}

static int parse_json(heed_error *err) {
    json_t *tree = heed__json_read(NULL, path, 100, err);
    if (!tree) return err->code;
    char *text = heed__json_text(NULL, tree, true, NULL, err);
    const int status = text ? 0 : err->code;
    heed__free(NULL, text);
    json_decref(tree);
    return status;
}

static void test_pool(void **state) {
    (void)state;
    oom_each(make_pool);
}

static void test_arena(void **state) {
    (void)state;
    oom_each(fill_arena);
}

static void test_array(void **state) {
    (void)state;
    assert_int_equal(oom_each(grow_array), 5); /* 8, 16, 32, 64, 128 */
}

static void test_files_and_json(void **state) {
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    oom_each(write_and_read);
    oom_each(parse_json);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_files_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
