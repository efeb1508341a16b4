/* store_tools.h: what tests of the store share: one that is opened for a test and removed after it,
 * and short ways to fill and read it. */
#ifndef HEED_TESTS_STORE_TOOLS_H
#define HEED_TESTS_STORE_TOOLS_H

#include <jansson.h>

#include "store/look.h"

extern heed_error err_; /* of calls whose result shows whether they failed */

/* The call must give 0 or more; within it the error is called err. */
#define must(call)                                                                                 \
    do {                                                                                           \
        heed_error err = { 0 };                                                                    \
        if ((call) < 0) fail_msg("%s", err.msg);                                                   \
    } while (0)

/* A test with a store of its own in *state, in the test's folder. */
#define EACH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
int open_store(void **state);
int close_store(void **state);
/* The store closed and opened again. */
heed_store *reopened(void **state);
extern char store_path[128]; /* of the last open_store */

enum { COPIED = 256, LINE = 512 };
typedef struct log_copy {
    int n;
    char line[COPIED]
             [LINE]; /* "seq time kind source id happened user session title text url body" */
} log_copy;
void read_all(heed_store *s, int64_t after, log_copy *to);

/* An event of source "test" at second 1, of which nothing but the text is said; its seq. */
int64_t append_text(heed_store *s, const char *text);
/* All entries are decided, nothing was found. */
void commit_all(heed_store *s);

/* The tree must be that of want, in which ' stands for "; frees it. */
void same_json(json_t *tree, const char *want);
/* The seqs of a list of events or hits, "3 1 2"; frees it. */
const char *seqs_of(json_t *tree);

#endif
