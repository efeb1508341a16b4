/* conll.h: tagged sentences in columns, a token a line and an empty line after each sentence, as
 * the CoNLL tasks have them: columns are separated by one tab, or in files without tabs by spaces.
 * `-DOCSTART-` lines are passed over, and comments: lines that begin with `# ` and hold no tab
 * where the others do, or stand before a sentence with another number of columns than the others
 * have (`# O` among lines of two columns is a token). Errors, archives and standard input as in
 * io/dataset.h. */
#ifndef HEED_IO_CONLL_H
#define HEED_IO_CONLL_H

#include "io/dataset.h"

typedef struct heed_conll_cfg {
    int64_t token, tag; /* numbers of the columns, from 1; 0: the first, and the last */
    bool token_only;    /* no tag is needed: tag is NULL */
    heed_problems *problems;
    const heed_hooks *hooks;
} heed_conll_cfg;

/* Strings end with a zero byte and live as long as the whole. Tokens of sentence i are
 * token[first[i]..first[i+1]). */
typedef struct heed_conll {
    int64_t len, tokens;
    int64_t *first;     /* [len+1] */
    const char **token; /* [tokens] */
    const char **tag;   /* [tokens] or NULL */
    int64_t *line;      /* [tokens] 1-based, for messages */
    char how[160];      /* "columns; token from column 1, tag from column 3; 2 comments" */
    void *memory;
} heed_conll;

/* 0, or a status and *err; a file without a sentence is HEED_EFORMAT. */
int heed__conll_read(heed_conll *c, const char *path, const heed_conll_cfg *cfg, heed_error *err);
int heed__conll_parse(heed_conll *c, const char *bytes, size_t size, const char *name,
                      const heed_conll_cfg *cfg, heed_error *err);
void heed__conll_free(heed_conll *c); /* a zeroed one is fine */

#endif
