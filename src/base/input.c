/* input.c: bytes from a file, an archive, standard input or memory, through two buffers of fixed
 * size: raw, what was read, and text, what came out of it. */
#include "base/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "base/decode.h"

enum { RAW = 128 << 10, TEXT = 256 << 10, MAGIC = 4 };

struct heed_input {
    heed_hooks hooks;
    char *name;
    int fd;                      /* -1: memory */
    const unsigned char *memory; /* what is left of the caller's bytes */
    size_t memory_size;
    bool own, begun, raw_end, newline; /* own: fd is closed with it */
    int64_t consumed;                  /* raw bytes that came before raw */
    heed_feed raw;
    unsigned char *raw_bytes; /* [RAW] */
    heed_decoder *decoder;    /* NULL: text is raw */
    char *text;               /* [TEXT + 1] */
    size_t at, size;          /* text[at..size) is still to be given */
    char *line;               /* a line that text does not hold whole */
    int64_t line_cap, number;
    heed_error broken; /* the first error; every later call gives it again */
};

static int fail(heed_input *in, int code, const char *what) {
    return heed__error(&in->broken, code, "%.300s: %s", in->name, what);
}

static int again(const heed_input *in, heed_error *err) {
    if (err) *err = in->broken;
    return in->broken.code;
}

static heed_input *make(const char *name, const heed_hooks *hooks, heed_error *err) {
    heed_input *in = heed__calloc(hooks, 1, sizeof *in);
    if (in) {
        if (hooks) in->hooks = *hooks;
        in->fd = -1;
        in->name = heed__strdup(hooks, name);
        in->raw_bytes = heed__malloc(hooks, RAW);
        in->text = heed__malloc(hooks, TEXT + 1);
    }
    if (in && in->name && in->raw_bytes && in->text) return in;
    heed__input_close(in);
    heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    return NULL;
}

heed_input *heed__input_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? STDIN_FILENO : heed__file_open(path, err);
    if (fd < 0) return NULL;
    heed_input *in = make(standard ? "standard input" : path, hooks, err);
    if (in)
        in->fd = fd, in->own = !standard;
    else if (!standard)
        close(fd);
    return in;
}

heed_input *heed__input_from(const void *bytes, size_t size, const char *name,
                             const heed_hooks *hooks, heed_error *err) {
    heed_input *in = make(name, hooks, err);
    if (!in) return NULL;
    in->memory = bytes;
    in->memory_size = size;
    return in;
}

void heed__input_close(heed_input *in) {
    if (!in) return;
    if (in->own) close(in->fd);
    const heed_hooks hooks = in->hooks;
    heed__decoder_free(in->decoder);
    heed__free(&hooks, in->name);
    heed__free(&hooks, in->raw_bytes);
    heed__free(&hooks, in->text);
    heed__free(&hooks, in->line);
    heed__free(&hooks, in);
}

/* -- raw bytes -------------------------------------------------------------------------------- */

/* Up to size bytes as they are in the file; 0 and in->raw_end at its end. */
static int64_t read_raw(heed_input *in, void *to, size_t size) {
    int64_t n;
    if (in->fd < 0) {
        n = (int64_t)(in->memory_size < size ? in->memory_size : size);
        if (n) memcpy(to, in->memory, (size_t)n);
        if (n) in->memory += n;
        in->memory_size -= (size_t)n;
    } else {
        bool stopped;
        do {
            n = read(in->fd, to, size);
            stopped = n < 0 && errno == EINTR && in->hooks.cancel &&
                      in->hooks.cancel(in->hooks.user);
        } while (n < 0 && errno == EINTR && !stopped);
        if (stopped)
            return heed__error(&in->broken, HEED_ECANCELLED, "%.300s: stopped after line %lld",
                               in->name, (long long)in->number);
        if (n < 0)
            return heed__error(&in->broken, HEED_EIO, "%.300s: cannot be read: %s", in->name,
                               heed__errno_text(errno));
    }
    in->raw_end = n == 0;
    return n;
}

static int refill_raw(heed_input *in) {
    in->consumed += (int64_t)in->raw.size;
    const int64_t n = read_raw(in, in->raw_bytes, RAW);
    in->raw = (heed_feed){ in->raw_bytes, n > 0 ? (size_t)n : 0, 0 };
    return n < 0 ? (int)n : 0;
}

static bool ends_with(const char *text, const char *end) {
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* Reads the first bytes and finds out what they are. A lone byte from a pipe that could begin an
 * archive waits for the next. */
static int begin(heed_input *in) {
    in->begun = true;
    in->raw = (heed_feed){ in->raw_bytes, 0, 0 };
    while (!in->raw_end && in->raw.size < MAGIC && !memchr(in->raw_bytes, '\n', in->raw.size)) {
        const int64_t n = read_raw(in, in->raw_bytes + in->raw.size, RAW - in->raw.size);
        if (n < 0) return (int)n;
        in->raw.size += (size_t)n;
    }
    const heed_archive kind = heed__archive_kind(in->raw_bytes, in->raw.size);
    const bool gz = ends_with(in->name, ".gz"), zst = ends_with(in->name, ".zst");
    if (kind == HEED_ARCHIVE_NONE && (gz || zst) && in->raw.size == 0)
        return fail(in, HEED_EFORMAT, "cut short: an archive of no bytes");
    if (kind == HEED_ARCHIVE_NONE && (gz || zst))
        return fail(in, HEED_EFORMAT,
                    gz ? "its name says gzip, but its bytes do not"
                       : "its name says zstd, but its bytes do not");
    if (kind == HEED_ARCHIVE_NONE) return 0;
    in->decoder = heed__decoder_new(kind, &in->hooks);
    return in->decoder ? 0 : fail(in, HEED_ENOMEM, "out of memory");
}

/* -- decoded bytes ---------------------------------------------------------------------------- */

static int64_t decode(heed_input *in, void *to, size_t room) {
    for (;;) {
        if (in->raw.at == in->raw.size && !in->raw_end && refill_raw(in)) return in->broken.code;
        const bool dry = in->raw.at == in->raw.size;
        if (dry && in->raw_end && heed__decoder_whole(in->decoder)) return 0;
        const char *wrong;
        const size_t n = heed__decoder_step(in->decoder, &in->raw, to, room, &wrong);
        if (heed__decoder_no_memory(in->decoder)) return fail(in, HEED_ENOMEM, "out of memory");
        if (wrong)
            return heed__error(&in->broken, HEED_EFORMAT,
                               "%.300s: broken at or before byte %lld of the archive: %s", in->name,
                               (long long)(in->consumed + (int64_t)in->raw.at), wrong);
        if (n > 0) return (int64_t)n;
        if (dry && in->raw_end)
            return heed__error(&in->broken, HEED_EFORMAT,
                               "%.300s: cut short: the archive ends within its data, at byte %lld",
                               in->name, (long long)in->consumed);
    }
}

/* More bytes, whatever they come through; 0 at the end or a status, which in->broken keeps. */
static int64_t produce(heed_input *in, void *to, size_t room) {
    if (in->broken.code) return in->broken.code;
    if (!in->begun && begin(in)) return in->broken.code;
    if (in->decoder) return decode(in, to, room);
    const size_t held = in->raw.size - in->raw.at;
    if (held == 0) return in->raw_end ? 0 : read_raw(in, to, room);
    const size_t n = held < room ? held : room;
    memcpy(to, in->raw.bytes + in->raw.at, n);
    in->raw.at += n;
    return (int64_t)n;
}

/* Moves what text holds to its front and adds to it. Bytes added, 0 at the end, or a status. */
static int64_t top_up(heed_input *in) {
    if (in->at) memmove(in->text, in->text + in->at, in->size - in->at);
    in->size -= in->at;
    in->at = 0;
    if (in->size == TEXT) return 0;
    const int64_t n = produce(in, in->text + in->size, TEXT - in->size);
    if (n > 0) in->size += (size_t)n;
    return n;
}

int64_t heed__input_read(heed_input *in, void *to, size_t size, heed_error *err) {
    if (size == 0) return 0;
    if (in->at == in->size) {
        const int64_t n = size < TEXT ? top_up(in) : produce(in, to, size);
        if (n < 0) return again(in, err);
        if (n == 0 || size >= TEXT) return n;
    }
    const size_t held = in->size - in->at, n = held < size ? held : size;
    memcpy(to, in->text + in->at, n);
    in->at += n;
    return (int64_t)n;
}

int heed__input_peek(heed_input *in, const char **bytes, size_t *size, heed_error *err) {
    int64_t n = 1;
    while (n > 0 && in->size - in->at < HEED_PEEK_MOST &&
           !memchr(in->text + in->at, '\n', in->size - in->at))
        n = top_up(in);
    *bytes = in->text + in->at;
    *size = in->size - in->at < HEED_PEEK_MOST ? in->size - in->at : HEED_PEEK_MOST;
    return n < 0 ? again(in, err) : 0;
}

/* -- lines ------------------------------------------------------------------------------------ */

/* The rest of a line that is longer than what text holds: gathered in in->line, or passed over. */
static int long_line(heed_input *in, size_t *len) {
    bool too_long = false;
    *len = 0;
    for (;;) {
        const char *start = in->text + in->at, *end = memchr(start, '\n', in->size - in->at);
        const size_t n = end ? (size_t)(end - start) : in->size - in->at;
        too_long |= n > HEED_LINE_MOST - *len;
        if (!too_long) {
            if (heed__grow(&in->hooks, &in->line, &in->line_cap, (int64_t)(*len + n + 1), 1))
                return fail(in, HEED_ENOMEM, "out of memory");
            memcpy(in->line + *len, start, n);
            *len += n;
        }
        in->newline = end != NULL;
        in->at += n + (end ? 1 : 0);
        if (end) break;
        const int64_t more = top_up(in);
        if (more < 0) return in->broken.code;
        if (more == 0) break;
    }
    return too_long ? HEED_LINE_LONG : HEED_LINE_ONE;
}

static bool has_mark(const char *line, size_t len) {
    return len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0;
}

int heed__input_line(heed_input *in, char **line, size_t *size, heed_error *err) {
    char *start, *end = NULL;
    int64_t more = 1;
    while (!(end = memchr(in->text + in->at, '\n', in->size - in->at)) && more > 0 &&
           in->size - in->at < TEXT)
        more = top_up(in);
    if (more < 0) return again(in, err);
    if (in->at == in->size) return HEED_LINE_NONE;
    size_t len = in->size - in->at;
    int got = HEED_LINE_ONE;
    if (!end && more > 0) {
        got = long_line(in, &len);
        if (got < 0) return again(in, err);
        start = in->line;
    } else {
        start = in->text + in->at;
        if (end) len = (size_t)(end - start);
        in->newline = end != NULL;
        in->at += len + (end ? 1 : 0);
    }
    in->number++;
    if (got == HEED_LINE_LONG) return got;
    if (len && start[len - 1] == '\r') len--;
    if (in->number == 1 && has_mark(start, len)) start += 3, len -= 3;
    start[len] = 0;
    *line = start;
    *size = len;
    return got;
}

bool heed__input_line_ready(const heed_input *in) {
    return memchr(in->text + in->at, '\n', in->size - in->at) != NULL;
}

const char *heed__input_name(const heed_input *in) {
    return in->name;
}

int64_t heed__input_line_number(const heed_input *in) {
    return in->number;
}

bool heed__input_has_newline(const heed_input *in) {
    return in->newline;
}
