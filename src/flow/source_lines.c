/* source_lines.c: lines as they are written: the tail of a file through rotation and truncation,
 * and standard input.
 *
 * A tail's place is kept as "GENERATION INODE OFFSET SUM": every file that stood under the path is
 * a generation of its own, since inodes are used again; SUM is one of the bytes before OFFSET, so
 * that a file that was cut and written anew is seen as what it is. A new generation is kept before
 * anything of it is given: so GENERATION:OFFSET names a line for ever, and a line that was given
 * when the process died is known again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/source_record.h"

enum { CHUNK = 256 << 10, SUM_BYTES = 64, QUIET_LOOKS = 2, POLL_MS = 200 };

/* Bytes that were read and not yet given as lines. */
typedef struct lines {
    heed_text bytes;
    int64_t at;      /* of the first one that is not given, within bytes */
    int64_t offset;  /* of that one in the file */
    bool discarding; /* within a line that is too long */
} lines;

/* Adds the complete lines to the batch, as far as there is room; `last`: what is left is one, too.
 * name makes the id. 0 or a status. */
static int take_lines(heed_source *s, lines *l, const char *name, bool last, heed_error *err) {
    while (!heed__batch_full(s) && l->at < l->bytes.len) {
        char *from = l->bytes.bytes + l->at, id[80];
        const size_t left = (size_t)(l->bytes.len - l->at);
        char *end = memchr(from, '\n', left);
        if (!end && !last) {
            if (left > s->cfg->most && s->cfg->most > 0) {
                if (!l->discarding)
                    heed__source_wrong(s, "%s:%lld: a line of more than %zu bytes, passed over",
                                       name, (long long)l->offset, s->cfg->most);
                l->discarding = true;
                l->at += (int64_t)left;
                l->offset += (int64_t)left;
            }
            break;
        }
        size_t size = end ? (size_t)(end - from) : left;
        const int64_t used = (int64_t)size + (end != NULL);
        if (size > 0 && from[size - 1] == '\r') size--;
        heed__format(id, sizeof id, "%s:%lld", name, (long long)l->offset);
        const char was = from[size];
        from[size] = 0; /* the line end's place, or the zero behind all bytes */
        if (!l->discarding) {
            const int status = heed__record_line(s, from, size, id, err);
            if (status && s->batch.len > 0) { /* those before it first, then it again */
                from[size] = was;
                return 0;
            }
            if (status) return status;
        }
        l->discarding = false;
        l->at += used;
        l->offset += used;
    }
    return 0;
}

/* Forgets what was given, and makes room. */
static void drop_given(lines *l) {
    if (l->at == 0) return;
    memmove(l->bytes.bytes, l->bytes.bytes + l->at, (size_t)(l->bytes.len - l->at) + 1);
    l->bytes.len -= l->at;
    l->at = 0;
}

/* -- tail ------------------------------------------------------------------------------------- */

typedef struct tail {
    int fd; /* -1: none open */
    uint64_t inode;
    int64_t generation; /* 0: nothing was ever read */
    lines lines;
    uint64_t sum;    /* of the bytes before lines.offset */
    bool known;      /* the kept place was read */
    uint64_t done;   /* inode of the file that was read to its end last; 0: none */
    int64_t done_ns; /* when it was written to last */
    int quiet;       /* looks in a row that found nothing more in a file that is not path's */
    char *buffer;    /* [CHUNK] */
} tail;

static uint64_t sum_before(int fd, int64_t offset) {
    char bytes[SUM_BYTES];
    const size_t want = offset < SUM_BYTES ? (size_t)offset : SUM_BYTES;
    const ssize_t n = pread(fd, bytes, want, offset - (int64_t)want);
    return heed__hash_more(HEED_HASH_BEGIN, bytes, n > 0 ? (size_t)n : 0);
}

static int keep_place(heed_source *s, tail *t, heed_error *err) {
    char place[128];
    t->sum = sum_before(t->fd, t->lines.offset);
    heed__format(place, sizeof place, "%lld %llu %lld %llu", (long long)t->generation,
                 (unsigned long long)t->inode, (long long)t->lines.offset,
                 (unsigned long long)t->sum);
    return heed__source_set(s, "place", place, err);
}

/* The next number of a place, digits alone. */
static bool next_number(const char **at, uint64_t *value) {
    uint64_t v = 0;
    const char *from = *at + strspn(*at, " ");
    const size_t n = strspn(from, "0123456789");
    for (size_t i = 0; i < n; i++) v = v * 10 + (uint64_t)(from[i] - '0');
    *at = from + n;
    *value = v;
    return n > 0;
}

static int find_place(heed_source *s, tail *t, heed_error *err) {
    if (t->known) return 0;
    char *place = heed__source_get(s, "place", err);
    if (!place && err->code) return err->code;
    const char *at = place ? place : "";
    uint64_t v[4] = { 0 };
    bool all = true;
    for (int i = 0; i < 4; i++) all = all && next_number(&at, &v[i]);
    if (all) {
        t->generation = (int64_t)v[0];
        t->inode = v[1];
        t->lines.offset = (int64_t)v[2];
        t->sum = v[3];
    }
    t->known = true;
    heed__free(&s->hooks, place);
    return 0;
}

/* Is it the file that the place was in, and are the bytes before the place those that they were? */
static bool goes_on(const tail *t, int fd, const struct stat *st) {
    return t->generation > 0 && (uint64_t)st->st_ino == t->inode &&
           st->st_size >= t->lines.offset && sum_before(fd, t->lines.offset) == t->sum;
}

static int open_file(const char *path, struct stat *st) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static int64_t written_ns(const struct stat *st) {
    return st->st_mtim.tv_sec * (int64_t)1000000000 + st->st_mtim.tv_nsec;
}

/* Is name what rotation makes of base: base.1, base-20240501, base.2024-05-01T10? */
static bool is_rotated(const char *name, const char *base) {
    const size_t n = strlen(base);
    return strncmp(name, base, n) == 0 && (name[n] == '.' || name[n] == '-') && name[n + 1] &&
           strspn(name + n, "0123456789.-_:T") == strlen(name + n);
}

/* Among the rotated files beside path: the one of the kept place, or (next) the oldest of those
 * that were written to after the one that was read to its end. -1: there is none. */
static int open_rotated(const char *path, const tail *t, bool next) {
    char name[HEED_PATH_SIZE];
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    heed__format(name, sizeof name, "%.*s", folder ? folder : 1, folder ? path : ".");
    DIR *dir = opendir(name);
    int found = -1;
    int64_t oldest = INT64_MAX;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (!is_rotated(e->d_name, base)) continue;
        heed__format(name, sizeof name, "%.*s%s", folder, path, e->d_name);
        const int fd = open_file(name, &st);
        if (fd < 0) continue;
        const int64_t at = written_ns(&st);
        if (next ? (uint64_t)st.st_ino != t->done && at >= t->done_ns && at < oldest
                 : goes_on(t, fd, &st)) {
            if (found >= 0) close(found);
            found = fd;
            oldest = at;
        } else {
            close(fd);
        }
    }
    if (dir) closedir(dir);
    return found;
}

/* A generation begins: kept before anything of it is given. */
static int begin_file(heed_source *s, tail *t, const struct stat *st, heed_error *err) {
    const bool pass = t->generation == 0 && s->cfg->from_end;
    t->generation++;
    t->inode = (uint64_t)st->st_ino;
    t->lines.offset = pass ? st->st_size : 0;
    t->lines.at = 0;
    t->lines.discarding = false;
    heed__text_reset(&t->lines.bytes);
    t->quiet = 0;
    return keep_place(s, t, err);
}

/* Opens what is to be read next. 0: t->fd is open, or there is nothing; or a status. */
static int open_next(heed_source *s, tail *t, heed_error *err) {
    struct stat st;
    const char *path = s->cfg->path;
    int fd = open_file(path, &st);
    if (fd < 0 && errno != ENOENT)
        return heed__error(err, HEED_EIO, "%s: cannot be read: %s", path, heed__errno_text(errno));
    if (fd >= 0 && goes_on(t, fd, &st)) {
        t->fd = fd;
        return 0;
    }
    if (t->generation > 0 && t->inode && (fd < 0 || (uint64_t)st.st_ino != t->inode)) {
        t->fd = open_rotated(path, t, false);
        if (t->fd >= 0) { /* what was written to it before it was renamed */
            if (fd >= 0) close(fd);
            return 0;
        }
    }
    const int between = t->done ? open_rotated(path, t, true) : -1;
    if (between >= 0) { /* renamed since, before it was ever opened here */
        if (fd >= 0) close(fd);
        fd = between;
        if (fstat(fd, &st) != 0) st = (struct stat){ 0 };
    }
    t->fd = fd;
    return fd < 0 ? 0 : begin_file(s, t, &st, err);
}

static void close_file(tail *t, const struct stat *st) {
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    t->inode = 0; /* it has been read to its end */
    t->done = (uint64_t)st->st_ino;
    t->done_ns = written_ns(st);
    t->quiet = 0;
}

/* Gives the lines that are whole. */
static int give_lines(heed_source *s, tail *t, bool last, heed_error *err) {
    char name[32];
    heed__format(name, sizeof name, "%lld", (long long)t->generation);
    do {
        int status = take_lines(s, &t->lines, name, last, err);
        const bool more = heed__batch_full(s);
        if (!status && t->lines.at > 0) status = heed__source_give(s, err);
        if (!status && t->lines.at > 0) status = keep_place(s, t, err);
        if (status) return status;
        drop_given(&t->lines);
        if (!more) return 0;
    } while (true);
}

/* Nothing more is there: was the file cut, or another put in its place? */
static int at_end(heed_source *s, tail *t, heed_error *err) {
    struct stat open_one, named;
    const int64_t end = t->lines.offset + t->lines.bytes.len - t->lines.at;
    if (fstat(t->fd, &open_one) != 0)
        return heed__error(err, HEED_EIO, "%s: %s", s->cfg->path, heed__errno_text(errno));
    if (open_one.st_size < end || sum_before(t->fd, t->lines.offset) != t->sum) {
        heed__log(&s->hooks, HEED_LOG_DEBUG, "source %s: %s was cut", s->cfg->name, s->cfg->path);
        const int status = begin_file(s, t, &open_one, err);
        return status ? status : HEED_SOURCE_MORE;
    }
    if (stat(s->cfg->path, &named) != 0 ||
        (named.st_ino == open_one.st_ino && named.st_dev == open_one.st_dev)) {
        t->quiet = 0;
        return HEED_SOURCE_IDLE;
    }
    if (++t->quiet < QUIET_LOOKS) return HEED_SOURCE_IDLE; /* who wrote may not know it yet */
    const int status = give_lines(s, t, true, err);
    if (status) return status;
    close_file(t, &open_one);
    return HEED_SOURCE_MORE;
}

static int tail_step(heed_source *s, heed_error *err) {
    tail *t = s->own;
    int status = find_place(s, t, err);
    if (!status && t->fd < 0) status = open_next(s, t, err);
    if (status || t->fd < 0) return status ? status : HEED_SOURCE_IDLE;
    lines *l = &t->lines;
    const int64_t end = l->offset + l->bytes.len - l->at;
    const ssize_t n = pread(t->fd, t->buffer, CHUNK, end);
    if (n < 0) {
        status = heed__error(err, HEED_EIO, "%s: %s", s->cfg->path, heed__errno_text(errno));
        close(t->fd);
        t->fd = -1;
        return status;
    }
    if (n == 0) return at_end(s, t, err);
    struct stat st;
    if (sum_before(t->fd, l->offset) != t->sum && fstat(t->fd, &st) == 0) { /* cut, written anew */
        status = begin_file(s, t, &st, err);
        return status ? status : HEED_SOURCE_MORE;
    }
    t->quiet = 0;
    heed__text_add(&l->bytes, t->buffer, (size_t)n);
    if (l->bytes.failed) {
        heed__text_free(&l->bytes);
        l->at = 0;
        return heed__source_no_memory(s, err);
    }
    status = give_lines(s, t, false, err);
    return status ? status : HEED_SOURCE_MORE;
}

static int tail_open(heed_source *s, heed_error *err) {
    tail *t = s->own;
    t->fd = -1;
    t->lines.bytes.hooks = &s->hooks;
    t->buffer = heed__malloc(&s->hooks, CHUNK);
    return t->buffer ? 0 : heed__source_no_memory(s, err);
}

static void tail_close(heed_source *s) {
    tail *t = s->own;
    if (t->fd >= 0) close(t->fd);
    heed__text_free(&t->lines.bytes);
    heed__free(&s->hooks, t->buffer);
}

const heed_source_kind heed__source_tail = {
    .name = "tail", .size = sizeof(tail), .open = tail_open, .step = tail_step, .close = tail_close
};

/* -- standard input --------------------------------------------------------------------------- */

typedef struct input {
    lines lines;
    char name[32]; /* of this run: a pipe cannot be read again */
    char *buffer;
    bool ended;
} input;

static int input_open(heed_source *s, heed_error *err) {
    input *in = s->own;
    in->lines.bytes.hooks = &s->hooks;
    heed__format(in->name, sizeof in->name, "%llx-%llx", (unsigned long long)heed__now_ms(),
                 (unsigned long long)getpid());
    in->buffer = heed__malloc(&s->hooks, CHUNK);
    return in->buffer ? 0 : heed__source_no_memory(s, err);
}

static int input_step(heed_source *s, heed_error *err) {
    input *in = s->own;
    lines *l = &in->lines;
    struct pollfd wait = { .fd = STDIN_FILENO, .events = POLLIN };
    s->wait_ms = 0;
    if (!in->ended) {
        if (poll(&wait, 1, POLL_MS) == 0) return HEED_SOURCE_IDLE;
        const ssize_t n = read(STDIN_FILENO, in->buffer, CHUNK);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return HEED_SOURCE_IDLE;
        if (n < 0) return heed__error(err, HEED_EIO, "standard input: %s", heed__errno_text(errno));
        in->ended = n == 0;
        heed__text_add(&l->bytes, in->buffer, (size_t)n);
        if (l->bytes.failed) return heed__source_no_memory(s, err);
    }
    bool more;
    do {
        int status = take_lines(s, l, in->name, in->ended, err);
        more = heed__batch_full(s);
        if (!status) status = heed__source_give(s, err);
        if (status) return status;
        drop_given(l);
    } while (more);
    return in->ended ? HEED_SOURCE_ENDED : HEED_SOURCE_MORE;
}

static void input_close(heed_source *s) {
    input *in = s->own;
    heed__text_free(&in->lines.bytes);
    heed__free(&s->hooks, in->buffer);
}

const heed_source_kind heed__source_stdin = { .name = "stdin",
                                              .size = sizeof(input),
                                              .open = input_open,
                                              .step = input_step,
                                              .close = input_close };
