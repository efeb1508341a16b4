/* vectors.h: the newest vectors of the store in memory, for the nearest by cosine: eight bits a
 * number to find candidates, in whole numbers, so that every machine finds the same. Any thread. */
#ifndef HEED_STORE_VECTORS_H
#define HEED_STORE_VECTORS_H

#include "store/store.h"

typedef struct heed_vectors heed_vectors;

/* most: bytes; the oldest go first. */
heed_vectors *heed__vectors_new(const heed_hooks *hooks, int64_t most, heed_error *err);
void heed__vectors_free(heed_vectors *v); /* NULL is fine */
/* Reads the newest that are stored, the first time; until then add and remove do nothing. */
int heed__vectors_load(heed_vectors *v, heed_store *store, heed_error *err);
/* Vectors of another dim than the newest are left out. */
int heed__vectors_add(heed_vectors *v, int64_t seq, const float *vector, int64_t dim);
void heed__vectors_remove(heed_vectors *v, int64_t seq);
void heed__vectors_remove_before(heed_vectors *v, int64_t limit); /* seqs less than limit */
void heed__vectors_clear(heed_vectors *v);                        /* to be loaded again */

typedef struct heed_near {
    int64_t seq;
    double cosine;
} heed_near;
/* The nearest to vector, the nearest first, the later first among equals: how many of at most n, or
 * HEED_ENOMEM. */
int64_t heed__vectors_near(heed_vectors *v, const float *vector, int64_t dim, heed_near *near,
                           int64_t n);

/* IEEE half precision: to the nearest, ties to even. */
uint16_t heed__half(float value);
float heed__half_float(uint16_t half);

#endif
