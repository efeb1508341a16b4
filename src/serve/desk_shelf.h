/* desk_shelf.h: texts that are found by their words (BM25: Robertson and Zaragoza 2009, "The
 * probabilistic relevance framework") and by their vectors. Filled once, then read by any number of
 * threads. */
#ifndef HEED_SERVE_DESK_SHELF_H
#define HEED_SERVE_DESK_SHELF_H

#include "serve/desk_terms.h"
#include "text/vocab.h"

typedef struct heed_shelf {
    heed_hooks hooks;
    int64_t len; /* texts */
    heed_vocab *vocab;
    int64_t terms;  /* numbers of vocab */
    int64_t *start; /* [terms+1] of the texts that hold a term */
    int32_t *text;  /* [start[terms]] which */
    int32_t *count; /* [start[terms]] how often */
    double *norm;   /* [len] what long texts pay */
    double *idf;    /* [terms] */
    double rare;    /* that of a term which no text holds */
    float *vector;  /* [len,dim] of length 1, its own; NULL: none */
    int64_t dim;
} heed_shelf;

/* Of n texts, the caller's, read here and not kept; n may be 0. Vectors are put in by the caller
 * (heed__calloc with the same hooks). 0 or HEED_ENOMEM. */
int heed__shelf_fill(heed_shelf *s, int64_t n, const char *const *text, const heed_hooks *hooks,
                     heed_error *err);
void heed__shelf_free(heed_shelf *s); /* a zeroed one is fine */

/* A question on its way to shelves. */
typedef struct heed_query {
    const char *text;
    const float *vector; /* [dim]; NULL: words alone */
} heed_query;

/* How near a text is, each 0 to 1. */
typedef struct heed_near {
    double words;  /* BM25 as a part of the most that the question could reach */
    double whole;  /* part of the question's terms, weighed by rarity, that the text holds */
    double cover;  /* the same, words of every question ("how", "the") counting little */
    double cosine; /* 0 without vectors */
} heed_near;
/* Of every text: near [len]. 0 or HEED_ENOMEM. */
int heed__shelf_ask(const heed_shelf *s, const heed_query *q, heed_near *near, heed_error *err);
/* The question's cover by size bytes of text, which need not stand on the shelf; negative: out of
 * memory. */
double heed__shelf_cover(const heed_shelf *s, const heed_query *q, const char *text, size_t size);

#endif
