/* params.h: inside of heed_params, for this folder, io and train. */
#ifndef HEED_TENSOR_PARAMS_H
#define HEED_TENSOR_PARAMS_H

#include "tensor/ctx.h"

/* The gradient of parameter t, which has none yet: room in the flat block, not filled. NULL and the
 * context's error set when memory is short. */
float *heed__param_grad(heed_ctx *cx, heed_tensor *t);
/* The hooks that ps was made with. */
const heed_hooks *heed__params_hooks(const heed_params *ps);
/* Refuses to declare more than `most` numbers in all (negative: no limit): those of a file whose
 * config may say anything. What is declared under a limit gets its values from that file: nothing
 * is drawn, it begins as zeros. */
void heed__params_limit(heed_params *ps, int64_t most);
/* Forgets all parameters but the first `count` that were declared, with all gradients: a head that
 * was of use for a while. Nothing may refer to the others any more. */
void heed__params_cut(heed_params *ps, int64_t count);
/* What parameter w is for, so that heed_params_freeze knows what to pack: rows of a table are
 * looked up, and it is packed only where it serves as a weight too. */
void heed__param_is_table(heed_tensor *w);
bool heed__param_looked_up(const heed_tensor *w); /* it is one */
void heed__param_is_weight(heed_tensor *w);
/* Whether any parameter has panels; and an end of all panels, to be called by whoever writes values
 * of parameters. */
bool heed__params_frozen(const heed_params *ps);
void heed__params_drop_panels(heed_params *ps);
/* Rounds the rows of table w [N,C] to 8 bits each, so that files hold them so (round.c). False: a
 * number is not finite or far too large; nothing is changed. */
bool heed__param_round(heed_tensor *w);
bool heed__param_rounded(const heed_tensor *w);
/* Whoever changes values of a rounded parameter says that it is not any more. */
void heed__param_set_rounded(heed_tensor *w, bool rounded);
/* A row and its numbers: row ≈ scale · number. */
float heed__row_scale(const float *row, int64_t n);
void heed__row_numbers(int8_t *number, const float *row, float scale, int64_t n);
void heed__row_values(float *row, const int8_t *number, float scale, int64_t n);
/* Product of a shape, or -1 for one that is no shape or overflows. */
int64_t heed__shape_len(int ndim, const int64_t *shape);
/* True when text matches a pattern of '*', '?' and plain characters. */
bool heed__match(const char *pattern, const char *text);
/* Draws the first values of w by init; depends on (seed, w's name and shape) alone. 0 or a status
 * in *err. */
int heed__init(heed_tensor *w, heed_init init, uint64_t seed, const heed_hooks *hooks,
               heed_error *err);
heed_sparse *heed__sparse_new(const heed_hooks *hooks, int64_t rows, int64_t dim);
void heed__sparse_free(heed_sparse *s);

#endif
