/* tensor.h: tensors, the context that owns them for a step, and the parameters that outlive it.
 *
 *     heed_ctx    *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 42 }, &err);
 *     heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 42 }, &err);
 *     heed_tensor *w  = heed_param(ps, "w", (heed_init){ .kind = HEED_INIT_XAVIER_UNIFORM }, 2,
 *                                  (int64_t[]){ 3, 5 });
 *     heed_tensor *x  = heed_from_f32(cx, 2, (int64_t[]){ 4, 5 }, numbers);
 *     heed_tensor *y  = heed_sum(cx, heed_affine(cx, x, w, NULL));
 *     heed_backward(cx, y);                       // w->grad now holds dy/dw
 *     heed_ctx_reset(cx);                         // x and y end here, w lives on
 *
 * The letters used for shapes everywhere:
 *     B batch          T queries, time steps   S keys     H heads   D head width   C model width
 *     F feed-forward width   V vocabulary      L layers   N items   K classes
 * Tensors are contiguous and row-major; shapes and meanings are PyTorch's; weights are [out,in].
 */
#ifndef HEED_TENSOR_H
#define HEED_TENSOR_H

#include <heed/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HEED_MAX_NDIM = 6 };

typedef enum heed_dtype { HEED_F32, HEED_I32, HEED_U8, HEED_BF16, HEED_I8 } heed_dtype;

HEED_API size_t heed_dtype_size(heed_dtype dtype);      /* bytes of one element */
HEED_API const char *heed_dtype_name(heed_dtype dtype); /* "f32", ... static storage */

typedef struct heed_ctx heed_ctx;
typedef struct heed_params heed_params;
/* The row-sparse gradient of a table, see heed_param_set_sparse. */
typedef struct heed_sparse heed_sparse;

/* A tensor. Fields are to be read, and written only through the library (data may be filled by its
 * maker). A scalar has ndim 0 and len 1; a dimension may be 0, then len is 0. */
typedef struct heed_tensor {
    int64_t shape[HEED_MAX_NDIM];
    int ndim;
    heed_dtype dtype;
    int64_t len;         /* elements: the product of shape */
    void *data;          /* len elements */
    float *grad;         /* len floats, or NULL while there is no gradient */
    bool needs_grad;     /* a gradient flows to it: a trainable parameter or made from one */
    bool keep_grad;      /* grad stays after heed_backward: heed_want_grad */
    const float *packed; /* a frozen weight in the kernels' panel form, or NULL */
    heed_sparse *sparse; /* a table with row-sparse gradients: they are here and not in grad */
    const char *name;    /* a parameter's name; NULL for a step's tensor */
    /* whose data and gradient this one shares (reshape, leading slice), or NULL */
    struct heed_tensor *view_of;
    int64_t view_offset; /* in elements */
} heed_tensor;

#define HEED_F32_DATA(t) ((float *)(t)->data)
#define HEED_I32_DATA(t) ((int32_t *)(t)->data)
#define HEED_U8_DATA(t)  ((uint8_t *)(t)->data)

/* -- context ---------------------------------------------------------------------------------- */

typedef enum heed_precision {
    HEED_PRECISION_F32,
    HEED_PRECISION_BF16 /* matrix products, those of fused attention too, read bf16 and sum in f32;
                           weights, gradients, optimizer stay f32 */
} heed_precision;

typedef struct heed_ctx_cfg {
    bool train;      /* record for heed_backward, apply dropout */
    uint64_t seed;   /* of dropout and sampling */
    int threads;     /* as heed_pool_new; ignored when pool is given */
    heed_pool *pool; /* shared pool that outlives the context, or NULL: the context makes its own */
    /* "scalar", "avx2", "avx512", "amx", "neon"; NULL: HEED_ISA, else the best there is */
    const char *isa;
    heed_precision precision;
    const heed_hooks *hooks;
} heed_ctx_cfg;

/* A context: arena, tape, first error, kernel table. For one thread at a time. NULL and *err on
 * failure (an ISA that this CPU lacks is HEED_EUNSUPPORTED and names it). With NULL for a context
 * operations give NULL, heed_backward gives HEED_EINVALID, and heed_ctx_error says that there is
 * none. */
HEED_API heed_ctx *heed_ctx_new(const heed_ctx_cfg *cfg, heed_error *err);
HEED_API void heed_ctx_free(heed_ctx *cx);

/* Ends every tensor of the step and forgets the tape and the error. Memory is kept for the next
 * step: once the largest step has been seen, no further allocation happens. The step counter that
 * dropout depends on goes on. */
HEED_API void heed_ctx_reset(heed_ctx *cx);

/* The first error since the last reset, or NULL. */
HEED_API const heed_error *heed_ctx_error(const heed_ctx *cx);
HEED_API const char *heed_ctx_isa(const heed_ctx *cx); /* name of the kernel table in use */
HEED_API bool heed_ctx_train(const heed_ctx *cx);
HEED_API void heed_ctx_set_train(heed_ctx *cx, bool train);
/* false: no gradients; returns what was. */
HEED_API bool heed_ctx_set_record(heed_ctx *cx, bool record);
/* Of the matrix products from now on, between two steps; one that there is not changes nothing. */
HEED_API heed_precision heed_ctx_precision(const heed_ctx *cx);
HEED_API void heed_ctx_set_precision(heed_ctx *cx, heed_precision precision);
HEED_API uint64_t heed_ctx_step(const heed_ctx *cx);
HEED_API void heed_ctx_set_step(heed_ctx *cx, uint64_t step); /* for an exact resume */
HEED_API size_t heed_ctx_memory(const heed_ctx *cx); /* bytes held from the system at present */
HEED_API size_t heed_ctx_used(const heed_ctx *cx);   /* bytes that this step has taken so far */
HEED_API heed_pool *heed_ctx_pool(const heed_ctx *cx);
/* Told of every matrix product of the forward pass: the weight that it reads, or "attention" or
 * "matmul" where there is none, and its floating-point operations: 2·M·N·K, a multiplication and an
 * addition for each term, over what is really computed (true lengths in a recurrent layer, visible
 * keys by causal, lengths, starts, window and truncate in attention). What is not a product is not
 * counted. NULL: nobody. */
typedef void (*heed_flops_fn)(void *user, const char *name, double flops);
HEED_API void heed_ctx_set_flops(heed_ctx *cx, heed_flops_fn fn, void *user);

/* -- tensors of a step: live until heed_ctx_reset(cx); NULL on failure, see heed_ctx_error ---- */

/* Not filled. */
HEED_API heed_tensor *heed_new(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape);
HEED_API heed_tensor *heed_zeros(heed_ctx *cx, heed_dtype dtype, int ndim, const int64_t *shape);
/* Copies of data, as many numbers as the shape has. */
HEED_API heed_tensor *heed_from_f32(heed_ctx *cx, int ndim, const int64_t *shape,
                                    const float *data);
HEED_API heed_tensor *heed_from_i32(heed_ctx *cx, int ndim, const int64_t *shape,
                                    const int32_t *data);
HEED_API heed_tensor *heed_scalar(heed_ctx *cx, float value);
/* Marks a step's f32 tensor as one whose gradient is wanted (an input to be explained). Returns it.
 */
HEED_API heed_tensor *heed_want_grad(heed_ctx *cx, heed_tensor *t);
/* The same numbers, through which no gradient flows. */
HEED_API heed_tensor *heed_detach(heed_ctx *cx, heed_tensor *t);
/* The one number of a tensor of length 1 (f32); NaN for NULL or another length. */
HEED_API float heed_item(const heed_tensor *t);
/* "[2,8]", written into text and returned; for messages. */
HEED_API char *heed_shape_text(const heed_tensor *t, char text[96]);

/* Fills grad of everything that loss [] (f32, one element) was made from; gradients of parameters
 * accumulate over calls until heed_params_zero_grad (an optimizer's step does that). The tape is
 * used up. Returns 0 or a status. */
HEED_API int heed_backward(heed_ctx *cx, heed_tensor *loss);
/* The same from any tensor with a given gradient dout, len numbers. */
HEED_API int heed_backward_from(heed_ctx *cx, heed_tensor *out, const float *dout);

/* -- parameters ------------------------------------------------------------------------------- */

typedef enum heed_init_kind {
    HEED_INIT_ZEROS,
    HEED_INIT_ONES,
    HEED_INIT_CONSTANT,       /* a */
    HEED_INIT_UNIFORM,        /* in [-a, a) */
    HEED_INIT_NORMAL,         /* mean 0, standard deviation a */
    HEED_INIT_TRUNC_NORMAL,   /* the same, cut at two deviations by drawing again */
    HEED_INIT_XAVIER_UNIFORM, /* Glorot and Bengio 2010: bound sqrt(6 / (in + out)) */
    HEED_INIT_XAVIER_NORMAL,
    HEED_INIT_LINEAR_UNIFORM,  /* PyTorch's nn.Linear and nn.Conv: bound 1 / sqrt(in), which it
                                 writes as kaiming_uniform_ with a = sqrt(5) */
    HEED_INIT_KAIMING_UNIFORM, /* He et al. 2015, for ReLU: bound sqrt(6 / in) */
    HEED_INIT_KAIMING_NORMAL,  /* standard deviation sqrt(2 / in) */
    HEED_INIT_ORTHOGONAL       /* Saxe et al. 2014, of a [out,in] matrix */
    /* From Xavier's on they take matrices or convolution weights [out,in,..], whose `in` and `out`
       count the window; a is a factor of bound or deviation, 0 means 1. */
} heed_init_kind;

typedef struct heed_init {
    heed_init_kind kind;
    float a;
} heed_init;

typedef struct heed_params_cfg {
    uint64_t seed; /* first values depend on (seed, name, shape) alone, not on the order of
                      declaration */
    const heed_hooks *hooks;
} heed_params_cfg;

/* Named parameters in one flat block, and one of the same form for gradients (made at the first
 * backward). The struct of each parameter stays where it is; its data pointer may move while
 * further parameters are declared. After that the values may be read from any number of threads. */
HEED_API heed_params *heed_params_new(const heed_params_cfg *cfg, heed_error *err);
HEED_API void heed_params_free(heed_params *ps);

/* Declares a trainable f32 parameter and draws its first values. NULL on failure; the first error
 * is kept. A name used before with the same shape gives the same tensor (shared weights), with
 * another shape an error. */
HEED_API heed_tensor *heed_param(heed_params *ps, const char *name, heed_init init, int ndim,
                                 const int64_t *shape);
/* Keeps an error (the first one stays) for a layer's init that refuses its sizes; returns code. */
HEED_API int heed_params_fail(heed_params *ps, int code, const char *format, ...) HEED_PRINTF(3, 4);
/* Zeroed room for layer structs that lives as long as ps; NULL and the error kept when memory is
 * short. */
HEED_API void *heed_params_alloc(heed_params *ps, int64_t count, size_t size);
HEED_API const heed_error *heed_params_error(const heed_params *ps);             /* or NULL */
HEED_API heed_tensor *heed_params_find(const heed_params *ps, const char *name); /* or NULL */
HEED_API int64_t heed_params_count(const heed_params *ps);                       /* tensors */
/* In the order of declaration; NULL past the end. */
HEED_API heed_tensor *heed_params_at(const heed_params *ps, int64_t i);
HEED_API int64_t heed_params_len(const heed_params *ps); /* numbers in all */
/* Forgets all gradients: the next backward begins anew. */
HEED_API void heed_params_zero_grad(heed_params *ps);
/* Freezes (false) or thaws every parameter whose name matches pattern ('*' and '?'); returns how
 * many matched. */
HEED_API int64_t heed_params_set_trainable(heed_params *ps, const char *pattern, bool trainable);
/* Makes every parameter ready for inference: none is trainable any more, and each 2-D weight [N,K]
 * gets a copy in the kernels' panels [N/16][K][16], owned by ps, that heed_affine reads instead:
 * products of few rows become as fast as memory, with the same bits. Tables of heed_embed are left
 * out unless they serve as a weight too. Costs the memory of the weights once more; products in
 * bf16 do not use the copy. The copy never outlives the values: heed_params_load,
 * heed_checkpoint_load and heed_optim_swap_ema end it (call again after), heed_params_set_trainable
 * with true ends it for what matches, and an optimizer for frozen parameters is refused. Values
 * written by hand through data need a call after. Not while a step that uses ps is under way. 0 or
 * a status, which ps keeps; then nothing has changed. */
HEED_API int heed_params_freeze(heed_ctx *cx, heed_params *ps);
/* Gradients of table w [N,C] are kept by touched rows from now on: sorted, unique, deterministic. 0
 * or a status. */
HEED_API int heed_param_set_sparse(heed_params *ps, heed_tensor *w);

#ifdef __cplusplus
}
#endif
#endif
