/* Folders replaced as a whole: whatever fails and whenever the process is killed, the old folder or
 * the new one is there, whole, and the next save leaves nothing beside it. This program has a
 * rename and a renameat2 of its own, which fail or kill as told. */
#include "cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"

static struct {
    int rename_error, exchange_error; /* errno of every call; 0: none */
    int kill_at;                      /* this call of both is not come back from; 0: none */
    bool after;                       /* killed once the call is done */
    int calls, fail_rename_at;        /* this rename alone fails with rename_error; 0: all */
} fault;

static void die(bool now) {
    if (now) kill(getpid(), SIGKILL);
}

static int named(int error, const char *from, const char *to, unsigned flags) {
    const int call = ++fault.calls;
    die(fault.kill_at == call && !fault.after);
    if (error && (flags || !fault.fail_rename_at || fault.fail_rename_at == call)) {
        errno = error;
        return -1;
    }
    const int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
    die(fault.kill_at == call && fault.after);
    return rc;
}

int rename(const char *from, const char *to) {
    return named(fault.rename_error, from, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    (void)from_dir, (void)to_dir;
    return named(fault.exchange_error, from, to, flags);
}

static const char *const files[] = { "a", "b", NULL };
static char top[] = "/tmp/heed-folder-XXXXXX";
static char path[64], work[80];

static int make_top(void **state) {
    (void)state;
    if (!mkdtemp(top)) return -1;
    snprintf(path, sizeof path, "%s/m", top);
    snprintf(work, sizeof work, "%s/m.new", top);
    return 0;
}

static int remove_top(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command);
}

/* How many files and folders lie in a folder; -1: no folder. */
static int count(const char *folder) {
    DIR *d = opendir(folder);
    int n = 0;
    if (!d) return -1;
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

/* Writes files a and b that hold text. 0 or a status. */
static int save(const char *to, const char *text, heed_error *err) {
    heed_folder f;
    char file[HEED_PATH_SIZE];
    int rc = heed__folder_begin(&f, to, files, err);
    if (rc) return rc;
    for (int i = 0; i < 2 && rc == 0; i++) {
        snprintf(file, sizeof file, "%s/%c", f.work, 'a' + i);
        rc = heed__file_write(NULL, file, text, strlen(text), err);
    }
    if (rc == 0) return heed__folder_commit(&f, err);
    heed__folder_abort(&f);
    return rc;
}

static bool holds(const char *folder, const char *text) {
    bool good = count(folder) == 2;
    for (int i = 0; i < 2 && good; i++) {
        char file[128], *data;
        size_t size;
        snprintf(file, sizeof file, "%s/%c", folder, 'a' + i);
        if (heed__file_read(NULL, file, 1000, &data, &size, NULL)) return false;
        good = strcmp(data, text) == 0;
        heed__free(NULL, data);
    }
    return good;
}

static void expect_only(const char *text) {
    if (!holds(path, text)) fail_msg("%s does not hold '%s'", path, text);
    assert_int_equal(count(top), 1);
}

static void test_made_and_replaced(void **state) {
    (void)state;
    heed_error err;
    char slashes[80];
    struct stat s;
    assert_int_equal(save(path, "first", &err), 0);
    expect_only("first");
    assert_int_equal(chmod(path, 0750), 0);
    snprintf(slashes, sizeof slashes, "%s///", path);
    assert_int_equal(save(slashes, "second", &err), 0);
    expect_only("second");
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0750); /* permissions stay */
    assert_int_equal(heed__folder_check(path, files, &err), 0);
    expect_only("second");
    assert_int_equal(chdir(path), 0);
    assert_int_equal(save(".", "third", &err), 0);
    assert_int_equal(chdir("/"), 0);
    expect_only("third");
}

static void test_link_is_followed(void **state) {
    (void)state;
    heed_error err;
    char link[80], want[256];
    snprintf(link, sizeof link, "%s/link", top);
    assert_int_equal(save(path, "old", &err), 0);
    assert_int_equal(symlink("m", link), 0);
    assert_int_equal(save(link, "through", &err), 0);
    assert_true(holds(path, "through"));
    assert_int_equal(count(top), 2);
    unlink(link);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(heed__folder_check(link, files, &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: cannot be read: No such file or directory", link);
    assert_string_equal(err.msg, want);
    unlink(link);
}

static void expect_refused(const char *to, const char *what) {
    heed_error err = { 0 };
    assert_true(heed__folder_check(to, files, &err) < 0);
    if (!strstr(err.msg, what)) fail_msg("'%s', not '%s'", err.msg, what);
}

static void test_refused_before_the_work(void **state) {
    (void)state;
    heed_error err;
    char name[96], inside[128];
    snprintf(name, sizeof name, "%s/file", top);
    assert_int_equal(heed__file_write(NULL, name, "x", 1, &err), 0);
    expect_refused(name, "file: there is a file of that name");
    unlink(name);
    snprintf(name, sizeof name, "%s/home", top);
    snprintf(inside, sizeof inside, "%s/inside", name);
    assert_int_equal(mkdir(name, 0777) | mkdir(inside, 0777), 0);
    expect_refused(name, "home: holds 'inside', which is no file of a model");
    rmdir(inside), rmdir(name);
    expect_refused("", "the name of a folder is needed");
    expect_refused("/proc", "/proc: ");
    expect_refused("/nonexistent/m", "/nonexistent/m: cannot be made: No such file");
    char *far = malloc(5000);
    memset(far, 'x', 4999);
    far[4999] = 0;
    expect_refused(far, "the name of a folder is needed");
    free(far);
    assert_int_equal(save(path, "old", &err), 0);
    expect_only("old");
}

/* What the caller has not named stays, and its folder is refused, whenever it was put there. */
static void test_what_is_not_ours_stays(void **state) {
    (void)state;
    heed_error err;
    heed_folder f;
    char data[96], file[128];
    snprintf(data, sizeof data, "%s/data", top);
    snprintf(file, sizeof file, "%s/train.tsv", data);
    assert_int_equal(mkdir(data, 0777), 0);
    assert_int_equal(heed__file_write(NULL, file, "precious", 8, &err), 0);
    assert_int_equal(save(data, "new", &err), HEED_EIO);
    assert_non_null(strstr(err.msg, "holds 'train.tsv', which is no file of a model"));
    assert_int_equal(unlink(file) | rmdir(data), 0);

    assert_int_equal(save(path, "old", &err), 0);
    snprintf(file, sizeof file, "%s/notes", path);
    assert_int_equal(heed__folder_begin(&f, path, files, &err), 0);
    assert_int_equal(heed__file_write(NULL, file, "precious", 8, &err), 0);
    assert_int_equal(heed__folder_commit(&f, &err), HEED_EIO);
    assert_int_equal(unlink(file), 0);
    expect_only("old");

    snprintf(file, sizeof file, "%s/notes", work); /* somebody's own folder of that name */
    assert_int_equal(mkdir(work, 0777), 0);
    assert_int_equal(heed__file_write(NULL, file, "precious", 8, &err), 0);
    assert_int_equal(save(path, "new", &err), HEED_EIO);
    assert_int_equal(unlink(file) | rmdir(work), 0);
    expect_only("old");
}

/* Three that save to one path at the same time take turns. */
static void test_writers_take_turns(void **state) {
    (void)state;
    enum { WRITERS = 3, TIMES = 12 };
    heed_error err;
    heed_folder f;
    assert_int_equal(save(path, "0", &err), 0);
    assert_int_equal(heed__folder_begin(&f, path, files, &err), 0);
    const int fd = open(f.work, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    close(fd);
    pid_t child[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i]) continue;
        const char text[] = { (char)('1' + i), 0 };
        close(f.lock);
        for (int n = 0; n < TIMES; n++)
            if (save(path, text, &err)) _exit(1);
        _exit(0);
    }
    heed__folder_abort(&f);
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_true(holds(path, "1") || holds(path, "2") || holds(path, "3"));
    assert_int_equal(count(top), 1);
}

static void test_failures_keep_the_old_folder(void **state) {
    (void)state;
    heed_error err;
    char want[256];
    assert_int_equal(save(path, "old", &err), 0);
    fault.exchange_error = EACCES;
    assert_int_equal(save(path, "new", &err), HEED_EIO);
    snprintf(want, sizeof want, "%s: cannot be replaced: Permission denied", path);
    assert_string_equal(err.msg, want);
    expect_only("old");
    fault.exchange_error = EINVAL; /* two steps; the second fails, and is taken back */
    fault.rename_error = EIO;
    for (int at = 3; at < 8; at++) { /* 2 renames are the files' own */
        fault.calls = 0;
        fault.fail_rename_at = at;
        const int rc = save(path, "new", &err);
        const bool is_new = rc == 0;
        expect_only(is_new ? "new" : "old");
        if (is_new) save(path, "old", &err);
    }
    memset(&fault, 0, sizeof fault);
    fault.exchange_error = EINVAL;
    assert_int_equal(save(path, "two steps", &err), 0);
    expect_only("two steps");
    memset(&fault, 0, sizeof fault);
}

/* A child that saves "new" over "old" and is killed at the given call. Returns whether it was. */
static bool killed_at(int at, bool after, int exchange_error) {
    heed_error err;
    assert_int_equal(save(path, "old", &err), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        memset(&fault, 0, sizeof fault);
        fault.kill_at = at;
        fault.after = after;
        fault.exchange_error = exchange_error;
        _exit(save(path, "new", &err) != 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static void test_killed_at_every_rename(void **state) {
    (void)state;
    heed_error err;
    for (int after = 0; after < 2; after++)
        for (int at = 1; killed_at(at, after, 0); at++) {
            if (!holds(path, "old") && !holds(path, "new"))
                fail_msg("killed %s call %d: neither old nor new", after ? "after" : "at", at);
            assert_int_equal(save(path, "next", &err), 0);
            expect_only("next");
        }
    expect_only("new");
}

/* Where names cannot be exchanged there is a moment with neither; a begin puts the old one back. */
static void test_killed_between_two_steps(void **state) {
    (void)state;
    heed_error err;
    int missing = 0;
    for (int after = 0; after < 2; after++)
        for (int at = 1; killed_at(at, after, EINVAL); at++) {
            missing += count(path) < 0;
            assert_int_equal(heed__folder_check(path, files, &err), 0);
            if (!holds(path, "old") && !holds(path, "new"))
                fail_msg("killed %s call %d: neither old nor new", after ? "after" : "at", at);
            assert_int_equal(save(path, "next", &err), 0);
            expect_only("next");
        }
    assert_true(missing > 0);
}

/* Killed at any moment, by the clock. */
static void test_killed_at_random(void **state) {
    (void)state;
    heed_error err;
    assert_int_equal(save(path, "0", &err), 0);
    for (int i = 0; i < 40; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (int n = 0;; n++) save(path, n % 2 ? "odd" : "even", &err);
        usleep((useconds_t)(500 + i * 97));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (!holds(path, "0") && !holds(path, "odd") && !holds(path, "even"))
            fail_msg("round %d: a mixture", i);
    }
    assert_int_equal(save(path, "next", &err), 0);
    expect_only("next");
}

static void test_what_a_killed_process_left(void **state) {
    (void)state;
    heed_error err;
    char file[128];
    assert_int_equal(save(path, "old", &err), 0);
    assert_int_equal(mkdir(work, 0777), 0);
    snprintf(file, sizeof file, "%s/a", work);
    assert_int_equal(heed__file_write(NULL, file, "left", 4, &err), 0);
    snprintf(file, sizeof file, "%s/.b.tmp", work);
    assert_int_equal(heed__file_write(NULL, file, "left", 4, &err), 0);
    assert_int_equal(save(path, "new", &err), 0);
    expect_only("new"); /* and not .b.tmp */
    assert_int_equal(heed__file_write(NULL, work, "a file", 6, &err), 0);
    assert_int_equal(save(path, "newer", &err), HEED_EIO);
    unlink(work);
    expect_only("new");
}

/* A folder that is read-only to this user, and a new one in such a folder. */
static void test_read_only(void **state) {
    (void)state;
    heed_error err;
    assert_int_equal(save(path, "old", &err), 0);
    assert_int_equal(chmod(path, 0555) | chmod(top, 0555), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char sub[96];
        snprintf(sub, sizeof sub, "%s/other", top);
        if (getuid() == 0 && setuid(65534)) _exit(9); /* to root nothing is read-only */
        const bool one = save(path, "new", &err) == HEED_EIO &&
                         strstr(err.msg, "cannot be written");
        const bool two = save(sub, "new", &err) == HEED_EIO && strstr(err.msg, "cannot be made");
        _exit(one && two ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(path, 0755) | chmod(top, 0755), 0);
    expect_only("old");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 9) skip();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_and_replaced),
        cmocka_unit_test(test_link_is_followed),
        cmocka_unit_test(test_refused_before_the_work),
        cmocka_unit_test(test_what_is_not_ours_stays),
        cmocka_unit_test(test_writers_take_turns),
        cmocka_unit_test(test_failures_keep_the_old_folder),
        cmocka_unit_test(test_killed_at_every_rename),
        cmocka_unit_test(test_killed_between_two_steps),
        cmocka_unit_test(test_killed_at_random),
        cmocka_unit_test(test_what_a_killed_process_left),
        cmocka_unit_test(test_read_only),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
