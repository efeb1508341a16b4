/* input.h: a stream of bytes or lines from a plain file, a gzip or zstd archive, standard input or
 * memory. What a file is says its first bytes, not its name. Memory is bounded by the longest line.
 *
 *     heed_input *in = heed__input_open("texts.tsv.zst", NULL, err);
 *     char *line;
 *     size_t size;
 *     int got;
 *     while ((got = heed__input_line(in, &line, &size, err)) > 0) ...
 *     if (got < 0) ...                  texts.tsv.zst: cut short: the archive ends within its data
 *     heed__input_close(in);
 */
#ifndef HEED_BASE_INPUT_H
#define HEED_BASE_INPUT_H

#include "heed/base.h"

enum {
    HEED_LINE_MOST = 64 << 20, /* bytes of the longest line that is read */
    HEED_PEEK_MOST = 64 << 10  /* bytes that can be looked at ahead */
};

typedef struct heed_input heed_input; /* for one thread at a time */

/* Opens path; `-` is standard input. NULL and *err: HEED_ENOTFOUND, HEED_EIO, HEED_ENOMEM. Nothing
 * is read yet. Several gzip members or zstd frames in a row are one stream. */
heed_input *heed__input_open(const char *path, const heed_hooks *hooks, heed_error *err);
/* The same over size bytes of the caller's, which stay; name stands for the path in messages. */
heed_input *heed__input_from(const void *bytes, size_t size, const char *name,
                             const heed_hooks *hooks, heed_error *err);
void heed__input_close(heed_input *in); /* NULL is fine */

/* Up to size bytes into `to`: how many (fewer where a pipe has no more yet, at least 1), 0 at the
 * end, or a negative status, which every later call gives again: HEED_EIO, HEED_ENOMEM,
 * HEED_ECANCELLED (a signal came and the cancel hook says so), HEED_EFORMAT: an archive that is
 * broken or cut short, or a name in .gz or .zst that is none. */
int64_t heed__input_read(heed_input *in, void *to, size_t size, heed_error *err);

/* What comes next, without taking it: at most HEED_PEEK_MOST bytes; all of the first line at least,
 * where it is no longer. 0 or a status. */
int heed__input_peek(heed_input *in, const char **bytes, size_t *size, heed_error *err);

typedef enum heed_line { HEED_LINE_NONE, HEED_LINE_ONE, HEED_LINE_LONG } heed_line;
/* The next line without its \n or \r\n, a 0 byte after it, the caller's to change until the next
 * call; a byte order mark at the start of the input is passed over. HEED_LINE_ONE; HEED_LINE_LONG:
 * passed over, since it has more than HEED_LINE_MOST bytes; HEED_LINE_NONE: the end; or a negative
 * status. */
int heed__input_line(heed_input *in, char **line, size_t *size, heed_error *err);

/* Whether another line stands in memory already, so that it costs no wait to read it. */
bool heed__input_line_ready(const heed_input *in);

const char *heed__input_name(const heed_input *in);    /* the path, or "standard input" */
int64_t heed__input_line_number(const heed_input *in); /* of the last line, from 1 */
bool heed__input_has_newline(const heed_input *in);    /* the last line ended with one */

#endif
