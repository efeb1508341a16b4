/* margin.h: a linear classifier over sparse vectors, one column for each label against all others,
 * with large margins: it minimizes |w|²/2 + c · Σ max(0, 1 - y w·x)² of every column by coordinate
 * descent in the dual (Hsieh et al. 2008, "A dual coordinate descent method for large-scale linear
 * SVM"). No learning rate: it converges to the one solution, in some ten passes. */
#ifndef HEED_TRAIN_MARGIN_H
#define HEED_TRAIN_MARGIN_H

#include "heed/tensor.h"

/* Vectors: number i is value[k] at id[k], k = start[i] .. start[i+1]. */
typedef struct heed_sparse_rows {
    int64_t len;
    int64_t *start; /* [len+1] */
    int32_t *id;
    float *value;
} heed_sparse_rows;

typedef struct heed_margin {
    int64_t rows, cols; /* cols 1: of the second of two labels against the first */
    float *weight;      /* [rows,cols] */
    float *bias;        /* [cols] */
    heed_hooks hooks;
} heed_margin;

typedef struct heed_margin_cfg {
    double c;   /* 0: 1 */
    int passes; /* at most; 0: 20, fewer of more than 65,000 vectors, at least 5 */
    double gap; /* ends once no gradient of a pass is larger; 0: 0.1 */
    uint64_t seed;
    /* [rows,cols] 0 or more, or NULL: how freely each weight may grow; it costs w²/freedom. */
    const float *freedom;
} heed_margin_cfg;

/* Fits m, with rows, cols and hooks set. label [len], or, with label_start [len+1], those of vector
 * i at label[label_start[i] .. label_start[i+1]). Depends on data and seed alone. 0 or a status:
 * HEED_ENOMEM, HEED_ECANCELLED. */
int heed__margin_fit(heed_ctx *cx, heed_margin *m, const heed_sparse_rows *x, const int32_t *label,
                     const int64_t *label_start, const heed_margin_cfg *cfg);
/* One vector: value[k] at id[k]. */
typedef struct heed_margin_row {
    const int32_t *id;
    const float *value;
    int64_t len;
} heed_margin_row;

/* out [cols] = bias + Σ value[k] weight[id[k]] */
void heed__margin_apply(const heed_ctx *cx, const heed_margin *m, const heed_margin_row *x,
                        float *out);
/* The same of rounded weights (below): value[k] is that of the feature times scale[id[k]]. */
void heed__margin_apply_rounded(const heed_ctx *cx, const heed_margin *m, const int8_t *number,
                                const heed_margin_row *x, float *out);
/* Rounds each row to 8 bits: weight = scale · whole number in -127..127. Fills scale [rows] and
 * number [rows,cols]. */
void heed__margin_round(heed_margin *m, float *scale, int8_t *number);
void heed__margin_free(heed_margin *m); /* a zeroed one is fine */

#endif
