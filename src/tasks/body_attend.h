/* body_attend.h: inside of the recipe `attend`, for its files. */
#ifndef HEED_TASKS_BODY_ATTEND_H
#define HEED_TASKS_BODY_ATTEND_H

#include "heed/nn.h"
#include "tasks/body.h"
#include "tasks/evidence.h"
#include "text/feature_index.h"

enum { HEED_ATTEND_MOST_WIDTH = 65536, HEED_ATTEND_MOST_HEADS = 1024 }; /* learnt and read */

typedef struct heed_attend {
    heed_body body;
    heed_feature_cfg features;
    int64_t dim, heads;
    bool mean; /* no attention: every unit counts alike, for one head */
    double dropout;
    heed_feature_index index;
    int64_t rows;             /* of the table: features 0 .. rows-1, all but pairs */
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

/* The texts at hand, and of the words seen so far the numbers of their features that have one. */
typedef struct heed_reading {
    heed_features f;
    int32_t *id;
    int64_t *start; /* [words+1] */
    int64_t words, id_cap, start_cap;
} heed_reading;

void heed__reading_free(heed_reading *r); /* a zeroed one is fine */
int heed__attend_encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                        heed_rows *r, heed_error *err);

/* Features that a unit adds up as one: a word and its pieces, or one run. */
typedef struct heed_attend_item {
    const int32_t *id;
    int64_t len;
} heed_attend_item;

/* Rows of n items, one after another, heed__item_size(D) bytes each:
 *   x = Σ rows of the table,  c = W_0 x, W_1 x, W_2 x     W = [W_0, W_1, W_2] of the local context
 * rounded to 8 bits, so that the context of a unit is a sum of rows. panels: of W, or NULL. False
 * and the context's error: out of memory. */
bool heed__attend_items(heed_ctx *cx, const heed_attend *a, const heed_attend_item *item, int64_t n,
                        const float *panels, void *row);

/* What is kept between calls: rows of words and of runs, and what pieces of words are evidence of.
 * Once room is short it begins anew as soon as nobody reads. */
typedef struct heed_attend_memo {
    heed_body_memo base;
    const heed_attend *a;
    heed_hooks hooks;
    heed_reading in;
    float *panels;
    int64_t words, word_cap; /* words of `in` that have their rows */
    char *word;              /* [words] rows of attend_items */
    heed_evidence_words evidence;
    char *said; /* [words] evidence.word */
    int64_t said_cap;
    int32_t *place; /* [runs of the index] 1 + the number of its row; 0: it has none */
    int32_t *run_id;
    char *run; /* [runs] rows of attend_items */
    int64_t runs, run_cap, run_id_cap, most_runs;
    int64_t missed; /* words and runs that found no room */
} heed_attend_memo;

int heed__attend_memo(heed_ctx *cx, const heed_body *b, heed_body_memo **memo, heed_error *err);
void heed__attend_forget(heed_body_memo *memo);
/* Forgets all where it is of use and nobody reads but one. */
void heed__attend_refresh(heed_attend_memo *m);
/* Rows of the words that were met since the last time. False and the context's error: out of
 * memory. */
bool heed__attend_words(heed_ctx *cx, heed_attend_memo *m);

/* The end of unit u's features but for pairs, which are evidence alone. */
static inline int64_t heed__attend_bag_end(const heed_attend *a, const heed_rows *rows, int64_t u) {
    int64_t end = rows->bag[u + 1];
    while (end > rows->bag[u] && rows->feature[end - 1] >= a->index.kinds[HEED_FEATURE_PAIR]) end--;
    return end;
}

/* Whether apply may be computed without padding and gradients, by heed__attend_answer. */
bool heed__attend_answers(const heed_ctx *cx, const heed_attend *a);
heed_tensor *heed__attend_answer(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                                 const heed_spans *spans, heed_body_call *call);

#endif
