/* dataset_impl.h: inside of a stream of examples, for the files of this reader: dataset.c opens and
 * walks, dataset_columns.c decides which column is what, and each form has a file of its own. */
#ifndef HEED_IO_DATASET_IMPL_H
#define HEED_IO_DATASET_IMPL_H

#include "base/arena.h"
#include "io/dataset.h"
#include "base/input.h"

enum { HEED_COLUMNS_MOST = 10000, HEED_JOINED_MOST = 16 };

/* A step of a form's reader besides a negative status. */
enum { HEED_STEP_END, HEED_STEP_ONE, HEED_STEP_WRONG };

/* A form of file. next fills s->e (or makes a note of what is wrong with the record). */
typedef struct heed_dataset_reader {
    const char *name; /* begins `how` */
    int (*next)(heed_dataset_stream *s, heed_error *err);
    void (*close)(heed_dataset_stream *s); /* NULL: nothing to close */
} heed_dataset_reader;

extern const heed_dataset_reader heed__reader_tsv, heed__reader_csv, heed__reader_jsonl,
    heed__reader_fasttext, heed__reader_folder;

/* Columns that make one text, or the label. */
typedef struct heed_columns {
    int n, at[HEED_JOINED_MOST];
    const char *name[HEED_JOINED_MOST]; /* NULL: no header */
} heed_columns;

typedef struct heed_buffer {
    char *bytes;
    int64_t len, cap;
} heed_buffer;

struct heed_dataset_stream {
    heed_dataset_cfg cfg;
    heed_hooks hooks;
    char *name;
    heed_input *in; /* NULL: a folder */
    const heed_dataset_reader *reader;
    void *own; /* the form's */
    char how[256];
    heed_example e;
    bool begun; /* the columns are decided */
    heed_columns text, text2, label;
    int columns; /* that every record must have */
    char **field;
    int fields;
    int64_t field_cap;
    char delimiter;
    heed_buffer record, joined, joined2;
    const char **labels; /* of e */
    int64_t label_cap;
    heed_arena kept; /* names of columns */
    heed_problems *problems, mine;
};

/* Notes what is wrong at a line of the file; HEED_STEP_WRONG. */
int heed__dataset_wrong(heed_dataset_stream *s, int64_t line, const char *format, ...)
    HEED_PRINTF(3, 4);
/* 0, or the first problem and how many more there are as HEED_EFORMAT. */
int heed__dataset_problems(const heed_problems *p, heed_error *err);
int heed__dataset_no_memory(const heed_dataset_stream *s, heed_error *err);
/* A line of s->in that is not too long, UTF-8 and without zero bytes: HEED_STEP_* or a status. */
int heed__dataset_line(heed_dataset_stream *s, char **line, size_t *size, heed_error *err);
/* Says what is wrong with a text as a text, or NULL: a zero byte, not UTF-8. room for the words. */
const char *heed__text_wrong(const char *text, size_t size, char *room, size_t room_size);

/* Decides from the first record's fields which column is what. HEED_STEP_ONE: they are a header;
 * HEED_STEP_END: they are data; or a status. names: they are the names of an object's values. */
int heed__columns_choose(heed_dataset_stream *s, char *const *field, int n, bool names,
                         heed_error *err);
/* The example of s->field, which is a record that began at line. HEED_STEP_* or a status. */
int heed__columns_take(heed_dataset_stream *s, int64_t line, heed_error *err);
/* Adds a label to s->e, cut at cfg.label_sep. HEED_STEP_* or a status. */
int heed__dataset_label(heed_dataset_stream *s, char *label, int64_t line, heed_error *err);
/* An example that may lack its label, or whose list of labels may be empty: fine, or noted as
 * wrong. */
int heed__dataset_labelled(heed_dataset_stream *s, int64_t line);
int heed__dataset_emptied(heed_dataset_stream *s, int64_t line);

/* Appends; 0 or HEED_ENOMEM. A zero byte follows, which is not counted. */
int heed__buffer_add(const heed_hooks *hooks, heed_buffer *b, const char *bytes, size_t size);

/* The form that name and first line suggest. */
const heed_dataset_reader *heed__dataset_guess(const char *name, const char *line, size_t size,
                                               const char *text_column, bool text_only);
bool heed__is_text_name(const char *name, size_t size);

/* Lists a folder's texts. 0 or a status. */
int heed__folder_open(heed_dataset_stream *s, heed_error *err);

#endif
