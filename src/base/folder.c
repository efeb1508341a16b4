/* folder.c: a folder replaced as a whole. */
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

static int failed(const char *path, const char *what, heed_error *err) {
    const int number = errno;
    return heed__error(err, number == ENOMEM ? HEED_ENOMEM : HEED_EIO, "%s: %s: %s", path, what,
                       heed__errno_text(number));
}

/* What lies in a folder, "." and ".." apart: 1 and a name where one is a folder, else 0. */
static int holds_folder(const char *path, char name[256]) {
    DIR *d = opendir(path);
    int found = 0;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        struct stat s;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        found = fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode);
        if (found) heed__format(name, 256, "%s", e->d_name);
    }
    if (d) closedir(d);
    return found;
}

/* Removes a folder of plain files. */
static int drop(const char *path) {
    DIR *d = opendir(path);
    if (!d) return errno == ENOENT ? 0 : -1;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return rmdir(path);
}

static void sync_parent(const char *path) {
    char parent[HEED_PATH_SIZE];
    heed__format(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash[1] = 0;
    else if (slash)
        *slash = 0;
    const int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

int heed__folder_begin(const char *path, char work[HEED_PATH_SIZE], heed_error *err) {
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    if (len == 0 || len + 8 > HEED_PATH_SIZE)
        return heed__error(err, HEED_EINVALID, "%.100s: the name of a folder is needed", path);
    char name[256];
    struct stat s;
    if (stat(path, &s) == 0 && !S_ISDIR(s.st_mode))
        return heed__error(err, HEED_EIO, "%s: there is a file of that name", path);
    if (holds_folder(path, name))
        return heed__error(err, HEED_EIO,
                           "%s: holds the folder '%s', so it is no model's folder; "
                           "nothing was written",
                           path, name);
    heed__format(work, HEED_PATH_SIZE, "%.*s.new", (int)len, path);
    if (drop(work)) return failed(work, "a folder left over cannot be removed", err);
    if (mkdir(work, 0777)) return failed(work, "cannot be made", err);
    return 0;
}

int heed__folder_commit(const char *path, const char *work, heed_error *err) {
    const int fd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    if (rename(work, path) == 0) { /* nothing there, or an empty folder */
        sync_parent(work);
        return 0;
    }
    if (errno != ENOTEMPTY && errno != EEXIST) return failed(path, "cannot be replaced", err);
    if (renameat2(AT_FDCWD, work, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        sync_parent(work);
        drop(work); /* the old one now; if that fails the next save removes it */
        return 0;
    }
    char old[HEED_PATH_SIZE]; /* a file system that cannot exchange: two steps */
    heed__format(old, sizeof old, "%s.old", work);
    drop(old);
    if (rename(path, old)) return failed(path, "cannot be replaced", err);
    if (rename(work, path)) {
        const int rc = failed(path, "cannot be replaced", err);
        rename(old, path);
        return rc;
    }
    sync_parent(work);
    drop(old);
    return 0;
}

void heed__folder_abort(const char *work) {
    drop(work);
}

int heed__folder_check(const char *path, heed_error *err) {
    char work[HEED_PATH_SIZE];
    const int rc = heed__folder_begin(path, work, err);
    if (rc == 0) heed__folder_abort(work);
    return rc;
}
