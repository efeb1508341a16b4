/* folder.c: a folder replaced as a whole. */
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

static int failed(const char *path, const char *what, heed_error *err) {
    const int number = errno;
    return heed__error(err, number == ENOMEM ? HEED_ENOMEM : HEED_EIO, "%s: %s: %s", path, what,
                       heed__errno_text(number));
}

static int open_folder(const char *path) {
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_listed(const char *name, const char *const *files) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return true;
    for (; *files; files++)
        if (strcmp(name, *files) == 0) return true;
    return false;
}

/* Refuses a folder that holds what is not listed. 0 or a status. */
static int check_contents(const char *path, const char *const *files, heed_error *err) {
    DIR *d = opendir(path);
    if (!d) return failed(path, "cannot be read", err);
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d));)
        if (!is_listed(e->d_name, files))
            rc = heed__error(
                err, HEED_EIO,
                "%s: holds '%s', which is no file of a model of this kind; nothing was written",
                path, e->d_name);
    closedir(d);
    return rc;
}

/* Removes the listed files from a folder, and what a killed writer left of them (see file.c). 0, or
 * -1 with errno. */
static int empty(const char *path, const char *const *files) {
    const int fd = open_folder(path);
    if (fd < 0) return -1;
    int number = 0;
    for (; *files; files++) {
        char temporary[NAME_MAX + 8];
        heed__format(temporary, sizeof temporary, ".%s.tmp", *files);
        if (unlinkat(fd, *files, 0) != 0 && errno != ENOENT) number = errno;
        if (unlinkat(fd, temporary, 0) != 0 && errno != ENOENT) number = errno;
    }
    close(fd);
    errno = number;
    return number ? -1 : 0;
}

/* Removes a folder of listed files; one that holds others stays, with them. 0, or -1 with errno. */
static int drop(const char *path, const char *const *files) {
    return empty(path, files) == 0 ? rmdir(path) : -1;
}

static int sync_parent(const char *path) {
    char parent[HEED_PATH_SIZE];
    heed__format(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash) slash[slash == parent] = 0;
    const int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : -1;
    const int number = fsync(fd) && errno != EINVAL ? errno : 0;
    close(fd);
    errno = number;
    return number ? -1 : 0;
}

static const char *old_name(const heed_folder *f, char old[HEED_PATH_SIZE]) {
    heed__format(old, HEED_PATH_SIZE, "%s.new.old", f->path);
    return old;
}

/* -- begin ------------------------------------------------------------------------------------ */

/* Whether the folder that is there may be replaced. 0 or a status. */
static int may_replace(const heed_folder *f, heed_error *err) {
    const char *path = f->path;
    struct statx s;
    if (access(path, W_OK) != 0) return failed(path, "cannot be written", err);
    if (statx(AT_FDCWD, path, 0, STATX_TYPE, &s) == 0 &&
        s.stx_attributes & s.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return heed__error(err, HEED_EIO,
                           "%s: is a mount point, which cannot be replaced; name a folder in it",
                           path);
    return check_contents(path, f->files, err);
}

/* Fills f->path: without slashes at its end, and with a link followed. 0 or a status. */
static int find(heed_folder *f, const char *path, heed_error *err) {
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    if (len == 0 || len + 16 > sizeof f->work)
        return heed__error(err, HEED_EINVALID, "%.100s: the name of a folder is needed", path);
    heed__format(f->path, sizeof f->path, "%.*s", (int)len, path);
    char old[HEED_PATH_SIZE], real[PATH_MAX];
    struct stat s;
    if (lstat(f->path, &s) != 0 && errno == ENOENT) { /* killed between two steps? */
        if (rename(old_name(f, old), f->path) != 0) return 0;
        return sync_parent(f->path) ? failed(path, "cannot be put back", err) : 0;
    }
    if (stat(f->path, &s) != 0) return failed(path, "cannot be read", err);
    if (!S_ISDIR(s.st_mode))
        return heed__error(err, HEED_EIO, "%s: there is a file of that name", path);
    if (!realpath(f->path, real)) return failed(path, "cannot be read", err);
    if (strlen(real) + 16 > sizeof f->work)
        return heed__error(err, HEED_EINVALID, "%.100s: too long a name", path);
    heed__format(f->path, sizeof f->path, "%s", real);
    return 0;
}

/* Waits until nobody else holds the folder. A file system without locks has to do without. */
static void lock_folder(int fd) {
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
}

/* Makes f->work, or takes over what a killed process left, and makes sure that nobody else is
 * writing there: a lock held on the folder that now bears the name. */
static int take(heed_folder *f, heed_error *err) {
    for (;;) {
        struct stat ours, named;
        if (mkdir(f->work, 0777) != 0 && errno != EEXIST)
            return failed(f->path, "cannot be made", err);
        f->lock = open_folder(f->work);
        if (f->lock < 0 && errno == ENOENT) continue;
        if (f->lock < 0) return failed(f->work, "cannot be used", err);
        lock_folder(f->lock);
        if (fstat(f->lock, &ours) == 0 && stat(f->work, &named) == 0 &&
            ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
            return 0;
        close(f->lock); /* renamed or removed between our open and our lock */
    }
}

int heed__folder_begin(heed_folder *f, const char *path, const char *const *files,
                       heed_error *err) {
    f->lock = -1;
    f->files = files;
    int rc = find(f, path, err);
    if (rc) return rc;
    heed__format(f->work, sizeof f->work, "%s.new", f->path);
    if (access(f->path, F_OK) == 0) rc = may_replace(f, err);
    if (rc) return rc;
    rc = take(f, err);
    if (rc) return rc;
    if (empty(f->work, files) != 0)
        rc = failed(f->work, "what was left there cannot be removed", err);
    else
        rc = check_contents(f->work, files, err);
    if (rc) {
        close(f->lock);
        return rc;
    }
    char old[HEED_PATH_SIZE];
    drop(old_name(f, old), files);
    return 0;
}

/* -- commit ----------------------------------------------------------------------------------- */

/* Removes what was replaced, unless somebody has begun to write in a folder of that name; if it
 * fails the next save removes it. */
static void drop_old(const char *path, const char *const *files) {
    const int fd = open_folder(path);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) drop(path, files);
    close(fd);
}

/* What was there is f->work afterwards, or bears the old name. 0, or -1 with errno. */
static int replace(const heed_folder *f) {
    if (rename(f->work, f->path) == 0) return 0; /* nothing there, or an empty folder */
    if (errno != ENOTEMPTY && errno != EEXIST) return -1;
    if (renameat2(AT_FDCWD, f->work, AT_FDCWD, f->path, RENAME_EXCHANGE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    char old[HEED_PATH_SIZE]; /* a file system that cannot exchange */
    if (rename(f->path, old_name(f, old)) != 0) return -1;
    if (rename(f->work, f->path) == 0) return 0;
    const int number = errno;
    rename(old, f->path);
    errno = number;
    return -1;
}

int heed__folder_commit(heed_folder *f, heed_error *err) {
    struct stat s;
    char old[HEED_PATH_SIZE];
    const bool exists = stat(f->path, &s) == 0;
    int rc = exists ? check_contents(f->path, f->files, err) : 0; /* again: it was long ago */
    if (rc) {
        heed__folder_abort(f);
        return rc;
    }
    if (exists && fchmod(f->lock, s.st_mode & 0777) != 0) errno = 0;
    if ((fsync(f->lock) != 0 && errno != EINVAL) || replace(f) != 0) {
        rc = failed(f->path, "cannot be replaced", err);
        heed__folder_abort(f);
        return rc;
    }
    if (sync_parent(f->path)) rc = failed(f->path, "is written, but cannot be synced", err);
    drop_old(f->work, f->files);
    drop_old(old_name(f, old), f->files);
    close(f->lock);
    return rc;
}

void heed__folder_abort(heed_folder *f) {
    drop(f->work, f->files);
    close(f->lock);
}

void heed__folder_drop(const char *path, const char *const *files) {
    char beside[HEED_PATH_SIZE + 128];
    heed__format(beside, sizeof beside, "%s.new", path);
    drop(path, files);
    drop_old(beside, files);
}

int heed__folder_check(const char *path, const char *const *files, heed_error *err) {
    heed_folder f;
    const int rc = heed__folder_begin(&f, path, files, err);
    if (rc == 0) heed__folder_abort(&f);
    return rc;
}

/* -- reading ---------------------------------------------------------------------------------- */

heed_folder_id heed__folder_id(const char *path) {
    struct stat s;
    if (stat(path, &s) != 0) return (heed_folder_id){ 0 };
    return (heed_folder_id){ s.st_dev, s.st_ino, s.st_ctim.tv_sec, s.st_ctim.tv_nsec };
}

bool heed__folder_same(heed_folder_id a, heed_folder_id b) {
    return a.device == b.device && a.inode == b.inode && a.seconds == b.seconds &&
           a.nanoseconds == b.nanoseconds;
}
