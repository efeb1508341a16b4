/* evidence.h: what the n-grams of a text say about its labels, each by itself: a linear classifier
 * with large margins (train/margin.h) over weights that count how rare they are and how much they
 * tell. Its numbers are added to those of a head, which has seen the words in their order. */
#ifndef HEED_TASKS_EVIDENCE_H
#define HEED_TASKS_EVIDENCE_H

#include "heed/io.h"
#include "tasks/body.h"
#include "text/feature_index.h"
#include "train/margin.h"

enum { HEED_EVIDENCE_LOGS = 64 };

typedef struct heed_evidence {
    heed_margin margin; /* cols 0: there is none; its weights are gone once they are rounded */
    float *scale;       /* [rows] weight = scale · number */
    int8_t *number;     /* [rows,cols] */
    float *mark;        /* [rows,2] idf and scale: what is asked of a feature, in one place */
    double c;           /* what a mistake costs beside the size of the weights (margin.h) */
    bool free;          /* weights grow by what a feature tells of each label */
    float gain;         /* what a margin of 1 counts among the logits */
    float ln[HEED_EVIDENCE_LOGS]; /* 1 + ln c, of what is c times in a text */
} heed_evidence;

/* Puts into x->idf what each feature of labelled rows weighs: its idf among them, times how far it
 * tells their labels apart. 0 or HEED_ENOMEM. */
int heed__evidence_weights(heed_feature_index *x, const heed_rows *rows,
                           const heed_body_goal *goal);
/* How freely the weight of a feature for a label may grow: s_fc of evidence_weights.c, [rows,K], to
 * be freed. NULL: out of memory. */
float *heed__evidence_freedom(const heed_feature_index *x, const heed_rows *rows,
                              const heed_body_goal *goal);
/* Learns from labelled rows of features, after it has set their weights; goal->classes is K. 0 or a
 * status. */
int heed__evidence_fit(heed_ctx *cx, heed_evidence *e, heed_feature_index *x, const heed_rows *rows,
                       const heed_body_goal *goal, heed_error *err);
/* What the pieces of a word are evidence of by themselves, Σ w_f W_f, in 8 bits. Its bytes, of
 * which HEED_I8_SPARE may be read past the last; 0 where there is no evidence. */
typedef struct heed_evidence_word heed_evidence_word;
size_t heed__evidence_word_size(const heed_evidence *e);
/* From the features of a word (no runs). False and the context's error: out of memory. */
bool heed__evidence_word(heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                         const int32_t *id, int64_t len, heed_evidence_word *to);
/* What is known of words before they stand in a text. */
typedef struct heed_evidence_words {
    const int32_t *id; /* features of word w: id[start[w] .. start[w+1]), as in its unit's bag */
    const int64_t *start;
    const void *word; /* [words] heed_evidence_word, one after another */
} heed_evidence_words;

/* What it adds to the logits of the spans: [n,K], without a gradient. words: those that rows->word
 * names; NULL: none. The bits do not depend on them. NULL where there is no evidence, or an error.
 * Any number of threads, each with its own context. */
heed_tensor *heed__evidence_apply(heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                                  const heed_rows *rows, const heed_spans *spans,
                                  const heed_evidence_words *words);
/* Its tensors among the entries of a file, "evidence.*", at most 4; how many. */
int heed__evidence_entries(const heed_evidence *e, heed_entry *entry);
/* From such a file over the features of x; a file without them has none. 0 or a status. */
int heed__evidence_read(heed_evidence *e, const heed_safetensors *st, const heed_feature_index *x,
                        const heed_hooks *hooks, heed_error *err);
int64_t heed__evidence_size(const heed_evidence *e); /* bytes */
void heed__evidence_free(heed_evidence *e);          /* a zeroed one is fine */

#endif
