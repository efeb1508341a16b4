/* imdb.h: the film reviews of Maas et al. 2011 as ids, for the long trainings: lower-case words of
 * letters and digits, the VOCAB - 2 commonest of the training texts, the last REVIEW_LEN of each
 * text.
 */
#ifndef HEED_TESTS_IMDB_H
#define HEED_TESTS_IMDB_H

#include "long.h"

enum { REVIEW_VOCAB = 10000, REVIEW_LEN = 200, REVIEW_PAD = 0, REVIEW_UNKNOWN = 1 };

typedef struct reviews {
    int64_t count;
    int32_t *ids;     /* [count,REVIEW_LEN], REVIEW_PAD past each length */
    int32_t *lengths; /* [count], at least 1 */
    int32_t *labels;  /* [count], 1: liked */
} reviews;

/* Both sets; false, with a message, where the data is absent. Free with reviews_free. */
bool reviews_load(reviews *train, reviews *test);
void reviews_free(reviews *r);

/* A batch: `count` reviews as tensors of the step, cut to the longest of them. */
typedef struct review_batch {
    heed_tensor *ids, *lengths, *labels; /* [n,T], [n], [n] */
} review_batch;
review_batch reviews_batch(heed_ctx *cx, const reviews *r, const int64_t *items, int64_t n);

#endif
