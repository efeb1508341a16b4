/* Temporary files and folders: where TMPDIR says, of the owner alone, never twice the same, gone
 * with all that lies in them. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/temporary.h"

static void files(void **state) {
    (void)state;
    char a[HEED_PATH_SIZE], b[HEED_PATH_SIZE];
    heed_error err = { 0 };
    struct stat st;
    assert_int_equal(heed__temporary_file(a, "test", ".x", &err), 0);
    assert_int_equal(heed__temporary_file(b, "test", ".x", &err), 0);
    assert_string_not_equal(a, b);
    assert_string_equal(a + strlen(a) - 2, ".x");
    assert_int_equal(stat(a, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unlink(a) | unlink(b), 0);
}

static void folders(void **state) {
    (void)state;
    char at[HEED_PATH_SIZE], under[HEED_PATH_SIZE + 8];
    heed_error err = { 0 };
    assert_int_equal(heed__temporary_folder(at, "test", &err), 0);
    snprintf(under, sizeof under, "%s/in", at);
    assert_int_equal(heed__folder_make(under, &err), 0);
    snprintf(under, sizeof under, "%s/in/f", at);
    assert_int_equal(heed__file_write(NULL, under, "x", 1, &err), 0);
    heed__temporary_folder_remove(at);
    assert_int_not_equal(access(at, F_OK), 0);
}

static void where_none_can_be(void **state) {
    (void)state;
    char path[HEED_PATH_SIZE], *lengthy = malloc(HEED_PATH_SIZE);
    heed_error err = { 0 };
    assert_int_equal(setenv("TMPDIR", "/nothing/here", 1), 0);
    assert_int_equal(heed__temporary_file(path, "test", "", &err), HEED_EIO);
    assert_non_null(strstr(err.msg, "/nothing/here/heed-test-"));
    assert_int_equal(heed__temporary_folder(path, "test", &err), HEED_EIO);
    assert_non_null(lengthy);
    memset(lengthy, 'a', HEED_PATH_SIZE - 1);
    lengthy[0] = '/', lengthy[HEED_PATH_SIZE - 1] = 0;
    assert_int_equal(setenv("TMPDIR", lengthy, 1), 0);
    assert_int_equal(heed__temporary_folder(path, "test", &err), HEED_EINVALID);
    unsetenv("TMPDIR");
    free(lengthy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(folders),
        cmocka_unit_test(where_none_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
