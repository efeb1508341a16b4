/* sink_file.c: messages as lines of JSON at the end of a file. A line is there whole or not at all:
 * what a full disk cut short is taken back, and so is what a crash left of a line of ours at the
 * end. A file that was moved away (logrotate) is followed by a new one of its name. What is written
 * is synced before it counts as delivered. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "flow/sink_impl.h"

enum { TAIL = 4096 };

typedef struct file {
    int fd; /* -1: not open */
    struct stat is;
    bool fresh; /* just made: its folder is to be synced */
    bool stale; /* something went wrong: to be opened and looked at anew */
} file;

static int open_file(heed__sink *s, heed_error *err) {
    file *f = heed__calloc(&s->all->hooks, 1, sizeof *f);
    if (!f) return heed__error(err, HEED_ENOMEM, "out of memory for sink %s", s->name);
    f->fd = -1;
    s->own = f;
    return HEED_OK;
}

static void shut(file *f) {
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

static void close_file(heed__sink *s) {
    file *f = s->own;
    if (!f) return;
    shut(f);
    heed__free(&s->all->hooks, f);
    s->own = NULL;
}

/* Where the last whole line ends: what stands after it was cut by a crash. A tail that is none of
 * our lines is left alone: -1. */
static off_t whole_lines(int fd, off_t size) {
    char tail[TAIL];
    off_t end = size;
    while (end > 0) {
        const off_t from = end > TAIL ? end - TAIL : 0;
        const ssize_t n = pread(fd, tail, (size_t)(end - from), from);
        if (n <= 0) return -1;
        const char *newline = memrchr(tail, '\n', (size_t)n);
        end = newline ? from + (newline - tail) + 1 : from;
        if (newline) break;
    }
    static const char begin[] = "{\"key\":";
    const size_t len = (size_t)(size - end) < sizeof begin - 1 ? (size_t)(size - end)
                                                               : sizeof begin - 1;
    if (pread(fd, tail, len, end) != (ssize_t)len || memcmp(tail, begin, len) != 0) return -1;
    return end;
}

/* The file under its name, open at its end, with whole lines. */
static int reach(heed__sink *s, file *f, heed_error *err) {
    const char *path = s->cfg->path;
    struct stat now;
    if (f->fd >= 0 && (f->stale || stat(path, &now) != 0 || now.st_dev != f->is.st_dev ||
                       now.st_ino != f->is.st_ino || now.st_nlink == 0))
        shut(f); /* moved away or removed */
    if (f->fd >= 0) return HEED_OK;
    f->stale = false;
    f->fresh = access(path, F_OK) != 0;
    f->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (f->fd < 0 || fstat(f->fd, &f->is) != 0)
        return heed__error(err, HEED_EIO, "%s: %s", path, heed__errno_text(errno));
    if (!S_ISREG(f->is.st_mode)) {
        shut(f);
        return heed__error(err, HEED_EIO, "%s: is not a regular file", path);
    }
    char last = '\n';
    if (f->is.st_size > 0 && pread(f->fd, &last, 1, f->is.st_size - 1) != 1) last = '\n';
    if (last == '\n') return HEED_OK;
    const off_t end = whole_lines(f->fd, f->is.st_size);
    if (end >= 0 ? ftruncate(f->fd, end) != 0 : write(f->fd, "\n", 1) != 1) {
        heed__error(err, HEED_EIO, "%s: %s", path, heed__errno_text(errno));
        shut(f);
        return HEED_EIO;
    }
    return HEED_OK;
}

/* All of it at the end of the file, or nothing. */
static int append(int fd, const char *text, size_t size) {
    struct stat before;
    if (fstat(fd, &before) != 0) return errno;
    size_t done = 0;
    while (done < size) {
        const ssize_t n = write(fd, text + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int why = n < 0 ? errno : ENOSPC;
            if (done > 0 && ftruncate(fd, before.st_size) != 0) return errno;
            return why;
        }
        done += (size_t)n;
    }
    return 0;
}

static void deliver_file(heed__sink *s, const heed_message *m, heed__outcome *o) {
    file *f = s->own;
    heed_error err = { 0 };
    if (reach(s, f, &err)) {
        heed__sink_say(o, HEED_SINK_WAIT, "%s", err.msg);
        return;
    }
    size_t size = 0;
    char *text = heed__sink_text(&s->all->hooks, m, &size);
    if (!text) {
        heed__sink_say(o, HEED_SINK_WAIT, "out of memory");
        return;
    }
    text[size] = '\n'; /* in the place of its 0 */
    const int why = append(f->fd, text, size + 1);
    if (why) {
        heed__sink_say(o, HEED_SINK_WAIT, "%s: %s", s->cfg->path, heed__errno_text(why));
        f->stale = true;
    }
    heed__free(&s->all->hooks, text);
}

static int flush_file(heed__sink *s, heed_error *err) {
    file *f = s->own;
    if (f->fd < 0) return heed__error(err, HEED_EIO, "%s: is not open", s->cfg->path);
    if (fdatasync(f->fd) != 0) {
        const int why = errno;
        shut(f); /* what a failed sync left is not known: read again */
        return heed__error(err, HEED_EIO, "%s: %s", s->cfg->path, heed__errno_text(why));
    }
    if (!f->fresh) return HEED_OK;
    f->fresh = false;
    char folder[4096];
    const char *slash = strrchr(s->cfg->path, '/');
    const size_t len = slash ? (size_t)(slash - s->cfg->path) : 0;
    heed__format(folder, sizeof folder, "%.*s%s", (int)len, s->cfg->path, slash ? "/" : ".");
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    return HEED_OK;
}

const heed__sink_kind heed__sink_file = {
    .name = "file",
    .open = open_file,
    .deliver = deliver_file,
    .flush = flush_file,
    .close = close_file,
};
