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

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* 1 and the name of a folder that lies in path, 0 where there is none, -1 with errno. */
static int holds_folder(const char *path, char name[256]) {
    DIR *d = opendir(path);
    if (!d) return -1;
    int found = 0;
    for (struct dirent *e; !found && (e = readdir(d));) {
        struct stat s;
        found = !is_dots(e->d_name) && fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISDIR(s.st_mode);
        if (found) heed__format(name, 256, "%s", e->d_name);
    }
    closedir(d);
    return found;
}

/* Removes the files of a folder. 0, or -1 with errno. */
static int empty(const char *path) {
    DIR *d = opendir(path);
    if (!d) return -1;
    int number = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (!is_dots(e->d_name) && unlinkat(dirfd(d), e->d_name, 0) != 0 && errno != ENOENT)
            number = errno;
    closedir(d);
    errno = number;
    return number ? -1 : 0;
}

static int drop(const char *path) {
    return empty(path) == 0 ? rmdir(path) : -1;
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
static int may_replace(const char *path, heed_error *err) {
    char name[256];
    struct statx s;
    if (access(path, W_OK) != 0) return failed(path, "cannot be written", err);
    if (statx(AT_FDCWD, path, 0, STATX_TYPE, &s) == 0 &&
        s.stx_attributes & s.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return heed__error(err, HEED_EIO,
                           "%s: is a mount point, which cannot be replaced; name a folder in it",
                           path);
    const int holds = holds_folder(path, name);
    if (holds < 0) return failed(path, "cannot be read", err);
    if (holds == 0) return 0;
    return heed__error(err, HEED_EIO,
                       "%s: holds the folder '%s', so it is no model's folder; "
                       "nothing was written",
                       path, name);
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

/* Makes f->work, or takes over what a killed process left, and makes sure that nobody else is
 * writing there: a lock held on the folder that now bears the name. */
static int take(heed_folder *f, heed_error *err) {
    for (;;) {
        struct stat ours, named;
        if (mkdir(f->work, 0777) != 0 && errno != EEXIST)
            return failed(f->work, "cannot be made", err);
        f->lock = open_folder(f->work);
        if (f->lock < 0 && errno == ENOENT) continue;
        if (f->lock < 0) return failed(f->work, "cannot be used", err);
        const bool locked = flock(f->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        if (locked && fstat(f->lock, &ours) == 0 && stat(f->work, &named) == 0 &&
            ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
            return 0;
        close(f->lock); /* renamed between our open and our lock, or: */
        f->lock = -1;
        if (!locked)
            return heed__error(err, HEED_EIO, "%s: is being written by somebody else", f->path);
    }
}

int heed__folder_begin(heed_folder *f, const char *path, heed_error *err) {
    f->lock = -1;
    int rc = find(f, path, err);
    if (rc) return rc;
    heed__format(f->work, sizeof f->work, "%s.new", f->path);
    if (access(f->path, F_OK) == 0) rc = may_replace(f->path, err);
    if (rc == 0) rc = take(f, err);
    if (rc == 0 && empty(f->work) != 0) {
        rc = failed(f->work, "what was left there cannot be removed", err);
        close(f->lock);
    }
    char old[HEED_PATH_SIZE];
    if (rc == 0) drop(old_name(f, old));
    return rc;
}

/* -- commit ----------------------------------------------------------------------------------- */

/* Removes what was replaced, unless somebody has begun to write in a folder of that name; if it
 * fails the next save removes it. */
static void drop_old(const char *path) {
    const int fd = open_folder(path);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) drop(path);
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
    int rc = 0;
    if (stat(f->path, &s) == 0 && fchmod(f->lock, s.st_mode & 0777) != 0) errno = 0;
    if ((fsync(f->lock) != 0 && errno != EINVAL) || replace(f) != 0) {
        rc = failed(f->path, "cannot be replaced", err);
        heed__folder_abort(f);
        return rc;
    }
    if (sync_parent(f->path)) rc = failed(f->path, "is written, but cannot be synced", err);
    drop_old(f->work);
    drop_old(old_name(f, old));
    close(f->lock);
    return rc;
}

void heed__folder_abort(heed_folder *f) {
    drop(f->work);
    close(f->lock);
}

int heed__folder_check(const char *path, heed_error *err) {
    heed_folder f;
    const int rc = heed__folder_begin(&f, path, err);
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
