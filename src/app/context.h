/* context.h: what texts attend to, from a file (`--context FILE`): a line for each text, or one for
 * all. */
#ifndef HEED_APP_CONTEXT_H
#define HEED_APP_CONTEXT_H

#include "heed/base.h"
#include "io/dataset.h"

typedef struct context {
    const char *path; /* NULL: none */
    char **line;
    int64_t len, cap;
} context;

/* Whether `--context` names a file, and not a column. */
bool context_is_file(const char *name);
/* Reads path (NULL: nothing). 0 or a status. */
int context_read(context *c, const char *path, heed_error *err);
/* The passage of text i; NULL where there is none, and *err says so. */
const char *context_of(const context *c, int64_t i, heed_error *err);
/* d's second texts become the passages, which must outlive it; nothing where there are none. 0 or a
 * status. */
int context_put(const context *c, heed_dataset *d, const char *file, heed_error *err);
void context_free(context *c); /* a zeroed one is fine */

#endif
