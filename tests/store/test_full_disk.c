/* A full disk: what was acknowledged is there, what is refused is not, one clear sentence, and with
 * room again all goes on. The disk is a small tmpfs; skipped where mounting is not allowed. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_tools.h"

static char disk[32]; /* "": none */
static char path[64], ballast[64];

static int mount_disk(void **state) {
    (void)state;
    snprintf(disk, sizeof disk, "/tmp/heed-full-XXXXXX");
    if (!mkdtemp(disk)) return -1;
    snprintf(path, sizeof path, "%s/heed.db", disk);
    snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    if (mount("none", disk, "tmpfs", 0, "size=3m") == 0) return 0;
    rmdir(disk);
    disk[0] = 0;
    return 0;
}

static int unmount_disk(void **state) {
    (void)state;
    if (!disk[0]) return 0;
    umount2(disk, MNT_DETACH);
    return rmdir(disk);
}

/* A file that leaves so many bytes free. */
static void leave(size_t bytes) {
    unlink(ballast);
    const int file = open(ballast, O_WRONLY | O_CREAT, 0600);
    static char page[4096];
    while (write(file, page, sizeof page) == (ssize_t)sizeof page)
        ;
    struct stat is;
    fstat(file, &is);
    assert_true(is.st_size >= (off_t)bytes);
    assert_int_equal(ftruncate(file, is.st_size - (off_t)bytes), 0);
    close(file);
}

static heed_store *open_here(void) {
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = path }, &err_);
    if (!s) fail_msg("%s", err_.msg);
    return s;
}

static int append(heed_store *s, int64_t i, heed_error *err) {
    char text[400], id[24];
    memset(text, 'a' + (int)(i % 26), sizeof text - 1);
    text[sizeof text - 1] = 0;
    snprintf(id, sizeof id, "%lld", (long long)i);
    heed_entry e = { .source = "s", .id = id, .text = text };
    const int status = heed_store_append(s, &e, 1, 1, err);
    if (!status) assert_int_equal(e.seq, i);
    return status;
}

/* Appends until it is refused; the last that was taken. */
static int64_t append_until_full(heed_store *s, int64_t from) {
    heed_error err = { 0 };
    int64_t i = from;
    while (append(s, i + 1, &err) == 0) i++;
    assert_int_equal(err.code, HEED_EIO);
    if (!strstr(err.msg, path) || !strstr(err.msg, "the disk is full")) fail_msg("%s", err.msg);
    assert_int_equal(heed_store_last(s), i);
    return i;
}

static int64_t count(heed_store *s) {
    json_t *is = heed_look_state(s, &err_);
    if (!is) fail_msg("%s", err_.msg);
    const int64_t n = json_integer_value(json_object_get(is, "events"));
    json_decref(is);
    return n;
}

static void test_appends(void **state) {
    (void)state;
    if (!disk[0]) skip();
    heed_store *s = open_here();
    const int64_t n = append_until_full(s, 0);
    assert_true(n > 100);
    assert_int_equal(count(s), n); /* it still reads */
    err_ = (heed_error){ 0 };
    heed_commit c = { .upto = n };
    assert_int_equal(heed_store_commit(s, &c, &err_), HEED_EIO);
    assert_int_equal(heed_store_decided(s), 0);
    assert_int_equal(heed_store_backup(s, "/dev/full/x", &err_), HEED_EIO);
    char copy[80];
    snprintf(copy, sizeof copy, "%s/copy.db", disk);
    assert_int_equal(heed_store_backup(s, copy, &err_), HEED_EIO);
    assert_int_equal(access(copy, F_OK), -1);
    heed_store_close(s); /* the journal stays, since the file cannot take it */
    s = open_here();
    assert_int_equal(heed_store_last(s), n);
    assert_int_equal(mount("none", disk, "tmpfs", MS_REMOUNT, "size=40m"), 0);
    must(heed_store_commit(s, &c, &err)); /* room again */
    must(append(s, n + 1, &err));
    must(heed_store_check(s, &err));
    heed_store_close(s);
    s = open_here();
    assert_int_equal(count(s), n + 1);
    heed_store_close(s);
}

/* With little room left at every step of a store's life. */
static void test_little_room(void **state) {
    (void)state;
    if (!disk[0]) skip();
    heed_store *s = open_here();
    for (int64_t i = 1; i <= 200; i++) must(append(s, i, &err));
    heed_store_close(s);
    int64_t last = 200, refused = 0;
    for (size_t room = 0; room < 400000; room += 16384) {
        leave(room);
        err_ = (heed_error){ 0 };
        s = heed_store_open(&(heed_store_cfg){ .path = path }, &err_);
        if (!s) {
            refused++;
            assert_int_equal(err_.code, HEED_EIO);
            assert_non_null(strstr(err_.msg, path));
            continue;
        }
        int status = 0;
        for (int k = 0; k < 40 && !status; k++) {
            status = append(s, last + 1, &err_);
            if (!status) last++;
        }
        heed_commit c = { .upto = heed_store_last(s), .state = "state", .state_size = 5 };
        if (!status) status = heed_store_commit(s, &c, &err_);
        if (!status) status = heed_store_vacuum(s, &err_);
        if (!status) status = heed_store_forget(s, "nobody", &err_) < 0 ? err_.code : 0;
        if (status) refused++;
        if (status && status != HEED_EIO) fail_msg("%d: %s", status, err_.msg);
        unlink(ballast);
        must(heed_store_check(s, &err));
        assert_int_equal(count(s), last);
        heed_store_close(s);
    }
    assert_true(refused > 0);
    s = open_here();
    assert_int_equal(count(s), last);
    must(heed_store_check(s, &err));
    heed_store_close(s);
}

static void test_no_room_to_begin(void **state) {
    (void)state;
    if (!disk[0]) skip();
    for (size_t room = 0; room < 200000; room += 20480) {
        leave(room);
        err_ = (heed_error){ 0 };
        heed_store *s = heed_store_open(&(heed_store_cfg){ .path = path }, &err_);
        if (!s && (err_.code != HEED_EIO || !strstr(err_.msg, path)))
            fail_msg("%d: %s", err_.code, err_.msg);
        heed_store_close(s);
    }
    unlink(ballast);
    heed_store *s = open_here(); /* what was left behind is no hindrance */
    must(append(s, 1, &err));
    must(heed_store_check(s, &err));
    heed_store_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_appends, mount_disk, unmount_disk),
        cmocka_unit_test_setup_teardown(test_little_room, mount_disk, unmount_disk),
        cmocka_unit_test_setup_teardown(test_no_room_to_begin, mount_disk, unmount_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
