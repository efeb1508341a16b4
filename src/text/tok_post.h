/* tok_post.h: tokens on their way out: truncation, special tokens around them (post-processors),
 * padding. */
#ifndef HEED_TEXT_TOK_POST_H
#define HEED_TEXT_TOK_POST_H

#include <jansson.h>

#include "text/aligned.h"

typedef struct heed__token {
    int32_t id, type, word, sequence;
    uint32_t begin, end; /* bytes of its text */
    const char *text;
    uint32_t size; /* of text */
    bool special, mask;
    bool local; /* text does not outlive the work */
} heed__token;

/* Tokens, and the windows that truncation cut off. In the arena of the work. */
typedef struct heed__tokens {
    heed__token *item;
    int64_t len;
    struct heed__tokens *over;
    int64_t overs;
} heed__tokens;

typedef struct heed__truncation {
    int64_t most, stride; /* most 0: none */
    bool left;
    enum { HEED_LONGEST_FIRST, HEED_ONLY_FIRST, HEED_ONLY_SECOND } strategy;
} heed__truncation;

typedef struct heed__padding {
    bool on, left, longest; /* longest of the batch, or: */
    int64_t fixed, multiple;
    int32_t id, type;
    const char *text; /* the tree's */
} heed__padding;

typedef struct heed__post heed__post;
/* As heed__norm_new. */
heed__post *heed__post_new(const json_t *object, const char *name, const heed_hooks *hooks,
                           heed_error *err);
void heed__post_free(heed__post *p); /* NULL is fine */

/* NULL or null: none. 0 or HEED_EFORMAT. */
int heed__truncation_read(const json_t *object, const char *name, heed__truncation *t,
                          heed_error *err);
int heed__padding_read(const json_t *object, const char *name, heed__padding *p, heed_error *err);

/* What goes in besides the tokens. */
typedef struct heed__finish {
    const heed__post *post; /* NULL: none */
    bool special;           /* add special tokens */
    bool no_overflow;       /* drop what truncation cuts off */
    heed__truncation truncation;
    heed__padding padding;
    int64_t longest; /* pad at least to this */
    const char *text[2];
} heed__finish;

/* Truncates t[0..n), n being 1 or 2, puts special tokens around, joins and pads; the result is in
 * *out. 0, HEED_EINVALID (truncation leaves no room), HEED_EUNSUPPORTED (more windows than make
 * sense), HEED_ENOMEM. */
int heed__finish_tokens(const heed__finish *f, heed__tok_work *w, heed__tokens *t, int n,
                        heed__tokens *out, heed_error *err);

#endif
