/* nearby.h: the nearest of the vectors of earlier events, exactly, without reading most of them: a
 * product of whole numbers (8 bits each) says within what bounds every cosine lies, and only those
 * that may be the nearest are computed. The answer is that of a comparison with each, whatever the
 * machine and however many are asked for together. One thread. */
#ifndef HEED_SERVE_NEARBY_H
#define HEED_SERVE_NEARBY_H

#include "heed/base.h"

typedef struct heed_nearby heed_nearby;

enum { HEED_NEARBY_AGAIN = 512 };

/* reach: seqs that are less by so many are not remembered; dim: at least 1. NULL and *err. */
heed_nearby *heed__nearby_new(int64_t reach, int64_t dim, const heed_hooks *hooks, heed_error *err);
void heed__nearby_free(heed_nearby *v); /* NULL is fine */

/* Of event x: its vector [dim], of length 1; where it stands in the log. nearest, cosine: the
 * earlier event whose cosine is the largest, if it is at least `least` and more than 0; of equals
 * the first; 0: there is none. Earlier are those of a smaller seq, by less than reach, whose time
 * is not before since_ms; those before it in the same call too. */
typedef struct heed_nearby_ask {
    int64_t seq, time_ms, since_ms;
    const float *vector;
    double least;
    int64_t nearest;
    double cosine;
} heed_nearby_ask;
/* Answers n events, whose seqs rise, and takes them into the memory. The newest HEED_NEARBY_AGAIN
 * may be asked for again and get the same answers. */
void heed__nearby_step(heed_nearby *v, heed_nearby_ask *ask, int64_t n);

/* How many cosines were computed since the beginning: a measure of the work. */
int64_t heed__nearby_looked(const heed_nearby *v);

#endif
