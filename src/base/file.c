/* file.c: whole files in, whole files out, each replaced at once or not at all. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

enum { BUFFER = 64 * 1024, MOST_AT_ONCE = 1 << 30 };

/* One sentence for a system call on path that failed with `number`. */
static int system_error(heed_error *err, const char *path, const char *what, int number) {
    const int code = number == ENOENT ? HEED_ENOTFOUND : number == ENOMEM ? HEED_ENOMEM : HEED_EIO;
    return heed__error(err, code, "%s: %s: %s", path, what, heed__errno_text(number));
}

static int open_again(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* -- reading ---------------------------------------------------------------------------------- */

static int too_large(heed_error *err, const char *path, size_t most) {
    return heed__error(err, HEED_EFORMAT, "%s: larger than the %zu bytes that are read of it", path,
                       most);
}

/* Opens for reading; *size gets the size of a regular file, 0 for a pipe or device. */
static int open_to_read(const char *path, int flags, size_t most, struct stat *st,
                        heed_error *err) {
    const int fd = open_again(path, O_RDONLY | flags, 0);
    if (fd < 0) return system_error(err, path, "cannot be opened", errno);
    int status = HEED_OK;
    if (fstat(fd, st) != 0)
        status = system_error(err, path, "cannot be read", errno);
    else if (S_ISDIR(st->st_mode))
        status = heed__error(err, HEED_EIO, "%s: is a folder, not a file", path);
    else if (S_ISREG(st->st_mode) && (uint64_t)st->st_size > most)
        status = too_large(err, path, most);
    if (!status) return fd;
    close(fd);
    return status;
}

int heed__file_open(const char *path, heed_error *err) {
    struct stat st;
    return open_to_read(path, 0, SIZE_MAX, &st, err);
}

/* Bytes read, 0 at the end, or -1 with errno. */
static ssize_t read_again(int fd, void *data, size_t size) {
    ssize_t n;
    do n = read(fd, data, size < MOST_AT_ONCE ? size : MOST_AT_ONCE);
    while (n < 0 && errno == EINTR);
    return n;
}

int heed__file_read(const heed_hooks *hooks, const char *path, size_t most, char **data,
                    size_t *size, heed_error *err) {
    struct stat st;
    *data = NULL;
    *size = 0;
    const int fd = open_to_read(path, 0, most, &st, err);
    if (fd < 0) return fd;
    char *text = NULL;
    int64_t cap = 0, len = 0, want = S_ISREG(st.st_mode) ? st.st_size + 2 : 4096;
    int status = HEED_OK;
    for (;;) {
        if (want < len + 2) want = len + 2;
        if (heed__grow(hooks, &text, &cap, want, 1) != HEED_OK) {
            status = heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
            break;
        }
        const ssize_t n = read_again(fd, text + len, (size_t)(cap - len - 1));
        if (n < 0) status = system_error(err, path, "cannot be read", errno);
        if (n <= 0) break;
        len += n;
        if ((uint64_t)len > most) {
            status = too_large(err, path, most);
            break;
        }
    }
    close(fd);
    if (status) {
        heed__free(hooks, text);
        return status;
    }
    text[len] = 0;
    *data = text;
    *size = (size_t)len;
    return HEED_OK;
}

int heed__file_regular(const char *path, heed_error *err) {
    struct stat st;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) return HEED_OK;
    return heed__error(err, HEED_EIO, "%s: is not a regular file", path);
}

int heed__map_open(heed_map *map, const char *path, size_t most, heed_error *err) {
    static const unsigned char nothing[1];
    struct stat st;
    *map = (heed_map){ .data = nothing };
    const int fd = open_to_read(path, O_NONBLOCK, most, &st, err); /* does not wait for a pipe */
    if (fd < 0) return fd;
    int status = HEED_OK;
    if (!S_ISREG(st.st_mode)) {
        status = heed__error(err, HEED_EIO, "%s: is not a regular file", path);
    } else if (st.st_size > 0) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = system_error(err, path, "cannot be mapped", errno);
        else
            *map = (heed_map){ .data = data, .size = (size_t)st.st_size };
    }
    close(fd);
    return status;
}

void heed__map_close(heed_map *map) {
    if (map->size > 0) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (heed_map){ 0 };
}

/* -- writing ---------------------------------------------------------------------------------- */

struct heed_writer {
    heed_hooks hooks;
    char *path, *temporary, *folder;
    int fd;
    int failed; /* errno of the first failed write */
    size_t used;
    char buffer[BUFFER];
};

static void free_writer(heed_writer *w) {
    const heed_hooks hooks = w->hooks;
    if (w->fd >= 0) close(w->fd);
    heed__free(&hooks, w->path);
    heed__free(&hooks, w->temporary);
    heed__free(&hooks, w->folder);
    heed__free(&hooks, w);
}

/* path "a/b.txt": folder "a", temporary "a/.b.txt.tmp". False: out of memory. */
static bool name_files(heed_writer *w, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t len = (size_t)(name - path), size = strlen(path) + sizeof "..tmp";
    w->path = heed__strdup(&w->hooks, path);
    w->temporary = heed__malloc(&w->hooks, size);
    w->folder = heed__malloc(&w->hooks, len + 2);
    if (!w->path || !w->temporary || !w->folder) return false;
    heed__format(w->temporary, size, "%.*s.%s.tmp", (int)len, path, name);
    heed__format(w->folder, len + 2, "%.*s", (int)len, path);
    if (len == 0) memcpy(w->folder, ".", 2);
    return true;
}

/* Opens the temporary file and makes sure that nobody else writes to it: a lock held on the file
 * that now bears the name. */
static int open_temporary(heed_writer *w, heed_error *err) {
    for (;;) {
        struct stat ours, named;
        w->fd = open_again(w->temporary, O_WRONLY | O_CREAT | O_NOFOLLOW, 0666);
        if (w->fd < 0) return system_error(err, w->path, "cannot be written", errno);
        if (flock(w->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            return heed__error(err, HEED_EIO, "%s: is being written by somebody else", w->path);
        if (fstat(w->fd, &ours) == 0 && stat(w->temporary, &named) == 0 &&
            ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
            break;
        close(w->fd); /* renamed by its writer between our open and our lock */
    }
    if (ftruncate(w->fd, 0) != 0) return system_error(err, w->path, "cannot be written", errno);
    return HEED_OK;
}

heed_writer *heed__writer_new(const heed_hooks *hooks, const char *path, heed_error *err) {
    char real[PATH_MAX];
    struct stat st;
    const bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
        heed__error(err, HEED_EIO, "%s: is not a regular file", path);
        return NULL;
    }
    heed_writer *w = heed__malloc(hooks, sizeof *w);
    if (w) {
        w->hooks = hooks ? *hooks : (heed_hooks){ 0 };
        w->path = w->temporary = w->folder = NULL;
        w->fd = -1;
        w->failed = 0;
        w->used = 0;
    }
    if (!w || !name_files(w, exists && realpath(path, real) ? real : path)) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
        if (w) free_writer(w);
        return NULL;
    }
    if (open_temporary(w, err) != HEED_OK) {
        free_writer(w);
        return NULL;
    }
    /* A replaced file keeps its permissions; if the system will not have it so, it is no matter. */
    if (exists && fchmod(w->fd, st.st_mode & 0777) != 0) errno = 0;
    return w;
}

static void write_all(heed_writer *w, const char *data, size_t size) {
    while (size > 0 && !w->failed) {
        const ssize_t n = write(w->fd, data, size < MOST_AT_ONCE ? size : MOST_AT_ONCE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) w->failed = errno;
        if (n == 0) w->failed = ENOSPC;
        if (n <= 0) return;
        data += n;
        size -= (size_t)n;
    }
}

static void flush(heed_writer *w) {
    write_all(w, w->buffer, w->used);
    w->used = 0;
}

void heed__writer_write(heed_writer *w, const void *data, size_t size) {
    if (size > BUFFER - w->used) flush(w);
    if (size >= BUFFER) {
        write_all(w, data, size);
    } else if (size > 0) {
        memcpy(w->buffer + w->used, data, size);
        w->used += size;
    }
}

static int sync_again(int fd) {
    int failed;
    do failed = fsync(fd);
    while (failed && errno == EINTR);
    return failed;
}

/* Makes the new name last. A folder that cannot be synced (some network file systems) is no error.
 */
static int sync_folder(const char *folder) {
    const int fd = open_again(folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return errno == EACCES ? 0 : errno;
    const int failed = sync_again(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return failed;
}

int heed__writer_commit(heed_writer *w, heed_error *err) {
    flush(w);
    int failed = w->failed, status = HEED_OK;
    if (!failed && sync_again(w->fd) != 0) failed = errno;
    if (!failed && rename(w->temporary, w->path) != 0) failed = errno;
    if (failed) {
        status = system_error(err, w->path, "cannot be written", failed);
        unlink(w->temporary);
    } else if ((failed = sync_folder(w->folder)) != 0) {
        status = system_error(err, w->path, "is written, but its folder cannot be synced", failed);
    }
    free_writer(w);
    return status;
}

void heed__writer_abort(heed_writer *w) {
    if (!w) return;
    unlink(w->temporary);
    free_writer(w);
}

int heed__file_write(const heed_hooks *hooks, const char *path, const void *data, size_t size,
                     heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_writer *w = heed__writer_new(hooks, path, err);
    if (!w) return err->code;
    heed__writer_write(w, data, size);
    return heed__writer_commit(w, err);
}

int heed__file_nameless(const char *name, const void *data, size_t size) {
    const int fd = memfd_create(name, MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < size;) {
        const ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n < 0 && errno != EINTR) {
            const int why = errno;
            close(fd);
            errno = why;
            return -1;
        }
        if (n > 0) done += (size_t)n;
    }
    if (fd >= 0) lseek(fd, 0, SEEK_SET);
    return fd;
}

int heed__folder_make(const char *path, heed_error *err) {
    struct stat st;
    if (!path[0]) return heed__error(err, HEED_EINVALID, "the name of a folder is needed");
    if (mkdir(path, 0777) == 0) return HEED_OK;
    const int failed = errno;
    if (failed == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return HEED_OK;
    const int rc = system_error(err, path, "folder cannot be made", failed);
    if (rc == HEED_ENOTFOUND && err) err->code = HEED_EIO; /* nothing that was to be read */
    return rc == HEED_ENOTFOUND ? HEED_EIO : rc;
}
