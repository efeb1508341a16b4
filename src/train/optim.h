/* optim.h: inside of an optimizer: what it keeps for each parameter, and the parts of a step. */
#ifndef HEED_TRAIN_OPTIM_H
#define HEED_TRAIN_OPTIM_H

#include "heed/train.h"
#include "tensor/ctx.h"

/* A parameter with its settings and its state. Which of the arrays exist, and how long they are,
 * depends on the kind (lay_out in optim.c). */
typedef struct heed_optim_slot {
    heed_tensor *t;
    bool sparse;
    float lr_factor, decay;
    int64_t steps;      /* made by this parameter: it may lack a gradient at times */
    float *m, *v, *ema; /* moments; ADAFACTOR: m by rows, v by columns */
    int32_t *row_steps; /* of each row of a sparse table */
    int64_t m_len, v_len, ema_len, row_steps_len;
} heed_optim_slot;

/* A piece of a parameter, so that threads share all parameters in one go. */
typedef struct heed_optim_piece {
    heed_optim_slot *slot;
    int64_t begin, end;
    int64_t block; /* the first of its sums */
} heed_optim_piece;

struct heed_optim {
    heed_hooks hooks;
    const heed_kernels *k;
    heed_pool *pool;
    heed_params *ps;
    heed_optim_cfg cfg; /* zeros replaced by what they mean; groups NULL */
    heed_optim_slot *slot;
    int64_t count;
    void *floats;
    int32_t *ints;
    heed_optim_piece *piece; /* of the parameters that have a gradient in this step */
    int64_t piece_count, piece_cap;
    float *sums; /* of squares, by blocks of 4096, then by parameters */
    int64_t sums_cap;
    int64_t steps, pending; /* pending: calls since the last step */
    double norm, factor;    /* factor: PLATEAU's */
    double best;            /* least loss reported; only where reports > 0 */
    int64_t reports,
        bad; /* of losses: those that were the best so far, and since the last of these */
    float grad_scale;
    bool averaged; /* ema holds something */
    heed_error error;
};

enum { HEED_OPTIM_PIECE = 4 * 4096 };

/* The learning rate of a parameter in this step. */
float heed__optim_rate(const heed_optim *opt, const heed_optim_slot *s);
/* base^n for n >= 0, by squaring. */
double heed__power(double base, int64_t n);
/* Updates [begin,end) of a dense parameter; any kind but ADAFACTOR. s->steps counts this step. */
void heed__optim_dense(const heed_optim *opt, const heed_optim_slot *s, int64_t begin, int64_t end);
/* Updates rows [begin,end) of those that a sparse table's gradient holds. */
void heed__optim_rows(const heed_optim *opt, const heed_optim_slot *s, int64_t begin, int64_t end);
/* Updates a whole parameter. */
void heed__adafactor(const heed_optim *opt, const heed_optim_slot *s);
/* Rows, columns and the number of matrices that ADAFACTOR sees in t: its last two dimensions. */
void heed__adafactor_shape(const heed_tensor *t, int64_t *batch, int64_t *rows, int64_t *cols);

#endif
