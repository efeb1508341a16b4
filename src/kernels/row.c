/* row.c: sums over very many numbers: blocks of HEED_SUM_BLOCK by the row rule, in any thread, then
 * one balanced tree over the blocks, so that the result never depends on how the work was shared.
 */
#include "kernels/row.h"

float heed__tree_sum(const float *x, int64_t n) {
    if (n <= 0) return 0.0f;
    if (n == 1) return x[0];
    int64_t left = 1;
    while (left < n - left) left *= 2; /* the largest power of two below n */
    return heed__tree_sum(x, left) + heed__tree_sum(x + left, n - left);
}

typedef struct block_job {
    float (*sum)(const float *x, int64_t n);
    const float *x;
    int64_t n;
    float *out;
} block_job;

static void sum_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const block_job *job = arg;
    for (int64_t b = begin; b < end; b++) {
        const int64_t at = b * HEED_SUM_BLOCK, left = job->n - at;
        job->out[b] = job->sum(job->x + at, left < HEED_SUM_BLOCK ? left : HEED_SUM_BLOCK);
    }
}

static float sum_of_blocks(heed_pool *pool, block_job *job) {
    if (job->n <= 0) return 0.0f;
    const int64_t blocks = (job->n - 1) / HEED_SUM_BLOCK + 1;
    heed_pool_run(pool, blocks, 16, sum_blocks, job);
    return heed__tree_sum(job->out, blocks);
}

float heed__sum_many(const heed_kernels *k, heed_pool *pool, const float *x, int64_t n,
                     float *scratch) {
    return sum_of_blocks(pool, &(block_job){ k->row->sum, x, n, scratch });
}

float heed__sum_sq_many(const heed_kernels *k, heed_pool *pool, const float *x, int64_t n,
                        float *scratch) {
    return sum_of_blocks(pool, &(block_job){ k->row->sum_sq, x, n, scratch });
}
