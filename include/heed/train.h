/* train.h: optimizers, learning rates, data order, checkpoints. The loop itself is yours:
 *
 *     heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){
 *         .kind = HEED_ADAMW, .lr = 3e-4f, .clip = 1,
 *         .schedule = { .kind = HEED_COSINE, .total = 1000 } }, &err);
 *     heed_loader *ld = heed_loader_new(&(heed_loader_cfg){
 *         .items = n, .batch = 32, .seed = 1 }, &err);
 *     const int64_t *item;
 *     for (int64_t count; heed_loader_epoch(ld) < 10;)
 *         while ((count = heed_loader_next(ld, &item)) > 0) {     // 0: this epoch is over
 *             heed_tensor *loss = loss_of(cx, item, count);       // from items item[0..count-1]
 *             heed_backward(cx, loss);
 *             if (heed_optim_step(opt)) puts(heed_optim_error(opt)->msg);
 *             heed_ctx_reset(cx);
 *         }
 */
#ifndef HEED_TRAIN_H
#define HEED_TRAIN_H

#include <heed/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- learning rate over time ------------------------------------------------------------------ */

typedef enum heed_schedule_kind {
    HEED_CONSTANT,
    HEED_LINEAR,   /* from 1 at the end of the warm-up to `least` at `total` */
    HEED_COSINE,   /* the same along half a cosine (Loshchilov and Hutter 2017) */
    HEED_INV_SQRT, /* sqrt(warmup / step), warm-up at least 1 (Vaswani et al. 2017) */
    HEED_PLATEAU   /* times `factor` whenever `patience` reports in a row brought no better loss */
} heed_schedule_kind;

/* A factor for the learning rate. A zeroed struct is the constant 1. */
typedef struct heed_schedule {
    heed_schedule_kind kind;
    int64_t warmup; /* steps over which the factor first grows: (step + 1) / warmup; any kind */
    int64_t total; /* steps in all, for LINEAR and COSINE; the factor stays at `least` after them */
    float least;   /* where LINEAR and COSINE end, and below which PLATEAU does not go */
    float factor;  /* PLATEAU; 0: 0.1 */
    int patience;  /* PLATEAU; 0: 10 */
} heed_schedule;

/* The factor for a step counted from 0; PLATEAU counts as constant here. */
HEED_API double heed_schedule_at(const heed_schedule *s, int64_t step);

/* -- optimizers ------------------------------------------------------------------------------- */

typedef enum heed_optim_kind {
    HEED_ADAMW,    /* Loshchilov and Hutter 2019: decay apart from the gradient */
    HEED_ADAM,     /* Kingma and Ba 2015: decay added to the gradient, as PyTorch's Adam */
    HEED_SGD,      /* momentum and Nesterov's form as PyTorch's SGD */
    HEED_ADAGRAD,  /* Duchi et al. 2011 */
    HEED_ADAFACTOR /* Shazeer and Stern 2018, as PyTorch's Adafactor */
} heed_optim_kind;

/* Other settings for parameters whose name matches; the first group that matches counts. */
typedef struct heed_param_group {
    const char *pattern; /* '*' and '?' */
    float lr;            /* factor of the learning rate; 0: 1 */
    float weight_decay;  /* 0: the optimizer's */
    bool no_decay;
    bool decay; /* decays these though they have fewer than two dimensions */
} heed_param_group;

typedef struct heed_optim_cfg {
    heed_optim_kind kind;
    float lr; /* 0: 0.001; SGD, ADAGRAD and ADAFACTOR: 0.01 */
    heed_schedule schedule;
    float weight_decay; /* 0: none, as all below. Biases and gains of norms (fewer than two
                           dimensions) do not decay, unless decay_all or their group says so */
    bool decay_all;
    float clip;         /* largest global norm of the gradient; what is longer is scaled down */
    int accumulate;     /* calls of heed_optim_step that make one step on their mean gradient */
    float beta1, beta2; /* ADAM, ADAMW; 0: 0.9 and 0.999 (a 0 itself cannot be asked for) */
    float eps;          /* 0: 1e-8; ADAGRAD: 1e-10 */
    float momentum;     /* SGD */
    bool nesterov;      /* SGD */
    float ema; /* decay of an average of the weights beside them, such as 0.999; it begins as
                           the weights after the first step */
    const heed_param_group *groups; /* copied */
    int group_count;
} heed_optim_cfg;

/* Moments for every parameter in ps, which must be declared by now. Works with the threads and
 * kernels of cx; results depend on neither. Tables with row-sparse gradients take all but
 * Adafactor, lazily and row by row: a row is updated (and decays, its momentum too, and its step is
 * counted) only when touched, and has one second moment, the mean over its columns, so that a step
 * costs what the batch touches (as the row-wise optimizers of large recommenders do); decay joins
 * the gradient for SGD and Adam as it does elsewhere and stands apart from it for AdamW and for
 * Adagrad; there is no average of weights (ema). NULL and *err on failure. */
typedef struct heed_optim heed_optim;
HEED_API heed_optim *heed_optim_new(heed_ctx *cx, heed_params *ps, const heed_optim_cfg *cfg,
                                    heed_error *err);
HEED_API void heed_optim_free(heed_optim *opt); /* NULL is fine */

/* One step from the gradients that are there, which are forgotten afterwards; parameters without
 * one stay as they are. HEED_ENONFINITE names the first parameter whose gradient is not finite:
 * weights and moments are as before, the gradients are forgotten, and training may go on with the
 * next batch. HEED_ENOMEM leaves all so too, and forgets batches accumulated before. */
HEED_API int heed_optim_step(heed_optim *opt);
/* Of the last step, or NULL; that there is no optimizer for NULL. */
HEED_API const heed_error *heed_optim_error(const heed_optim *opt);
HEED_API int64_t heed_optim_steps(const heed_optim *opt); /* steps made */
HEED_API double heed_optim_norm(const heed_optim *opt); /* of the last step's gradient, unclipped */
HEED_API double heed_optim_lr(const heed_optim *opt);   /* of the coming step */
HEED_API void heed_optim_set_lr(heed_optim *opt, float lr); /* the schedule goes on with it */
/* A loss on held-out data, for the PLATEAU schedule. One that is not finite is no better one. */
HEED_API void heed_optim_report(heed_optim *opt, double loss);
/* Exchanges the weights and their average; again, and they are back. Nothing without ema. */
HEED_API void heed_optim_swap_ema(heed_optim *opt);

/* -- the order of data ------------------------------------------------------------------------ */

typedef struct heed_loader_cfg {
    int64_t items, batch;
    uint64_t seed;  /* the order of epoch e depends on (seed, e, items) alone */
    bool in_order;  /* 0, 1, 2, ... in each epoch */
    bool drop_last; /* leaves out a last batch that is smaller */
    const heed_hooks *hooks;
} heed_loader_cfg;

/* Numbers of items, batch by batch. For one thread. */
typedef struct heed_loader heed_loader;
HEED_API heed_loader *heed_loader_new(const heed_loader_cfg *cfg, heed_error *err);
HEED_API void heed_loader_free(heed_loader *ld); /* NULL is fine */
/* The next batch: *items points to its item numbers until the next call; returns how many. 0 when
 * the epoch is over; the call after that begins the next one. */
HEED_API int64_t heed_loader_next(heed_loader *ld, const int64_t **items);
HEED_API int64_t heed_loader_epoch(const heed_loader *ld);    /* completed; NULL: INT64_MAX */
HEED_API int64_t heed_loader_position(const heed_loader *ld); /* items handed out in this one */
/* Goes to a position in an epoch. 0 or HEED_EINVALID for one that there is not. */
HEED_API int heed_loader_seek(heed_loader *ld, int64_t epoch, int64_t position);

/* -- checkpoints ------------------------------------------------------------------------------ */

/* Everything that a training run is made of; what is NULL is left out. */
typedef struct heed_checkpoint {
    heed_params *params; /* needed */
    heed_optim *optim;   /* moments, average, step count, schedule */
    heed_ctx *ctx;       /* its step counter, on which dropout depends */
    heed_loader *loader; /* epoch and position */
    heed_rng *rng;       /* random sequences of the program, rng_count of them */
    int rng_count;
} heed_checkpoint;

/* One safetensors file, replaced whole or not at all: a process killed at any moment leaves the old
 * one or the new one. Save between steps, where no gradients are held (HEED_EINVALID tells). */
HEED_API int heed_checkpoint_save(const char *path, const heed_checkpoint *c, heed_error *err);
/* Puts everything back as it was; training that goes on from here gives the very bits that it would
 * have given. Parameters, kind of optimizer and counts must be those that were saved; else
 * HEED_EFORMAT, and nothing has changed. */
HEED_API int heed_checkpoint_load(const char *path, const heed_checkpoint *c, heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
