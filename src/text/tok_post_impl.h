/* tok_post_impl.h: what tok_post.c and tok_finish.c share. */
#ifndef HEED_TEXT_TOK_POST_IMPL_H
#define HEED_TEXT_TOK_POST_IMPL_H

#include "text/tok_post.h"

/* What will be joined to one, in order. */
typedef struct heed__parts {
    heed__tokens *item;
    int64_t len;
} heed__parts;

/* How many tokens it adds. */
int64_t heed__post_adds(const heed__post *p, bool pair);
/* Puts special tokens around or between (add: unless told not to), and trims offsets. */
int heed__post_run(const heed__post *p, heed__tok_work *w, heed__parts *l, bool add,
                   const char *const text[2], heed_error *err);

#endif
