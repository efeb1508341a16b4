/* beside.h: numbers that stand beside a text, such as the features of an image or the frames of a
 * sound, as a vector that is put beside the body's.
 *
 *     s = (x - mean) / spread                        of the training's numbers        [T,F]
 *   one vector (T = 1)
 *     y = norm(gelu(W s + b))                                                         [D]
 *   steps in their order
 *     x_t = W s_t + b + position_t
 *     h_t = x_t + gelu(V [x_t-1, x_t, x_t+1] + c)    local context
 *     a_h = softmax_t(q_h · h_t)                     H learned queries
 *     y   = norm([Σ_t a_1t h_t, .., Σ_t a_Ht h_t, max_t h_t])                         [(H+1)·D] */
#ifndef HEED_TASKS_BESIDE_H
#define HEED_TASKS_BESIDE_H

#include <jansson.h>

#include "heed/nn.h"
#include "heed/tasks.h"

typedef struct heed_beside {
    int64_t in;    /* F; 0: there is none */
    int64_t width; /* D */
    bool sequence;
    double dropout;             /* of what goes in, when training */
    heed_tensor *mean, *spread; /* [F], never trained */
    heed_linear first, near;    /* near, query: of a sequence */
    heed_linear query;
    heed_tensor *gain, *bias; /* of the norm */
} heed_beside;

enum { HEED_BESIDE_MOST = 1 << 20 }; /* largest F */

/* Declares the parameters "array.*" for in, width and sequence as they are set. 0 or a status. */
int heed__beside_init(heed_beside *b, heed_params *ps, heed_error *err);
/* mean and spread become those of len rows. */
void heed__beside_measure(heed_beside *b, const heed_array *x, int64_t len);
/* The width of apply's vectors; 0 where there is none. */
int64_t heed__beside_dim(const heed_beside *b);
/* Whether the numbers beside len texts are such as heed_array says: there, of a shape that can be
 * read, finite. 0 or HEED_EINVALID. */
int heed__array_check(const heed_array *x, int64_t len, heed_error *err);
/* The same, and whether they are given (NULL: none) where and as they are read. */
int heed__beside_check(const heed_beside *b, const heed_array *x, int64_t len, heed_error *err);
/* Of rows row[0..n) of x (NULL: the first n) -> [n, heed__beside_dim]. */
heed_tensor *heed__beside_apply(heed_ctx *cx, const heed_beside *b, const heed_array *x,
                                const int64_t *row, int64_t n);
/* Its vectors beside the body's y [n,C]; y itself where there is none. */
heed_tensor *heed__beside_join(heed_ctx *cx, const heed_beside *b, const heed_array *x,
                               const int64_t *row, heed_tensor *y);

json_t *heed__beside_config(const heed_beside *b); /* NULL: out of memory, or none */
/* object NULL: none. 0 or a status. */
int heed__beside_read(heed_beside *b, const json_t *object, const char *path, heed_error *err);

#endif
