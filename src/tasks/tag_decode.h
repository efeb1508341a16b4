/* tag_decode.h: from scores of tags to the best sequence that the scheme allows (Viterbi 1967),
 * and how sure the model is of an entity: the probability, by the CRF's own sum over all sequences,
 * that exactly these words bear exactly this type (Culotta and McCallum 2004). */
#ifndef HEED_TASKS_TAG_DECODE_H
#define HEED_TASKS_TAG_DECODE_H

#include "ops/crf.h"

/* Room for one sentence at a time; for one thread. */
typedef struct heed_lattice {
    heed_ctx *cx;
    int64_t tags;              /* K */
    float *weights;            /* owns what follows */
    heed__crf_trans forms;     /* of the transitions, with the scheme's laws */
    float *trans;              /* [K,K] */
    float *first, *end, *room; /* [K], [K], [HEED_CRF_ROOM,K] */
    float *a, *b, *c;          /* [T,K], [T,K], [T] */
    int32_t *back;             /* [T,K] */
    int64_t a_cap, b_cap, c_cap, back_cap;
    float last;
    double log_z; /* of the last sum */
    heed_hooks hooks;
} heed_lattice;

/* transitions [K,K] and edges [2,K] as heed_crf takes them are copied, NULL: zeros; laws: what may
 * not follow in the inner scheme of tags.h never does. 0 or HEED_ENOMEM. */
int heed__lattice_init(heed_lattice *l, heed_ctx *cx, int64_t tags, const float *transitions,
                       const float *edges, bool laws);
void heed__lattice_free(heed_lattice *l);
/* All weights times `scale`, 1 over a temperature: emissions must be scaled alike. */
void heed__lattice_scale(heed_lattice *l, float scale);

/* What is added to transitions [K,K] and edges [2,K] that the scheme does not allow. */
void heed__tag_laws(float *transitions, float *edges, int64_t tags);

/* The best tags y[0..n) for emissions x [n,K]; of equal ones the smaller number. 0 or HEED_ENOMEM.
 */
int heed__lattice_best(heed_lattice *l, const float *x, int64_t n, int32_t *y);
/* Sums over all sequences, for what follows. 0 or HEED_ENOMEM. */
int heed__lattice_sum(heed_lattice *l, const float *x, int64_t n);
/* After a sum: -log of the probability of the tags y[0..n). */
double heed__lattice_loss(const heed_lattice *l, const float *x, const int32_t *y, int64_t n);
/* After a sum: the probability of tag k at step t. */
float heed__lattice_marginal(const heed_lattice *l, int64_t t, int32_t k);
/* After a sum over x: the probability that steps [begin,end) have the tags y[begin..end). */
float heed__lattice_part(const heed_lattice *l, const float *x, const int32_t *y, int64_t begin,
                         int64_t end);

#endif
