/* dataset.h: labelled texts from files of every common form, as a stream or held in memory:
 *
 *     tab-separated    a header that names the columns, or `label<TAB>text` lines; no quoting
 *     CSV              RFC 4180: quotes, "" within them, newlines in fields; `,` or `;`
 *     JSON lines       an object a line; labels are text, numbers, true, false or lists of these
 *     fastText         `__label__a __label__b text`
 *     folder           a folder per label with a file per text; folders within give labels `a/b`
 *
 * in .gz, .zst or plain, or from standard input (`-`). UTF-8; CRLF and a byte order mark are fine.
 * The form is guessed from name and first bytes, columns from their names; `how` says what was
 * taken. An error is `file:line: what is wrong`, and the first ten are told of at once.
 *
 *     heed_dataset_stream *s = heed__dataset_open(path, &cfg, err);
 *     heed_example e;
 *     int got;
 *     while ((got = heed__dataset_next(s, &e, err)) > 0) ...
 *     heed__dataset_close(s);
 */
#ifndef HEED_IO_DATASET_H
#define HEED_IO_DATASET_H

#include "heed/base.h"

typedef enum heed_dataset_form {
    HEED_DATASET_GUESS,
    HEED_DATASET_TSV,
    HEED_DATASET_CSV,
    HEED_DATASET_JSONL,
    HEED_DATASET_FASTTEXT,
    HEED_DATASET_FOLDER
} heed_dataset_form;

/* What is wrong, up to ten sentences of it, each with its place. */
enum { HEED_PROBLEMS = 10, HEED_PROBLEM_SIZE = 384 };
typedef struct heed_problems {
    int64_t count; /* at most HEED_PROBLEMS: reading stops there */
    char text[HEED_PROBLEMS][HEED_PROBLEM_SIZE];
} heed_problems;

typedef struct heed_dataset_cfg {
    /* Columns: a name, or a number from 1 where there is no header; of texts also several with
     * commas between, whose texts are joined by a space. NULL: guessed. */
    const char *text, *label;
    const char *text2; /* the second text of pairs; NULL: guessed with `pairs`, else none */
    bool pairs;        /* a second text is needed */
    bool context;      /* the second text is what the first attends to: so sentences call it */
    bool text_only;    /* no label is needed */
    bool lines_too;    /* where the text's column is named: a file of one column that has no such
                                name holds a text a line */
    bool label_only;   /* of a table: the label alone is read, texts are empty */
    bool no_labels;    /* an empty list or field of labels is fine (of several, none holds) */
    const char *label_sep;   /* cuts a field into several labels: "," (NULL: it is one label) */
    heed_dataset_form form;  /* of the file (guessed) */
    heed_problems *problems; /* gets what is wrong; NULL: the first is in the error alone */
    const heed_hooks *hooks;
} heed_dataset_cfg;

/* One example; strings end with a zero byte. */
typedef struct heed_example {
    const char *text, *text2; /* text2 NULL: none */
    const char *const *label; /* [labels] */
    int64_t labels;           /* 0 with text_only or an empty list; usually 1 */
    int64_t line;             /* where it begins, from 1; of a folder: the file's number */
} heed_example;

typedef struct heed_dataset_stream heed_dataset_stream; /* for one thread at a time */

/* NULL and *err on failure. Texts of a file may be as long as HEED_LINE_MOST (base/input.h). */
heed_dataset_stream *heed__dataset_open(const char *path, const heed_dataset_cfg *cfg,
                                        heed_error *err);
/* The same from size bytes of the caller's, which stay; name stands for the path. */
heed_dataset_stream *heed__dataset_from(const char *bytes, size_t size, const char *name,
                                        const heed_dataset_cfg *cfg, heed_error *err);
/* 1 and an example that lives until the next call; 0 at the end; or a status. Once a line is wrong
 * the rest is read for nine more and the call fails with HEED_EFORMAT. */
int heed__dataset_next(heed_dataset_stream *s, heed_example *e, heed_error *err);
/* Whether what comes next stands in memory already, so that it costs no wait to read it. */
bool heed__dataset_ready(const heed_dataset_stream *s);
void heed__dataset_close(heed_dataset_stream *s); /* NULL is fine */
/* What was taken for what: "tab-separated; text from column 'text', label from column 'intent'".
 * Whole after the first call of next; lives as long as s. */
const char *heed__dataset_how(const heed_dataset_stream *s);
/* Whether label and text are what they are by their places alone. */
bool heed__dataset_placed(const heed_dataset_stream *s);
/* Whether a file's name alone tells of columns or objects: .csv, .tsv, .jsonl .., packed or not. */
bool heed__dataset_named(const char *name);
/* Whether a name tells of columns of words and tags, as .conll or .iob does, packed too. */
bool heed__conll_named(const char *name);

/* All examples of a file, in its order. */
typedef struct heed_dataset {
    int64_t len;
    const char **text;  /* [len] */
    const char **text2; /* [len], NULL where there are no pairs */
    const char **label; /* [len] the first label of each, NULL where it has none */
    const char **all;   /* labels of example i: all[first[i]..first[i+1]) */
    int64_t *first;     /* [len+1] */
    int64_t *line;      /* [len] as in heed_example */
    bool several;       /* an example has more labels than one */
    bool placed;        /* no header and nothing said: label, then text */
    char how[256];
    void *memory; /* the strings and arrays */
} heed_dataset;

/* 0, or a status and *err; an empty file is HEED_EFORMAT. */
int heed__dataset_read(heed_dataset *d, const char *path, const heed_dataset_cfg *cfg,
                       heed_error *err);
int heed__dataset_parse(heed_dataset *d, const char *bytes, size_t size, const char *name,
                        const heed_dataset_cfg *cfg, heed_error *err);
void heed__dataset_free(heed_dataset *d); /* a zeroed one is fine */

/* How many of b's examples have the very text (and second text) of one of a's. a == b: how many
 * repeat an earlier one. *other (may be NULL): those of them whose labels are none of the labels of
 * the same text in a. A negative status: HEED_ENOMEM. */
int64_t heed__dataset_overlap(const heed_dataset *a, const heed_dataset *b, int64_t *other,
                              heed_error *err);

#endif
