/* novelty.h: whether a text was seen before: the nearest of the earlier ones, by the cosine of the
 * sets of their words and pairs of words, or of vectors where there are any. What counts as earlier
 * follows from the log alone: events whose seq is at most `HEED_NOVELTY_REACH` less and whose time
 * at most within_ms less. One thread. */
#ifndef HEED_SERVE_NOVELTY_H
#define HEED_SERVE_NOVELTY_H

#include "heed/base.h"

enum { HEED_NOVELTY_REACH = 16384 };

typedef struct heed_novelty heed_novelty;

typedef struct heed_novel {
    int64_t seq, time_ms;
    const char *text;
    const float *vector; /* [dim], of length 1 */
    int64_t nearest;     /* the answer: the earlier event that is nearest, of equals the first */
    double cosine;       /* (0: none is near), and its cosine */
} heed_novel;

/* dim: of the vectors; 0: by words alone. least: cosines below need not be found. */
heed_novelty *heed_novelty_new(int64_t dim, double least, int64_t within_ms,
                               const heed_hooks *hooks, heed_error *err);
void heed_novelty_free(heed_novelty *v); /* NULL is fine */
/* Answers n events, each from all before it, and takes them among the earlier ones. Events come in
 * the order of the log; the answers do not depend on how many come at a time, the cost of vectors
 * does. 0 or a status. */
int heed_novelty_step(heed_novelty *v, heed_novel *x, int64_t n, heed_error *err);

#endif
