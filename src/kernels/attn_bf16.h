/* attn_bf16.h: products of blocks in bf16 for fused attention, over the tiles of bf16.h: AMX tiles
 * where there are any, and the same bits elsewhere; and its form of the passes. */
#ifndef HEED_KERNELS_ATTN_BF16_H
#define HEED_KERNELS_ATTN_BF16_H

#include "kernels/attn_pass.h"
#include "kernels/bf16.h"

/* Queries that go through softmax together: whole tiles of rows, at most HEED_ATTN_GROUP. */
int64_t heed__attn_group(const heed_kernels *k);

/* Floats that `steps` of k take in a column of a panel or in a row of packed A. */
int64_t heed__bf16_depth(const heed_kernels *k, int64_t steps);
/* Floats of packed A [rows, steps] and packed B [steps, cols]. */
int64_t heed__bf16_a_len(const heed_kernels *k, int64_t rows, int64_t steps);
int64_t heed__bf16_b_len(const heed_kernels *k, int64_t cols, int64_t steps);

/* An operand before it is packed: element (i, step) lies at from[i·ld + step], with across at
 * from[step·ld + i]. n: rows of A or columns of B. */
typedef struct heed_bf16_side {
    const float *from;
    int64_t ld, n, steps;
    bool across;
} heed_bf16_side;
void heed__bf16_pack_a(const heed_kernels *k, float *to, const heed_bf16_side *s);
void heed__bf16_pack_b(const heed_kernels *k, float *to, const heed_bf16_side *s);

/* The least magnitude other than 0 of [n, d] rows ld apart; +inf where the tiles do not ask. */
float heed__bf16_least(const heed_kernels *k, const float *x, int64_t ld, int64_t n, int64_t d);
/* The least weight other than 0. */
#define HEED_BF16_LEAST_WEIGHT 0x1p-40f

/* c [rows, 16·panels] (+)= steps [0, steps) of packed a and b. */
typedef struct heed_bf16_block {
    const float *a;           /* packed */
    int64_t a_first, a_steps; /* its step that is the first here, of how many */
    const float *b;           /* the first panel, at its first step */
    int64_t b_step;           /* floats from a panel to the next */
    float *c;
    int64_t ldc, rows, panels, steps;
    bool fresh;             /* c starts from 0 */
    float least_a, least_b; /* of a and b */
} heed_bf16_block;
void heed__bf16_multiply(const heed_kernels *k, const heed_bf16_block *p);

/* Around a worker's products. */
void heed__bf16_begin(const heed_kernels *k);
void heed__bf16_end(const heed_kernels *k);

/* The forward half of the form, whose table attn_bf16_grad.c has. */
void heed__attn_bf16_room(heed_attn_place *c, char *base, int64_t *at, bool values);
void heed__attn_bf16_keys(heed_attn_place *c);
void heed__attn_bf16_values(heed_attn_place *c);
void heed__attn_bf16_queries(heed_attn_place *c, int64_t n);
void heed__attn_bf16_tile(const heed_attn_place *c, const heed_attn_rows *r, int64_t i,
                          int64_t key);
void heed__attn_bf16_weights(const heed_attn_place *c, const heed_attn_rows *r, int64_t key,
                             const float *lse, float *p);

#endif
