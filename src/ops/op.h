/* op.h: what operations are written with, above ctx.h: checks that speak, functions of each element
 * cut over the pool, sums over rows by the shard rule. */
#ifndef HEED_OPS_OP_H
#define HEED_OPS_OP_H

#include "kernels/gemm.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "tensor/ctx.h"

/* True if t is f32; else false and "<op>: <what> must be f32, not i32 [2,8]" in cx. */
bool heed__is_f32(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *t);
/* The same for any type. */
bool heed__is_dtype(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *t,
                    heed_dtype dtype);
/* Both f32 and of one shape, else false and a sentence with the two shapes. */
bool heed__are_alike(heed_ctx *cx, const heed_op *op, const heed_tensor *a, const heed_tensor *b);
/* A new f32 tensor; where its size does not fit, the sentence names the op. */
heed_tensor *heed__out(heed_ctx *cx, const heed_op *op, int ndim, const int64_t *shape);

/* In a backward: true when one of these sources takes a gradient. */
bool heed__wanted(heed_tensor *const *src, int count);

/* y = f(x), y = f(a,b) over n elements; cost: work of an element as heed__parallel counts it. */
void heed__map1(heed_ctx *cx, heed_map1 f, int64_t cost, float *y, const float *x, int64_t n);
void heed__map2(heed_ctx *cx, heed_map2 f, float *y, const float *a, const float *b, int64_t n);
/* dx += f(a, b), or dx = f(a, b) where beta is 0 (each block is cleared just before, in cache). */
typedef struct heed_map_grad {
    heed_map1_grad f;
    float *dx, beta;
    const float *a, *b;
    int64_t n, cost;
} heed_map_grad;
void heed__map_grad(heed_ctx *cx, const heed_map_grad *g);
/* dx += a·dy, or dx = a·dy where beta is 0. */
void heed__axpy_grad(heed_ctx *cx, float *dx, float beta, float a, const float *dy, int64_t n);

/* dx += dy, the gradient of an operation's output, as the last thing its backward does with it:
 * where x has no gradient yet dy's room becomes its own. */
void heed__pass_grad(heed_ctx *cx, heed_tensor *x, heed_tensor *out);

/* A whole operation that is a function of each element. */
heed_tensor *heed__unary(heed_ctx *cx, const heed_op *op, heed_tensor *x, heed_map1 f,
                         int64_t cost);
/* Its backward: dx += f(at, dy), where `at` is the input's or the output's data. */
void heed__unary_backward(heed_ctx *cx, const heed_node *n, heed_map1_grad f, const void *at);

/* Adds rows [row, row+rows) of columns [col, col+cols) to sum[cols], row after row. */
typedef void (*heed_col_fn)(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]);
enum { HEED_ROW, HEED_ROWS, HEED_COL, HEED_COLS }; /* what range holds */

/* Column sums of [rows,cols] by the shard rule of gemm.h: shards of 1024 rows, a tree over them,
 * the old value (where beta is 1) last. Columns are cut into pieces of `piece`, 0: not cut. False
 * when memory is short. */
typedef struct heed_col_sums {
    float *out, beta;
    int64_t rows, cols, piece;
    heed_col_fn fn;
    const void *arg;
} heed_col_sums;
bool heed__col_sums(heed_ctx *cx, const heed_col_sums *s);
/* A piece for sums of `cols` columns: 256, or 128 where that leaves threads without one. */
int64_t heed__col_piece(const heed_ctx *cx, int64_t cols);
/* out[j] (+)= sum over i of x[i][j]: a bias's gradient. x is contiguous. */
bool heed__bias_grad(heed_ctx *cx, heed_tensor *bias, const float *x, int64_t rows, int64_t cols);

#endif
