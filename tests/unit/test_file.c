/* Files: reading with a cap, mapping, and writing that replaces at once or not at all, with every
 * system call failing in turn. This program has a write, fsync and rename of its own, which fail as
 * told and else ask the kernel. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

static struct {
    int write_error, fsync_error, rename_error; /* errno for the next call; 0: none */
    size_t most;                                /* bytes that one write takes; 0: all */
    int interrupts;                             /* EINTR before the next success */
    int writes, syncs;
} fault;

ssize_t write(int fd, const void *data, size_t size) {
    fault.writes++;
    if (fault.interrupts > 0) {
        fault.interrupts--;
        errno = EINTR;
        return -1;
    }
    if (fault.write_error) {
        errno = fault.write_error;
        return -1;
    }
    if (fault.most && size > fault.most) size = fault.most;
    return syscall(SYS_write, fd, data, size);
}

int fsync(int fd) {
    fault.syncs++;
    if (fault.fsync_error) {
        errno = fault.fsync_error;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
    if (fault.rename_error) {
        errno = fault.rename_error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static char folder[] = "/tmp/heed-file-XXXXXX";
static char path[64], temporary[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/f", folder);
    snprintf(temporary, sizeof temporary, "%s/.f.tmp", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails where a test left something behind */
}

static void expect_content(const char *want, size_t len) {
    char *data;
    size_t size;
    assert_int_equal(heed__file_read(NULL, path, 1 << 20, &data, &size, NULL), 0);
    assert_int_equal(size, len);
    assert_memory_equal(data, want, len);
    assert_int_equal(data[len], 0);
    heed__free(NULL, data);
}

static void test_read(void **state) {
    (void)state;
    heed_error err;
    char *data, want[128];
    size_t size;
    assert_int_equal(heed__file_write(NULL, path, "0123456789", 10, &err), 0);
    expect_content("0123456789", 10);
    assert_int_equal(heed__file_read(NULL, path, 10, &data, &size, &err), 0);
    heed__free(NULL, data);
    assert_int_equal(heed__file_read(NULL, path, 9, &data, &size, &err), HEED_EFORMAT);
    snprintf(want, sizeof want, "%s: larger than the 9 bytes that are read of it", path);
    assert_string_equal(err.msg, want);
    assert_null(data);
    assert_int_equal(heed__file_read(NULL, folder, 9, &data, &size, &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: is a folder, not a file", folder);
    assert_string_equal(err.msg, want);
    assert_int_equal(heed__file_read(NULL, "/nonexistent", 9, &data, &size, &err), HEED_ENOTFOUND);
    assert_string_equal(err.msg, "/nonexistent: cannot be opened: No such file or directory");
}

/* A named pipe is read to its end, and is no regular file. */
static void test_read_a_pipe(void **state) {
    (void)state;
    heed_error err;
    char *data, want[160], pipe[96];
    size_t size;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(heed__file_regular(pipe, &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: is not a regular file", pipe);
    assert_string_equal(err.msg, want);
    assert_int_equal(heed__file_regular("/dev/null", &err), HEED_EIO);
    assert_int_equal(heed__file_regular(folder, &err), 0);
    assert_int_equal(heed__file_regular("/nonexistent", &err), 0);
    const int both = open(pipe, O_RDWR);
    assert_true(both >= 0);
    const pid_t child = fork();
    if (child == 0) { /* writes until all of it is read: what nobody holds open is lost */
        int left = syscall(SYS_write, both, "0123", 4) == 4 ? 4 : -1;
        while (left > 0 && ioctl(both, FIONREAD, &left) == 0) usleep(1000);
        _exit(left != 0);
    }
    close(both);
    assert_int_equal(heed__file_read(NULL, pipe, 9, &data, &size, &err), 0);
    assert_int_equal(size, 4);
    assert_memory_equal(data, "0123", 5);
    heed__free(NULL, data);
    int left = 0;
    assert_int_equal(waitpid(child, &left, 0), child);
    assert_int_equal(left, 0);
    assert_int_equal(unlink(pipe), 0);
}

static void test_read_endless(void **state) {
    (void)state;
    heed_error err;
    char *data;
    size_t size;
    assert_int_equal(heed__file_read(NULL, "/dev/zero", 100000, &data, &size, &err), HEED_EFORMAT);
    assert_int_equal(heed__file_read(NULL, "/dev/null", 100000, &data, &size, &err), 0);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    heed__free(NULL, data);
}

static void test_map(void **state) {
    (void)state;
    heed_error err;
    heed_map map;
    assert_int_equal(heed__file_write(NULL, path, "mapped", 6, &err), 0);
    assert_int_equal(heed__map_open(&map, path, 6, &err), 0);
    assert_int_equal(map.size, 6);
    assert_memory_equal(map.data, "mapped", 6);
    /* replaced meanwhile: the map stays what it was */
    assert_int_equal(heed__file_write(NULL, path, "", 0, &err), 0);
    assert_memory_equal(map.data, "mapped", 6);
    heed__map_close(&map);
    heed__map_close(&map);
    assert_int_equal(heed__map_open(&map, path, 6, &err), 0);
    assert_int_equal(map.size, 0);
    assert_non_null(map.data);
    heed__map_close(&map);
    assert_int_equal(heed__map_open(&map, "/dev/zero", 6, &err), HEED_EIO);
    assert_string_equal(err.msg, "/dev/zero: is not a regular file");
    assert_int_equal(heed__map_open(&map, "/nonexistent", 6, &err), HEED_ENOTFOUND);
}

static void test_write_in_pieces(void **state) {
    (void)state;
    char *big = malloc(300000);
    assert_non_null(big);
    for (int i = 0; i < 300000; i++) big[i] = (char)(i * 31 / 7);
    fault.most = 1000; /* every write is short */
    fault.interrupts = 3;
    heed_writer *w = heed__writer_new(NULL, path, NULL);
    assert_non_null(w);
    size_t at = 0;
    for (size_t n = 0; at < 300000; n = (n * 5 + 3) % 90001) {
        const size_t len = 300000 - at < n ? 300000 - at : n;
        heed__writer_write(w, big + at, len);
        at += len;
    }
    fault.syncs = 0;
    assert_int_equal(heed__writer_commit(w, NULL), 0);
    assert_int_equal(fault.syncs, 2); /* the file, then its folder */
    fault.most = 0;
    expect_content(big, 300000);
    free(big);
}

/* Whatever fails, the old file stays, the temporary goes, and the sentence names both. */
static void test_failures_keep_the_old_file(void **state) {
    (void)state;
    assert_int_equal(heed__file_write(NULL, path, "old", 3, NULL), 0);
    static const int errors[3] = { ENOSPC, EIO, EDQUOT };
    for (int call = 0; call < 3; call++) {
        for (int e = 0; e < 3; e++) {
            int *which = call == 0   ? &fault.write_error
                         : call == 1 ? &fault.fsync_error
                                     : &fault.rename_error;
            *which = errors[e];
            heed_error err = { 0 };
            char want[256];
            assert_int_equal(heed__file_write(NULL, path, "new contents", 12, &err), HEED_EIO);
            *which = 0;
            snprintf(want, sizeof want, "%s: cannot be written: %s", path, strerror(errors[e]));
            assert_string_equal(err.msg, want);
            expect_content("old", 3);
            assert_int_not_equal(access(temporary, F_OK), 0);
        }
    }
    /* after a failure nothing more is tried */
    heed_writer *w = heed__writer_new(NULL, path, NULL);
    assert_non_null(w);
    char *big = calloc(1, 200000);
    fault.write_error = ENOSPC;
    heed__writer_write(w, big, 200000);
    fault.write_error = 0;
    fault.writes = 0;
    heed__writer_write(w, big, 200000);
    assert_int_equal(fault.writes, 0);
    free(big);
    assert_int_equal(heed__writer_commit(w, NULL), HEED_EIO);
    expect_content("old", 3);
}

static void test_abort_and_second_writer(void **state) {
    (void)state;
    heed_error err;
    char want[128];
    assert_int_equal(heed__file_write(NULL, path, "old", 3, NULL), 0);
    heed_writer *w = heed__writer_new(NULL, path, NULL);
    assert_non_null(w);
    assert_null(heed__writer_new(NULL, path, &err));
    snprintf(want, sizeof want, "%s: is being written by somebody else", path);
    assert_string_equal(err.msg, want);
    heed__writer_write(w, "new", 3);
    heed__writer_abort(w);
    heed__writer_abort(NULL);
    expect_content("old", 3);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_int_equal(heed__file_write(NULL, path, "next", 4, NULL), 0);
    expect_content("next", 4);
}

/* A killed process leaves its temporary; the next writer takes it over and leaves none. */
static void test_killed_writer(void **state) {
    (void)state;
    assert_int_equal(heed__file_write(NULL, path, "old", 3, NULL), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        heed_writer *w = heed__writer_new(NULL, path, NULL);
        static char big[200000];
        if (w) heed__writer_write(w, big, sizeof big);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(temporary, F_OK), 0);
    expect_content("old", 3);
    assert_int_equal(heed__file_write(NULL, path, "n", 1, NULL), 0);
    expect_content("n", 1);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static void test_link_and_permissions(void **state) {
    (void)state;
    char link[64], buffer[64];
    struct stat st;
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(heed__file_write(NULL, path, "old", 3, NULL), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("f", link), 0);
    assert_int_equal(heed__file_write(NULL, link, "through", 7, NULL), 0);
    assert_true(readlink(link, buffer, sizeof buffer) == 1);
    expect_content("through", 7);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    unlink(link);
}

static void test_where_nothing_can_be_written(void **state) {
    (void)state;
    heed_error err;
    char want[128];
    assert_int_equal(heed__file_write(NULL, "/nonexistent/f", "x", 1, &err), HEED_ENOTFOUND);
    assert_string_equal(err.msg, "/nonexistent/f: cannot be written: No such file or directory");
    assert_int_equal(heed__file_write(NULL, folder, "x", 1, &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: is not a regular file", folder);
    assert_string_equal(err.msg, want);
    assert_int_equal(heed__file_write(NULL, "/dev/null", "x", 1, NULL), HEED_EIO);
}

static void test_folder(void **state) {
    (void)state;
    heed_error err;
    char sub[64], want[128];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(heed__folder_make(sub, &err), 0);
    assert_int_equal(heed__folder_make(sub, &err), 0);
    rmdir(sub);
    assert_int_equal(heed__file_write(NULL, path, "x", 1, NULL), 0);
    assert_int_equal(heed__folder_make(path, &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: folder cannot be made: File exists", path);
    assert_string_equal(err.msg, want);
    assert_int_equal(heed__folder_make("/nonexistent/f", &err), HEED_EIO);
    assert_int_equal(err.code, HEED_EIO);
    assert_string_equal(err.msg,
                        "/nonexistent/f: folder cannot be made: No such file or directory");
    assert_int_equal(heed__folder_make("/nonexistent/f", NULL), HEED_EIO);
    assert_int_equal(heed__folder_make("", &err), HEED_EINVALID);
    assert_string_equal(err.msg, "the name of a folder is needed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_a_pipe),
        cmocka_unit_test(test_read_endless),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_write_in_pieces),
        cmocka_unit_test(test_failures_keep_the_old_file),
        cmocka_unit_test(test_abort_and_second_writer),
        cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_link_and_permissions),
        cmocka_unit_test(test_where_nothing_can_be_written),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
