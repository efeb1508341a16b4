/* test_input.c: lines and bytes from plain, gzip and zstd, whole, joined, cut and broken. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/input.h"

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bytes gzip(const char *text, size_t size) {
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    bytes b = { malloc(size + 1024), 0 };
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)size;
    z.next_out = (unsigned char *)b.data;
    z.avail_out = (unsigned)size + 1024;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.size = z.total_out;
    deflateEnd(&z);
    return b;
}

static bytes zstd(const char *text, size_t size) {
    bytes b = { malloc(ZSTD_compressBound(size)), 0 };
    ZSTD_CCtx *cx = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(cx, ZSTD_c_checksumFlag, 1);
    b.size = ZSTD_compress2(cx, b.data, ZSTD_compressBound(size), text, size);
    ZSTD_freeCCtx(cx);
    assert_false(ZSTD_isError(b.size));
    return b;
}

static bytes join(bytes a, bytes b) {
    bytes both = { malloc(a.size + b.size + 1), a.size + b.size };
    memcpy(both.data, a.data, a.size);
    memcpy(both.data + a.size, b.data, b.size);
    free(a.data);
    free(b.data);
    return both;
}

/* All that comes out, in pieces of `piece` bytes; -1 with *err where it fails. */
static int64_t read_all(bytes b, const char *name, char *to, size_t room, size_t piece,
                        heed_error *err) {
    heed_input *in = heed__input_from(b.data, b.size, name, NULL, err);
    assert_non_null(in);
    int64_t n, len = 0;
    do {
        const size_t left = room - (size_t)len;
        n = heed__input_read(in, to + len, piece < left ? piece : left, err);
        if (n > 0) len += n;
    } while (n > 0 && (size_t)len < room);
    heed_error again;
    if (n < 0) assert_int_equal(heed__input_read(in, to, 1, &again), err->code);
    heed__input_close(in);
    return n < 0 ? -1 : len;
}

static void archives_are_read(void **state) {
    (void)state;
    enum { SIZE = 700001 };
    char *text = malloc(SIZE), *out = malloc(SIZE + 1);
    heed_rng rng = { .seed = 1 };
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)("abcdefgh \n"[heed_rng_below(&rng, 10)] + (i % 7 == 0));
    const size_t half = SIZE / 2;
    heed_error err = { 0 };
    for (int kind = 0; kind < 5; kind++) {
        bytes b = kind == 0   ? gzip(text, SIZE)
                  : kind == 1 ? zstd(text, SIZE)
                  : kind == 2 ? join(gzip(text, half), gzip(text + half, SIZE - half))
                  : kind == 3 ? join(zstd(text, half), zstd(text + half, SIZE - half))
                              : (bytes){ memcpy(malloc(SIZE), text, SIZE), SIZE };
        const size_t pieces[] = { 1, 1000, 262144, 1 << 20 };
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            const int64_t n = read_all(b, "x", out, SIZE + 1, pieces[i], &err);
            if (n < 0) fail_msg("%s", err.msg);
            assert_int_equal(n, SIZE);
            assert_memory_equal(out, text, SIZE);
        }
        free(b.data);
    }
    /* zero bytes after gzip are padding, empty members and frames that hold no data are fine */
    bytes padded = join(gzip(text, 10), (bytes){ calloc(1, 500), 500 });
    assert_int_equal(read_all(padded, "x", out, SIZE, SIZE, &err), 10);
    free(padded.data);
    padded = join(gzip(text, 0), gzip(text, 10));
    assert_int_equal(read_all(padded, "x", out, SIZE, SIZE, &err), 10);
    free(padded.data);
    const char skippable[] = "\x50\x2a\x4d\x18\x02\x00\x00\x00hi";
    padded = join((bytes){ memcpy(malloc(10), skippable, 10), 10 }, zstd(text, 10));
    assert_int_equal(read_all(padded, "x", out, SIZE, SIZE, &err), 10);
    free(padded.data);
    free(text);
    free(out);
}

/* Cut anywhere: an error that says so, unless at a place between two members. */
static void cut_archives_are_told(void **state) {
    (void)state;
    char text[400], out[2000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i * i % 23);
    for (int kind = 0; kind < 2; kind++) {
        bytes one = kind ? zstd(text, 200) : gzip(text, 200);
        const size_t between = one.size;
        bytes b = join(one, kind ? zstd(text + 200, 200) : gzip(text + 200, 200));
        for (size_t n = 0; n < b.size; n++) {
            heed_error err = { 0 };
            char *copy = memcpy(malloc(n + 1), b.data, n); /* of exactly that size */
            const int64_t got = read_all((bytes){ copy, n }, kind ? "x.zst" : "x.gz", out,
                                         sizeof out, 64, &err);
            free(copy);
            if (n == between) {
                assert_int_equal(got, 200);
                continue;
            }
            assert_int_equal(got, -1);
            assert_int_equal(err.code, HEED_EFORMAT);
            if (n > 4 && !strstr(err.msg, "cut short"))
                fail_msg("cut at %zu of %zu: %s", n, b.size, err.msg);
        }
        free(b.data);
    }
}

/* A bit turned over: an error, or (in a header's name, time or flags) the same data. */
static void broken_archives_are_told(void **state) {
    (void)state;
    char text[300], out[100000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i * i % 23);
    for (int kind = 0; kind < 2; kind++) {
        bytes b = kind ? zstd(text, sizeof text) : gzip(text, sizeof text);
        int told = 0;
        for (size_t bit = 0; bit < 8 * b.size; bit++) {
            heed_error err = { 0 };
            b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
            const int64_t n = read_all(b, kind ? "x.zst" : "x.gz", out, sizeof out, sizeof out,
                                       &err);
            b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
            if (n < 0) assert_int_equal(err.code, HEED_EFORMAT);
            if (n >= 0 && ((size_t)n != sizeof text || memcmp(out, text, sizeof text) != 0))
                fail_msg("bit %zu: %lld other bytes without an error", bit, (long long)n);
            told += n < 0;
        }
        assert_true(told > (int)(6 * b.size));
        free(b.data);
    }
}

static void names_must_not_lie(void **state) {
    (void)state;
    char out[100];
    heed_error err = { 0 };
    char plain[] = "label\ttext\n";
    assert_int_equal(read_all((bytes){ plain, 11 }, "a.gz", out, 100, 100, &err), -1);
    assert_string_equal(err.msg, "a.gz: its name says gzip, but its bytes do not");
    assert_int_equal(read_all((bytes){ plain, 0 }, "a.zst", out, 100, 100, &err), -1);
    assert_string_equal(err.msg, "a.zst: cut short: an archive of no bytes");
    bytes more = join(gzip("abc", 3), (bytes){ memcpy(malloc(4), "junk", 4), 4 });
    assert_int_equal(read_all(more, "a", out, 100, 100, &err), -1);
    assert_non_null(strstr(err.msg, "what follows its end is not gzip"));
    free(more.data);
    assert_null(heed__input_open("/nowhere/x", NULL, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
    assert_null(heed__input_open("/tmp", NULL, &err));
    assert_string_equal(err.msg, "/tmp: is a folder, not a file");
}

/* Lines of lengths around the buffers' sizes are the lines that were put together. */
static void lines_of_every_length(void **state) {
    (void)state;
    static const size_t around[] = { 0, 1, 131071, 131072, 262142, 262143, 262144, 262145, 600000 };
    enum { LINES = 60 };
    size_t len[LINES], size = 0;
    char *text = malloc(40 << 20);
    for (int i = 0; i < LINES; i++) {
        len[i] = around[(size_t)(i * i + i / 3) % (sizeof around / sizeof *around)];
        for (size_t k = 0; k < len[i]; k++) text[size++] = (char)('a' + (k + (size_t)i) % 26);
        if (i % 3 == 1) text[size++] = '\r';
        if (i + 1 < LINES) text[size++] = '\n';
    }
    heed_error err;
    heed_input *in = heed__input_from(text, size, "x", NULL, &err);
    char *line;
    size_t got;
    for (int i = 0; i < LINES; i++) {
        if (i + 1 == LINES && len[i] == 0) break;
        assert_int_equal(heed__input_line(in, &line, &got, &err), HEED_LINE_ONE);
        assert_int_equal(heed__input_line_number(in), i + 1);
        assert_int_equal(got, len[i]);
        assert_int_equal(line[got], 0);
        for (size_t k = 0; k < got; k++)
            if (line[k] != (char)('a' + (k + (size_t)i) % 26)) fail_msg("line %d byte %zu", i, k);
        assert_int_equal(heed__input_has_newline(in), i + 1 < LINES);
    }
    assert_int_equal(heed__input_line(in, &line, &got, &err), HEED_LINE_NONE);
    heed__input_close(in);
    free(text);
}

static void a_line_too_long_is_passed_over(void **state) {
    (void)state;
    const size_t most = HEED_LINE_MOST, size = 2 * most + 10;
    char *text = malloc(size), *line;
    memset(text, 'x', size);
    text[most] = '\n';         /* the longest that is read */
    text[2 * most + 2] = '\n'; /* one byte more */
    heed_error err;
    heed_input *in = heed__input_from(text, size, "x", NULL, &err);
    size_t got;
    assert_int_equal(heed__input_line(in, &line, &got, &err), HEED_LINE_ONE);
    assert_int_equal(got, most);
    assert_int_equal(heed__input_line(in, &line, &got, &err), HEED_LINE_LONG);
    assert_int_equal(heed__input_line(in, &line, &got, &err), HEED_LINE_ONE);
    assert_int_equal(got, 7);
    assert_int_equal(heed__input_line_number(in), 3);
    heed__input_close(in);
    free(text);
}

static void looking_ahead_takes_nothing(void **state) {
    (void)state;
    heed_error err;
    heed_input *in = heed__input_from("\xef\xbb\xbf"
                                      "one\r\ntwo",
                                      11, "x", NULL, &err);
    const char *ahead;
    size_t size;
    assert_int_equal(heed__input_peek(in, &ahead, &size, &err), 0);
    assert_int_equal(size, 11);
    char *line;
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_ONE);
    assert_string_equal(line, "one");
    assert_int_equal(heed__input_peek(in, &ahead, &size, &err), 0);
    assert_memory_equal(ahead, "two", 3);
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_ONE);
    assert_string_equal(line, "two");
    assert_int_equal(heed__input_peek(in, &ahead, &size, &err), 0);
    assert_int_equal(size, 0);
    heed__input_close(in);
}

/* From a pipe a line comes as soon as it is whole. */
static void a_pipe_is_read_as_it_comes(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[32], *line;
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    heed_error err;
    heed_input *in = heed__input_open(path, NULL, &err);
    if (!in) fail_msg("%s", err.msg);
    size_t size;
    assert_int_equal(write(ends[1], "a\n", 2), 2);
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_ONE);
    assert_string_equal(line, "a");
    assert_int_equal(write(ends[1], "b\nc", 3), 3);
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_ONE);
    assert_string_equal(line, "b");
    close(ends[1]);
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_ONE);
    assert_string_equal(line, "c");
    assert_int_equal(heed__input_line(in, &line, &size, &err), HEED_LINE_NONE);
    heed__input_close(in);
    close(ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_are_read),
        cmocka_unit_test(cut_archives_are_told),
        cmocka_unit_test(broken_archives_are_told),
        cmocka_unit_test(names_must_not_lie),
        cmocka_unit_test(lines_of_every_length),
        cmocka_unit_test(a_line_too_long_is_passed_over),
        cmocka_unit_test(looking_ahead_takes_nothing),
        cmocka_unit_test(a_pipe_is_read_as_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
