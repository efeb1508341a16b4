/* embedder.h: inside of heed_embedder, for the files of this task. */
#ifndef HEED_TASKS_EMBEDDER_H
#define HEED_TASKS_EMBEDDER_H

#include "heed/embed.h"
#include "tasks/classifier.h"

enum { HEED_EMBEDDER_FORMAT = 1 }; /* format_version of the folders that this library writes */

struct heed_embedder {
    heed_classifier *c; /* context, parameters and body; it has a head only if it came with one */
    double temperature;
    bool borrowed; /* opened from a classifier's folder */
};

/* An empty one with its context. NULL and *err on failure. */
heed_embedder *heed__embedder_new(const char *isa, int threads, uint64_t seed,
                                  const heed_hooks *hooks, heed_error *err);
/* Reads dir's config.json and makes the body of it, without weights. 0 or a status. */
int heed__embedder_open_config(heed_embedder *e, const char *dir, heed_error *err);
/* Whether all of its parameters could be declared. 0 or a status. */
int heed__embedder_declared(const heed_embedder *e, heed_error *err);
/* Whether heed_embedder_save could write its folder. 0 or a status. */
int heed__embedder_check_folder(const char *dir, heed_error *err);
/* Makes each of len vectors [dim] one of length 1; one of zeros stays. */
void heed__unit_rows(float *v, int64_t len, int64_t dim);

/* -- ranks (retrieval.c) ----------------------------------------------------------------------- */

/* Texts of which some are equal. */
typedef struct heed_distinct {
    int64_t len;    /* different ones */
    int32_t *id;    /* [texts] number of each text, in the order in which they first occur */
    int64_t *first; /* [len] where each occurs first */
} heed_distinct;
/* 0 or HEED_ENOMEM. */
int heed__distinct(heed_distinct *d, const char *const *text, int64_t len, const heed_hooks *hooks);
void heed__distinct_free(heed_distinct *d, const heed_hooks *hooks);

/* Queries q [n,C] and candidates d [m,C], unit rows; right[i] is what query i wants. */
typedef struct heed_quest {
    const float *q, *d;
    int64_t n, m;
    const int32_t *right; /* [n] */
} heed_quest;
/* rank [n] of each query's candidate, from 1; of equals the last. *loss gets the mean of -ln of its
 * softmax at e's temperature. 0 or a status. */
int heed__ranks(heed_embedder *e, const heed_quest *x, int64_t *rank, double *loss,
                heed_error *err);
/* The measures of ranks [n], and Wilson's intervals of recall. */
void heed__retrieval(heed_retrieval *r, const int64_t *rank, int64_t n);
/* The interval of the mean reciprocal rank that r has of these ranks. 0 or HEED_ENOMEM. */
int heed__retrieval_interval(heed_retrieval *r, const int64_t *rank, const heed_hooks *hooks);

#endif
