/* head.h: what stands on a body: one label (softmax), several (sigmoids), or a score, for single
 * texts and for pairs. */
#ifndef HEED_TASKS_HEAD_H
#define HEED_TASKS_HEAD_H

#include <jansson.h>

#include "base/json.h"
#include "heed/nn.h"
#include "heed/tasks.h"

/* The largest score: what a head answers, some spreads from the mean, is a float. */
#define HEED_SCORE_MOST 1e30

/* Shape of a head, stored with a model. */
typedef struct heed_head_cfg {
    heed_target target;
    bool pairs;          /* reads u, v, |u - v| and u·v of two texts (Conneau et al. 2017) */
    bool attends;        /* of a pair the first, which has attended to the second (context.h); not
                            stored here */
    int64_t classes;     /* K; 1 for a score */
    int64_t dense;       /* units of a ReLU layer before the last; 0: none */
    double dropout;      /* on the body's vector, when training */
    double mean, spread; /* score: the head's number times spread plus mean */
    double huber;        /* score: errors beyond so many spreads count by their size; 0: squared */
} heed_head_cfg;

typedef struct heed_head {
    heed_head_cfg cfg;
    heed_linear dense, out; /* "dense" (w NULL: none), "head" */
} heed_head;

/* Declares the parameters over a body of width dim. 0 or a status with its sentence. */
int heed__head_init(heed_head *h, heed_params *ps, const heed_head_cfg *cfg, int64_t dim,
                    heed_error *err);
/* y [n,dim], of the second texts too where the head reads pairs -> logits [n,K] */
heed_tensor *heed__head_apply(heed_ctx *cx, const heed_head *h, heed_tensor *y, heed_tensor *y2);
/* Logits as answers: probabilities, or scores. [n,K] */
heed_tensor *heed__head_answer(heed_ctx *cx, const heed_head *h, heed_tensor *logits);

/* What a head learns from. The arrays are of all examples; item chooses n of them. */
typedef struct heed_goal {
    const int32_t *label;       /* [len] LABEL: its number */
    const int64_t *label_start; /* [len+1] LABELS: text i has label[label_start[i] .. ) */
    const double *score;        /* [len] SCORE */
    const float *weight;        /* [K] of labels, mean 1; NULL: all alike */
    double smoothing;
} heed_goal;
/* The mean loss [] of logits [n,K]: cross-entropy, binary cross-entropy summed over labels, or
 * squared error of the score divided by its spread, with huber δ: d² for |d| <= δ, else 2δ|d| - δ²
 * (Huber 1964). */
heed_tensor *heed__head_loss(heed_ctx *cx, const heed_head *h, heed_tensor *logits,
                             const heed_goal *goal, const int64_t *item);

json_t *heed__head_config(const heed_head *h); /* NULL: out of memory */
int heed__head_read(heed_head_cfg *cfg, const json_t *object, const char *path, heed_error *err);

#endif
