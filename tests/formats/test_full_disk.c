/* The disk is full at any byte, or the process is killed at any moment, while weights, checkpoints
 * and model folders are saved: one clear sentence, the old contents whole, nothing left beside
 * them. A full disk is a limit on the size of files (RLIMIT_FSIZE), which fails a write in its
 * middle as a full disk does; tests/cli/full_disk_test.sh fills a real one. */
#include "cmocka_all.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "heed/io.h"
#include "heed/tasks.h"
#include "heed/train.h"

static char top[] = "/tmp/heed-full-XXXXXX";
static char path[64];
static heed_ctx *cx;
static heed_params *ps;
static heed_optim *opt;
static heed_classifier *one, *two; /* different labels, words and sizes */

static heed_classifier *trained(int labels) {
    static const char *const text[] = { "red apple", "green pear", "blue plum", "old cheese",
                                        "new bread" };
    static const char *const label[] = { "a", "b", "c", "d", "e" };
    heed_error err;
    const heed_classify_cfg cfg = {
        .recipe = "classic", .embed = 4, .hidden = 4 * labels, .heads = 2, .epochs = 1, .threads = 1
    };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = labels, .text = text, .label = label }, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static int set_up(void **state) {
    (void)state;
    heed_error err;
    signal(SIGXFSZ, SIG_IGN);
    if (!mkdtemp(top)) return -1;
    snprintf(path, sizeof path, "%s/saved", top);
    cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    ps = heed_params_new(NULL, &err);
    heed_param(ps, "w", (heed_init){ HEED_INIT_NORMAL, 1 }, 2, (int64_t[]){ 301, 67 });
    heed_param(ps, "b", (heed_init){ HEED_INIT_ONES, 0 }, 1, (int64_t[]){ 5 });
    opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ .ema = 0.9f }, &err);
    one = trained(3);
    two = trained(5);
    return opt ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    heed_classifier_close(one);
    heed_classifier_close(two);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return rmdir(top); /* fails where something was left behind */
}

static void limit(int64_t most) {
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = most < 0 ? r.rlim_max : (rlim_t)most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static int count(const char *folder) {
    DIR *d = opendir(folder);
    int n = 0;
    if (!d) return -1;
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static int save_weights(heed_error *err) {
    return heed_params_save(ps, path, NULL, err);
}

static int save_checkpoint(heed_error *err) {
    return heed_checkpoint_save(path, &(heed_checkpoint){ .params = ps, .optim = opt, .ctx = cx },
                                err);
}

static int save_entry(heed_error *err) {
    static float x[70000];
    const heed_entry e = {
        .name = "x", .dtype = HEED_FILE_F32, .ndim = 1, .shape = { 70000 }, .data = x
    };
    return heed_safetensors_save(path, &e, 1, NULL, NULL, err);
}

/* A file: save fails at every limit below its size, and what was there stays. */
static void fill_up_file(int (*save)(heed_error *err)) {
    heed_error err;
    struct stat whole;
    if (save(&err)) fail_msg("%s", err.msg);
    assert_int_equal(stat(path, &whole), 0);
    assert_true(whole.st_size > 70000); /* more than what a buffer holds back */
    assert_int_equal(heed__file_write(NULL, path, "old", 3, &err), 0);
    for (int64_t most = 0; most < whole.st_size; most += 8209) {
        char want[256], *data;
        size_t size;
        limit(most);
        const int rc = save(&err);
        limit(-1);
        assert_int_equal(rc, HEED_EIO);
        snprintf(want, sizeof want, "%s: cannot be written: File too large", path);
        assert_string_equal(err.msg, want);
        assert_int_equal(heed__file_read(NULL, path, 10, &data, &size, &err), 0);
        assert_string_equal(data, "old");
        heed__free(NULL, data);
        assert_int_equal(count(top), 1);
    }
    limit(whole.st_size);
    if (save(&err)) fail_msg("%s", err.msg);
    limit(-1);
    unlink(path);
}

static void test_files(void **state) {
    (void)state;
    fill_up_file(save_weights);
    fill_up_file(save_checkpoint);
    fill_up_file(save_entry);
}

/* Which of the two lies at path, by opening it whole. */
static const heed_classifier *saved(void) {
    heed_error err;
    heed_label top1;
    heed_classifier *c = heed_classifier_open(path, &(heed_open_cfg){ .threads = 1 }, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classify(c, "red bread", &top1, 1, &err), 1);
    const heed_classifier *is = heed_classifier_labels(c) == 3 ? one : two;
    assert_int_equal(heed_classifier_parameters(c), heed_classifier_parameters(is));
    heed_classifier_close(c);
    return is;
}

static void remove_folder(void) {
    static const char *const files[] = { "config.json", "vocab.txt", "model.safetensors" };
    char file[128];
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s", path, files[i]);
        assert_int_equal(unlink(file), 0);
    }
    assert_int_equal(rmdir(path), 0);
}

static void test_folder(void **state) {
    (void)state;
    heed_error err;
    if (heed_classifier_save(one, path, &err)) fail_msg("%s", err.msg);
    int failed = 0, rc = -1;
    for (int64_t most = 0; rc; most += 199) {
        limit(most);
        rc = heed_classifier_save(two, path, &err);
        limit(-1);
        assert_int_equal(count(top), 1);
        assert_int_equal(count(path), 3);
        if (rc == 0) break;
        failed++;
        assert_int_equal(rc, HEED_EIO);
        assert_non_null(strstr(err.msg, "cannot be written: File too large"));
        assert_ptr_equal(saved(), one);
    }
    assert_true(failed > 10);
    assert_ptr_equal(saved(), two);
    remove_folder();
}

/* A child saves the two in turn until it is killed; all the while the folder is opened. */
static void test_killed(void **state) {
    (void)state;
    heed_error err;
    int seen[2] = { 0, 0 };
    if (heed_classifier_save(one, path, &err)) fail_msg("%s", err.msg);
    for (int i = 0; i < 40; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) /* its context has one thread, none to miss after fork */
            for (int n = 0;; n++)
                if (heed_classifier_save(n % 2 ? one : two, path, &err)) _exit(1);
        for (int n = 0; n < 3; n++) seen[saved() == two]++;
        usleep((useconds_t)(i * 3001));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        seen[saved() == two]++;
    }
    if (!seen[0] || !seen[1]) fail_msg("seen %d and %d times", seen[0], seen[1]);
    if (heed_classifier_save(one, path, &err)) fail_msg("%s", err.msg);
    assert_int_equal(count(top), 1);
    assert_int_equal(count(path), 3);
    assert_ptr_equal(saved(), one);
    remove_folder();
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_files), cmocka_unit_test(test_folder),
                                        cmocka_unit_test(test_killed) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
