/* body_attend.h: inside of the recipe `attend`, for its files. */
#ifndef HEED_TASKS_BODY_ATTEND_H
#define HEED_TASKS_BODY_ATTEND_H

#include "heed/nn.h"
#include "tasks/body.h"
#include "tasks/evidence.h"
#include "text/feature_index.h"

typedef struct heed_attend {
    heed_body body;
    heed_feature_cfg features;
    int64_t dim, heads;
    bool mean; /* no attention: every unit counts alike, for one head */
    double dropout;
    heed_feature_index index;
    int64_t rows;             /* of the table: features 0 .. rows-1, words and, if few, pieces */
    heed_tensor *table;       /* [rows,D] "table" */
    heed_linear near;         /* [D,3D] a word and its neighbours */
    heed_linear query;        /* [H,D] */
    heed_tensor *gain, *bias; /* [(H+1)·D] of the norm */
    heed_evidence evidence;
} heed_attend;

/* Declares the parameters. 0 or a status. */
int heed__attend_build(heed_attend *a, heed_error *err);
json_t *heed__attend_config(const heed_body *b);
int heed__attend_save(const heed_body *b, const char *dir, heed_error *err);
int heed__attend_load(heed_body *b, const json_t *config, const char *dir, heed_error *err);

/* Spans of rows. */
typedef struct heed_spans {
    const heed_span *span;
    int64_t len;
} heed_spans;
/* Whether apply may be computed without padding and gradients, by heed__attend_answer: the same
 * bits in less time. */
bool heed__attend_answers(const heed_ctx *cx, const heed_attend *a);
heed_tensor *heed__attend_answer(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                                 const heed_spans *spans, heed_body_call *call);

#endif
