/* ctx.h: inside of heed_ctx and the helpers that operations are written with. For tensor, ops, nn
 * and above. */
#ifndef HEED_TENSOR_CTX_H
#define HEED_TENSOR_CTX_H

#include "base/arena.h"
#include "heed/ops.h"
#include "kernels/kernels.h"

struct heed_node {
    const heed_op *op;
    heed_tensor *out;
    heed_tensor **src; /* count of them; an absent optional one is NULL */
    int count;
    void *saved;
};

typedef struct heed_bin heed_bin; /* bins.c */
typedef struct heed_temp heed_temp;
typedef struct heed_bin_plan {
    uint64_t tape; /* what is on it */
    int64_t takes; /* gradients that there is a plan for */
} heed_bin_plan;

enum { HEED_STEP_KINDS = 4, HEED_BIN_CLASSES = 512 };

struct heed_ctx {
    const heed_kernels *k;
    heed_pool *pool; /* NULL never: a pool of one thread is a pool */
    bool own_pool;
    bool train, record;
    heed_precision precision;
    heed_hooks hooks;
    heed_arena arena;   /* the step's tensors and gradients */
    heed_arena scratch; /* a stack */
    heed_error error;   /* code 0: none */
    heed_node *nodes;   /* the tape, grown by doubling, kept over resets */
    int64_t node_count, node_cap;
    uint64_t seed, step, calls; /* calls: random operations so far in this step */
    heed_bin *bin;              /* where gradients lie */
    int64_t bin_count, bin_cap;
    /* Bins by class, chained; 0: none, else the first one's place + 1. */
    int64_t bin_free[HEED_BIN_CLASSES]; /* in this step, not taken */
    int64_t bin_idle[HEED_BIN_CLASSES]; /* of the step's kind, not in it so far, where idle_known */
    int64_t bin_spare;                  /* of no kind */
    bool idle_known;
    heed_bin_plan plan[HEED_STEP_KINDS];
    int64_t *order; /* the bin of a step's first, second, third ... gradient, of each kind */
    int64_t order_cap, takes;
    int kind, next_kind; /* of this step, where it is known; the one to be replaced next */
    bool known;
    heed_temp *top;   /* of scratch */
    heed_temp *temps; /* what heed__alloc gave to the backward that runs now; ends with it */
    bool in_backward;
    heed_flops_fn flops;
    void *flops_user;
};

/* A forward product of these floating-point operations that reads the weight w; what: its name
 * where w has none or is NULL. */
void heed__count(const heed_ctx *cx, const heed_tensor *w, const char *what, double flops);

/* A reset that gives the memory of steps back to the system too: what follows needs less. */
void heed__ctx_release(heed_ctx *cx);
/* After a reset: somewhat more room than the largest step so far, for one that is a little larger.
 */
void heed__ctx_widen(heed_ctx *cx);
/* Room of the step, aligned to 64 bytes, not filled; NULL and the error set when memory is short.
 * count·size is checked. */
void *heed__alloc(heed_ctx *cx, int64_t count, size_t size);
/* Room that ends sooner than the step, such as a product's scratch: give it back with
 * heed__temp_end and the next one takes its place, so that a step does not hold every scratch that
 * it ever used. Inside of a backward plain heed__alloc does the same: what it gave ends with that
 * backward. */
void *heed__temp(heed_ctx *cx, int64_t count, size_t size);
void heed__temp_end(heed_ctx *cx, void *temp); /* NULL is fine */
/* A tensor of the given shape over x's numbers from `offset` (in elements of x) on. It shares x's
 * gradient too, so that nothing is recorded: this is a reshape or a leading slice. */
heed_tensor *heed__view(heed_ctx *cx, heed_tensor *x, int64_t offset, int ndim,
                        const int64_t *shape);
/* A new f32 tensor of x's shape. */
heed_tensor *heed__like(heed_ctx *cx, const heed_tensor *x);
/* Product of all dimensions but the last (1 for a scalar), and the last (1 for a scalar). */
int64_t heed__rows(const heed_tensor *t);
int64_t heed__cols(const heed_tensor *t);
bool heed__same_shape(const heed_tensor *a, const heed_tensor *b);
/* A new stream number for a random operation of this step, the same for the same position in the
 * same step. */
uint64_t heed__stream(heed_ctx *cx);
/* The gradient buffer of t with how to write it: *beta 0: overwrite all of it, 1: add to it. NULL
 * if t wants none. */
float *heed__grad_beta(heed_ctx *cx, heed_tensor *t, float *beta);
/* Makes the gradient of an operation's output that of t, where t has none yet and both have as many
 * numbers: dt = dout without a copy. The last thing that a backward does; false: add it instead. */
bool heed__grad_pass(heed_tensor *t, heed_tensor *out);
/* True when an operation on these sources must be recorded. */
bool heed__wants_grad(const heed_ctx *cx, int count, heed_tensor *const *src);
/* heed_record for up to three sources. */
heed_tensor *heed__record1(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           void *saved);
heed_tensor *heed__record2(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           heed_tensor *b, void *saved);
heed_tensor *heed__record3(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           heed_tensor *b, heed_tensor *c, void *saved);
/* heed_pool_run over [0,n) with a grain chosen so that a chunk does about `cost` × grain >= 16384
 * units of work. */
void heed__parallel(heed_ctx *cx, int64_t n, int64_t cost, heed_range_fn fn, void *arg);

/* Row-sparse gradient: sorted unique rows with their sums, kept by heed_params until the optimizer
 * has used them. */
struct heed_sparse {
    int64_t rows, dim; /* N, C */
    int64_t len, cap;  /* rows held, rows there is room for */
    int64_t given;     /* ids of all that was added */
    bool expected;     /* sparse_expect was told of rows */
    int64_t *row;      /* [len] ascending */
    float *val;        /* [len,C] */
    uint64_t *work;    /* room to sort in, of work_cap */
    int64_t work_cap;
    heed_hooks hooks;
};
/* Adds count rows (ids may repeat and come in any order; repeats are summed in the order given). 0
 * or HEED_ENOMEM. */
int heed__sparse_add(heed_sparse *s, int64_t count, const int32_t *ids, const float *rows,
                     int32_t skip);
/* Room for these rows, which are what will be added, some of them or all, before the gradient is
 * cleared. 0 or HEED_ENOMEM. */
int heed__sparse_expect(heed_sparse *s, int64_t count, const int32_t *ids);
void heed__sparse_clear(heed_sparse *s);

#endif
