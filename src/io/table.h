/* table.h: labelled texts from a tab-separated file: UTF-8, a header that names the columns or
 * `label<TAB>text` lines, no quoting. CRLF line ends and a byte order mark are read as others. */
#ifndef HEED_IO_TABLE_H
#define HEED_IO_TABLE_H

#include "heed/base.h"

typedef struct heed_table_cfg {
    const char *text;  /* name of the text's column; NULL: guessed from the header */
    const char *label; /* name of the label's column; NULL: guessed from the header */
    bool text_only;    /* no label is needed: label[i] is NULL where there is none */
    const heed_hooks *hooks;
} heed_table_cfg;

/* Rows in the order of the file. Strings end with a zero byte and live as long as the table. */
typedef struct heed_table {
    int64_t len;
    const char **text;  /* [len] */
    const char **label; /* [len] */
    int64_t *line;      /* [len] 1-based line of the file, for messages */
    char how[160];      /* "text from column 'text', label from column 'intent'" */
    char *bytes;        /* the file; strings point into it */
    heed_hooks hooks;
} heed_table;

/* Reads path. 0, or a status and one sentence `path:line: what is wrong` (and how many more are).
 */
int heed__table_read(heed_table *t, const char *path, const heed_table_cfg *cfg, heed_error *err);
/* The same from size bytes that are copied; name stands for the path in messages. */
int heed__table_parse(heed_table *t, const char *bytes, size_t size, const char *name,
                      const heed_table_cfg *cfg, heed_error *err);
void heed__table_free(heed_table *t); /* a zeroed table is fine */

#endif
