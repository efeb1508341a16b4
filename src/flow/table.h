/* table.h: records of a CSV (RFC 4180), TSV or JSON lines file, plain, .gz or .zst, one by one. A
 * record is first taken whole, as it stands in the file, and cut into fields when it is wanted. */
#ifndef HEED_FLOW_TABLE_H
#define HEED_FLOW_TABLE_H

#include "base/buffer.h"
#include "base/input.h"

typedef enum heed_table_form { HEED_TABLE_CSV, HEED_TABLE_TSV, HEED_TABLE_JSON } heed_table_form;

typedef struct heed_table {
    heed_input *in;
    heed_table_form form;
    char delimiter;   /* of CSV: found in the first record */
    heed_text record; /* the last one */
    char **field;     /* [fields] of the last cut */
    int64_t fields, cap;
    const heed_hooks *hooks;
} heed_table;

/* format: "csv", "tsv", "jsonl", or NULL: by the name's end, else by the first line. hooks outlive
 * t. 0 or a status. */
int heed__table_open(heed_table *t, const char *path, const char *format, const heed_hooks *hooks,
                     heed_error *err);
/* The next record into t->record: 1, 0 at the end, or a status. Empty lines are passed over. */
int heed__table_next(heed_table *t, heed_error *err);
/* Cuts a record's bytes in place into t->field. 0 or
 * HEED_ENOMEM. */
int heed__table_cut(heed_table *t, char *record, heed_error *err);
void heed__table_close(heed_table *t); /* a zeroed one is fine */

#endif
