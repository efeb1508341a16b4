/* embed.h: texts as vectors of one length, near each other where the texts are: for retrieval,
 * clustering and novelty.
 *
 *     heed_error err;
 *     heed_embedder *e = heed_embedder_open("models/support", NULL, &err);
 *     if (!e) return fprintf(stderr, "%s\n", err.msg), 1;
 *     float v[2 * 256];                                        // heed_embedder_dim(e) is 256 here
 *     const char *text[2] = { "where is my order", "how do I track a parcel" };
 *     heed_embedder_apply(e, 2, text, v, &err);                // their dot product is the cosine
 *     heed_embedder_close(e);
 */
#ifndef HEED_EMBED_H
#define HEED_EMBED_H

#include <heed/tasks.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an embedder is made; a zero means the value in brackets, a * that the recipe has its own. One
 * body reads both texts of a pair; the two vectors shall be nearer each other than either is to any
 * other text of the batch, both ways (InfoNCE; van den Oord et al. 2018). A text that stands in
 * several pairs of a batch is none of its own negatives. */
typedef struct heed_embedder_cfg {
    const char *recipe; /* heed_recipe_name (match) */
    int64_t vocab;      /* words known (*) */
    int64_t max_len;    /* words read of a text at once (256); of a longer one training reads the
                            first, an embedding all, in windows whose vectors are averaged */
    int64_t embed;      /* width of the words' vectors (*) */
    int64_t hidden, heads, layers;
    int64_t buckets;            /* match: rows of the hashed table (*) */
    double temperature;         /* (0.05) */
    int64_t epochs;             /* (*) */
    int64_t batch;              /* pairs in a step (128) */
    double lr;                  /* (*) */
    double dropout;             /* negative: none (*) */
    const heed_examples *valid; /* held-out pairs; NULL: valid_part of the pairs */
    double valid_part; /* (0.1, at most 2000 pairs); negative: none. The weights of the epoch
                            with the best mean reciprocal rank on them are kept */
    int64_t patience;  /* epochs without a better one before it stops (never) */
    double seconds;    /* time for the training (no limit) */
    uint64_t seed;
    heed_precision precision; /* of training and, stored with the model, of its answers (f32) */
    int threads;              /* as heed_pool_new; no result depends on it */
    const char *isa;          /* as heed_ctx_cfg */
    const heed_hooks *hooks;  /* progress, cancel, log, memory */
    const char *run;          /* folder for logs and, where training is stopped, its checkpoint */
    bool resume;              /* go on with the checkpoint there */
    bool keep_stopped;        /* cancelled, the best so far is given (with *err filled) */
    const char *from; /* folder of a model of any kind to start from: an embedder's or classifier's
                         body, where the recipe is (or is said to be) its own, else its words */
    const heed_examples *tests; /* pairs for heed_embedder_test afterwards: not learnt from, but
                                   gone through as heed_classify_cfg's are (none) */
} heed_embedder_cfg;

typedef struct heed_embedder heed_embedder; /* for one thread at a time */

/* Trains on pairs: data->text and data->text2 belong together; labels are not read. cfg NULL:
 * defaults. NULL and *err on failure: fewer than two pairs, a bad setting, no memory, cancelled. */
HEED_API heed_embedder *heed_embedder_train(const heed_examples *data, const heed_embedder_cfg *cfg,
                                            heed_error *err);
/* Opens an embedder's folder, or a classifier's, whose pooled vectors it then gives. */
HEED_API heed_embedder *heed_embedder_open(const char *dir, const heed_open_cfg *cfg,
                                           heed_error *err);
/* As heed_classifier_save. An embedder opened from a classifier's folder is HEED_EUNSUPPORTED. */
HEED_API int heed_embedder_save(const heed_embedder *e, const char *dir, heed_error *err);
HEED_API void heed_embedder_close(heed_embedder *e); /* NULL is fine */

HEED_API int64_t heed_embedder_dim(const heed_embedder *e); /* C */
HEED_API int64_t heed_embedder_parameters(const heed_embedder *e);
HEED_API const char *heed_embedder_recipe(const heed_embedder *e);

/* Vectors of length 1, out [len,C]. A text's vector does not depend on the texts beside it. 0 or a
 * status. */
HEED_API int heed_embedder_apply(heed_embedder *e, int64_t len, const char *const *text, float *out,
                                 heed_error *err);

/* How well second texts are found by their first ones: every pair's first text ranks all different
 * second texts by cosine. Fractions. */
typedef struct heed_retrieval {
    int64_t n, candidates; /* pairs; different second texts */
    double recall_1;       /* the right one comes first */
    double recall_10;      /* it is among the first ten */
    double mrr;            /* mean of 1 / its rank (of equals it is the last) */
    double loss;           /* mean of -ln of its softmax at the model's temperature */
    heed_interval recall_1_95, recall_10_95, mrr_95; /* Wilson's; mrr: bootstrapped over pairs */
    /* Where data has labels "1" and "0": the second texts of each first text are ranked among
     * themselves, over the first texts that have at least one "1" (as WikiQA is scored). */
    int64_t queries; /* 0: no labels, or none that is "0" */
    double map, query_mrr;
} heed_retrieval;

/* 0 or a status. */
HEED_API int heed_embedder_test(heed_embedder *e, const heed_examples *data, heed_retrieval *r,
                                heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
